extension LidarJob {
  /// Per cell: the points in it in the order of the cloud, then the table of `LidarBEV`.
  func runReference() {
    let l = unsafe layout
    let cellCount = unsafe l.width * l.height
    var pointsOfCell = [[Int]](repeating: [], count: cellCount)
    for point in unsafe 0..<l.count {
      let cell = unsafe cellReference(point)
      unsafe cells[point] = Int32(cell ?? -1)
      if let cell { pointsOfCell[cell].append(point) }
    }
    for cell in 0..<cellCount {
      let columnOccupied = unsafe occupied?[cell] ?? 0
      let columnFree = unsafe free?[cell] ?? 0
      var row = [Float](repeating: 0, count: unsafe l.channels)
      let isKnown = !pointsOfCell[cell].isEmpty || columnOccupied > 0 || columnFree > 0
      if isKnown {
        var written = unsafe pointChannels(pointsOfCell[cell])
        written[13] = unsafe logarithmReference(columnOccupied)
        written[14] = unsafe logarithmReference(columnFree)
        if columnOccupied > 0 { written[15] = unsafe highest![cell] - lowest![cell] }
        unsafe row.replaceSubrange(l.channelOffset..<l.channelOffset + 16, with: written)
      }
      for channel in row.indices { unsafe output[cell * row.count + channel] = row[channel] }
      unsafe validity[cell] = isKnown ? 1 : 0
    }
  }

  private func cellReference(_ point: Int) -> Int? {
    let l = unsafe layout
    let record = unsafe l.points! + point * l.stride
    let x = unsafe (record[l.x] - l.lowerX) * l.inverseSize
    let y = unsafe (record[l.y] - l.lowerY) * l.inverseSize
    guard unsafe record[l.z].isFinite, x >= 0, unsafe x < Float(l.width), y >= 0,
      unsafe y < Float(l.height)
    else { return nil }
    return unsafe Int(y) * l.width + Int(x)
  }

  private func pointChannels(_ points: [Int]) -> [Float] {
    var channels = [Float](repeating: 0, count: 16)
    guard !points.isEmpty else { return channels }
    let l = unsafe layout
    let heights = points.map { unsafe l.points![$0 * l.stride + l.z] }
    let share = 1 / Float(points.count)
    channels[0] = unsafe logarithmReference(Float(points.count))
    channels[1] = heights.reduce(0, +) * share
    channels[2] = heights.max()!
    channels[3] = heights.min()!
    if unsafe l.intensity >= 0 {
      let sum = points.reduce(Float(0)) { unsafe $0 + l.points![$1 * l.stride + l.intensity] }
      channels[4] = sum * share
    }
    for bin in 0..<8 {
      let inside = heights.filter { height in
        let place = unsafe (height - l.binLower) * l.inverseBinSize
        return Int(max(0, min(7, place))) == bin
      }
      channels[5 + bin] = unsafe logarithmReference(Float(inside.count))
    }
    return channels
  }

  private func logarithmReference(_ count: Float) -> Float {
    unsafe naturalLogarithm(onePlus: Int(max(0, min(count, Float(logarithmCount - 1)))))
  }
}

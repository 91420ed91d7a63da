extension VisibilityMap {
  /// A vector of the sensor in cells, in the kernel's order of operations (float32).
  private func cells(_ p: SIMD3<Float>) -> SIMD3<Float> {
    SIMD3(
      (p.x * parameters[0] + p.y * parameters[1]) + p.z * parameters[2],
      (p.x * parameters[3] + p.y * parameters[4]) + p.z * parameters[5],
      (p.x * parameters[6] + p.y * parameters[7]) + p.z * parameters[8])
  }

  @unsafe
  func markLidarReference(
    _ base: UnsafeRawPointer, _ stride: Int, _ offsets: (Int, Int, Int), _ count: Int
  ) {
    for index in 0..<count {
      let record = unsafe base + index * stride
      let point = unsafe SIMD3(
        record.loadUnaligned(fromByteOffset: offsets.0, as: Float.self),
        record.loadUnaligned(fromByteOffset: offsets.1, as: Float.self),
        record.loadUnaligned(fromByteOffset: offsets.2, as: Float.self))
      markRayReference(point, stops: nil, into: lidarVisible)
      markHitReference(cells(point))
    }
    let n = configuration.cellCounts
    for x in 0..<n.x {
      for y in 0..<n.y {
        for z in 0..<n.z where isBetweenRays(x, y, z) {
          lidarField[x * n.y + y] |= 1 << UInt32(z)
        }
      }
    }
  }

  /// The definition, cell column by cell column: crossings t = (border − origin) / direction.
  func markRayReference(
    _ vector: SIMD3<Float>, stops: AlignedBuffer<UInt32>?, into target: AlignedBuffer<UInt32>
  ) {
    let v = cells(vector)
    let length = ((v.x * v.x + v.y * v.y) + v.z * v.z).squareRoot()
    guard length > 0, length < 1e6 else { return }
    let n = configuration.cellCounts
    let o = SIMD3(parameters[9], parameters[10], parameters[11])
    let until = stops == nil ? min(length, parameters[12]) : parameters[12]
    var d = SIMD3<Float>(repeating: 0)
    var inverse = d
    var enter: Float = 0
    var leave = until
    for axis in 0..<3 {
      let unit = v[axis] / length
      d[axis] = abs(unit) < 1e-9 ? 1e-9 : unit
      inverse[axis] = 1 / d[axis]
      let a = inverse[axis] * (0 - o[axis])
      let b = inverse[axis] * (Float(n[axis]) - o[axis])
      enter = max(enter, min(a, b))
      leave = min(leave, max(a, b))
    }
    guard enter < leave else { return }
    func cell(_ axis: Int, at t: Float) -> Int {
      let place = (d[axis] * t + o[axis]).rounded(.down)
      return Int(max(0, min(Float(n[axis] - 1), place)))
    }
    var (x, y, z) = (cell(0, at: enter), cell(1, at: enter), cell(2, at: enter))
    while true {
      let tx = ((Float(x) + (d.x > 0 ? 1 : 0)) - o.x) * inverse.x
      let ty = ((Float(y) + (d.y > 0 ? 1 : 0)) - o.y) * inverse.y
      let exit = tx < ty ? tx : ty
      let reached = cell(2, at: min(exit, leave))
      let height = d.z > 0 ? max(z, reached) : min(z, reached)
      for step in 0...abs(height - z) {
        let bit = UInt32(1) << UInt32(height > z ? z + step : z - step)
        target[x * n.y + y] |= bit
        if let stops, stops[x * n.y + y] & bit != 0 { return }
      }
      if exit >= leave { return }
      if tx < ty { x += d.x > 0 ? 1 : -1 } else { y += d.y > 0 ? 1 : -1 }
      z = height
    }
  }

  private func sector(_ x: Float, _ y: Float) -> Int {
    let share = y / (abs(x) + abs(y))
    let turn = x < 0 ? 2 - share : share
    let sector = Int((turn + 1) * 0.25 * Float(configuration.sectorCount))
    return sector >= configuration.sectorCount ? sector - configuration.sectorCount : sector
  }

  private func markHitReference(_ v: SIMD3<Float>) {
    let length = ((v.x * v.x + v.y * v.y) + v.z * v.z).squareRoot()
    guard length > 0, length < 1e6 else { return }
    let away = (v.x * v.x + v.y * v.y).squareRoot()
    if away > 0 {
      let at = 2 * sector(v.x, v.y)
      sectors[at] = min(sectors[at], v.z / away)
      sectors[at + 1] = max(sectors[at + 1], v.z / away)
    }
    guard length <= parameters[12] else { return }
    let p = SIMD3(parameters[9] + v.x, parameters[10] + v.y, parameters[11] + v.z)
    let n = configuration.cellCounts
    for axis in 0..<3 where !(p[axis] >= 0 && p[axis] < Float(n[axis])) { return }
    lidarHits[Int(p.x) * n.y + Int(p.y)] |= 1 << UInt32(p.z)
  }

  private func isBetweenRays(_ x: Int, _ y: Int, _ z: Int) -> Bool {
    let vx = (Float(x) + 0.5) - parameters[9]
    let vy = (Float(y) + 0.5) - parameters[10]
    let away = (vx * vx + vy * vy).squareRoot()
    guard away > 0, away <= parameters[12] else { return false }
    let at = 2 * sector(vx, vy)
    guard sectors[at] <= sectors[at + 1] else { return false }
    let middle = Float(z) + 0.5
    return middle >= parameters[11] + sectors[at] * away
      && middle <= parameters[11] + sectors[at + 1] * away
  }

  private func mapped(_ p: SIMD3<Double>) -> SIMD3<Double> {
    func row(_ at: Int) -> Double {
      ((affine[at] * p.x + affine[at + 1] * p.y) + affine[at + 2] * p.z) + affine[at + 3]
    }
    return SIMD3(row(0), row(4), row(8))
  }

  func splatReference(_ view: WindowView, _ samples: Int) {
    let n = configuration.cellCounts
    for y in 0..<view.cells.y {
      for x in 0..<view.cells.x {
        for z in 0..<view.cells.z where view.state(SIMD3(x, y, z)) == .occupied {
          for sample in 0..<samples * samples * samples {
            let part = SIMD3(sample % samples, sample / samples % samples, sample / samples / samples)
            let step = 1 / Double(samples)
            let place = mapped(
              SIMD3<Double>(SIMD3(x, y, z)) + (SIMD3<Double>(part) + 0.5) * step)
            let cell = place.rounded(.down)
            guard (0..<3).allSatisfy({ cell[$0] >= 0 && cell[$0] < Double(n[$0]) }) else { continue }
            occupied[Int(cell.x) * n.y + Int(cell.y)] |= 1 << UInt32(cell.z)
          }
        }
      }
    }
  }

  func sampleReference(_ view: WindowView) {
    let n = configuration.cellCounts
    for x in 0..<n.x {
      for y in 0..<n.y {
        for z in 0..<n.z {
          let place = mapped(SIMD3<Double>(SIMD3(x, y, z)) + 0.5)
          // Positions far outside may not fit an integer.
          guard (0..<3).allSatisfy({ place[$0] >= 0 && place[$0] < 1e6 }) else { continue }
          if view.state(voxelIndex(place)) != .unknown {
            known[x * n.y + y] |= 1 << UInt32(z)
          }
        }
      }
    }
  }
}

extension ObstacleLayer {
  /// Column by column, voxel by voxel.
  func updateReference(_ view: WindowView, startX: Int, startY: Int, seed: Int) {
    for y in startY..<cells.y { growReference(view, y, y == startY ? nil : y - 1, startX, seed) }
    for y in (0..<startY).reversed() { growReference(view, y, y + 1, startX, seed) }
    bits.zero()
    for y in 0..<cells.y {
      for x in 0..<cells.x {
        let column = y * cells.x + x
        states[column] = 0
        for z in 0..<cells.z {
          let height = z - Int(ground[column])
          guard height >= lowVoxels, height <= highVoxels else { continue }
          switch view.state(SIMD3(x, y, z)) {
          case .occupied:
            bits[column * words + z / 64] |= 1 << UInt64(z % 64)
            states[column] = 2
          case .free: states[column] = max(1, states[column])
          case .unknown: break
          }
        }
      }
    }
  }

  private func growReference(
    _ view: WindowView, _ y: Int, _ inner: Int?, _ startX: Int, _ seed: Int
  ) {
    for x in Array(startX..<cells.x) + (0..<startX).reversed() {
      var neighbours: [Int] = []
      if x > startX { neighbours.append(Int(ground[y * cells.x + x - 1])) }
      if x < startX { neighbours.append(Int(ground[y * cells.x + x + 1])) }
      if let inner { neighbours.append(Int(ground[inner * cells.x + x])) }
      let reference = neighbours.min() ?? seed
      let found = (reference - stepVoxels...reference + stepVoxels).first {
        view.state(SIMD3(x, y, $0)) == .occupied
      }
      ground[y * cells.x + x] = Int16(found ?? reference)
    }
  }
}

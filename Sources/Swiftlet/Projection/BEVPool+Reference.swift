extension BEVPool {
  /// Point by point in table order: `out[cell] += depth · feature`, product and sum rounded apart.
  @unsafe
  static func poolReference(
    _ index: BEVIndex, _ depth: UnsafePointer<Float>, _ features: FeatureRows,
    channels: Int, cameras: CameraSet, target: PoolTarget, into output: UnsafeMutablePointer<Float>
  ) {
    target.forEachRun(in: 0..<index.cellCount) { begin, end, offset in
      for cell in begin..<end {
        let out = unsafe output + offset + (cell - begin) * target.strideX
        for channel in 0..<channels { unsafe out[channel] = 0 }
        for slot in index.starts[cell]..<index.starts[cell + 1] {
          let depthIndex = Int(UInt32(truncatingIfNeeded: index.points[Int(slot)]))
          let token = Int(index.points[Int(slot)] >> 32)
          guard index.isIncluded(depthIndex, cameras) else { continue }
          let weight = unsafe depth[depthIndex]
          for channel in 0..<channels {
            unsafe out[channel] += weight * features.value(token * channels + channel)
          }
        }
      }
    }
  }
}

extension BEVIndex {
  /// Whether the camera that owns a flat depth index takes part.
  func isIncluded(_ depthIndex: Int, _ cameras: CameraSet) -> Bool {
    if layout.cameras.count > 16 || cameras == .all { return true }
    var camera = 0
    while depthIndex >= layout.depthStarts[camera + 1] { camera += 1 }
    return cameras.contains(camera: camera)
  }
}

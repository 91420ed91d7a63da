extension BEVIndex {
  /// Counts, sums and places the points one by one.
  func sortReference() {
    starts.zero()
    for point in 0..<layout.pointCount { starts[Int(ranks[point]) + 1] += 1 }
    for cell in 0...cellCount { starts[cell + 1] += starts[cell] }
    var next = starts.array
    for camera in layout.cameras.indices {
      let pixels = layout.cameras[camera].pixelCount
      for point in layout.depthStarts[camera]..<layout.depthStarts[camera + 1] {
        let cell = Int(ranks[point])
        let token = layout.featureStarts[camera] + (point - layout.depthStarts[camera]) % pixels
        points[Int(next[cell])] = UInt64(point) | UInt64(token) << 32
        next[cell] += 1
      }
    }
    markCamerasReference()
  }

  private func markCamerasReference() {
    cameraMasks.zero()
    guard layout.cameras.count <= 16 else { return }
    for camera in layout.cameras.indices {
      for point in layout.depthStarts[camera]..<layout.depthStarts[camera + 1] {
        let cell = Int(ranks[point])
        if cell < cellCount { cameraMasks[cell] |= CameraSet.camera(camera).rawValue }
      }
    }
  }
}

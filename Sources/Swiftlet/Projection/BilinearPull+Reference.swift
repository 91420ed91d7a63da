extension BilinearPull {
  /// Voxel by voxel, camera by camera, channel by channel.
  @unsafe
  func pullReference(_ features: UnsafePointer<Float>, _ valid: CameraSet) {
    for voxel in 0..<counts.count {
      let index = SIMD3(
        Double(voxel % sizeX), Double(voxel / sizeX % sizeY), Double(voxel / (sizeX * sizeY)))
      counts[voxel] = 0
      var sums = [Float](repeating: 0, count: channels)
      var numbers = sums
      for camera in cameras.indices where valid.contains(camera: camera) {
        guard let place = position(camera, index) else { continue }
        counts[voxel] += 1
        for channel in 0..<channels {
          let value = unsafe sample(features, camera, place, channel)
          sums[channel] += value
          if value != 0 { numbers[channel] += 1 }
        }
      }
      for channel in 0..<channels {
        volume[voxel * channels + channel] = sums[channel] / (numbers[channel] + 1e-6)
      }
    }
  }

  /// Whether camera `index` sees each voxel, [z][y][x]; allocates.
  public func visibility(camera index: Int) -> [UInt8] {
    (0..<counts.count).map { voxel in
      let place = position(
        index,
        SIMD3(
          Double(voxel % sizeX), Double(voxel / sizeX % sizeY), Double(voxel / (sizeX * sizeY))))
      return place == nil ? 0 : 1
    }
  }

  /// Where camera `camera` reads its map for a voxel; nil when it does not see it.
  private func position(_ camera: Int, _ index: SIMD3<Double>) -> SIMD2<Double>? {
    let point = SIMD3(
      lattice[0] + index.x * lattice[3], lattice[1] + index.y * lattice[4],
      lattice[2] + index.z * lattice[5])
    func row(_ first: Int) -> Double {
      let base = 32 * camera + first
      return cameraData[base] * point.x + cameraData[base + 1] * point.y
        + cameraData[base + 2] * point.z + cameraData[base + 3]
    }
    let depth = max(row(8), 1e-6)
    let (x, y) = (row(0) / depth, row(4) / depth)
    let size = cameras[camera]
    let (width, height) = (Double(size.featureWidth), Double(size.featureHeight))
    let isSeen =
      x > -0.5 && y > -0.5 && x < width - 0.5 && y < height - 0.5 && row(12) > 0
    return isSeen ? SIMD2(mismatched(x, width), mismatched(y, height)) : nil
  }

  /// g = 2 x/(W - 1) - 1 clamped to ±2, read at ((g + 1) W - 1)/2.
  private func mismatched(_ pixel: Double, _ size: Double) -> Double {
    let g = min(max(2 * pixel / (size - 1) - 1, -2), 2)
    return ((g + 1) * size - 1) / 2
  }

  /// Bilinear, every tap outside the map 0.
  @unsafe
  private func sample(
    _ features: UnsafePointer<Float>, _ camera: Int, _ place: SIMD2<Double>, _ channel: Int
  ) -> Float {
    let size = cameras[camera]
    let start = Int(cameraData[32 * camera + 16])
    guard place.x.isFinite, place.y.isFinite else { return 0 }
    var sum: Float = 0
    for tap in 0..<4 {
      let x = Int(place.x.rounded(.down)) + (tap & 1)
      let y = Int(place.y.rounded(.down)) + (tap >> 1)
      guard x >= 0, y >= 0, x < size.featureWidth, y < size.featureHeight else { continue }
      let weightX: Double = 1 - abs(place.x - Double(x))
      let weightY: Double = 1 - abs(place.y - Double(y))
      let weight = Float(weightX * weightY)
      if weight == 0 { continue }
      unsafe sum += features[(start + y * size.featureWidth + x) * channels + channel] * weight
    }
    return sum
  }
}

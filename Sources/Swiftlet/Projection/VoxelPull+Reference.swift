extension VoxelPull {
  /// round(x/z), round(y/z) of every voxel's lower corner.
  func lookUpReference(
    _ index: Int, _ p: [Double], _ lower: SIMD3<Double>, _ size: SIMD3<Double>
  ) {
    let camera = cameras[index]
    let rule: FloatingPointRoundingRule =
      overlap == .first ? .toNearestOrAwayFromZero : .toNearestOrEven
    for voxel in 0..<voxelCount {
      let cell = SIMD3(
        Double(voxel / (sizeY * sizeZ)), Double(voxel / sizeZ % sizeY), Double(voxel % sizeZ))
      let point = lower + cell * size
      let x = p[0] * point.x + p[1] * point.y + p[2] * point.z + p[3]
      let y = p[4] * point.x + p[5] * point.y + p[6] * point.z + p[7]
      let z = p[8] * point.x + p[9] * point.y + p[10] * point.z + p[11]
      let u = (x / z).rounded(rule)
      let v = (y / z).rounded(rule)
      let isValid =
        z > 0 && u >= 0 && v >= 0 && u < Double(camera.featureWidth)
        && v < Double(camera.featureHeight)
      tables[index * voxelCount + voxel] =
        isValid ? Int32(featureStarts[index] + Int(v) * camera.featureWidth + Int(u)) : -1
    }
  }

  @unsafe
  func pullReference(_ features: UnsafePointer<Float>, _ valid: CameraSet) {
    for voxel in 0..<voxelCount {
      let seen = cameras.indices.compactMap { camera -> Int? in
        let token = Int(tables[camera * voxelCount + voxel])
        return token >= 0 && valid.contains(camera: camera) ? token : nil
      }
      let chosen =
        switch overlap {
        case .last: Array(seen.suffix(1))
        case .first: Array(seen.prefix(1))
        case .mean: seen
        }
      indices[voxel] = overlap == .mean ? Int32(seen.count) : Int32(chosen.first ?? -1)
      for channel in 0..<channels {
        var sum: Float = 0
        for token in chosen { unsafe sum += features[token * channels + channel] }
        volume[voxel * channels + channel] = chosen.count > 1 ? sum / Float(chosen.count) : sum
      }
    }
  }
}

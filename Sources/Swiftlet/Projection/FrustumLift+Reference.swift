extension FrustumLift {
  /// Ego rays of camera `index`: M (x, y, 1) in float64, rounded once.
  func rotateReference(_ index: Int, _ m: Matrix3) {
    for token in layout.featureStarts[index]..<layout.featureStarts[index + 1] {
      let ray = m * SIMD3(cameraRayX[token], cameraRayY[token], 1)
      rayX[token] = Float(ray.x)
      rayY[token] = Float(ray.y)
      rayZ[token] = Float(ray.z)
    }
  }

  /// The ego point of feature token `token` at `depth`.
  func pointReference(camera: Int, token: Int, depth: Float) -> SIMD3<Float> {
    let base = 16 * camera
    return SIMD3(
      rayX[token] * depth + parameters[base], rayY[token] * depth + parameters[base + 1],
      rayZ[token] * depth + parameters[base + 2])
  }

  /// rank = (z Y + y) X + x of the point's cell, or the number of cells when it is dropped.
  func rankReference(_ point: SIMD3<Float>) -> Int32 {
    let lower = SIMD3<Float>(grid.lowerMeters)
    let step = SIMD3<Float>(grid.stepMeters)
    let x = cell((point.x - lower.x) / step.x, size: grid.sizeX)
    let y = cell((point.y - lower.y) / step.y, size: grid.sizeY)
    let z = cell((point.z - lower.z) / step.z, size: grid.sizeZ)
    if x < 0 || y < 0 || z < 0 { return Int32(grid.cellCount) }
    return Int32((z * grid.sizeY + y) * grid.sizeX + x)
  }

  /// The cell of a quotient, or -1.
  private func cell(_ quotient: Float, size: Int) -> Int {
    let whole =
      cellRule == .truncation ? quotient.rounded(.towardZero) : quotient.rounded(.down)
    return whole >= 0 && whole < Float(size) ? Int(whole) : -1
  }

  /// Ranks of every point, in flat depth order.
  func ranksReference(into ranks: AlignedBuffer<Int32>) {
    for camera in layout.cameras.indices {
      var index = layout.depthStarts[camera]
      for bin in 0..<layout.binCount {
        for token in layout.featureStarts[camera]..<layout.featureStarts[camera + 1] {
          let point = pointReference(camera: camera, token: token, depth: depths[bin])
          ranks[index] = rankReference(point)
          index += 1
        }
      }
    }
  }

  /// Ego points of the whole rig, [camera][bin][y][x][xyz], by this lift's engine. Allocates.
  public func points() -> [Float] {
    let points = AlignedBuffer<Float>(count: 3 * layout.pointCount)
    layout.forEachPlaneRun(in: 0..<layout.pointCount) { run in
      switch engine {
      case .reference:
        for offset in 0..<run.count {
          let point = pointReference(
            camera: run.camera, token: run.featureIndex + offset, depth: depths[run.bin])
          for axis in 0..<3 { points[3 * (run.depthIndex + offset) + axis] = point[axis] }
        }
      case .simd(let set):
        unsafe ProjectionKernels.liftPoints(
          set, rayX.pointer + run.featureIndex, rayY.pointer + run.featureIndex,
          rayZ.pointer + run.featureIndex, run.count, depths[run.bin],
          parameters.pointer + 16 * run.camera, points.pointer + 3 * run.depthIndex)
      }
    }
    return points.array
  }
}

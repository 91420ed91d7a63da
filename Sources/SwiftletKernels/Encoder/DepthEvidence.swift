/// Counts points by depth bin and feature cell for one camera.
///
/// - Parameters:
///   - points: records `byteStride` apart with float32 x, y, z at the three offsets.
///   - cameraFromPoints: 12 floats, rows of [R t].
///   - pinhole: four floats fx fy cx cy of the raw image.
///   - networkFromRaw: six floats a00 a01 tx a10 a11 ty.
///   - counts: [bin][row][column], added to.
@inline(never)
public func countDepthEvidence(
  _ points: UnsafeRawPointer, _ pointCount: Int, _ byteStride: Int, _ xOffset: Int,
  _ yOffset: Int, _ zOffset: Int, _ cameraFromPoints: UnsafePointer<Float>,
  _ pinhole: UnsafePointer<Float>, _ networkFromRaw: UnsafePointer<Float>,
  _ networkWidth: Int, _ networkHeight: Int, _ depthLower: Float, _ depthStep: Float,
  _ binCount: Int, _ counts: UnsafeMutablePointer<Float>
) {
  let t = cameraFromPoints
  let columns = networkWidth / 16
  let rows = networkHeight / 16
  var index = 0
  while index < pointCount {
    let record = points + index &* byteStride
    index &+= 1
    let x = record.loadUnaligned(fromByteOffset: xOffset, as: Float.self)
    let y = record.loadUnaligned(fromByteOffset: yOffset, as: Float.self)
    let z = record.loadUnaligned(fromByteOffset: zOffset, as: Float.self)
    let depth = t[8] * x + t[9] * y + t[10] * z + t[11]
    // Also false for NaN.
    guard depth >= depthLower, depth < depthLower + depthStep * Float(binCount) else { continue }
    let rawX = pinhole[0] * ((t[0] * x + t[1] * y + t[2] * z + t[3]) / depth) + pinhole[2]
    let rawY = pinhole[1] * ((t[4] * x + t[5] * y + t[6] * z + t[7]) / depth) + pinhole[3]
    let pixelX = networkFromRaw[0] * rawX + networkFromRaw[1] * rawY + networkFromRaw[2]
    let pixelY = networkFromRaw[3] * rawX + networkFromRaw[4] * rawY + networkFromRaw[5]
    guard pixelX >= 0, pixelY >= 0, pixelX < Float(networkWidth), pixelY < Float(networkHeight)
    else { continue }
    let bin = min(Int((depth - depthLower) / depthStep), binCount &- 1)
    counts[(bin &* rows &+ Int(pixelY) / 16) &* columns &+ Int(pixelX) / 16] += 1
  }
}

/// Turns counts into a distribution per cell; where no point fell, a prior from the flat ground.
///
/// - Parameters:
///   - distribution: [bin][row][column] counts in, weights that sum to 1 (or to 0 above the
///     horizon, where nothing is known) out.
///   - groundDepth: [row][column] depth of the ground plane along the optical axis; 0 for none.
@inline(never)
public func normalizeDepthEvidence(
  _ distribution: UnsafeMutablePointer<Float>, _ groundDepth: UnsafePointer<Float>,
  _ cellCount: Int, _ depthLower: Float, _ depthStep: Float, _ binCount: Int
) {
  var cell = 0
  while cell < cellCount {
    var sum: Float = 0
    var bin = 0
    while bin < binCount {
      sum += distribution[bin &* cellCount &+ cell]
      bin &+= 1
    }
    if sum > 0 {
      let scale = 1 / sum
      bin = 0
      while bin < binCount {
        distribution[bin &* cellCount &+ cell] *= scale
        bin &+= 1
      }
    } else {
      let position = (groundDepth[cell] - depthLower) / depthStep
      if groundDepth[cell] > 0, position >= 0, position < Float(binCount &- 1) {
        // Linear between the two nearest lower edges, so that the mean depth is the plane's.
        let lower = Int(position)
        let fraction = position - Float(lower)
        distribution[lower &* cellCount &+ cell] = 1 - fraction
        distribution[(lower &+ 1) &* cellCount &+ cell] = fraction
      }
    }
    cell &+= 1
  }
}

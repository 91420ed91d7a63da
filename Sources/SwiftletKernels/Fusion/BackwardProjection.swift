import CVectorShims

/// query[i] = embedding[i] + mean over z of voxels[z][i] for floats `lower ..< upper` of a map.
@inline(never)
public func meanOverHeight(
  _ voxels: UnsafePointer<Float>, _ heights: Int, _ mapCount: Int,
  _ embedding: UnsafePointer<Float>, _ lower: Int, _ upper: Int,
  _ query: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  let divisor = SIMD16<Float>(repeating: Float(heights))
  var index = lower
  while index < upper {
    let rest = upper &- index
    var sum = zero
    var z = 0
    while z < heights {
      sum = sum + loadOr(voxels + z &* mapCount + index, rest, zero)
      z &+= 1
    }
    storeSome(query + index, loadOr(embedding + index, rest, zero) + sum / divisor, rest)
    index &+= 16
  }
}

/// output[z][i] = voxels[z][i] + map[i] for every z and floats `lower ..< upper` of the map. `streams`:
/// whole vectors bypass the caches (`output`, `mapCount` and `lower` on whole vectors), since nothing
/// reads the voxels soon: a store would first read the line it overwrites.
@inline(never)
public func addToHeights(
  _ voxels: UnsafePointer<Float>, _ heights: Int, _ mapCount: Int, _ map: UnsafePointer<Float>,
  _ lower: Int, _ upper: Int, _ output: UnsafeMutablePointer<Float>, _ streams: Bool
) {
  let zero = SIMD16<Float>(repeating: 0)
  var index = lower
  if streams {
    while upper &- index >= 16 {
      let addend = swl_load_f32x16(map + index)
      var place = index
      var z = 0
      while z < heights {
        swl_stream_f32x16(output + place, swl_load_f32x16(voxels + place) + addend)
        place &+= mapCount
        z &+= 1
      }
      index &+= 16
    }
    swl_stream_fence()
  }
  while index < upper {
    let rest = upper &- index
    let addend = loadOr(map + index, rest, zero)
    var z = 0
    while z < heights {
      let place = z &* mapCount &+ index
      storeSome(output + place, loadOr(voxels + place, rest, zero) + addend, rest)
      z &+= 1
    }
    index &+= 16
  }
}

/// FB-OCC's depth weight of every anchor of queries `queryLower ..< queryUpper` in one camera: the
/// depth distribution [bins][height][width], read bilinearly (pixel = u · width - 0.5, zero padding)
/// at the bin floor((depth - start) / step), clipped. Only queries active in the camera are written.
///
/// positions [query][2][16], depths [query][anchors], weights [query][16].
@inline(never)
public func anchorDepthWeights(
  _ distribution: UnsafePointer<Float>, _ bins: Int, _ height: Int, _ width: Int,
  _ positions: UnsafePointer<Float>, _ depths: UnsafePointer<Float>, _ anchors: Int,
  _ active: UnsafePointer<UInt8>, _ start: Float, _ step: Float, _ queryLower: Int,
  _ queryUpper: Int, _ weights: UnsafeMutablePointer<Float>
) {
  var query = queryLower
  while query < queryUpper {
    var anchor = 0
    while anchor < anchors && active[query] != 0 {
      let place = (depths[query &* anchors &+ anchor] - start) / step
      let last = Float(bins &- 1)
      let bin = place > 0 ? (place < last ? Int(place) : bins &- 1) : 0
      weights[query &* 16 &+ anchor] = bilinearScalar(
        distribution + bin &* height &* width, height, width,
        positions[query &* 32 &+ anchor] * Float(width) - 0.5,
        positions[query &* 32 &+ 16 &+ anchor] * Float(height) - 0.5)
      anchor &+= 1
    }
    query &+= 1
  }
}

@inline(__always)
func bilinearScalar(
  _ map: UnsafePointer<Float>, _ height: Int, _ width: Int, _ x: Float, _ y: Float
) -> Float {
  guard x > -1 && y > -1 && x < Float(width) && y < Float(height) else { return 0 }
  // Adding 1 makes both positive: truncation is the floor.
  let column = Int(x + 1) &- 1
  let row = Int(y + 1) &- 1
  let fx = x - Float(column)
  let fy = y - Float(row)
  let hasLeft = column >= 0
  let hasRight = column &+ 1 < width
  var sum: Float = 0
  if row >= 0 {
    let line = map + row &* width + column
    if hasLeft { sum += (1 - fy) * (1 - fx) * line[0] }
    if hasRight { sum += (1 - fy) * fx * line[1] }
  }
  if row &+ 1 < height {
    let line = map + (row &+ 1) &* width + column
    if hasLeft { sum += fy * (1 - fx) * line[0] }
    if hasRight { sum += fy * fx * line[1] }
  }
  return sum
}

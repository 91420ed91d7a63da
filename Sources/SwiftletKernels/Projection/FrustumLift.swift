import CVectorShims

/// Rotates unit-depth rays from the camera to the ego frame, rounding once to float32:
/// `out = M (x, y, 1)`. `matrix` is M row-major; `x`, `y` hold `count` rays.
@inline(never)
public func rotateRays(
  _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int,
  _ matrix: UnsafePointer<Double>, _ outX: UnsafeMutablePointer<Float>,
  _ outY: UnsafeMutablePointer<Float>, _ outZ: UnsafeMutablePointer<Float>
) {
  var index = 0
  while index &+ 8 <= count {
    let rayX = swl_load_f64x8(x + index)
    let rayY = swl_load_f64x8(y + index)
    let ego0 = rayX * matrix[0] + rayY * matrix[1]
    let ego1 = rayX * matrix[3] + rayY * matrix[4]
    let ego2 = rayX * matrix[6] + rayY * matrix[7]
    swl_store_narrowed_f64x8(outX + index, ego0 + matrix[2])
    swl_store_narrowed_f64x8(outY + index, ego1 + matrix[5])
    swl_store_narrowed_f64x8(outZ + index, ego2 + matrix[8])
    index &+= 8
  }
  while index < count {
    let ego0 = x[index] * matrix[0] + y[index] * matrix[1]
    let ego1 = x[index] * matrix[3] + y[index] * matrix[4]
    let ego2 = x[index] * matrix[6] + y[index] * matrix[7]
    outX[index] = Float(ego0 + matrix[2])
    outY[index] = Float(ego1 + matrix[5])
    outZ[index] = Float(ego2 + matrix[8])
    index &+= 1
  }
}

/// One axis of the cell rule: the cell coordinate as a float and whether it lies in the grid.
@inline(__always)
private func cellCoordinate(
  _ ray: SIMD16<Float>, _ depth: Float, _ origin: Float, _ lower: Float, _ step: Float
) -> SIMD16<Float> {
  // Rounded twice, as the references round: one rounding less moves points over cell borders.
  let position = ray * SIMD16(repeating: depth) + SIMD16(repeating: origin)
  // A true division: multiplying by the reciprocal moves points that lie exactly on a border.
  return (position - lower) / SIMD16<Float>(repeating: step)
}

/// Cell ranks of one depth plane: point i is `ray[i] * depth + origin`, its cell per axis the
/// quotient (point - lower) / step cut toward zero, kept where `bound < quotient < size`.
/// A point outside (or not finite) gets rank `cellCount`.
///
/// `grid` holds origin, lower, step and size, three floats each, then `bound` (-1 for truncation;
/// the largest float below 0 for floor, which makes the same cut keep only what floor keeps).
/// Reads 16 floats from any valid index: rays have slack behind them. Writes `count` ranks.
@inline(never)
public func liftRanks(
  _ rayX: UnsafePointer<Float>, _ rayY: UnsafePointer<Float>, _ rayZ: UnsafePointer<Float>,
  _ count: Int, _ depth: Float, _ grid: UnsafePointer<Float>, _ ranks: UnsafeMutablePointer<Int32>
) {
  let sizeX = SIMD16<Float>(repeating: grid[9])
  let sizeY = SIMD16<Float>(repeating: grid[10])
  let sizeZ = SIMD16<Float>(repeating: grid[11])
  let bound = SIMD16<Float>(repeating: grid[12])
  let strideY = SIMD16<Int32>(repeating: Int32(grid[9]))
  let strideZ = SIMD16<Int32>(repeating: Int32(grid[9]) &* Int32(grid[10]))
  let outside = SIMD16<Int32>(
    repeating: Int32(grid[9]) &* Int32(grid[10]) &* Int32(grid[11]))
  let zero = SIMD16<Float>(repeating: 0)
  var index = 0
  while index < count {
    let x = cellCoordinate(swl_load_f32x16(rayX + index), depth, grid[0], grid[3], grid[6])
    let y = cellCoordinate(swl_load_f32x16(rayY + index), depth, grid[1], grid[4], grid[7])
    let z = cellCoordinate(swl_load_f32x16(rayZ + index), depth, grid[2], grid[5], grid[8])
    let aboveX = swl_and_i32x16(swl_less_f32x16(bound, x), swl_less_f32x16(x, sizeX))
    let aboveY = swl_and_i32x16(swl_less_f32x16(bound, y), swl_less_f32x16(y, sizeY))
    let aboveZ = swl_and_i32x16(swl_less_f32x16(bound, z), swl_less_f32x16(z, sizeZ))
    let kept = swl_and_i32x16(swl_and_i32x16(aboveX, aboveY), aboveZ)
    let cellX = swl_trunc_i32x16(swl_select_f32x16(kept, x, zero))
    let cellY = swl_trunc_i32x16(swl_select_f32x16(kept, y, zero))
    let cellZ = swl_trunc_i32x16(swl_select_f32x16(kept, z, zero))
    let slab = swl_multiply_i32x16(cellZ, strideZ)
    let rank = slab &+ swl_multiply_i32x16(cellY, strideY) &+ cellX
    let result = swl_select_i32x16(kept, rank, outside)
    if index &+ 16 <= count {
      swl_store_i32x16(ranks + index, result)
    } else {
      var lane = 0
      while index &+ lane < count {
        ranks[index &+ lane] = result[lane]
        lane &+= 1
      }
    }
    index &+= 16
  }
}

/// Ego points of one depth plane, x y z interleaved: `points[i] = ray[i] * depth + origin`.
@inline(never)
public func liftPoints(
  _ rayX: UnsafePointer<Float>, _ rayY: UnsafePointer<Float>, _ rayZ: UnsafePointer<Float>,
  _ count: Int, _ depth: Float, _ origin: UnsafePointer<Float>,
  _ points: UnsafeMutablePointer<Float>
) {
  var index = 0
  while index < count {
    points[3 &* index] = rayX[index] * depth + origin[0]
    points[3 &* index &+ 1] = rayY[index] * depth + origin[1]
    points[3 &* index &+ 2] = rayZ[index] * depth + origin[2]
    index &+= 1
  }
}

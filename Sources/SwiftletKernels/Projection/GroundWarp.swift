import CVectorShims

/// Pixels of one row of ground cells in one camera, `u[i]`, `v[i]`; u is -1 (NaN where the lens
/// has no pixel for the angle) where the camera does not see the cell. Cell i has its centre at (first + i · step, y) and height plane · (x, y, 1).
///
/// `camera` as in CameraModels; `view` is camera from ego, 12 values row-major 3×4; `bounds` holds
/// plane slope x, slope y, height, then near, limit, largest u, largest v, then y, first x, step.
/// `kind` is 0 for pinhole and Brown–Conrady, else that of a radial model. Writes whole groups of
/// eight: `u` and `v` need that slack.
@inline(never)
public func groundPixels(
  _ camera: UnsafePointer<Double>, _ view: UnsafePointer<Double>, _ bounds: UnsafePointer<Double>,
  _ kind: Int, _ count: Int, _ u: UnsafeMutablePointer<Double>,
  _ v: UnsafeMutablePointer<Double>
) {
  let ramp = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)
  let near = SIMD8<Double>(repeating: bounds[3])
  let limit = SIMD8<Double>(repeating: bounds[4])
  let none = SIMD8<Double>(repeating: -1)
  let y = SIMD8<Double>(repeating: bounds[7])
  var index = 0
  while index < count {
    let x = (ramp + Double(index)) * bounds[9] + bounds[8]
    let z = x * bounds[0] + y * bounds[1] + bounds[2]
    let rowX = x * view[0] + y * view[1] + z * view[2]
    let rowY = x * view[4] + y * view[5] + z * view[6]
    let rowZ = x * view[8] + y * view[9] + z * view[10]
    let cameraX = rowX + view[3]
    let cameraY = rowY + view[7]
    let cameraZ = rowZ + view[11]
    var planeX = cameraX / cameraZ
    var planeY = cameraY / cameraZ
    var radius = swl_sqrt_f64x8(planeX * planeX + planeY * planeY)
    if kind > 0 {
      let side = swl_sqrt_f64x8(cameraX * cameraX + cameraY * cameraY)
      radius = arcTangent(side, cameraZ)
      let isAxis = swl_less_f64x8(SIMD8(repeating: 0), side)
      let divisor = swl_select_f64x8(isAxis, side, SIMD8(repeating: 1))
      let scale = radialDistance(radius, camera + 4, kind) / divisor
      planeX = cameraX * scale
      planeY = cameraY * scale
    } else {
      brownConrady(planeX, planeY, camera + 4, &planeX, &planeY)
    }
    let pixelX = planeX * camera[0] + camera[2]
    let pixelY = planeY * camera[1] + camera[3]
    // Each test keeps the value or replaces it by -1, which the next tests leave alone.
    var result = swl_select_f64x8(swl_less_f64x8(near, cameraZ), pixelX, none)
    result = swl_select_f64x8(swl_less_f64x8(limit, radius), none, result)
    result = swl_select_f64x8(swl_less_f64x8(pixelX, SIMD8(repeating: 0)), none, result)
    result = swl_select_f64x8(swl_less_f64x8(pixelY, SIMD8(repeating: 0)), none, result)
    result = swl_select_f64x8(swl_less_f64x8(SIMD8(repeating: bounds[5]), pixelX), none, result)
    result = swl_select_f64x8(swl_less_f64x8(SIMD8(repeating: bounds[6]), pixelY), none, result)
    swl_store_f64x8(u + index, result)
    swl_store_f64x8(v + index, pixelY)
    index &+= 8
  }
}

/// Mean colours of blocks `begin..<end` of sixteen ground cells, rows of `blocksPerRow` blocks over
/// `width` cells. Block b has entries `starts[b]..<starts[b + 1]`, each of one camera: sixteen
/// words x + 65536 y of the upper left pixel (negative where the camera does not see the cell) and
/// sixteen fractions per axis. A camera whose image address is 0 is passed over. Cameras weigh the
/// same, or as `weights` says (sixteen an entry, above 0).
///
/// The four taps are two words a row: r g b r' at the pixel and b r' g' b' two bytes on, so that
/// nothing beyond the image is read.
@inline(never)
public func blendGround(
  _ starts: UnsafePointer<Int32>, _ cameras: UnsafePointer<Int32>, _ pixels: UnsafePointer<Int32>,
  _ fractionsX: UnsafePointer<Float>, _ fractionsY: UnsafePointer<Float>,
  _ weights: UnsafePointer<Float>?, _ images: UnsafePointer<UInt>,
  _ strides: UnsafePointer<Int32>, _ blocksPerRow: Int, _ width: Int, _ begin: Int, _ end: Int,
  _ colors: UnsafeMutablePointer<Float>,
  _ counts: UnsafeMutablePointer<Int32>
) {
  let zero = SIMD16<Float>(repeating: 0)
  let one = SIMD16<Float>(repeating: 1)
  var block = begin
  while block < end {
    var red = zero
    var green = zero
    var blue = zero
    var count = zero
    var total = zero
    var entry = Int(starts[block])
    let stop = Int(starts[block &+ 1])
    while entry < stop {
      let camera = Int(cameras[entry])
      if let image = UnsafePointer<UInt8>(bitPattern: images[camera]) {
        let pixel = swl_load_i32x16(pixels + 16 &* entry)
        let fx = swl_load_f32x16(fractionsX + 16 &* entry)
        let fy = swl_load_f32x16(fractionsY + 16 &* entry)
        let isSeen = swl_greater_i32x16(pixel, SIMD16(repeating: -1))
        let stride = strides[camera]
        let offset = swl_pixel_offset_i32x16(
          swl_select_i32x16(isSeen, pixel, SIMD16(repeating: 0)), stride)
        let up0 = swl_gather_bytes_i32x16(image, offset)
        let up1 = swl_gather_bytes_i32x16(image, offset &+ 2)
        let down0 = swl_gather_bytes_i32x16(image, offset &+ stride)
        let down1 = swl_gather_bytes_i32x16(image, offset &+ (stride &+ 2))
        let r = swl_bilinear_f32x16(
          swl_byte_f32x16(up0, 0), swl_byte_f32x16(up0, 24), swl_byte_f32x16(down0, 0),
          swl_byte_f32x16(down0, 24), fx, fy)
        let g = swl_bilinear_f32x16(
          swl_byte_f32x16(up0, 8), swl_byte_f32x16(up1, 16), swl_byte_f32x16(down0, 8),
          swl_byte_f32x16(down1, 16), fx, fy)
        let b = swl_bilinear_f32x16(
          swl_byte_f32x16(up0, 16), swl_byte_f32x16(up1, 24), swl_byte_f32x16(down0, 16),
          swl_byte_f32x16(down1, 24), fx, fy)
        if let weights {
          let own = swl_load_f32x16(weights + 16 &* entry)
          red = red + swl_select_f32x16(isSeen, r * own, zero)
          green = green + swl_select_f32x16(isSeen, g * own, zero)
          blue = blue + swl_select_f32x16(isSeen, b * own, zero)
          total = total + swl_select_f32x16(isSeen, own, zero)
        } else {
          red = red + swl_select_f32x16(isSeen, r, zero)
          green = green + swl_select_f32x16(isSeen, g, zero)
          blue = blue + swl_select_f32x16(isSeen, b, zero)
        }
        count = count + swl_select_f32x16(isSeen, one, zero)
      }
      entry &+= 1
    }
    let weight = weights == nil ? count : total
    // Where no camera sees the cell the sums are 0.
    let divisor = swl_select_f32x16(swl_less_f32x16(zero, weight), weight, one)
    let column = (block % blocksPerRow) &* 16
    let cell = (block / blocksPerRow) &* width &+ column
    let lanes = width &- column < 16 ? width &- column : 16
    let number = swl_trunc_i32x16(count)
    red = red / divisor
    green = green / divisor
    blue = blue / divisor
    if lanes == 16 {
      swl_store_interleaved_f32x16(colors + 3 &* cell, red, green, blue)
      swl_store_i32x16(counts + cell, number)
    } else {
      var lane = 0
      while lane < lanes {
        colors[3 &* (cell &+ lane)] = red[lane]
        colors[3 &* (cell &+ lane) &+ 1] = green[lane]
        colors[3 &* (cell &+ lane) &+ 2] = blue[lane]
        counts[cell &+ lane] = number[lane]
        lane &+= 1
      }
    }
    block &+= 1
  }
}

import CVectorShims

/// `positions[i] = first + i * step` in float64, rounded once: depth bins and pixel templates.
@inline(never)
public func arithmeticSeries(
  _ first: Double, _ step: Double, _ count: Int, _ positions: UnsafeMutablePointer<Float>
) {
  let ramp = SIMD8<Double>(0, 1, 2, 3, 4, 5, 6, 7)
  var index = 0
  while index &+ 8 <= count {
    let value = (ramp + Double(index)) * step + first
    swl_store_narrowed_f64x8(positions + index, value)
    index &+= 8
  }
  while index < count {
    positions[index] = Float(Double(index) * step + first)
    index &+= 1
  }
}

/// Image augmentations p' = A p + t of `count` images. `settings` holds resize, left, top, width,
/// height, flip (0 or 1), rotation in degrees; `results` A row-major and t.
@inline(never)
public func augmentationMatrices(
  _ settings: UnsafePointer<Double>, _ count: Int, _ results: UnsafeMutablePointer<Double>
) {
  let radians = 3.14159265358979323846 / 180
  var index = 0
  while index < count {
    let lanes = count &- index < 8 ? count &- index : 8
    let s = settings + 7 &* index
    let resize = strided(s, 7, lanes)
    let width = strided(s + 3, 7, lanes)
    let height = strided(s + 4, 7, lanes)
    let flip = strided(s + 5, 7, lanes)
    let angle = strided(s + 6, 7, lanes) * radians
    let c = cosine(angle)
    let sn = sine(angle)
    // A mirror turns the first row and the x shift around.
    let mirror = 1 - 2 * flip
    let scaleX = resize * mirror
    let x = flip * width - mirror * strided(s + 1, 7, lanes) - width * 0.5
    let y = -strided(s + 2, 7, lanes) - height * 0.5
    let out = results + 6 &* index
    storeStrided(c * scaleX, out, 6, lanes)
    storeStrided(sn * resize, out + 1, 6, lanes)
    storeStrided(-sn * scaleX, out + 2, 6, lanes)
    storeStrided(c * resize, out + 3, 6, lanes)
    storeStrided(c * x + sn * y + width * 0.5, out + 4, 6, lanes)
    storeStrided(c * y - sn * x + height * 0.5, out + 5, 6, lanes)
    index &+= 8
  }
}

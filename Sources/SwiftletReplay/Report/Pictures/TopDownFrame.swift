/// Where ego-frame positions land in a picture from above: forward (ego x) is up, left (ego y) is
/// left. The one place that decides it, shared by every picture from above.
struct TopDownFrame: Sendable {
  /// Ego-frame bounds of the area shown, metres.
  let minimum: SIMD2<Float>
  let maximum: SIMD2<Float>
  let pixelsPerMeter: Float
  /// Upper left corner of the area in the picture.
  let originX: Int
  let originY: Int

  var widthPixels: Int { Int(((maximum.y - minimum.y) * pixelsPerMeter).rounded()) }
  var heightPixels: Int { Int(((maximum.x - minimum.x) * pixelsPerMeter).rounded()) }

  /// Picture coordinates of an ego-frame position (x forward, y left).
  func pixel(_ position: SIMD2<Float>) -> SIMD2<Float> {
    SIMD2(
      Float(originX) + (maximum.y - position.y) * pixelsPerMeter,
      Float(originY) + (maximum.x - position.x) * pixelsPerMeter)
  }
  func contains(_ position: SIMD2<Float>) -> Bool {
    position.x >= minimum.x && position.x < maximum.x && position.y >= minimum.y
      && position.y < maximum.y
  }

  /// A canvas with a title above and room for a legend below.
  static func canvas(
    minimum: SIMD2<Float>, maximum: SIMD2<Float>, targetPixels: Int, title: String
  ) -> (canvas: Canvas, frame: TopDownFrame) {
    let longest = max(maximum.x - minimum.x, maximum.y - minimum.y)
    let margin = 12
    let header = 40
    let footer = 44
    let frame = TopDownFrame(
      minimum: minimum, maximum: maximum, pixelsPerMeter: Float(targetPixels) / longest,
      originX: margin, originY: header)
    var canvas = Canvas(
      widthPixels: max(frame.widthPixels, 420) + 2 * margin,
      heightPixels: frame.heightPixels + header + footer, color: .paper)
    canvas.text(title, x: margin, y: 13)
    return (canvas, frame)
  }

  /// Range rings every 10 or 20 m with their distances, and the ego car.
  func drawRings(on canvas: inout Canvas) {
    let reach = max(maximum.x, -minimum.x)
    let step: Float = reach > 45 ? 20 : 10
    var radius = step
    let center = pixel(.zero)
    while radius <= reach {
      canvas.drawRing(center: center, radius: radius * pixelsPerMeter, inside: self)
      let place = pixel(SIMD2(radius, 0))
      if radius < maximum.x - 2 {
        canvas.label("\(Int(radius))", x: Int(place.x) - 8, y: Int(place.y) - 6, scale: 1)
      }
      radius += step
    }
  }

  /// The ego seen from above: rear axle at the origin, 4.6 m long, 1.9 m wide, an arrow forward.
  func drawEgo(on canvas: inout Canvas) {
    let body: [SIMD2<Float>] = [
      SIMD2(3.6, 0.95), SIMD2(3.6, -0.95), SIMD2(-1, -0.95), SIMD2(-1, 0.95),
    ]
    canvas.fillConvexPolygon(body.map(pixel), color: .ego, alpha: 0.9)
    let arrow: [SIMD2<Float>] = [SIMD2(6.4, 0), SIMD2(3.9, -1.0), SIMD2(3.9, 1.0)]
    canvas.fillConvexPolygon(arrow.map(pixel), color: .ego)
    let glass: [SIMD2<Float>] = [
      SIMD2(2.4, 0.7), SIMD2(2.4, -0.7), SIMD2(1.6, -0.75), SIMD2(1.6, 0.75),
    ]
    canvas.fillConvexPolygon(glass.map(pixel), color: PictureColor(60, 20, 12))
  }

  /// A bar of 10 metres (5 in small areas) in the lower left corner below the area.
  func drawScaleBar(on canvas: inout Canvas) {
    let meters: Float = maximum.y - minimum.y > 40 ? 10 : 5
    let y = originY + heightPixels + 24
    let x = originX + 4
    let width = Int((meters * pixelsPerMeter).rounded())
    canvas.fillRectangle(x: x, y: y, width: width, height: 3, color: .ink)
    canvas.fillRectangle(x: x, y: y - 4, width: 2, height: 11, color: .ink)
    canvas.fillRectangle(x: x + width - 2, y: y - 4, width: 2, height: 11, color: .ink)
    canvas.text("\(Int(meters)) m", x: x + width + 8, y: y - 6)
  }
}

extension Canvas {
  /// A ring that stays inside the area of a picture from above.
  mutating func drawRing(center: SIMD2<Float>, radius: Float, inside frame: TopDownFrame) {
    let steps = max(16, Int(radius * 4))
    var last = SIMD2(Int.min, Int.min)
    for step in 0..<steps {
      let direction = unitCircle(Float(step) / Float(steps))
      let point = center + direction * radius
      let pixel = SIMD2(Int(point.x.rounded(.down)), Int(point.y.rounded(.down)))
      let isInside =
        pixel.x >= frame.originX && pixel.x < frame.originX + frame.widthPixels
        && pixel.y >= frame.originY && pixel.y < frame.originY + frame.heightPixels
      if isInside && pixel != last { set(x: pixel.x, y: pixel.y, .white, alpha: 0.35) }
      last = pixel
    }
  }
}

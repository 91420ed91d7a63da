/// A bounding volume hierarchy over one frame's primitives, with the ground plane z = 0 below them.
/// Moving primitives are bounded over the whole sweep and intersected where they are at the ray's
/// time.
@safe final class SceneTree: @unchecked Sendable {
  /// A node covers its box; leaves (`count` above 0) hold primitives `first`..<`first + count`,
  /// inner nodes have children `first` and `first + 1`.
  struct Node {
    var low: SIMD3<Float>
    var high: SIMD3<Float>
    var first: Int32
    var count: Int32
  }
  struct Hit {
    var distance: Float
    /// Index into `primitives`; −1 for the ground.
    var primitive: Int32
  }

  let primitives: [ScenePrimitive]
  private let nodeCount: Int
  private let nodes: UnsafeMutablePointer<Node>
  private let ordered: UnsafeMutablePointer<ScenePrimitive>
  private let order: UnsafeMutablePointer<Int32>

  /// - Parameter times: seconds relative to the frame's stamp that rays may ask for.
  init(_ primitives: [ScenePrimitive], times: ClosedRange<Float>) {
    var builder = SceneTreeBuilder(primitives, times: times)
    builder.build()
    self.primitives = primitives
    nodeCount = builder.nodes.count
    unsafe nodes = .allocate(capacity: max(1, builder.nodes.count))
    unsafe nodes.initialize(from: builder.nodes, count: builder.nodes.count)
    unsafe ordered = .allocate(capacity: max(1, primitives.count))
    unsafe order = .allocate(capacity: max(1, primitives.count))
    for (place, index) in builder.order.enumerated() {
      unsafe ordered.advanced(by: place).initialize(to: primitives[Int(index)])
      unsafe order[place] = index
    }
  }
  deinit {
    unsafe nodes.deallocate()
    unsafe ordered.deallocate()
    unsafe order.deallocate()
  }

  /// The first surface the ray enters within `limit` metres, nil for the sky.
  func firstHit(_ ray: SceneRay, limit: Float, nearest: Float = 1e-3) -> Hit? {
    var best = Hit(distance: limit, primitive: -2)
    if ray.direction.z < 0 {
      let t = -ray.origin.z / ray.direction.z
      if t >= nearest && t <= best.distance { best = Hit(distance: t, primitive: -1) }
    }
    traverse(ray, nearest: nearest, best: &best, stopAtAny: false)
    return best.primitive == -2 ? nil : best
  }

  /// True when anything stands between the ray's origin and `limit` metres along it.
  func isBlocked(_ ray: SceneRay, limit: Float, nearest: Float = 5e-3) -> Bool {
    var best = Hit(distance: limit, primitive: -2)
    traverse(ray, nearest: nearest, best: &best, stopAtAny: true)
    return best.primitive != -2
  }

  private func traverse(_ ray: SceneRay, nearest: Float, best: inout Hit, stopAtAny: Bool) {
    if nodeCount == 0 { return }
    let test = BoxTest(ray)
    var stack = InlineArray<64, Int32>(repeating: 0)
    var depth = 0
    var current: Int32 = 0
    if unsafe test.entry(nodes, best.distance) < 0 { return }
    while true {
      let node = unsafe nodes[Int(current)]
      if node.count > 0 {
        var place = Int(node.first)
        let end = place + Int(node.count)
        while place < end {
          let t = unsafe ordered[place].hit(ray, nearest: nearest, limit: best.distance)
          if t >= 0 {
            best = unsafe Hit(distance: t, primitive: order[place])
            if stopAtAny { return }
          }
          place &+= 1
        }
      } else {
        let a = node.first
        let b = a &+ 1
        let tA = unsafe test.entry(nodes + Int(a), best.distance)
        let tB = unsafe test.entry(nodes + Int(b), best.distance)
        if tA >= 0 && tB >= 0 {
          let aIsNearer = tA <= tB
          stack[depth] = aIsNearer ? b : a
          depth &+= 1
          current = aIsNearer ? a : b
          continue
        }
        if tA >= 0 || tB >= 0 {
          current = tA >= 0 ? a : b
          continue
        }
      }
      if depth == 0 { return }
      depth &-= 1
      current = stack[depth]
    }
  }
}

/// A ray prepared for slab tests: which corner of a box is the near one depends on the ray alone, so
/// that a test needs no minimum and maximum per axis.
private struct BoxTest {
  private let inverse: SIMD3<Float>
  private let scaledOrigin: SIMD3<Float>
  /// Byte offsets of each axis' near and far bound in a node.
  private let near: SIMD3<Int>
  private let far: SIMD3<Int>

  init(_ ray: SceneRay) {
    inverse = safeInverse(ray.direction)
    scaledOrigin = ray.origin * inverse
    let corner = MemoryLayout<SIMD3<Float>>.stride
    let x = inverse.x < 0 ? corner : 0
    let y = inverse.y < 0 ? corner : 0
    let z = inverse.z < 0 ? corner : 0
    near = SIMD3(x, y + 4, z + 8)
    far = SIMD3(corner - x, corner - y + 4, corner - z + 8)
  }

  /// Distance at which the ray enters the node's box (0 inside it), −1 when it misses it within
  /// `limit`.
  @unsafe @inline(__always)
  func entry(_ node: UnsafePointer<SceneTree.Node>, _ limit: Float) -> Float {
    let bytes = unsafe UnsafeRawPointer(node)
    let nearX = unsafe bytes.load(fromByteOffset: near.x, as: Float.self)
    let nearY = unsafe bytes.load(fromByteOffset: near.y, as: Float.self)
    let nearZ = unsafe bytes.load(fromByteOffset: near.z, as: Float.self)
    let farX = unsafe bytes.load(fromByteOffset: far.x, as: Float.self)
    let farY = unsafe bytes.load(fromByteOffset: far.y, as: Float.self)
    let farZ = unsafe bytes.load(fromByteOffset: far.z, as: Float.self)
    let enterX = nearX * inverse.x - scaledOrigin.x
    let enterY = nearY * inverse.y - scaledOrigin.y
    let enterZ = nearZ * inverse.z - scaledOrigin.z
    let leaveX = farX * inverse.x - scaledOrigin.x
    let leaveY = farY * inverse.y - scaledOrigin.y
    let leaveZ = farZ * inverse.z - scaledOrigin.z
    let enter = larger(larger(0, enterX), larger(enterY, enterZ))
    let leave = smaller(smaller(limit, leaveX), smaller(leaveY, leaveZ))
    return enter <= leave ? enter : -1
  }
  // Single instructions, unlike the generic `min` and `max`, which order NaN and signed zeros.
  @inline(__always) private func larger(_ a: Float, _ b: Float) -> Float { a > b ? a : b }
  @inline(__always) private func smaller(_ a: Float, _ b: Float) -> Float { a < b ? a : b }
}

/// Builds the hierarchy top-down, splitting where the surface-area heuristic over eight bins is
/// lowest.
struct SceneTreeBuilder {
  var nodes: [SceneTree.Node] = []
  var order: [Int32]
  private let lows: [SIMD3<Float>]
  private let highs: [SIMD3<Float>]

  init(_ primitives: [ScenePrimitive], times: ClosedRange<Float>) {
    order = primitives.indices.map(Int32.init)
    var lows: [SIMD3<Float>] = []
    var highs: [SIMD3<Float>] = []
    for primitive in primitives {
      let reach = primitive.boundsHalf + 1e-4
      let a = primitive.center + primitive.velocity * times.lowerBound
      let b = primitive.center + primitive.velocity * times.upperBound
      lows.append(laneMin(a, b) - reach)
      highs.append(laneMax(a, b) + reach)
    }
    self.lows = lows
    self.highs = highs
  }

  mutating func build() {
    guard !order.isEmpty else { return }
    nodes.append(node(0..<order.count))
    var open = [0]
    while let index = open.popLast() {
      let first = Int(nodes[index].first)
      let range = first..<(first + Int(nodes[index].count))
      guard range.count > 3, let middle = split(range) else { continue }
      nodes[index].first = Int32(nodes.count)
      nodes[index].count = 0
      nodes.append(node(range.lowerBound..<middle))
      nodes.append(node(middle..<range.upperBound))
      open.append(nodes.count - 1)
      open.append(nodes.count - 2)
    }
  }

  private func bounds(_ range: Range<Int>) -> (low: SIMD3<Float>, high: SIMD3<Float>) {
    var low = SIMD3<Float>(repeating: .infinity)
    var high = -low
    for place in range {
      low = laneMin(low, lows[Int(order[place])])
      high = laneMax(high, highs[Int(order[place])])
    }
    return (low, high)
  }
  private func node(_ range: Range<Int>) -> SceneTree.Node {
    let box = bounds(range)
    return SceneTree.Node(
      low: box.low, high: box.high, first: Int32(range.lowerBound), count: Int32(range.count))
  }
  private func middle(_ primitive: Int32) -> SIMD3<Float> {
    (lows[Int(primitive)] + highs[Int(primitive)]) / 2
  }

  /// Sorts the range along the longest axis of its middles and returns where to cut it; nil where
  /// all middles agree.
  private mutating func split(_ range: Range<Int>) -> Int? {
    var low = middle(order[range.lowerBound])
    var high = low
    for place in range {
      low = laneMin(low, middle(order[place]))
      high = laneMax(high, middle(order[place]))
    }
    let size = high - low
    let axis = size.x >= max(size.y, size.z) ? 0 : (size.y >= size.z ? 1 : 2)
    guard size[axis] > 0 else { return nil }
    // The index breaks ties, so that the tree does not depend on the sort's stability.
    let keyed = order[range].map { (key: middle($0)[axis], primitive: $0) }
    let sorted = keyed.sorted { ($0.key, $0.primitive) < ($1.key, $1.primitive) }
    for (step, entry) in sorted.enumerated() { order[range.lowerBound + step] = entry.primitive }
    var best = (place: range.lowerBound + range.count / 2, cost: Float.infinity)
    for bin in 1..<8 {
      let place = range.lowerBound + range.count * bin / 8
      guard place > range.lowerBound, place < range.upperBound else { continue }
      let cost =
        area(range.lowerBound..<place) * Float(place - range.lowerBound)
        + area(place..<range.upperBound) * Float(range.upperBound - place)
      if cost < best.cost { best = (place, cost) }
    }
    return best.place
  }
  private func area(_ range: Range<Int>) -> Float {
    let box = bounds(range)
    let size = box.high - box.low
    return size.x * size.y + size.y * size.z + size.z * size.x
  }
}

/// The smaller and the larger of each pair of lanes. The standard library's `pointwiseMin` is an
/// opaque generic call here, and these stand in the innermost loop.
@inline(__always)
func laneMin(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
  a.replacing(with: b, where: b .< a)
}
@inline(__always)
func laneMax(_ a: SIMD3<Float>, _ b: SIMD3<Float>) -> SIMD3<Float> {
  a.replacing(with: b, where: b .> a)
}

/// 1/v with zeros replaced by tiny values: an infinity times a zero distance would be NaN.
@inline(__always)
func safeInverse(_ v: SIMD3<Float>) -> SIMD3<Float> {
  let magnitude = SIMD3(abs(v.x), abs(v.y), abs(v.z))
  return 1 / v.replacing(with: 1e-20, where: magnitude .< 1e-20)
}

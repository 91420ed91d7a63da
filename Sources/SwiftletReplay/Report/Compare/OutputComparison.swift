import Swiftlet

/// How far one named output may differ between two runs.
public struct FieldTolerance: Sendable, Equatable {
  /// Values may differ by this much.
  public var absolute: Double
  /// This share of the values may differ by more.
  public var share: Double

  public init(absolute: Double = 0, share: Double = 0) {
    self.absolute = absolute
    self.share = share
  }

  public static let exact = FieldTolerance()

  /// `NAME=1e-4` or `NAME=1e-4:0.1%`: the name and what it may differ by; nil for anything else.
  public static func parse(_ text: String) -> (name: String, tolerance: FieldTolerance)? {
    let parts = text.split(separator: "=", maxSplits: 1)
    guard parts.count == 2, !parts[0].isEmpty else { return nil }
    let values = parts[1].split(separator: ":", maxSplits: 1)
    guard let absolute = Double(values[0]), absolute >= 0, absolute.isFinite else { return nil }
    guard values.count == 2 else { return (String(parts[0]), FieldTolerance(absolute: absolute)) }
    guard values[1].hasSuffix("%"), let percent = Double(values[1].dropLast()),
      (0...100).contains(percent)
    else { return nil }
    return (String(parts[0]), FieldTolerance(absolute: absolute, share: percent / 100))
  }
}

/// Compares the kept outputs of one frame, value by value.
struct OutputComparison {
  var tolerances: [String: FieldTolerance] = [:]

  /// Sentences that name frame, output, cell and both values; none when all is within tolerance.
  func differences(frame: Int, _ base: SafeTensors, _ head: SafeTensors) -> [String] {
    var sentences: [String] = []
    for name in Set(base.tensors.keys).union(head.tensors.keys).sorted() {
      guard let before = base.tensors[name], let after = head.tensors[name] else {
        let side = base.tensors[name] == nil ? "second" : "first"
        sentences.append("frame \(frame), \(name): only in the \(side) run")
        continue
      }
      guard before.shape == after.shape, before.elementType == after.elementType else {
        sentences.append(
          "frame \(frame), \(name): shape \(before.shape) \(before.elementType.rawValue) and "
            + "\(after.shape) \(after.elementType.rawValue)")
        continue
      }
      if name == "occupancy", base.metadata["occupancy_origin"] != head.metadata["occupancy_origin"]
      {
        sentences.append(
          "frame \(frame), occupancy: the window starts at voxel "
            + "\(base.metadata["occupancy_origin"] ?? "?") and "
            + "\(head.metadata["occupancy_origin"] ?? "?")")
        continue
      }
      if let sentence = difference(frame, name, before, after, base.metadata) {
        sentences.append(sentence)
      }
    }
    return sentences
  }

  private func difference(
    _ frame: Int, _ name: String, _ base: HostTensor, _ head: HostTensor,
    _ metadata: [String: String]
  ) -> String? {
    guard base.bytes != head.bytes else { return nil }
    let tolerance = tolerances[name] ?? .exact
    let (before, after) = (Self.values(base), Self.values(head))
    var (count, worst, largest) = (0, 0, -1.0)
    for index in before.indices {
      let distance = Self.distance(before[index], after[index])
      guard distance > tolerance.absolute else { continue }
      count += 1
      if distance > largest { (worst, largest) = (index, distance) }
    }
    guard Double(count) > tolerance.share * Double(before.count) else { return nil }
    return "frame \(frame), \(name): \(count) of \(before.count) values differ by more than "
      + "\(tolerance.absolute), most at \(place(worst, name, base.shape, metadata)): "
      + "\(text(before[worst], name)) and \(text(after[worst], name))"
  }

  /// Infinite between a number and NaN, 0 between NaN and NaN.
  private static func distance(_ a: Double, _ b: Double) -> Double {
    if a.isNaN || b.isNaN { return a.isNaN && b.isNaN ? 0 : .infinity }
    return a == b ? 0 : abs(a - b)
  }

  private static func values(_ tensor: HostTensor) -> [Double] {
    tensor.floats()?.map(Double.init) ?? tensor.int8s()?.map(Double.init)
      ?? tensor.uint8s()?.map(Double.init) ?? []
  }

  private func text(_ value: Double, _ name: String) -> String {
    if name == "occupancy" {
      return value == -128 ? "unknown" : "\(Int(value)) steps of log-odds"
    }
    return "\(value)"
  }

  /// The cell by its indices and by metres: in the ego for BEV maps, in the world for voxels.
  private func place(
    _ index: Int, _ name: String, _ shape: [Int], _ metadata: [String: String]
  ) -> String {
    var rest = index
    var indices = [Int](repeating: 0, count: shape.count)
    for axis in shape.indices.reversed() {
      indices[axis] = rest % max(1, shape[axis])
      rest /= max(1, shape[axis])
    }
    let axes = name == "occupancy" ? ["y", "x", "z"] : ["y", "x", "channel"]
    let cell = zip(axes, indices).map { "\($0) \($1)" }.joined(separator: ", ")
    guard let meters = meters(indices, name, metadata) else { return "(\(cell))" }
    return "cell (\(cell)), \(meters)"
  }

  private func meters(_ indices: [Int], _ name: String, _ metadata: [String: String]) -> String? {
    func numbers(_ key: String) -> [Double] {
      (metadata[key] ?? "").split(separator: " ").compactMap { Double($0) }
    }
    func round(_ value: Double) -> Double { (value * 100).rounded() / 100 }
    if name == "occupancy" {
      let (origin, size) = (numbers("occupancy_origin"), numbers("voxel_size_meters"))
      guard origin.count == 3, size.count == 1, indices.count == 3 else { return nil }
      let (x, y, z) = (Double(indices[1]), Double(indices[0]), Double(indices[2]))
      return "world x \(round((origin[0] + x + 0.5) * size[0])) y "
        + "\(round((origin[1] + y + 0.5) * size[0])) z \(round((origin[2] + z + 0.5) * size[0])) m"
    }
    let (lower, step) = (numbers("bev_lower_meters"), numbers("bev_step_meters"))
    guard lower.count == 2, step.count == 2, indices.count >= 2 else { return nil }
    return "ego x \(round(lower[0] + (Double(indices[1]) + 0.5) * step[0])) y "
      + "\(round(lower[1] + (Double(indices[0]) + 0.5) * step[1])) m"
  }
}

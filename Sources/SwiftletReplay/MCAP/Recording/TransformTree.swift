import Swiftlet

/// The frames of a recording and how they lie to each other over time: `/tf` and `/tf_static`.
struct TransformTree: Sendable {
  /// One frame in its parent.
  struct Edge: Sendable {
    var parent: String
    var samples: [(timestampNanoseconds: Int64, parentFromChild: RigidTransform)] = []
    var isStatic = false
    private(set) var track = PoseTrack([])

    mutating func sort() {
      track = PoseTrack(samples.map { ($0.timestampNanoseconds, $0.parentFromChild) })
      // A mount that is published once, wherever, is a mount.
      let first = track.poses.first
      if !isStatic, track.poses.allSatisfy({ $0 == first }) { isConstant = true }
    }
    /// Published as moving, but never moves.
    private(set) var isConstant = false

    /// Static edges hold at all times; others between their samples.
    func lookup(_ time: Int64) -> PoseTrack.Lookup {
      if isStatic || isConstant, let only = track.poses.first { return .known(only) }
      return track.lookup(time)
    }
  }

  /// By child frame.
  private(set) var edges: [String: Edge] = [:]
  /// Children in order of first appearance: the rig's order.
  private(set) var order: [String] = []
  private(set) var warnings: [ReplayWarning] = []
  private var reported: Set<String> = []
  private let exact: ExactTransforms

  /// - Parameter exact: used in place of the messages' quaternions where it has them.
  init(exact: ExactTransforms = ExactTransforms()) { self.exact = exact }

  /// Deeper chains are loops.
  private static let maximumDepth = 64

  mutating func add(
    _ message: TransformMessage, time: Int64, isStatic: Bool, source: String
  ) {
    let parent = Self.name(message.header.frameID)
    let child = Self.name(message.childFrameID)
    let q = message.rotation
    let transform =
      exact.transform(of: message)
      ?? RigidTransform(rotation: q.normalized, translation: message.translation)
    guard !parent.isEmpty, !child.isEmpty, parent != child, transform.isFinite,
      abs(q.norm - 1) <= 1e-3
    else {
      report(
        "invalid \(child)", ReplayWarning.poseInvalid,
        "\(source): a transform of '\(child)' in '\(parent)' that is not a rotation and a finite "
          + "translation between two frames was left out")
      return
    }
    if edges[child] == nil {
      edges[child] = Edge(parent: parent)
      order.append(child)
    }
    guard edges[child]?.parent == parent else {
      report(
        "parents \(child)", ReplayWarning.recordInvalid,
        "\(source): '\(child)' is in '\(parent)' although it was in "
          + "'\(edges[child]?.parent ?? "")' before; the first is used")
      return
    }
    edges[child]?.samples.append((time, transform))
    if isStatic { edges[child]?.isStatic = true }
  }

  /// Sorts what was added; call once before any lookup.
  mutating func sort() {
    for child in edges.keys { edges[child]?.sort() }
  }

  private mutating func report(_ key: String, _ code: String, _ message: String) {
    guard reported.insert(key).inserted else { return }
    warnings.append(ReplayWarning(code: code, message: message))
  }

  /// ROS 1 wrote a leading slash.
  static func name(_ frame: String) -> String {
    frame.hasPrefix("/") ? String(frame.dropFirst()) : frame
  }

  // MARK: chains

  /// The frame and its parents up to the root; nil for a loop.
  func chain(_ frame: String) -> [String]? {
    var chain = [Self.name(frame)]
    while let last = chain.last, let edge = edges[last] {
      guard chain.count < Self.maximumDepth else { return nil }
      chain.append(edge.parent)
    }
    return chain
  }

  /// How long a chain below `ancestor` stays put: true when no edge of it moves.
  func isStatic(_ frame: String, below ancestor: String) -> Bool {
    guard let path = path(frame, to: ancestor) else { return false }
    return path.allSatisfy { edges[$0].map { $0.isStatic || $0.isConstant } ?? false }
  }

  /// `frame` and its parents below `ancestor`; nil when `ancestor` is not above.
  private func path(_ frame: String, to ancestor: String) -> [String]? {
    guard let chain = chain(frame), let end = chain.firstIndex(of: ancestor) else { return nil }
    return Array(chain[..<end])
  }

  /// `ancestorFromFrame` at a time, nothing extrapolated beyond the tracks' own rule; nil when
  /// the frame is not below, or an edge has no sample near that time.
  func lookup(_ frame: String, in ancestor: String, at time: Int64) -> RigidTransform? {
    guard let path = path(Self.name(frame), to: ancestor) else { return nil }
    var result: RigidTransform?
    for child in path.reversed() {
      guard let step = edges[child]?.lookup(time).transform else { return nil }
      result = result.map { $0 * step } ?? step
    }
    return result ?? .identity
  }

  /// Poses of `frame` in `ancestor` at every time one of the edges between them has a sample and
  /// all moving ones cover; those of a single edge as they are.
  ///
  /// - Parameter times: where a pose that never changes is given, first and last.
  func track(_ frame: String, in ancestor: String, over times: ClosedRange<Int64>) -> PoseTrack? {
    guard let path = path(frame, to: ancestor), !path.isEmpty else { return nil }
    let edges = path.compactMap { self.edges[$0] }.filter { !$0.isStatic }
    if path.count == 1, let only = edges.first { return only.track }
    let moving = edges.filter { !$0.isConstant }
    let start = moving.compactMap(\.track.timestamps.first).max() ?? .min
    let end = moving.compactMap(\.track.timestamps.last).min() ?? .max
    var stamps = Set(edges.flatMap(\.track.timestamps)).filter { $0 >= start && $0 <= end }
    if edges.isEmpty { stamps = [times.lowerBound, times.upperBound] }
    return PoseTrack(
      stamps.sorted().compactMap { time in
        lookup(frame, in: ancestor, at: time).map { (time, $0) }
      })
  }
}

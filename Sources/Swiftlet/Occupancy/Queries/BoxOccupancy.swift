/// What an oriented box overlaps: voxels by state. Voxels that it only touches do not count.
public struct BoxOccupancy: Sendable, Equatable, BitwiseCopyable {
  public var freeCount = 0
  /// Outside the window included.
  public var unknownCount = 0
  public var occupiedCount = 0
  /// Voxels outside the window, among the unknown ones.
  public var outsideCount = 0

  public init() {}
  /// Occupied if any voxel is, else unknown if any is, else free.
  public var state: VoxelState {
    occupiedCount > 0 ? .occupied : unknownCount > 0 ? .unknown : .free
  }
}

/// What a box sweeps along a path.
public struct PathOccupancy: Sendable, Equatable {
  /// The worst state met: occupied, else unknown, else free.
  public var state = VoxelState.free
  /// The first pose whose way to it, or itself, meets an occupied voxel; −1 for none.
  public var firstOccupiedPose = -1
  /// The same for unknown or occupied.
  public var firstNotFreePose = -1
  /// Metres along the path of the first occupied step; the path's length when there is none.
  public var clearMeters = 0.0
  /// Boxes looked at, the ones between the poses included.
  public var stepCount = 0

  public init() {}
}

extension OccupancyGrid {
  /// The largest edge of a box that may be asked about, voxels.
  public static let maximumBoxVoxels = 1024.0

  /// The states of the voxels that an oriented box overlaps, exactly (separating axes). Takes time
  /// in proportion to the columns below the box, at most 1024 voxels an edge. Allocates nothing.
  ///
  /// - Parameters:
  ///   - worldFromBox: the box's middle and axes.
  ///   - size: length, width, height along these axes, metres.
  /// - Precondition: pose and size are finite, the size is 0 or more and at most `maximumBoxVoxels`,
  ///   the pose lies within 10⁹ voxels of the window.
  public func occupancy(of worldFromBox: RigidTransform, size: SIMD3<Double>) -> BoxOccupancy {
    let view = WindowView(self)
    let box = OrientedBox(view: view, worldFromBox: worldFromBox, size: size)
    return count(box, view)
  }

  private func count(_ box: OrientedBox, _ view: WindowView) -> BoxOccupancy {
    guard case .simd(let set) = engine else { return box.countReference(in: view) }
    var counts: InlineArray<4, Int> = [0, 0, 0, 0]
    let numbers = box.numbers
    unsafe view.withLayout { layout in
      unsafe withUnsafeBytes(of: numbers) { raw in
        unsafe withUnsafeMutableBytes(of: &counts) { target in
          unsafe QueryKernels.countBoxVoxels(
            set, view.occupied, view.known, layout,
            raw.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Double.self),
            target.baseAddress.unsafelyUnwrapped.assumingMemoryBound(to: Int.self))
        }
      }
    }
    var result = BoxOccupancy()
    result.freeCount = counts[0]
    result.unknownCount = counts[1]
    result.occupiedCount = counts[2]
    result.outsideCount = counts[3]
    return result
  }

  /// What a box sweeps from pose to pose: steps between two poses are so close that no corner moves
  /// by more than half a voxel. Allocates nothing.
  ///
  /// - Parameters:
  ///   - path: world from box, in order.
  ///   - size: edges of the box along its own axes, metres.
  ///   - maximumStepCount: bounds the time; poses beyond it count as unknown.
  ///   - results: one a pose: the worst of the steps from the pose before up to this one.
  /// - Precondition: `results` holds one for every pose; every pose as in `occupancy(of:size:)`.
  @unsafe
  public func occupancy(
    ofPath path: UnsafeBufferPointer<RigidTransform>, size: SIMD3<Double>,
    maximumStepCount: Int = 100_000, results: UnsafeMutableBufferPointer<BoxOccupancy>
  ) -> PathOccupancy {
    precondition(
      results.count >= path.count, "\(path.count) poses need as many results, not \(results.count)")
    let view = WindowView(self)
    var summary = PathOccupancy()
    for pose in 0..<path.count {
      let from = unsafe path[max(0, pose - 1)]
      let to = unsafe path[pose]
      let steps = pose == 0 ? 1 : Self.stepCount(from, to, size: size, voxel: view.voxelSize)
      var worst = BoxOccupancy()
      let reach = to.translation - from.translation
      let length = (reach * reach).sum().squareRoot()
      for step in 1...steps {
        guard summary.stepCount < maximumStepCount else {
          worst.unknownCount += 1
          break
        }
        summary.stepCount += 1
        let fraction = Double(step) / Double(steps)
        let between =
          step == steps ? to : RigidTransform.interpolated(from: from, to: to, fraction: fraction)
        let found = count(OrientedBox(view: view, worldFromBox: between, size: size), view)
        worst = Self.worse(worst, found, isFirst: step == 1)
        if found.state == .occupied, summary.firstOccupiedPose < 0 {
          summary.firstOccupiedPose = pose
          summary.clearMeters += length * Double(step - 1) / Double(steps)
        }
      }
      if summary.firstOccupiedPose < 0 { summary.clearMeters += length }
      if worst.state != .free, summary.firstNotFreePose < 0 { summary.firstNotFreePose = pose }
      if worst.state == .occupied {
        summary.state = .occupied
      } else if worst.state == .unknown, summary.state == .free {
        summary.state = .unknown
      }
      unsafe results[pose] = worst
    }
    return summary
  }

  /// The one with more against it.
  private static func worse(
    _ a: BoxOccupancy, _ b: BoxOccupancy, isFirst: Bool
  ) -> BoxOccupancy {
    if isFirst { return b }
    let left = (a.occupiedCount, a.unknownCount)
    return left < (b.occupiedCount, b.unknownCount) ? b : a
  }

  /// Steps so that no corner of the box moves by more than half a voxel in one.
  static func stepCount(
    _ from: RigidTransform, _ to: RigidTransform, size: SIMD3<Double>, voxel: Double
  ) -> Int {
    let half = size / 2
    var farthest = 0.0
    for corner in 0..<8 {
      let signs = SIMD3<Double>(
        corner & 1 == 0 ? 1 : -1, corner & 2 == 0 ? 1 : -1, corner & 4 == 0 ? 1 : -1)
      let moved = to * (half * signs) - from * (half * signs)
      farthest = max(farthest, (moved * moved).sum().squareRoot())
    }
    // The chord of a turn is at most π/2 shorter than its arc.
    return max(1, Int((farthest * (.pi / 2) / (voxel / 2)).rounded(.up)))
  }
}

import Swiftlet

/// What a voxel of the ground truth is known to be.
public enum GroundTruthState: UInt8, Sendable, CaseIterable {
  /// No ray of this frame's sweep reached it.
  case unseen = 0
  /// Rays passed it and no surface touches it.
  case free = 1
  /// A noise-free ray ends on a surface inside it.
  case occupied = 2
  /// Rays passed it and some geometry touches it, but no ray ended in it: right either way, so never
  /// scored.
  case touched = 3
}

/// What a perfect map would know after one frame's sweep, from noise-free rays against the exact
/// scene, without dropouts.
public struct GroundTruthFrame: Sendable, Equatable {
  public static let voxelSizeMeters: Float = 0.4
  /// Voxels of the ego-aligned window, x, y, z: Occ3D's.
  public static let egoCounts = SIMD3<Int32>(200, 200, 16)
  /// Lower corner of the ego-aligned window, metres.
  public static let egoLowerBounds = SIMD3<Double>(-40, -40, -1)
  /// The world window reaches ±40 m around the ego in x and y and from 4 m below to 8.8 m above it.
  static let worldCounts = SIMD3<Int32>(200, 200, 32)
  static let worldCellsBelow = SIMD3<Int32>(100, 100, 10)

  public var index: Int
  public var timestampMicroseconds: Int64
  /// At the frame's time.
  public var worldFromEgo: RigidTransform
  /// `GroundTruthState` raw values of the ego-aligned window at the frame's time, [x][y][z].
  public var egoStates: [UInt8]
  /// 1 where a camera's pixel ray (every fourth pixel) crosses the voxel up to and including the
  /// first surface and the sweep saw the voxel, [x][y][z].
  public var egoCameraMask: [UInt8]
  /// World keys floor(coordinate / 0.4 m) of occupied and of free voxels.
  public var occupiedKeys: [SIMD3<Int32>]
  public var freeKeys: [SIMD3<Int32>]

  /// The state of a voxel of the ego-aligned window.
  public func egoState(x: Int, y: Int, z: Int) -> GroundTruthState {
    let place = (x * Int(Self.egoCounts.y) + y) * Int(Self.egoCounts.z) + z
    return GroundTruthState(rawValue: egoStates[place]) ?? .unseen
  }
}

extension FrameWorld {
  /// - Parameter cameraBeams: the pixel rays of the cameras.
  func groundTruth(_ sweep: LidarSweep, cameraBeams: [LidarSweep.Beam]) -> GroundTruthFrame {
    let stamp = SyntheticDrive.seconds(timestamp)
    let ego = egoGrid(sweep, cameraBeams, snapshotFromEgo: snapshotFromEgo(seconds: stamp))
    var mask = [UInt8](repeating: 0, count: ego.flags.count)
    for place in mask.indices {
      let flag = ego.flags[place]
      let seen = GroundTruthGrid.passed | GroundTruthGrid.hit
      if flag & GroundTruthGrid.seenByCamera != 0 && flag & seen != 0 { mask[place] = 1 }
    }
    let keys = worldKeys(sweep)
    return GroundTruthFrame(
      index: index, timestampMicroseconds: timestamp, worldFromEgo: worldFromEgo,
      egoStates: ego.states(), egoCameraMask: mask, occupiedKeys: keys.occupied,
      freeKeys: keys.free)
  }

  private var sweepTimes: [Float] { [Float(-drive.rig.lidar.sweepSeconds), 0] }

  private func egoGrid(
    _ sweep: LidarSweep, _ cameraBeams: [LidarSweep.Beam], snapshotFromEgo: RigidTransform
  ) -> GroundTruthGrid {
    let shift = RigidTransform(
      rotation: Matrix3.identity, translation: -GroundTruthFrame.egoLowerBounds)
    var grid = GroundTruthGrid(
      voxelSize: GroundTruthFrame.voxelSizeMeters, counts: GroundTruthFrame.egoCounts,
      windowFromSnapshot: shift * snapshotFromEgo.inverse)
    for beam in sweep.beams { grid.cast(beam, isCamera: false) }
    for beam in cameraBeams { grid.cast(beam, isCamera: true) }
    grid.markGeometry(snapshot.primitives, times: sweepTimes)
    return grid
  }

  private func worldKeys(
    _ sweep: LidarSweep
  ) -> (occupied: [SIMD3<Int32>], free: [SIMD3<Int32>]) {
    let size = Double(GroundTruthFrame.voxelSizeMeters)
    let center = (worldFromEgo.translation / 0.4).rounded(.down)
    let low = SIMD3<Int32>(center) &- GroundTruthFrame.worldCellsBelow
    let corner = SIMD3<Double>(low) * 0.4
    let shift = RigidTransform(rotation: Matrix3.identity, translation: -corner)
    var grid = GroundTruthGrid(
      voxelSize: Float(size), counts: GroundTruthFrame.worldCounts,
      windowFromSnapshot: shift * worldFromSnapshot)
    for beam in sweep.beams { grid.cast(beam, isCamera: false) }
    grid.markGeometry(snapshot.primitives, times: sweepTimes)
    let states = grid.states()
    var occupied: [SIMD3<Int32>] = []
    var free: [SIMD3<Int32>] = []
    for x in 0..<grid.counts.x {
      for y in 0..<grid.counts.y {
        for z in 0..<grid.counts.z {
          let state = states[grid.place(SIMD3(x, y, z))]
          if state == GroundTruthState.occupied.rawValue {
            occupied.append(low &+ SIMD3(x, y, z))
          } else if state == GroundTruthState.free.rawValue {
            free.append(low &+ SIMD3(x, y, z))
          }
        }
      }
    }
    return (occupied, free)
  }
}

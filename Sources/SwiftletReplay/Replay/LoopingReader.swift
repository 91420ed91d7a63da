import Glibc
import Swiftlet

/// One frame as it is replayed: `pass` 0 is the recording itself.
struct LoopedFrame: Sendable {
  var pass: Int
  /// Index in the recording.
  var index: Int
  /// Nil when the frame could not be read.
  var sensorFrame: SensorFrame?
  var warnings: [ReplayWarning]
  /// Keeps the memory alive that `sensorFrame` borrows.
  var owner: (any ReplayFrame)?
}

/// Reads a recording over and over. Every pass continues the drive: timestamps go on, and poses are
/// composed so that a pass begins where the one before it ended.
///
/// Used by the reading thread only. Decoded frames of a short recording are kept (up to
/// `cachedFrameLimit`), so that looping does not decode them again; memory stays bounded.
final class LoopingReader: @unchecked Sendable {
  private let source: any FrameSource
  private let frameLimit: Int
  private let cachedFrameLimit: Int
  private let loops: Bool
  private var cache: [Int: any ReplayFrame] = [:]
  private var pass = 0
  private var index = 0
  private var seam = LoopSeam()
  private var readableInThisPass = 0

  init(source: any FrameSource, frameLimit: Int?, cachedFrameLimit: Int, loops: Bool) {
    self.source = source
    self.frameLimit = min(source.frameCount, frameLimit ?? .max)
    self.cachedFrameLimit = cachedFrameLimit
    self.loops = loops
  }

  /// The next frame, or nil at the end (a recording without a readable frame ends after one pass).
  func next() -> LoopedFrame? {
    if index == frameLimit {
      guard loops, readableInThisPass > 0 else { return nil }
      pass += 1
      index = 0
      readableInThisPass = 0
      seam.beginPass()
    }
    guard index < frameLimit else { return nil }
    defer { index += 1 }
    return read(index)
  }

  private func read(_ index: Int) -> LoopedFrame {
    do {
      let owner = try cache[index] ?? source.frame(at: index)
      if loops, frameLimit <= cachedFrameLimit { cache[index] = owner }
      readableInThisPass += 1
      return LoopedFrame(
        pass: pass, index: index, sensorFrame: seam.place(owner.sensorFrame, pass: pass),
        warnings: pass == 0 ? owner.warnings : [], owner: owner)
    } catch {
      let warning = ReplayWarning(
        code: ReplayWarning.frameUnreadable, frame: index, message: "\(error)")
      return LoopedFrame(
        pass: pass, index: index, sensorFrame: nil, warnings: pass == 0 ? [warning] : [],
        owner: nil)
    }
  }
}

/// Where one pass of a looped recording joins the next.
struct LoopSeam {
  private var firstPose = RigidTransform.identity
  private var firstTimestampNanoseconds: Int64 = 0
  private var timestamps: [Int64] = []
  private var lastPlacedPose = RigidTransform.identity
  private var lastPlacedTimestampNanoseconds: Int64 = 0
  private var placementShift = RigidTransform.identity
  private var timeShiftNanoseconds: Int64 = 0
  private var isFirstOfPass = true

  /// The next frame starts a pass that continues from the last placed one.
  mutating func beginPass() {
    // Only heading and position are carried on: composing roll and pitch too would tip the drive
    // over a little more with every pass.
    let turn = headingRadians(of: lastPlacedPose) - headingRadians(of: firstPose)
    let rotation = Quaternion(axis: SIMD3(0, 0, 1), radians: turn).matrix
    placementShift = RigidTransform(
      rotation: rotation, translation: lastPlacedPose.translation - rotation * firstPose.translation)
    timeShiftNanoseconds =
      lastPlacedTimestampNanoseconds + medianPeriodNanoseconds - firstTimestampNanoseconds
    isFirstOfPass = true
  }

  /// `frame` at its place in the continued drive.
  mutating func place(_ frame: SensorFrame, pass: Int) -> SensorFrame {
    if pass == 0 {
      if timestamps.isEmpty {
        firstPose = frame.worldFromEgo
        firstTimestampNanoseconds = frame.timestampNanoseconds
      }
      timestamps.append(frame.timestampNanoseconds)
    }
    let placed = pass == 0 ? frame : shifted(frame)
    lastPlacedPose = placed.worldFromEgo
    lastPlacedTimestampNanoseconds = placed.timestampNanoseconds
    isFirstOfPass = false
    return placed
  }

  private func shifted(_ frame: SensorFrame) -> SensorFrame {
    var frame = frame
    // The recording's first frame has no history; the seam does.
    if isFirstOfPass { frame.resetsHistory = false }
    frame.timestampNanoseconds += timeShiftNanoseconds
    frame.worldFromEgo = placementShift * frame.worldFromEgo
    for camera in frame.cameras.indices {
      frame.cameras[camera].timestampNanoseconds += timeShiftNanoseconds
    }
    for lidar in frame.lidars.indices {
      frame.lidars[lidar].timestampNanoseconds += timeShiftNanoseconds
      frame.lidars[lidar].worldFromLidar = placementShift * frame.lidars[lidar].worldFromLidar
    }
    return frame
  }

  /// 100 ms for a recording of one frame.
  private var medianPeriodNanoseconds: Int64 {
    let periods = zip(timestamps.dropFirst(), timestamps).map { $0 - $1 }.filter { $0 > 0 }.sorted()
    return periods.isEmpty ? 100_000_000 : periods[periods.count / 2]
  }
}

/// The direction of the ego's x axis in the world's xy plane.
private func headingRadians(of worldFromEgo: RigidTransform) -> Double {
  atan2(worldFromEgo.rotation.row1.x, worldFromEgo.rotation.row0.x)
}

import Foundation
import Swiftlet
import SwiftletReplay
import Synchronization

/// A clock that only moves when told to. Sleeping moves it to the deadline.
final class FakeClock: ReplayClock {
  var nowNanoseconds: Int64 = 1_000_000
  var sleeps: [Int64] = []
  func sleep(untilNanoseconds deadlineNanoseconds: Int64) {
    sleeps.append(deadlineNanoseconds)
    nowNanoseconds = max(nowNanoseconds, deadlineNanoseconds)
  }
}

final class FakeCounters: HostCounters {
  var current = HostSample()
  func sample() -> HostSample { current }
}

final class FakeFrame: ReplayFrame {
  let sensorFrame: SensorFrame
  let warnings: [ReplayWarning]
  init(_ sensorFrame: SensorFrame, warnings: [ReplayWarning] = []) {
    self.sensorFrame = sensorFrame
    self.warnings = warnings
  }
}

struct FakeReadError: Error, CustomStringConvertible {
  var description: String { "scan.bin: expected 16 bytes, found 3" }
}

/// Frames 100 ms apart that drive 1 m straight on each.
final class FakeSource: FrameSource {
  let name = "fake"
  let frameCount: Int
  let unreadable: Set<Int>
  let readCount = Atomic<Int>(0)
  /// Set while a frame is read, so that tests can see reading overlap with timing.
  let isReading = Atomic<Bool>(false)
  let worldFromFirstEgo: RigidTransform
  /// How long reading one frame takes, in real time.
  let readMicroseconds: UInt32

  init(
    frameCount: Int, unreadable: Set<Int> = [], worldFromFirstEgo: RigidTransform = .identity,
    readMicroseconds: UInt32 = 0
  ) {
    self.readMicroseconds = readMicroseconds
    self.frameCount = frameCount
    self.unreadable = unreadable
    self.worldFromFirstEgo = worldFromFirstEgo
  }

  func frame(at index: Int) throws -> any ReplayFrame {
    isReading.store(true, ordering: .sequentiallyConsistent)
    defer { isReading.store(false, ordering: .sequentiallyConsistent) }
    readCount.add(1, ordering: .relaxed)
    if readMicroseconds > 0 { usleep(readMicroseconds) }
    if unreadable.contains(index) { throw FakeReadError() }
    let step = RigidTransform(
      rotation: Matrix3.identity, translation: SIMD3(Double(index), 0, 0))
    return FakeFrame(
      SensorFrame(
        timestampNanoseconds: 5_000_000_000 + Int64(index) * 100_000_000,
        worldFromEgo: worldFromFirstEgo * step, resetsHistory: index == 0, cameras: [], lidars: []))
  }
}

/// Three stages in the budget and one before it; time passes as the test says.
final class FakeProcessor: FrameProcessor {
  let stages = [
    ReplayStage(name: "encode", isInBudget: false), ReplayStage(name: "project"),
    ReplayStage(name: "update"), ReplayStage(name: "fuse"),
  ]
  let processorDescription = ProcessorDescription(
    engine: "simd", instructionSet: "avx2", threadCount: 1, encoder: "none",
    weights: "default weights", configurationHash: "c0ffee")
  let clock: FakeClock
  /// Milliseconds of the whole in-budget work of measured call `n` (warm-up calls are not counted).
  var milliseconds: (Int) -> Int64 = { _ in 4 }
  var encodeMilliseconds: Int64 = 20
  var failing: Set<Int> = []
  var onStage: (Int) -> Void = { _ in }
  private(set) var resetCount = 0
  private(set) var frames: [SensorFrame] = []
  private var calls = 0
  private var history: Int64 = 0

  init(clock: FakeClock) { self.clock = clock }

  func run(stage index: Int, on frame: inout SensorFrame) throws {
    onStage(index)
    if index == 0 {
      calls += 1
      clock.nowNanoseconds += encodeMilliseconds * 1_000_000
      return
    }
    let total = milliseconds(calls - 1) * 1_000_000
    clock.nowNanoseconds += index == 1 ? total / 2 : total / 4
    guard index == 3 else { return }
    frames.append(frame)
    history = history &* 31 &+ frame.timestampNanoseconds
    if failing.contains(calls - 1) { throw FakeReadError() }
  }

  func reset() {
    resetCount += 1
    calls = 0
    history = 0
    frames = []
  }

  func forEachOutput(_ body: (String, UnsafeRawBufferPointer) -> Void) {
    withUnsafeBytes(of: history) { body("history", $0) }
  }
}

import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// Grants or refuses, and remembers what was asked.
private final class FakeSystem: HostSystem {
  var refusedCPUs: Set<Int> = []
  var refusesPriority = false
  var refusesLock = false
  var asked: [String] = []
  func pinThisThread(to cpu: Int) -> Int32 {
    asked.append("cpu \(cpu)")
    return refusedCPUs.contains(cpu) ? EINVAL : 0
  }
  func unpinThisThread() { asked.append("unpin") }
  func setRealTimePriority(_ priority: Int) -> Int32 {
    asked.append("priority \(priority)")
    return refusesPriority ? EPERM : 0
  }
  func lockMemory() -> Int32 {
    asked.append("lock")
    return refusesLock ? ENOMEM : 0
  }
}

@Suite struct HostControlsTests {
  private var wanted: HostControls {
    var controls = HostControls()
    controls.cpus = [2, 3]
    controls.realTimePriority = 50
    controls.locksMemory = true
    return controls
  }

  @Test func `what is granted is asked for once, the measuring thread's CPU last`() {
    let system = FakeSystem()
    let (granted, refusals) = wanted.apply(to: system)
    #expect(granted == wanted && refusals.isEmpty)
    #expect(system.asked == ["cpu 3", "cpu 2", "priority 50", "lock"])
    #expect(granted.text == "CPUs 2,3, real-time priority 50, memory locked")
    #expect(granted.cpus(forParts: 3) == [2, 3, 2])
  }

  @Test func `a refusal is a warning with its remedy, and the report does not claim what was refused`() {
    let system = FakeSystem()
    system.refusedCPUs = [3]
    system.refusesPriority = true
    system.refusesLock = true
    let (granted, refusals) = wanted.apply(to: system)
    #expect(granted == HostControls())
    // CPU 2 was granted, but half a pinning is none.
    #expect(system.asked.prefix(3) == ["cpu 3", "cpu 2", "unpin"])
    #expect(refusals.count == 3)
    #expect(refusals[0].message.contains("--cpus: CPU 3 was refused: Invalid argument"))
    #expect(refusals[1].message.contains("--rt-priority 50 was refused: Operation not permitted"))
    #expect(refusals[1].message.contains("ulimit -r"))
    #expect(refusals[2].message.contains("ulimit -l"))
    #expect(refusals.allSatisfy { $0.code == ReplayWarning.hostControlRefused && !$0.isDamage })
  }

  @Test func `the system refuses a CPU that does not exist`() {
    #expect(LinuxHostSystem().pinThisThread(to: 1_000_000) != 0)
    #expect(LinuxHostSystem().pinThisThread(to: -1) != 0)
  }
}

@Suite struct OutputAgeTests {
  @Test func `output age is the sample's age plus what the frame took`() {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    var options = ReplayOptions()
    options.loops = false
    var result = Replayer(
      source: CameraSource(), processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release
    ).run()
    #expect(result.records[0].sensors[0].outputAgeNanoseconds == 34_000_000)
    #expect(result.records[0].sensors[1].outputAgeNanoseconds == nil)
    let report = ReplayReport(result)
    #expect(report.sensors[0].maximumOutputAgeNanoseconds == 34_000_000)
    #expect(report.sensors[1].missingCount == 6 && report.sensors[1].maximumOutputAgeNanoseconds == nil)
    #expect(ReportTable(report).description.contains("output age (exposure to result) at worst A: p50 34.000 ms"))
    result.records[2].sensors[0].isValid = false
    #expect(SensorSummary.all(of: result.records)[0].missingCount == 1)
  }
}

/// Two cameras: A's samples are 30 ms old, B's are missing.
private final class CameraSource: FrameSource {
  let name = "cameras"
  let frameCount = 6
  func frame(at index: Int) throws -> any ReplayFrame {
    func camera(_ name: String, isValid: Bool) -> CameraInput {
      CameraInput(
        name: name, timestampNanoseconds: 0, ageNanoseconds: 30_000_000, isValid: isValid,
        intrinsics: CameraIntrinsics(
          focalX: 1, focalY: 1, centerX: 0, centerY: 0, widthPixels: 2, heightPixels: 2),
        egoFromCamera: .identity, keyEgoFromCamera: .identity, networkWidthPixels: 2,
        networkHeightPixels: 2)
    }
    return FakeFrame(
      SensorFrame(
        timestampNanoseconds: Int64(index) * 100_000_000, worldFromEgo: .identity,
        resetsHistory: index == 0, cameras: [camera("A", isValid: true), camera("B", isValid: false)],
        lidars: []))
  }
}

@Suite struct PreloadTests {
  @Test func `with preload every frame is read before the first is measured`() {
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    let source = FakeSource(frameCount: 9)
    var counts: [Int] = []
    processor.onStage = { stage in
      if stage == 1 { counts.append(source.readCount.load(ordering: .relaxed)) }
    }
    var options = ReplayOptions()
    options.loops = false
    options.preloads = true
    let result = Replayer(
      source: source, processor: processor, options: options, clock: clock,
      counters: FakeCounters(), build: .release
    ).run()
    #expect(result.records.count == 9)
    #expect(Set(counts) == [9])
  }

  @Test func `a budget's percentiles keep a looped recording going`() {
    let clock = FakeClock()
    var options = ReplayOptions()
    options.rule = VerdictRule(missRate: 0.2)
    options.minimumMeasuredFrames = 299
    let result = Replayer(
      source: FakeSource(frameCount: 9), processor: FakeProcessor(clock: clock), options: options,
      clock: clock, counters: FakeCounters(), build: .release
    ).run()
    #expect(result.records.count == 299)
  }
}

@Suite struct PlantedSlowdownTests {
  /// A clock that moves by itself with every reading, so that busy waiting ends.
  private final class TickingClock: ReplayClock {
    private var time: Int64 = 0
    var nowNanoseconds: Int64 {
      time += 1_000
      return time
    }
    func sleep(untilNanoseconds deadlineNanoseconds: Int64) { time = max(time, deadlineNanoseconds) }
    func advance(_ nanoseconds: Int64) { time += nanoseconds }
  }
  private final class Work: FrameProcessor {
    let stages = [ReplayStage(name: "work")]
    let processorDescription = ProcessorDescription(
      engine: "simd", instructionSet: "avx2", threadCount: 1, encoder: "none", weights: "none",
      configurationHash: "0")
    let clock: TickingClock
    init(clock: TickingClock) { self.clock = clock }
    func run(stage index: Int, on frame: inout SensorFrame) { clock.advance(10_000_000) }
    func reset() {}
    func forEachOutput(_ body: (String, UnsafeRawBufferPointer) -> Void) {}
  }

  @Test func `a planted slow-down lengthens a stage by its share`() {
    for (share, expected) in [(0.0, 10.0), (0.1, 11.0)] {
      let clock = TickingClock()
      var options = ReplayOptions()
      options.loops = false
      options.plantedSlowdown = share
      let result = Replayer(
        source: FakeSource(frameCount: 3), processor: Work(clock: clock), options: options,
        clock: clock, counters: FakeCounters(), build: .release
      ).run()
      #expect(abs(milliseconds(result.records[1].serviceNanoseconds) - expected) < 0.05)
    }
  }
}

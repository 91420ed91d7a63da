import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct OutputComparisonTests {
  static func file(_ change: (inout [Float], inout [UInt8]) -> Void = { _, _ in }) -> SafeTensors {
    var bev = (0..<24).map(Float.init)
    var voxels = [UInt8](repeating: 128, count: 12)
    voxels[7] = 20
    change(&bev, &voxels)
    return SafeTensors(
      tensors: [
        "fused_bev": HostTensor(bev, shape: [2, 3, 4]),
        "occupancy": HostTensor(elementType: .int8, shape: [2, 3, 2], bytes: voxels),
      ],
      metadata: [
        "bev_lower_meters": "-1.2 -0.8", "bev_step_meters": "0.8 0.8",
        "occupancy_origin": "10 -4 0", "voxel_size_meters": "0.4",
      ])
  }

  @Test func `equal outputs have no differences`() {
    #expect(OutputComparison().differences(frame: 0, Self.file(), Self.file()).isEmpty)
  }

  @Test func `a difference names frame, output, cell, place and both values`() {
    let head = Self.file { bev, voxels in
      bev[19] = 25
      voxels[7] = 128
    }
    let differences = OutputComparison().differences(frame: 12, Self.file(), head)
    #expect(
      differences == [
        // Element 19 of [2][3][4] is y 1, x 1, channel 3; its middle lies 1.5 cells from the bounds.
        "frame 12, fused_bev: 1 of 24 values differ by more than 0.0, most at cell (y 1, x 1, "
          + "channel 3), ego x 0.0 y 0.4 m: 19.0 and 25.0",
        "frame 12, occupancy: 1 of 12 values differ by more than 0.0, most at cell (y 1, x 0, z 1), "
          + "world x 4.2 y -1.0 z 0.6 m: 20 steps of log-odds and unknown",
      ])
  }

  @Test func `a tolerance forgives its amount and its share, no more`() throws {
    let head = Self.file { bev, _ in
      bev[3] += 0.5
      bev[4] += 2
    }
    func count(_ text: String) throws -> Int {
      let field = try #require(FieldTolerance.parse(text))
      return OutputComparison(tolerances: [field.name: field.tolerance])
        .differences(frame: 0, Self.file(), head).count
    }
    #expect(try count("fused_bev=2") == 0)
    #expect(try count("fused_bev=1.9") == 1)
    #expect(try count("fused_bev=1:5%") == 0)
    #expect(try count("fused_bev=1:4%") == 1)
    #expect(try count("lidar_bev=5") == 1)
    for wrong in ["x", "=1", "x=-1", "x=1:5", "x=1:200%"] { #expect(FieldTolerance.parse(wrong) == nil) }
  }

  @Test func `a number that became NaN is a difference whatever the tolerance`() {
    let head = Self.file { bev, _ in bev[0] = .nan }
    let comparison = OutputComparison(tolerances: ["fused_bev": FieldTolerance(absolute: 1e9)])
    #expect(comparison.differences(frame: 0, Self.file(), head).count == 1)
    #expect(comparison.differences(frame: 0, head, head).isEmpty)
  }

  @Test func `frames to keep are the first, the last and evenly between`() throws {
    let folder = try TemporaryFolder()
    let store = { try OutputStore(resultFolder: URL(fileURLWithPath: folder.path), frameCount: $0) }
    #expect(try store(3).chosen(from: Array(0..<11)) == [0, 5, 10])
    #expect(try store(1).chosen(from: [4, 7]) == [7])
    #expect(try store(nil).chosen(from: [1, 2]) == [1, 2])
    #expect(try store(9).chosen(from: [1, 2]) == [1, 2])
  }
}

@Suite struct GoldenRunTests {
  private func write(_ folder: TemporaryFolder, _ name: String, _ tensors: SafeTensors, digest: UInt64) throws {
    let clock = FakeClock()
    var options = ReplayOptions()
    options.loops = false
    var result = Replayer(
      source: FakeSource(frameCount: 5), processor: FakeProcessor(clock: clock), options: options,
      clock: clock, counters: FakeCounters(), build: .release
    ).run()
    result.records[2].digest = digest
    try ReportFolder(path: "\(folder.path)/\(name)").write(ReplayReport(result))
    try folder.write("\(name)/outputs/frame_000002.safetensors", tensors.serialized())
  }

  @Test func `a golden run is made, kept to, broken with the cell named, and replaced`() throws {
    let folder = try TemporaryFolder()
    try write(folder, "good", OutputComparisonTests.file(), digest: 1)
    try write(folder, "bad", OutputComparisonTests.file { bev, _ in bev[5] = -1 }, digest: 2)
    let golden = GoldenRun(path: folder.path + "/golden")
    let (good, bad) = (
      try RunFolder(path: folder.path + "/good"), try RunFolder(path: folder.path + "/bad")
    )
    try golden.update(from: good)
    var comparison = RunComparison()
    comparison.judgesLatency = false
    let kept = comparison.compare(try RunFolder(path: golden.path), good)
    #expect(kept.exitStatuses == [.pass] && kept.comparedFrameCount == 1)
    let broken = comparison.compare(try RunFolder(path: golden.path), bad)
    #expect(broken.exitStatuses == [.outputMismatch])
    #expect(broken.differences.count == 1)
    #expect(broken.differences[0].contains("frame 2, fused_bev: 1 of 24 values"))
    try golden.update(from: bad)
    let replaced = comparison.compare(try RunFolder(path: golden.path), bad)
    #expect(replaced.exitStatuses == [.pass])
    let leftovers = try FileManager.default.contentsOfDirectory(atPath: folder.path)
    #expect(Set(leftovers) == ["good", "bad", "golden"])
  }

  @Test func `a tolerance without kept outputs decides nothing`() throws {
    let folder = try TemporaryFolder()
    try write(folder, "a", OutputComparisonTests.file(), digest: 1)
    try write(folder, "b", OutputComparisonTests.file(), digest: 2)
    try folder.remove("b/outputs")
    var (a, b) = (try RunFolder(path: folder.path + "/a"), try RunFolder(path: folder.path + "/b"))
    a.report = .object(["digest": .string("1")])
    b.report = .object(["digest": .string("2")])
    var comparison = RunComparison()
    comparison.judgesLatency = false
    comparison.tolerances = ["fused_bev": FieldTolerance(absolute: 1)]
    let result = comparison.compare(a, b)
    #expect(result.exitStatuses == [.inconclusive])
    #expect(result.notes[0].contains("--keep-outputs"))
  }
}

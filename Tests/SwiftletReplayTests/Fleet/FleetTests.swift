import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct FleetTests {
  private struct Drives {
    let folder: TemporaryFolder
    let manifest: FleetManifest
    init(_ count: Int) throws {
      folder = try TemporaryFolder()
      var lines = ["# drives", ""]
      for number in 0..<count {
        let drive = try TemporaryFolder()
        _ = try NuScenesBuilder(frames: 3 + number).open(drive)
        try FileManager.default.moveItem(
          atPath: drive.path, toPath: "\(folder.path)/drive-\(number)")
        lines.append("drive-\(number)")
      }
      try folder.write("drives.txt", lines.joined(separator: "\n"))
      manifest = try FleetManifest(file: folder.path + "/drives.txt")
    }
  }

  /// Frames that take 5 ms each by a clock of their own, one of them `late`.
  private func report(_ entry: FleetManifest.Entry, late: Int?, budget: Int64 = 10) throws -> ReplayReport {
    let recording = try RecordingOpener.open(path: entry.path)
    let clock = FakeClock()
    let processor = FakeProcessor(clock: clock)
    processor.milliseconds = { $0 == late ? 50 : 4 }
    var options = ReplayOptions()
    options.loops = false
    options.isGated = false
    options.budgetNanoseconds = budget * 1_000_000
    options.rule = VerdictRule(missRate: 0.3, maximumConsecutiveMisses: 2)
    return ReplayReport(
      Replayer(
        source: RecordingSource(recording), processor: processor, options: options, clock: clock,
        counters: FakeCounters(), build: .release
      ).run())
  }
  private func runner(
    _ drives: Drives, _ out: String, late: Int? = nil, settings: String = "a", budget: Int64 = 10,
    count: (() -> Void)? = nil
  ) -> FleetRunner {
    FleetRunner(folder: "\(drives.folder.path)/\(out)", settings: settings) { entry in
      count?()
      return try report(entry, late: late, budget: budget)
    }
  }

  @Test func `shards share the list without rest or overlap`() throws {
    let drives = try Drives(5)
    for count in 1...7 {
      let parts = (1...count).compactMap { FleetShard("\($0)/\(count)") }
      let names = parts.flatMap { drives.manifest.entries(of: $0).map(\.name) }
      #expect(names.count == 5 && Set(names).count == 5)
    }
    for text in ["0/2", "3/2", "1", "a/b", "1/0", "-1/2", "1/2/3"] {
      #expect(FleetShard(text) == nil, "\(text)")
    }
  }

  @Test func `a second run keeps results, other settings, a changed recording or force make them again`()
    throws
  {
    let drives = try Drives(2)
    let entry = drives.manifest.entries[0]
    var made = 0
    let first = runner(drives, "out") { made += 1 }
    #expect(try first.run(entry) == .made(.pass))
    let target = "\(drives.folder.path)/out/\(entry.name)"
    let before = try Data(contentsOf: URL(fileURLWithPath: target + "/report.json"))
    #expect(try first.run(entry) == .kept(.pass) && made == 1)
    #expect(try first.run(entry, redo: true) == .made(.pass) && made == 2)
    #expect(try Data(contentsOf: URL(fileURLWithPath: target + "/report.json")) == before)
    #expect(try runner(drives, "out", settings: "b").run(entry) == .made(.pass))
    try drives.folder.write("drive-0/extra", [1])
    #expect(try runner(drives, "out", settings: "b").run(entry) == .made(.pass))
    // Nothing half made is left.
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(drives.folder.path)/out")
    #expect(names == [entry.name])
  }

  @Test func `a run that dies in the middle leaves no result`() throws {
    let drives = try Drives(1)
    struct Death: Error {}
    let runner = FleetRunner(folder: drives.folder.path + "/out", settings: "") { _ in throw Death() }
    #expect(throws: Death.self) { _ = try runner.run(drives.manifest.entries[0]) }
    let names = try FileManager.default.contentsOfDirectory(atPath: "\(drives.folder.path)/out")
    #expect(names.isEmpty)
  }

  @Test func `shards merged give the sum of one run, whatever the number of shards`() throws {
    let drives = try Drives(3)
    for entry in drives.manifest.entries { _ = try runner(drives, "all", late: 1).run(entry) }
    for part in ["1/2", "2/2"] {
      for entry in drives.manifest.entries(of: try #require(FleetShard(part))) {
        _ = try runner(drives, "part-\(part.prefix(1))", late: 1).run(entry)
      }
    }
    let path = drives.folder.path
    let whole = try FleetMerge(folders: [path + "/all"], manifest: drives.manifest)
    let parts = try FleetMerge(
      folders: [path + "/part-1", path + "/part-2", path + "/part-1"], manifest: drives.manifest)
    #expect(whole.frames == 12 && whole.misses == 3 && whole.missing.isEmpty)
    #expect(parts.stages == whole.stages && parts.judgement == whole.judgement)
    let total = try #require(whole.stages.first { $0.name == "total" })
    #expect(total.sampleCount == 12 && total.maximumNanoseconds == 50_000_000)
    #expect(total.percentileNanoseconds[.p50] == 4_000_000)
    try parts.write(to: path + "/merged")
    for file in ["merged.json", "junit.xml", "hgrm/total.hgrm"] {
      #expect(RecordingFile.exists("\(path)/merged/\(file)"), "\(file)")
    }
    let parser = XMLCounter(parts.junit)
    #expect(parser.suites == 4 && parser.isWellFormed)
  }

  @Test func `what is missing, unreadable or made otherwise is said, not added up`() throws {
    let drives = try Drives(3)
    let path = drives.folder.path
    let entries = drives.manifest.entries
    _ = try runner(drives, "out").run(entries[0])
    _ = try runner(drives, "out", budget: 20).run(entries[1])
    var merge = try FleetMerge(folders: [path + "/out"], manifest: drives.manifest)
    #expect(merge.missing == [entries[2].path] && merge.judgement == nil)
    #expect(merge.differences.contains { $0.hasPrefix("budget_ms") })
    #expect(merge.exitStatuses == [.recordingDamaged, .inconclusive])
    try FileManager.default.removeItem(atPath: "\(path)/drive-2")
    #expect(try runner(drives, "out").run(entries[2]) == .made(.recordingDamaged))
    merge = try FleetMerge(folders: [path + "/out"], manifest: drives.manifest)
    #expect(merge.missing.isEmpty && merge.rows.contains { $0.error != nil })
    #expect(merge.junit.contains("nothing there"))
    #expect(throws: RecordingError.self) {
      _ = try FleetMerge(folders: [path + "/none"], manifest: nil)
    }
  }

  /// Enough of XML to see that tags nest.
  private struct XMLCounter {
    var suites = 0
    var isWellFormed = false
    init(_ text: String) {
      var open: [Substring] = []
      var isBroken = false
      for part in text.split(separator: "<").map({ $0.prefix { $0 != ">" } }) {
        let name = part.prefix { !" />".contains($0) }
        if part.hasPrefix("?") { continue }
        if part.hasPrefix("/") {
          isBroken = isBroken || open.popLast() != part.dropFirst()
        } else if !part.hasSuffix("/") {
          open.append(name)
          if name == "testsuite" { suites += 1 }
        }
      }
      isWellFormed = open.isEmpty && !isBroken
    }
  }
}

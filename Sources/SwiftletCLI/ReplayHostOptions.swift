import ArgumentParser
import Foundation
import SwiftletReplay

/// What is asked of the system, and how frames are read.
struct HostOptions: ParsableArguments {
  @Option(help: "CPUs of the measuring thread and its workers, 0,1,…: pins them.") var cpus: String?
  @Option(help: "SCHED_FIFO priority of the measuring thread and its workers, 1 to 99.")
  var rtPriority: Int?
  @Flag(help: "Lock the process's memory, so that nothing is paged out.") var lockMemory = false
  @Option(help: "Decoded frames held ready at most.") var readAhead = 2
  @Flag(help: "Read and decode every frame before the first is measured.") var preload = false
  @Option(
    help: "Lengthen every stage by this many per cent, busy: a slow-down to try gates with.")
  var plantSlowdown: Double?

  @Flag(
    help: """
      Before a frame is measured, write > to standard output and wait for a byte on standard input: \
      for programs that let several replays take turns, as swiftlet ab does.
      """)
  var turns = false

  func validate() throws {
    guard cpuList != nil else {
      throw ValidationError("--cpus: expected numbers such as 0,1, found \(cpus ?? "")")
    }
    if let rtPriority, !(1...99).contains(rtPriority) {
      throw ValidationError("--rt-priority: expected 1 to 99, found \(rtPriority)")
    }
    if let plantSlowdown, !(plantSlowdown > 0 && plantSlowdown <= 1000) {
      throw ValidationError("--plant-slowdown: expected above 0 to 1000, found \(plantSlowdown)")
    }
    guard readAhead >= 1 else {
      throw ValidationError("--read-ahead: expected 1 or more, found \(readAhead)")
    }
  }

  private var cpuList: [Int]? {
    guard let cpus else { return [] }
    let numbers = cpus.split(separator: ",", omittingEmptySubsequences: false).map { Int($0) }
    let list = numbers.compactMap(\.self).filter { $0 >= 0 }
    return list.count == numbers.count ? list : nil
  }

  var controls: HostControls {
    var controls = HostControls()
    controls.cpus = cpuList ?? []
    controls.realTimePriority = rtPriority
    controls.locksMemory = lockMemory
    return controls
  }

  func apply(to options: inout ReplayOptions) {
    options.readAhead = readAhead
    options.preloads = preload
    options.plantedSlowdown = (plantSlowdown ?? 0) / 100
  }
}

/// A budget file, and what is written for machines that watch.
struct BudgetOptions: ParsableArguments {
  @Option(
    help: """
      Limits in budget.yaml: digest, allocations and page faults gate everywhere (tier A), a stored \
      run on a like host (B), milliseconds and misses on the hosts the file names (C).
      """)
  var budgetFile: String?
  @Option(help: "Append the run's numbers to this CSV file, one metric a row, for trends.")
  var csv: String?
  @Flag(
    inversion: .prefixedNo,
    help: """
      GitHub annotations on standard error and the step summary. Default: where GITHUB_ACTIONS is \
      true.
      """)
  var github: Bool?

  func makeJudge() throws -> BudgetJudge? {
    guard let budgetFile else { return nil }
    return BudgetJudge(
      budget: try usage { try LatencyBudget(path: budgetFile) },
      host: ProcessInfo.processInfo.hostName,
      folder: URL(fileURLWithPath: budgetFile).deletingLastPathComponent())
  }

  func export(_ report: ReplayReport) throws {
    do {
      if let csv {
        try TrendTable(report, host: ProcessInfo.processInfo.hostName).append(to: csv)
      }
      let environment = ProcessInfo.processInfo.environment
      guard github ?? (environment["GITHUB_ACTIONS"] == "true") else { return }
      let page = GitHubReport(report)
      FileHandle.standardError.write(Data(page.annotations.utf8))
      guard let path = environment["GITHUB_STEP_SUMMARY"] else { return }
      if !FileManager.default.fileExists(atPath: path) {
        _ = FileManager.default.createFile(atPath: path, contents: nil)
      }
      let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
      defer { try? handle.close() }
      try handle.seekToEnd()
      try handle.write(contentsOf: Data(page.summary.utf8))
    } catch {
      printError("cannot write \(csv ?? "the step summary"): \(error.localizedDescription)")
      throw ExitCode(ExitStatus.internalError.rawValue)
    }
  }
}

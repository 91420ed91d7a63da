import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct VerifyCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "verify",
    abstract: "Check every operation against golden tensors.",
    discussion: """
      Reads index.json and the .safetensors cases of a golden set, runs each operation and compares \
      every result with its stored tolerance. An operation or path that does not exist yet is \
      "unsupported", never replaced in silence.

      Exit codes: 0 all passed, 3 a mismatch, 4 a damaged index or case, 5 no golden set, 6 \
      unsupported cases without --allow-unsupported. A damaged case does not hide the others.

      Examples:
        swiftlet verify golden/
        swiftlet verify golden/ --engine reference --threads 2
        swiftlet verify golden/ --isa avx2 --filter pool --json
      """)

  @Argument(help: "Folder with index.json.") var folder: String
  @OptionGroup var engineOptions: EngineOptions
  @Option(help: "Only cases whose name, operation or size contains this.") var filter: String?
  @Flag(help: "Exit 0 although some cases are unsupported.") var allowUnsupported = false
  @Flag(help: "Print JSON instead of the table.") var json = false

  func run() throws {
    let engine = try engineOptions.makeEngine()
    let set: GoldenSet
    do {
      set = try GoldenSet(path: folder)
    } catch {
      printError("\(error)")
      let status = error.isMissing ? ExitStatus.baselineMissing : .recordingDamaged
      throw ExitCode(status.rawValue)
    }
    let pool = WorkerPool(threadCount: engineOptions.threads)
    let verifier = Verifier(context: VerifyContext(engine: engine, pool: pool))
    let cases = verifier.run(set, filter: filter) { verified in
      if !json { print(row(verified)) }
    }
    let statuses = VerifiedCase.exitStatuses(of: cases, allowsUnsupported: allowUnsupported)
    if json { try printJSON(cases, statuses) } else { printSummary(cases) }
    if cases.isEmpty { printError("no case matches the filter") }
    if !statuses.isEmpty { throw ExitCode(ExitStatus.worst(of: statuses).rawValue) }
  }

  private func row(_ verified: VerifiedCase) -> String {
    let name = verified.case.padding(toLength: 28, withPad: " ", startingAt: 0)
    let status = verified.status.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
    let engine = "\(verified.engine)/\(verified.isa)".padding(
      toLength: 18, withPad: " ", startingAt: 0)
    let errors = String(format: "abs %.2e  rel %.2e", verified.maxAbs, verified.maxRel)
    return "\(status) \(name) \(engine) \(errors)"
      + (verified.detail.isEmpty ? "" : "  \(verified.detail)")
  }

  private struct Output: Encodable {
    var cases: [VerifiedCase]
    var exitCodes: [Int32]
    enum CodingKeys: String, CodingKey {
      case cases
      case exitCodes = "exit_codes"
    }
  }

  private func printJSON(_ cases: [VerifiedCase], _ statuses: Set<ExitStatus>) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    let output = Output(cases: cases, exitCodes: ExitStatus.ordered(statuses).map(\.rawValue))
    print(String(decoding: try encoder.encode(output), as: UTF8.self))
  }

  private func printSummary(_ cases: [VerifiedCase]) {
    let count = { (status: VerifiedCase.Status) in cases.count { $0.status == status } }
    let damaged = cases.count(where: \.isDamaged)
    print(
      "\(count(.pass)) pass, \(count(.fail)) fail, \(count(.unsupported)) unsupported"
        + (damaged > 0 ? "; \(damaged) of the failed are damaged cases" : ""))
  }
}

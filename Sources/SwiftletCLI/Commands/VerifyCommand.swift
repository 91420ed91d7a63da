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

      Exit codes: 0 all passed, 3 a mismatch, 5 no golden set, 6 unsupported cases without \
      --allow-unsupported.

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
      throw ExitCode(5)
    }
    let pool = WorkerPool(threadCount: engineOptions.threads)
    let verifier = Verifier(context: VerifyContext(engine: engine, pool: pool))
    let cases = verifier.run(set, filter: filter) { verified in
      if !json { print(row(verified)) }
    }
    if json { try printJSON(cases) } else { printSummary(cases) }
    try exit(cases)
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

  private func printJSON(_ cases: [VerifiedCase]) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    encoder.nonConformingFloatEncodingStrategy = .convertToString(
      positiveInfinity: "inf", negativeInfinity: "-inf", nan: "nan")
    print(String(decoding: try encoder.encode(["cases": cases]), as: UTF8.self))
  }

  private func printSummary(_ cases: [VerifiedCase]) {
    let count = { (status: VerifiedCase.Status) in cases.count { $0.status == status } }
    print("\(count(.pass)) pass, \(count(.fail)) fail, \(count(.unsupported)) unsupported")
  }

  private func exit(_ cases: [VerifiedCase]) throws {
    if cases.contains(where: { $0.status == .fail }) { throw ExitCode(3) }
    if cases.isEmpty {
      printError("no case matches the filter")
      throw ExitCode(5)
    }
    if !allowUnsupported, cases.contains(where: { $0.status == .unsupported }) { throw ExitCode(6) }
  }
}

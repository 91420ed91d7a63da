import Foundation
import Swiftlet

/// The verdict on one golden case.
public struct VerifiedCase: Sendable, Codable {
  public enum Status: String, Sendable, Codable { case pass, fail, unsupported }
  public var `case`: String
  public var operation: String
  public var status: Status
  /// What ran: `reference` or `simd`.
  public var engine: String
  public var isa: String
  public var maxAbs: Double
  public var maxRel: Double
  public var detail: String
  /// The case itself cannot be used: its file or its index entry is missing or damaged. It counts
  /// as failed.
  public var isDamaged = false

  enum CodingKeys: String, CodingKey {
    case `case`, operation, status, engine, isa, detail
    case maxAbs = "max_abs"
    case maxRel = "max_rel"
    case isDamaged = "damaged"
  }
}

/// Runs golden cases and compares results with their tolerances.
public struct Verifier: Sendable {
  let context: VerifyContext
  let runners: [String: GoldenRunner]

  public init(context: VerifyContext, runners: [String: GoldenRunner] = GoldenOperations.runners) {
    self.context = context
    self.runners = runners
  }

  /// Runs the cases whose name, operation or size contains `filter`.
  public func run(
    _ set: GoldenSet, filter: String? = nil, progress: (VerifiedCase) -> Void = { _ in }
  ) -> [VerifiedCase] {
    set.entries
      .filter { entry in
        filter.map { wanted in
          [entry.name, entry.operation, entry.size].contains { $0.contains(wanted) }
        } ?? true
      }
      .map { entry in
        let verified = run(entry, in: set.folder)
        progress(verified)
        return verified
      }
  }

  private func run(_ entry: GoldenEntry, in folder: URL) -> VerifiedCase {
    if let problem = entry.problem { return damaged(entry, problem) }
    guard let runner = runners[entry.operation] else {
      return verdict(entry, .unsupported, detail: "no operation \(entry.operation)")
    }
    let url = folder.appendingPathComponent(entry.file)
    guard let data = try? Data(contentsOf: url) else {
      return damaged(entry, "\(entry.file): expected a readable file, found none")
    }
    do {
      let tensors = try SafeTensors(bytes: [UInt8](data)).tensors
      try check(tensors, described: entry.descriptions)
      let goldenCase = GoldenCase(
        name: entry.name, operation: entry.operation, attributes: entry.attributes,
        tensors: tensors, layouts: entry.descriptions.compactMapValues(\.layout))
      try GoldenSchemas.check(goldenCase)
      return judge(entry, outputs: try runner(goldenCase, context), tensors: tensors)
    } catch GoldenError.unsupported(let what) {
      return verdict(entry, .unsupported, detail: what)
    } catch {
      return damaged(entry, "\(entry.file): \(error)")
    }
  }

  /// The file must hold what the index says of it.
  private func check(
    _ tensors: [String: HostTensor], described: [String: GoldenDescription]
  ) throws(GoldenError) {
    for (name, wanted) in described.sorted(by: { $0.key < $1.key }) {
      let expected = [wanted.elementTypeName, wanted.shape.map { "\($0)" }].compactMap(\.self)
        .joined(separator: " ")
      guard let tensor = tensors[name] else {
        throw .damaged(tensor: name, expected: expected, found: "no such tensor")
      }
      let isSame = wanted.elementTypeName ?? tensor.elementType.name == tensor.elementType.name
      guard isSame, wanted.shape ?? tensor.shape == tensor.shape else {
        throw .damaged(
          tensor: name, expected: expected + " as index.json says",
          found: "\(tensor.elementType.name) \(tensor.shape)")
      }
    }
  }

  private func judge(
    _ entry: GoldenEntry, outputs: [String: GoldenOutput], tensors: [String: HostTensor]
  ) -> VerifiedCase {
    var result = verdict(entry, .pass)
    var failures: [String] = []
    // Of the tensors with the same choice one match is enough.
    var choices: [String: (matched: Bool, best: TensorComparison)] = [:]
    for expectation in entry.expectations {
      let comparison = compare(expectation, outputs: outputs, tensors: tensors)
      if case .exactOneOf(let choice) = expectation.rule {
        let before = choices[choice]
        if before == nil || comparison.passed { choices[choice] = (comparison.passed, comparison) }
        continue
      }
      result.maxAbs = max(result.maxAbs, comparison.maxAbs)
      result.maxRel = max(result.maxRel, comparison.maxRel)
      if !comparison.passed { failures.append("\(expectation.tensorName): \(comparison.detail)") }
      if comparison.isDamage { result.isDamaged = true }
    }
    for (choice, outcome) in choices.sorted(by: { $0.key < $1.key }) where !outcome.matched {
      failures.append("no tensor of choice \(choice) matches: \(outcome.best.detail)")
    }
    if entry.expectations.isEmpty { return damaged(entry, "the case expects nothing") }
    if !failures.isEmpty {
      result.status = .fail
      result.detail = failures.joined(separator: "; ")
    }
    return result
  }

  private func compare(
    _ expectation: GoldenExpectation, outputs: [String: GoldenOutput],
    tensors: [String: HostTensor]
  ) -> TensorComparison {
    guard let expected = tensors[expectation.tensorName] else {
      return TensorComparison(
        passed: false, isDamage: true, detail: "the case's file lacks this tensor")
    }
    guard let got = outputs[expectation.tensorName] else {
      return TensorComparison(passed: false, detail: "the operation returned no such result")
    }
    var skip: HostTensor?
    if let name = expectation.skipName {
      guard let mask = tensors[name] else {
        return TensorComparison(
          passed: false, isDamage: true, detail: "the case's file lacks the mask \(name)")
      }
      skip = mask
    }
    var tolerance = (abs: 0.0, rel: 0.0)
    if case .close(let maxAbs, let maxRel) = expectation.rule { tolerance = (maxAbs, maxRel) }
    return SwiftletReplay.compare(
      got, with: expected, maxAbs: tolerance.abs, maxRel: tolerance.rel, skip: skip)
  }

  private func damaged(_ entry: GoldenEntry, _ detail: String) -> VerifiedCase {
    var result = verdict(entry, .fail, detail: detail)
    result.isDamaged = true
    return result
  }

  private func verdict(
    _ entry: GoldenEntry, _ status: VerifiedCase.Status, detail: String = ""
  ) -> VerifiedCase {
    VerifiedCase(
      case: entry.name, operation: entry.operation, status: status, engine: context.engine.name,
      isa: context.engine.instructionSetName, maxAbs: 0, maxRel: 0, detail: detail)
  }
}

extension VerifiedCase {
  /// What a run over these cases answers: 3 for a mismatch, 4 for a damaged case, 6 for an
  /// unsupported one unless allowed, 5 for none at all.
  public static func exitStatuses(
    of cases: [VerifiedCase], allowsUnsupported: Bool
  ) -> Set<ExitStatus> {
    if cases.isEmpty { return [.baselineMissing] }
    var statuses: Set<ExitStatus> = []
    for verified in cases {
      switch verified.status {
      case .pass: break
      case .fail: statuses.insert(verified.isDamaged ? .recordingDamaged : .outputMismatch)
      case .unsupported: if !allowsUnsupported { statuses.insert(.inconclusive) }
      }
    }
    return statuses
  }
}

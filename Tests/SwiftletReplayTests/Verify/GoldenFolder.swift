import Foundation
import Swiftlet

@testable import SwiftletReplay

/// A golden set of a test's own: two small linear cases, each of which can be damaged.
struct GoldenFolder {
  let url: URL
  /// By file name.
  var files: [String: [UInt8]] = [:]
  /// The cases of index.json, by name.
  var cases: [String: JSONValue] = [:]

  /// `first` and `second`, which pass.
  init() {
    url = FileManager.default.temporaryDirectory
      .appendingPathComponent("golden-\(UUID().uuidString)")
    for name in ["first", "second"] { set(name, Self.linear) }
  }

  /// y = x Wᵀ + b with x = (1, 2), W = (3, 4), b = 5.
  static let linear: [String: HostTensor] = [
    "in.x": HostTensor([1, 2] as [Float], shape: [1, 2]),
    "param.weight": HostTensor([3, 4] as [Float], shape: [1, 2]),
    "param.bias": HostTensor([5] as [Float], shape: [1]),
    "out.y": HostTensor([16] as [Float], shape: [1, 1]),
    "aux.mask": HostTensor([0] as [UInt8], shape: [1]),
  ]

  /// The case's file, and its index entry by what the file holds.
  mutating func set(_ name: String, _ tensors: [String: HostTensor]) {
    files["\(name).safetensors"] = SafeTensors(tensors: tensors).serialized()
    cases[name] = .object([
      "name": .string(name), "file": .string("\(name).safetensors"),
      "operation": .string("linear"),
      "tensors": .object(tensors.mapValues { tensor -> JSONValue in
        .object([
          "dtype": .string(tensor.elementType.name),
          "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
          "compare": .string("close"), "max_abs": .number(1e-6), "max_rel": .number(0),
        ])
      }),
    ])
  }

  /// Changes one member of a case's entry, or of one of its tensors.
  mutating func change(_ name: String, tensor: String? = nil, _ key: String, _ value: JSONValue?) {
    guard case .object(var entry)? = cases[name] else { return }
    if let tensor {
      guard case .object(var tensors)? = entry["tensors"],
        case .object(var members)? = tensors[tensor]
      else { return }
      members[key] = value
      tensors[tensor] = .object(members)
      entry["tensors"] = .object(tensors)
    } else {
      entry[key] = value
    }
    cases[name] = .object(entry)
  }

  /// Writes the folder, judges it and removes it.
  func verified(_ engine: Engine = .reference) throws -> [VerifiedCase] {
    let manager = FileManager.default
    try manager.createDirectory(at: url, withIntermediateDirectories: true)
    defer { try? manager.removeItem(at: url) }
    for (name, bytes) in files { try Data(bytes).write(to: url.appendingPathComponent(name)) }
    let list = cases.sorted { $0.key < $1.key }.map(\.value)
    let index = JSONValue.object(["cases": .array(list)])
    try Data(index.text.utf8).write(to: url.appendingPathComponent("index.json"))
    let context = VerifyContext(engine: engine, pool: WorkerPool(threadCount: 1))
    return Verifier(context: context).run(try GoldenSet(path: url.path))
  }
}

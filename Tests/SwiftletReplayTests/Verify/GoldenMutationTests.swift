import Foundation
import Swiftlet
import Testing

@testable import SwiftletReplay

/// Every fixture case with every tensor, value and attribute spoiled in turn: a result or a typed
/// error, never a trap.
@Suite struct GoldenMutationTests {
  private func cases(below byteCount: Int) throws -> [GoldenCase] {
    let set = try GoldenSet(path: fixturesFolder.appendingPathComponent("golden").path)
    return try set.entries.compactMap { entry in
      let bytes = [UInt8](try Data(contentsOf: set.folder.appendingPathComponent(entry.file)))
      guard bytes.count < byteCount else { return nil }
      return GoldenCase(
        name: entry.name, operation: entry.operation, attributes: entry.attributes,
        tensors: try SafeTensors(bytes: bytes).tensors,
        layouts: entry.descriptions.compactMapValues(\.layout))
    }
  }

  /// Runs the case; whether it was refused.
  private func isRefused(_ test: GoldenCase, _ engine: Engine) throws -> Bool {
    let runner = try #require(GoldenOperations.runners[test.operation])
    do {
      try GoldenSchemas.check(test)
      _ = try runner(test, VerifyContext(engine: engine, pool: WorkerPool(threadCount: 1)))
      return false
    } catch {
      return true
    }
  }

  private func reshaped(_ tensor: HostTensor, _ shape: [Int]) -> HostTensor {
    let count = shape.reduce(tensor.elementType.byteCount, *)
    let missing = [UInt8](repeating: 0, count: max(count - tensor.bytes.count, 0))
    return HostTensor(
      elementType: tensor.elementType, shape: shape, bytes: Array(tensor.bytes.prefix(count)) + missing)
  }

  @Test func `missing tensors and other types and shapes are refused or run`() throws {
    var refused = 0
    for test in try cases(below: 12_000) {
      for (name, tensor) in test.tensors where !name.hasPrefix("aux.") {
        var shapes = [[], [0], [1], tensor.shape + [1], [1] + tensor.shape]
        for axis in tensor.shape.indices {
          for size in [0, 1, tensor.shape[axis] + 1] {
            var shape = tensor.shape
            shape[axis] = size
            shapes.append(shape)
          }
        }
        var mutants: [HostTensor?] = shapes.map { reshaped(tensor, $0) }
        mutants.append(nil)
        mutants.append(HostTensor(elementType: .int16, shape: [2], bytes: [0, 0, 0, 0]))
        for mutant in mutants {
          var spoiled = test
          spoiled.tensors[name] = mutant
          if try isRefused(spoiled, .simd(.baseline)) { refused += 1 }
        }
      }
    }
    #expect(refused > 1000)
  }

  @Test(arguments: [Engine.reference, .simd(.baseline)])
  func `values that are not finite, huge or negative are refused or run`(engine: Engine) throws {
    for test in try cases(below: 6_000) {
      for (name, tensor) in test.tensors where !name.hasPrefix("aux.") && tensor.elementCount > 0 {
        for mutant in spoiledValues(tensor) {
          var spoiled = test
          spoiled.tensors[name] = mutant
          _ = try isRefused(spoiled, engine)
        }
      }
    }
  }

  private func spoiledValues(_ tensor: HostTensor) -> [HostTensor] {
    let (count, shape) = (tensor.elementCount, tensor.shape)
    switch tensor.elementType {
    case .float32:
      return [Float.nan, .infinity, -.infinity, 3e38, -3e38, 0, .leastNonzeroMagnitude].map {
        HostTensor([Float](repeating: $0, count: count), shape: shape)
      }
    case .float64:
      return [Double.nan, .infinity, 1e308, 0].map {
        HostTensor([Double](repeating: $0, count: count), shape: shape)
      }
    case .int32:
      return [Int32.min, .max, -1, 0].map {
        HostTensor([Int32](repeating: $0, count: count), shape: shape)
      }
    case .int64:
      // Far apart, too: the first stays.
      return [Int64.min, .max, 0].map {
        HostTensor([Int64](repeating: $0, count: count), shape: shape)
      }
    default:
      return [0, 255].map { byte in
        HostTensor(
          elementType: tensor.elementType, shape: shape,
          bytes: tensor.bytes.map { _ in byte })
      }
    }
  }

  @Test func `spoiled attributes are refused or run`() throws {
    let values: [JSONValue?] = [
      nil, .null, .integer(0), .integer(-1), .integer(1 << 40), .number(1e300), .number(0.5),
      .string("x"), .array([]), .array([.integer(0), .integer(-1), .integer(1 << 40)]),
      .array([.array([.integer(0), .integer(1 << 40)])]),
    ]
    for test in try cases(below: 12_000) {
      for key in (test.attributes.objectValue ?? [:]).keys {
        for value in values {
          guard case .object(var members) = test.attributes else { continue }
          members[key] = value
          var spoiled = test
          spoiled.attributes = .object(members)
          _ = try isRefused(spoiled, .simd(.baseline))
        }
      }
    }
  }
}

import Swiftlet

/// One result of a golden operation, flat in row-major order.
public enum GoldenOutput: Sendable {
  case float32([Float])
  case float64([Double])
  case int32([Int32])
  case int8([Int8])
  case uint8([UInt8])
  case uint16([UInt16])
}

/// Why a golden case could not be judged.
public enum GoldenError: Error, Sendable, CustomStringConvertible {
  /// The operation, or this path of it, does not exist yet. A fall-back to another engine counts
  /// as this.
  case unsupported(String)
  case malformed(String)
  /// A tensor, attribute or size of the case that is missing or of another type or shape.
  case damaged(tensor: String, expected: String, found: String)

  public var description: String {
    switch self {
    case .unsupported(let what): "unsupported: \(what)"
    case .malformed(let what): "malformed case: \(what)"
    case .damaged(let tensor, let expected, let found):
      "\(tensor): expected \(expected), found \(found)"
    }
  }
}

/// The inputs of one golden case.
public struct GoldenCase: Sendable {
  public var name: String
  public var operation: String
  /// The case's scalars (`attributes` of index.json).
  public var attributes: JSONValue
  /// Inputs, parameters and auxiliary tensors by their names; expected results too, for cases that
  /// need their shapes.
  public var tensors: [String: HostTensor]
  /// What index.json says of a tensor's layout, by its name.
  public var layouts: [String: String] = [:]

  /// The tensor, or an error that names it.
  public func tensor(_ name: String) throws(GoldenError) -> HostTensor {
    guard let tensor = tensors[name] else {
      throw .damaged(tensor: name, expected: "a tensor", found: "none")
    }
    return tensor
  }
  public func has(_ name: String) -> Bool { tensors[name] != nil }
  public func shape(_ name: String) throws(GoldenError) -> [Int] { try tensor(name).shape }

  public func floats(_ name: String) throws(GoldenError) -> [Float] {
    try values(name, HostTensor.floats)
  }
  public func doubles(_ name: String) throws(GoldenError) -> [Double] {
    try values(name, HostTensor.doubles)
  }
  public func int32s(_ name: String) throws(GoldenError) -> [Int32] {
    try values(name, HostTensor.int32s)
  }
  public func int64s(_ name: String) throws(GoldenError) -> [Int64] {
    try values(name, HostTensor.int64s)
  }
  public func bytes(_ name: String) throws(GoldenError) -> [UInt8] {
    try values(name, HostTensor.uint8s)
  }

  private func values<T>(
    _ name: String, _ read: (HostTensor) -> () -> [T]?
  ) throws(GoldenError) -> [T] {
    let tensor = try tensor(name)
    guard let values = read(tensor)() else {
      throw .damaged(tensor: name, expected: "\(T.self)", found: tensor.elementType.name)
    }
    return values
  }
}

/// With what a golden case runs.
public struct VerifyContext: Sendable {
  public var engine: Engine
  public var pool: WorkerPool
  /// Of an encoder's dense layers, with the input scales of int8 (nil: one per row).
  public var precision = DensePrecision.fp32
  public var inputScales: [String: Float]?

  public init(engine: Engine, pool: WorkerPool) {
    self.engine = engine
    self.pool = pool
  }
}

/// Runs one operation on a case's inputs and returns its `out.` tensors by name.
public typealias GoldenRunner =
  @Sendable (GoldenCase, VerifyContext) throws -> [String: GoldenOutput]

/// The element types of `.safetensors` files that the project reads and writes.
public enum SafeTensorType: String, Sendable, CaseIterable {
  case float64 = "F64"
  case float32 = "F32"
  case float16 = "F16"
  case bfloat16 = "BF16"
  case int64 = "I64"
  case int32 = "I32"
  case int16 = "I16"
  case int8 = "I8"
  case uint64 = "U64"
  case uint32 = "U32"
  case uint16 = "U16"
  case uint8 = "U8"
  case bool = "BOOL"

  public var byteCount: Int {
    switch self {
    case .float64, .int64, .uint64: 8
    case .float32, .int32, .uint32: 4
    case .float16, .bfloat16, .int16, .uint16: 2
    case .int8, .uint8, .bool: 1
    }
  }
}

/// A tensor that owns its bytes: little-endian, row-major, last index fastest.
public struct HostTensor: Sendable, Equatable {
  public var elementType: SafeTensorType
  public var shape: [Int]
  public var bytes: [UInt8]

  /// - Precondition: `bytes` holds exactly the elements of `shape`.
  public init(elementType: SafeTensorType, shape: [Int], bytes: [UInt8]) {
    let expected = shape.reduce(elementType.byteCount, *)
    precondition(
      bytes.count == expected, "a tensor of shape \(shape) has \(expected) bytes, not \(bytes.count)")
    self.elementType = elementType
    self.shape = shape
    self.bytes = bytes
  }

  public init(_ values: [Float], shape: [Int]) {
    self.init(elementType: .float32, shape: shape, bytes: littleEndianBytes(values))
  }
  public init(_ values: [Double], shape: [Int]) {
    self.init(elementType: .float64, shape: shape, bytes: littleEndianBytes(values))
  }
  public init(_ values: [Int32], shape: [Int]) {
    self.init(elementType: .int32, shape: shape, bytes: littleEndianBytes(values))
  }
  public init(_ values: [Int64], shape: [Int]) {
    self.init(elementType: .int64, shape: shape, bytes: littleEndianBytes(values))
  }
  public init(_ values: [UInt8], shape: [Int]) {
    self.init(elementType: .uint8, shape: shape, bytes: values)
  }

  public var elementCount: Int { shape.reduce(1, *) }

  /// Values of a float32 tensor, and of half and bfloat16 tensors widened exactly; nil for others.
  public func floats() -> [Float]? {
    switch elementType {
    case .float32: elements(Float.self)
    case .float16: elements(UInt16.self).map(Widening.halfReference)
    case .bfloat16: elements(UInt16.self).map { Float(bitPattern: UInt32($0) << 16) }
    default: nil
    }
  }
  public func doubles() -> [Double]? { values(.float64) }
  public func int64s() -> [Int64]? { values(.int64) }
  public func int32s() -> [Int32]? { values(.int32) }
  public func int8s() -> [Int8]? { values(.int8) }
  public func uint16s() -> [UInt16]? { values(.uint16) }
  /// Values of a uint8 or bool tensor.
  public func uint8s() -> [UInt8]? {
    elementType == .uint8 || elementType == .bool ? bytes : nil
  }

  private func values<T: BitwiseCopyable>(_ type: SafeTensorType) -> [T]? {
    elementType == type ? elements(T.self) : nil
  }
  private func elements<T: BitwiseCopyable>(_: T.Type) -> [T] {
    unsafe [T](unsafeUninitializedCapacity: elementCount) { buffer, count in
      unsafe UnsafeMutableRawBufferPointer(buffer).copyBytes(from: bytes)
      count = elementCount
    }
  }
}

/// The bytes of `values` as files have them. Every platform Swift runs on is little-endian.
private func littleEndianBytes<T: BitwiseCopyable>(_ values: [T]) -> [UInt8] {
  unsafe values.withUnsafeBytes { unsafe [UInt8]($0) }
}

/// The element types a tensor may arrive in.
public enum ElementType: String, Sendable {
  case float32
  case float16
  case bfloat16
  case uint8

  public var byteCount: Int {
    switch self {
    case .float32: 4
    case .float16, .bfloat16: 2
    case .uint8: 1
    }
  }
}

/// A borrowed three-dimensional tensor of any strides: the caller keeps the memory alive and
/// unchanged during the call it is handed to.
@safe
public struct TensorView: @unchecked Sendable {
  @usableFromInline let base: UnsafeRawPointer
  public let elementType: ElementType
  /// Sizes, slowest index first.
  public let shape: (Int, Int, Int)
  /// Strides in elements, slowest index first.
  public let strides: (Int, Int, Int)

  /// - Parameters:
  ///   - base: the element with index (0, 0, 0).
  ///   - elementType: of every element.
  ///   - shape: elements along the three axes, outermost first.
  ///   - strides: in elements; nil for a contiguous tensor.
  @unsafe
  public init(
    base: UnsafeRawPointer, elementType: ElementType, shape: (Int, Int, Int),
    strides: (Int, Int, Int)? = nil
  ) {
    unsafe self.base = base
    self.elementType = elementType
    self.shape = shape
    self.strides = strides ?? (shape.1 * shape.2, shape.2, 1)
  }

  /// The element with index (0, 0, 0).
  @unsafe public var baseAddress: UnsafeRawPointer { unsafe base }
  public var elementCount: Int { shape.0 * shape.1 * shape.2 }
  public var isContiguous: Bool {
    strides.2 == 1 && strides.1 == shape.2 && strides.0 == shape.1 * shape.2
  }
}

/// A borrowed cloud of points: x, y, z as float32 at `byteOffsets`, one record every `byteStride`.
@safe
public struct PointCloudView: @unchecked Sendable, BitwiseCopyable {
  let base: UnsafeRawPointer?
  public let count: Int
  public let byteStride: Int
  /// Byte offsets inside a record. x, y and z must be there; -1 marks an absent field.
  public var xByteOffset = 0
  public var yByteOffset = 4
  public var zByteOffset = 8
  /// float32, any scale; the KITTI range 0...1 and the nuScenes range 0...255 are both seen.
  public var intensityByteOffset = -1
  /// float32 seconds relative to the scan's timestamp.
  public var timeByteOffset = -1

  @unsafe
  public init(base: UnsafeRawPointer?, count: Int, byteStride: Int) {
    unsafe self.base = base
    self.count = unsafe base == nil ? 0 : count
    self.byteStride = byteStride
  }
  /// A cloud without points: a scan that arrived empty.
  public static let empty = unsafe PointCloudView(base: nil, count: 0, byteStride: 16)

  /// The first record; nil for an empty cloud.
  @unsafe public var baseAddress: UnsafeRawPointer? { unsafe base }

  /// The float32 at `byteOffset` of record `index`, whatever its alignment.
  @unsafe @inline(__always)
  public func value(_ index: Int, _ byteOffset: Int) -> Float {
    unsafe base.unsafelyUnwrapped.loadUnaligned(
      fromByteOffset: index * byteStride + byteOffset, as: Float.self)
  }
}

/// A borrowed 8-bit RGB image, [y][x][3], rows `byteStride` apart.
@safe
public struct ImageView: @unchecked Sendable, BitwiseCopyable {
  let base: UnsafePointer<UInt8>
  public let widthPixels: Int
  public let heightPixels: Int
  public let byteStride: Int

  @unsafe
  public init(
    base: UnsafePointer<UInt8>, widthPixels: Int, heightPixels: Int, byteStride: Int? = nil
  ) {
    unsafe self.base = base
    self.widthPixels = widthPixels
    self.heightPixels = heightPixels
    self.byteStride = byteStride ?? widthPixels * 3
  }
  @unsafe public var baseAddress: UnsafePointer<UInt8> { unsafe base }
}

import Swiftlet

/// foxglove.VoxelGrid: a box of cells, x fastest, then y, then z, axis-aligned with
/// `header.frameID`.
public struct VoxelGridMessage: Sendable, Equatable {
  public static let foxgloveType = "foxglove.VoxelGrid"

  public struct Field: Sendable, Equatable {
    public var name: String
    public var byteOffset: Int
    /// foxglove.PackedElementField.NumericType: 1 is uint8, 7 is float32.
    public var numericType: Int

    public init(_ name: String, byteOffset: Int, numericType: Int) {
      self.name = name
      self.byteOffset = byteOffset
      self.numericType = numericType
    }
  }

  public var header: MessageHeader
  /// The box's lower corner.
  public var originMeters: SIMD3<Double>
  public var cellSizeMeters: Double
  /// Cells in x, y and z.
  public var counts: SIMD3<Int>
  public var cellByteStride: Int
  public var fields: [Field]
  public var data: [UInt8]

  /// - Precondition: `data` holds every cell of `counts`.
  public init(
    header: MessageHeader, originMeters: SIMD3<Double>, cellSizeMeters: Double,
    counts: SIMD3<Int>, cellByteStride: Int, fields: [Field], data: [UInt8]
  ) {
    let expected = counts.x * counts.y * counts.z * cellByteStride
    precondition(data.count == expected, "\(counts) cells have \(expected) bytes, not \(data.count)")
    self.header = header
    self.originMeters = originMeters
    self.cellSizeMeters = cellSizeMeters
    self.counts = counts
    self.cellByteStride = cellByteStride
    self.fields = fields
    self.data = data
  }

  /// The message in protocol buffers.
  func protobuf() -> [UInt8] {
    var w = ProtobufWriter()
    let (seconds, rest) = header.stampNanoseconds.quotientAndRemainder(dividingBy: 1_000_000_000)
    w.put(1) { t in
      t.put(1, varint: UInt64(bitPattern: rest < 0 ? seconds - 1 : seconds))
      t.put(2, varint: UInt64(rest < 0 ? rest + 1_000_000_000 : rest))
    }
    w.put(2, header.frameID)
    w.put(3) { pose in
      pose.put(1) { Self.put(originMeters, to: &$0) }
      pose.put(2) { $0.put(4, 1.0) }
    }
    w.put(4, fixed32: UInt32(counts.y))
    w.put(5, fixed32: UInt32(counts.x))
    w.put(6) { Self.put(SIMD3(repeating: cellSizeMeters), to: &$0) }
    w.put(7, fixed32: UInt32(counts.x * counts.y * cellByteStride))
    w.put(8, fixed32: UInt32(counts.x * cellByteStride))
    w.put(9, fixed32: UInt32(cellByteStride))
    for field in fields {
      w.put(10) { f in
        f.put(1, field.name)
        f.put(2, fixed32: UInt32(field.byteOffset))
        f.put(3, varint: UInt64(field.numericType))
      }
    }
    w.put(11, block: data)
    return w.bytes
  }

  private static func put(_ v: SIMD3<Double>, to w: inout ProtobufWriter) {
    w.put(1, v.x)
    w.put(2, v.y)
    w.put(3, v.z)
  }
}

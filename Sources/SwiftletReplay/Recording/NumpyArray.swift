import Swiftlet

/// Reads `.npy` arrays (format versions 1 to 3), little-endian and in C order.
enum NumpyArray {
  private static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)
  private static let types: [String: SafeTensorType] = [
    "<f8": .float64, "<f4": .float32, "<f2": .float16, "<i8": .int64, "<i4": .int32, "<i2": .int16,
    "|i1": .int8, "|u1": .uint8, "<u8": .uint64, "<u4": .uint32, "<u2": .uint16, "|b1": .bool,
  ]

  static func parse(_ bytes: [UInt8], file: String) throws(RecordingError) -> HostTensor {
    let (header, dataOffset) = try readHeader(bytes, file)
    guard let descriptor = text(after: "'descr':", in: header), let type = types[descriptor] else {
      throw error(file, 10, "one of \(types.keys.sorted().joined(separator: " "))", "header \(header)")
    }
    guard header.contains("'fortran_order': False") else {
      throw error(file, 10, "C order", "Fortran order", "save np.ascontiguousarray(array)")
    }
    guard let shape = shape(in: header) else { throw error(file, 10, "a shape", "header \(header)") }
    let available = bytes.count - dataOffset
    var byteCount = type.byteCount
    for size in shape {
      let product = byteCount.multipliedReportingOverflow(by: size)
      guard !product.overflow else {
        throw error(file, 10, "a shape that fits memory", "\(shape)")
      }
      byteCount = product.partialValue
    }
    guard available == byteCount else {
      throw error(file, dataOffset, "\(byteCount) bytes for shape \(shape)", "\(available)")
    }
    return HostTensor(elementType: type, shape: shape, bytes: Array(bytes[dataOffset...]))
  }

  private static func readHeader(
    _ bytes: [UInt8], _ file: String
  ) throws(RecordingError) -> (header: String, dataOffset: Int) {
    guard bytes.count >= 12, bytes.starts(with: magic) else {
      throw error(file, 0, "\\x93NUMPY", ImageCodec.hexadecimal(bytes.prefix(6)))
    }
    guard (1...3).contains(bytes[6]) else {
      throw error(file, 6, "format version 1, 2 or 3", "\(bytes[6])")
    }
    let isShort = bytes[6] == 1
    var length = Int(bytes[8]) | Int(bytes[9]) << 8
    if !isShort { length |= Int(bytes[10]) << 16 | Int(bytes[11]) << 24 }
    let start = isShort ? 10 : 12
    guard start + length <= bytes.count else {
      throw error(file, 8, "a header of \(length) bytes", "\(bytes.count - start) bytes")
    }
    return (String(decoding: bytes[start..<start + length], as: UTF8.self), start + length)
  }

  /// The quoted text after a key: `'descr': '<f4'`.
  private static func text(after key: String, in header: String) -> String? {
    guard let range = header.firstRange(of: key) else { return nil }
    let parts = header[range.upperBound...].split(
      separator: "'", maxSplits: 2, omittingEmptySubsequences: false)
    return parts.count == 3 ? String(parts[1]) : nil
  }

  private static func shape(in header: String) -> [Int]? {
    guard let key = header.firstRange(of: "'shape':"),
      let open = header[key.upperBound...].firstIndex(of: "("),
      let close = header[open...].firstIndex(of: ")")
    else { return nil }
    let parts = header[header.index(after: open)..<close].split(separator: ",").map {
      String($0.filter { $0 != " " })
    }.filter { !$0.isEmpty }
    let sizes = parts.compactMap { Int($0) }
    return sizes.count == parts.count && sizes.allSatisfy { $0 >= 0 } ? sizes : nil
  }

  private static func error(
    _ file: String, _ offset: Int, _ expected: String, _ found: String,
    _ remedy: String = "save the array again with numpy.save"
  ) -> RecordingError {
    RecordingError(
      file: file, byteOffset: offset, expected: expected, found: found, remedy: remedy)
  }
}

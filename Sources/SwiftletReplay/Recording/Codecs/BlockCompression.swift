import CCodecs

/// zstd and lz4 frames and CRC-32, by their libraries.
enum BlockCompression {
  /// Larger than any chunk a recorder writes; a header may claim anything.
  static let maximumByteCount = 1 << 30
  private static let stepByteCount = 1 << 20

  /// CRC-32 with zlib's polynomial, continued from `crc`.
  static func crc32(_ bytes: UnsafeRawBufferPointer, from crc: UInt32 = 0) -> UInt32 {
    unsafe UInt32(
      truncatingIfNeeded: CCodecs.crc32_z(
        UInt(crc), bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count))
  }

  /// Decompresses to exactly `byteCount` bytes. Memory grows with what really comes out, not with
  /// what the header claims.
  static func decompress(
    _ bytes: UnsafeRawBufferPointer, compression: String, byteCount: UInt64
  ) throws(CodecError) -> [UInt8] {
    guard byteCount <= maximumByteCount else {
      throw error(compression, "at most \(maximumByteCount) bytes", "a claim of \(byteCount)")
    }
    let output: [UInt8]
    switch compression {
    case "": output = unsafe [UInt8](bytes)
    case "zstd": output = try unsafe decompressZstd(bytes, limit: Int(byteCount))
    case "lz4": output = try unsafe decompressLZ4(bytes, limit: Int(byteCount))
    default: throw error(compression, "no compression, zstd or lz4", compression)
    }
    guard output.count == byteCount else {
      throw error(compression, "\(byteCount) bytes", "\(output.count)")
    }
    return output
  }

  private static func error(
    _ format: String, _ expected: String, _ found: String
  ) -> CodecError {
    CodecError(
      format: format.isEmpty ? "stored data" : format, expected: expected, found: found,
      remedy: "copy the file again from its source")
  }

  private static func decompressZstd(
    _ bytes: UnsafeRawBufferPointer, limit: Int
  ) throws(CodecError) -> [UInt8] {
    guard let stream = unsafe ZSTD_createDStream() else {
      throw error("zstd", "a decoder", "no memory for one")
    }
    defer { unsafe ZSTD_freeDStream(stream) }
    var input = unsafe ZSTD_inBuffer(src: bytes.baseAddress, size: bytes.count, pos: 0)
    var output: [UInt8] = []
    while true {
      var failure: String?
      var status = 0
      let produced = unsafe grow(&output, limit) { room in
        var target = unsafe ZSTD_outBuffer(dst: room.baseAddress, size: room.count, pos: 0)
        status = unsafe ZSTD_decompressStream(stream, &target, &input)
        if unsafe ZSTD_isError(status) != 0 {
          failure = unsafe String(cString: ZSTD_getErrorName(status))
        }
        return unsafe target.pos
      }
      if let failure { throw error("zstd", "a whole frame", failure) }
      let isAtEnd = unsafe input.pos == input.size
      if isAtEnd, status == 0 || produced == 0 { break }
      guard output.count <= limit else { throw error("zstd", "\(limit) bytes", "more") }
    }
    return output
  }

  private static func decompressLZ4(
    _ bytes: UnsafeRawBufferPointer, limit: Int
  ) throws(CodecError) -> [UInt8] {
    var context: OpaquePointer?
    guard unsafe LZ4F_isError(LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))) == 0,
      let context = unsafe context
    else { throw error("lz4", "a decoder", "no memory for one") }
    defer { _ = unsafe LZ4F_freeDecompressionContext(context) }
    var output: [UInt8] = []
    var position = 0
    while true {
      var failure: String?
      var status = 0
      let start = position
      let produced = unsafe grow(&output, limit) { room in
        var written = room.count
        var read = bytes.count - position
        status = unsafe LZ4F_decompress(
          context, room.baseAddress, &written, bytes.baseAddress.map { unsafe $0 + position },
          &read, nil)
        if unsafe LZ4F_isError(status) != 0 {
          failure = unsafe String(cString: LZ4F_getErrorName(status))
          return 0
        }
        position += read
        return written
      }
      if let failure { throw error("lz4", "a whole frame", failure) }
      if position == bytes.count, status == 0 || produced == 0 { break }
      // Nothing read and nothing written would repeat for ever.
      if position == start, produced == 0 { break }
      guard output.count <= limit else { throw error("lz4", "\(limit) bytes", "more") }
    }
    return output
  }

  /// Lets `fill` append up to one step; one byte more than `limit` shows that there is too much.
  private static func grow(
    _ output: inout [UInt8], _ limit: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Int
  ) -> Int {
    let start = output.count
    let room = min(max(stepByteCount, start), limit + 1 - start)
    output.append(contentsOf: repeatElement(0, count: max(0, room)))
    let produced = unsafe output.withUnsafeMutableBytes { buffer in
      unsafe fill(UnsafeMutableRawBufferPointer(rebasing: buffer[start...]))
    }
    output.removeLast(output.count - start - produced)
    return produced
  }

  /// Compresses a whole block; `compression` is empty, `zstd` or `lz4`.
  static func compress(_ bytes: [UInt8], compression: String) throws(CodecError) -> [UInt8] {
    switch compression {
    case "": return bytes
    case "zstd":
      return try compress(bytes, "zstd", bound: ZSTD_compressBound(bytes.count)) {
        let size = unsafe ZSTD_compress($0.baseAddress, $0.count, $1.baseAddress, $1.count, 1)
        return ZSTD_isError(size) == 0 ? size : nil
      }
    case "lz4":
      return try compress(bytes, "lz4", bound: unsafe LZ4F_compressFrameBound(bytes.count, nil)) {
        let size = unsafe LZ4F_compressFrame($0.baseAddress, $0.count, $1.baseAddress, $1.count, nil)
        return LZ4F_isError(size) == 0 ? size : nil
      }
    default: throw error(compression, "no compression, zstd or lz4", compression)
    }
  }

  private static func compress(
    _ bytes: [UInt8], _ format: String, bound: Int,
    _ run: (UnsafeMutableRawBufferPointer, UnsafeRawBufferPointer) -> Int?
  ) throws(CodecError) -> [UInt8] {
    var output = [UInt8](repeating: 0, count: bound)
    let size = unsafe output.withUnsafeMutableBytes { target in
      unsafe bytes.withUnsafeBytes { source in unsafe run(target, source) }
    }
    guard let size else { throw error(format, "room to compress", "\(bytes.count) bytes") }
    output.removeLast(bound - size)
    return output
  }
}

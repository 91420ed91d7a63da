import CCodecs

/// CRC-32 (zlib's polynomial), what MCAP protects its sections with.
enum CRC32 {
  static func of(_ bytes: ArraySlice<UInt8>, continuing crc: UInt32 = 0) -> UInt32 {
    unsafe bytes.withUnsafeBufferPointer { buffer in
      UInt32(truncatingIfNeeded: unsafe crc32_z(UInt(crc), buffer.baseAddress, buffer.count))
    }
  }
  static func of(_ bytes: [UInt8], continuing crc: UInt32 = 0) -> UInt32 {
    of(bytes[...], continuing: crc)
  }
}

/// Chunk compression by the system's libraries.
enum MCAPCompression {
  static let names = ["", "zstd", "lz4"]

  /// The records of a chunk.
  ///
  /// Memory grows with what is really decompressed, never with what the chunk's header claims.
  static func decompress(
    _ source: ArraySlice<UInt8>, compression: String, claimedByteCount: UInt64, maximum: Int
  ) throws(FieldError) -> ArraySlice<UInt8> {
    guard claimedByteCount <= UInt64(maximum) else {
      throw FieldError(
        byteOffset: source.startIndex, expected: "a chunk of at most \(maximum) bytes",
        found: "\(claimedByteCount)")
    }
    let claimed = Int(claimedByteCount)
    let result: ArraySlice<UInt8>
    switch compression {
    case "": result = source
    case "zstd": result = try zstd(source, claimed: claimed)
    case "lz4": result = try lz4(source, claimed: claimed)
    default:
      throw FieldError(
        byteOffset: source.startIndex, expected: "compression zstd, lz4 or none",
        found: "'\(compression)'")
    }
    guard result.count == claimed else {
      throw FieldError(
        byteOffset: source.startIndex, expected: "\(claimed) uncompressed bytes",
        found: "\(result.count)")
    }
    return result
  }

  static func compressZstd(_ bytes: [UInt8], level: Int32 = 3) -> [UInt8]? {
    let bound = ZSTD_compressBound(bytes.count)
    var count = 0
    let output = unsafe [UInt8](unsafeUninitializedCapacity: bound) { target, used in
      count = unsafe bytes.withUnsafeBytes { source in
        unsafe ZSTD_compress(target.baseAddress, bound, source.baseAddress, source.count, level)
      }
      used = ZSTD_isError(count) == 0 ? count : 0
    }
    return ZSTD_isError(count) == 0 ? output : nil
  }

  private static func zstd(
    _ source: ArraySlice<UInt8>, claimed: Int
  ) throws(FieldError) -> ArraySlice<UInt8> {
    guard let context = unsafe ZSTD_createDStream() else {
      throw failure(source, 0, "memory for a zstd decoder", "none")
    }
    defer { unsafe _ = ZSTD_freeDStream(context) }
    return try unsafe grow(source, claimed: claimed) { target, input in
      var out = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
      var into = unsafe ZSTD_inBuffer(src: input.baseAddress, size: input.count, pos: 0)
      let status = unsafe ZSTD_decompressStream(context, &out, &into)
      let isError = ZSTD_isError(status) != 0
      return unsafe Step(
        produced: out.pos, consumed: into.pos, isFrameEnd: status == 0,
        problem: isError ? String(cString: ZSTD_getErrorName(status)) : nil)
    }
  }

  private static func lz4(
    _ source: ArraySlice<UInt8>, claimed: Int
  ) throws(FieldError) -> ArraySlice<UInt8> {
    var context: OpaquePointer?
    let status = unsafe LZ4F_createDecompressionContext(&context, UInt32(LZ4F_VERSION))
    guard LZ4F_isError(status) == 0, let context = unsafe context else {
      throw failure(source, 0, "memory for an LZ4 decoder", "none")
    }
    defer { unsafe _ = LZ4F_freeDecompressionContext(context) }
    return try unsafe grow(source, claimed: claimed) { target, input in
      var produced = target.count
      var consumed = input.count
      let status = unsafe LZ4F_decompress(
        context, target.baseAddress, &produced, input.baseAddress, &consumed, nil)
      let isError = LZ4F_isError(status) != 0
      return unsafe Step(
        produced: isError ? 0 : produced, consumed: isError ? 0 : consumed,
        isFrameEnd: status == 0,
        problem: isError ? String(cString: LZ4F_getErrorName(status)) : nil)
    }
  }

  /// What one call of a streaming decoder did.
  private struct Step {
    var produced: Int
    var consumed: Int
    var isFrameEnd: Bool
    var problem: String?
  }

  /// Runs a streaming decoder into an array that doubles while there is more, up to `claimed`.
  private static func grow(
    _ source: ArraySlice<UInt8>, claimed: Int,
    _ step: (UnsafeMutableBufferPointer<UInt8>, UnsafeBufferPointer<UInt8>) -> Step
  ) throws(FieldError) -> ArraySlice<UInt8> {
    var output = [UInt8](repeating: 0, count: min(claimed, max(1 << 16, source.count * 4)))
    var produced = 0
    var consumed = source.startIndex
    var isFrameEnd = source.isEmpty
    while consumed < source.endIndex || !isFrameEnd {
      if produced == output.count, produced < claimed {
        let extra = min(claimed - produced, max(1 << 16, produced))
        output.append(contentsOf: repeatElement(0, count: extra))
      }
      let result = unsafe output.withUnsafeMutableBufferPointer { target in
        unsafe source[consumed...].withUnsafeBufferPointer { input in
          unsafe step(UnsafeMutableBufferPointer(rebasing: target[produced...]), input)
        }
      }
      let failedAt = consumed - source.startIndex
      produced += result.produced
      consumed += result.consumed
      isFrameEnd = result.isFrameEnd
      if let problem = result.problem {
        throw failure(source, failedAt, "data that can be decompressed", problem)
      }
      // Neither read nor wrote: the data ends too early, or holds more than the header says.
      guard result.produced > 0 || result.consumed > 0 else {
        throw failure(
          source, failedAt, "\(claimed) uncompressed bytes",
          produced < claimed ? "\(produced), then the data ends" : "more")
      }
    }
    return output[..<produced]
  }

  private static func failure(
    _ source: ArraySlice<UInt8>, _ at: Int, _ expected: String, _ found: String
  ) -> FieldError {
    FieldError(byteOffset: source.startIndex + at, expected: expected, found: found)
  }
}

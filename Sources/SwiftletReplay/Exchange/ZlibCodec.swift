import CCodecs

/// CRC-32 and raw inflate of zlib.
enum ZlibCodec {
  /// zlib's CRC-32 of `bytes`.
  static func checksum(_ bytes: some Collection<UInt8>) -> UInt32 {
    let whole = ContiguousArray(bytes)
    return unsafe whole.withUnsafeBufferPointer { buffer in
      UInt32(truncatingIfNeeded: unsafe crc32_z(0, buffer.baseAddress, buffer.count))
    }
  }

  /// Inflates a raw deflate stream that must give exactly `byteCount` bytes; nil otherwise.
  static func inflateRaw(_ input: ArraySlice<UInt8>, byteCount: Int) -> [UInt8]? {
    var stream = unsafe z_stream()
    let size = unsafe Int32(MemoryLayout<z_stream>.size)
    guard unsafe inflateInit2_(&stream, -MAX_WBITS, ZLIB_VERSION, size) == Z_OK else { return nil }
    defer { unsafe inflateEnd(&stream) }
    var source = Array(input)
    guard source.count <= UInt32.max, byteCount <= UInt32.max else { return nil }
    // One byte more than promised, so that a stream that gives more is noticed.
    var output = [UInt8](repeating: 0, count: byteCount + 1)
    let finished = unsafe source.withUnsafeMutableBufferPointer { source in
      unsafe output.withUnsafeMutableBufferPointer { output in
        unsafe stream.next_in = source.baseAddress
        unsafe stream.avail_in = UInt32(source.count)
        unsafe stream.next_out = output.baseAddress
        unsafe stream.avail_out = UInt32(clamping: output.count)
        return unsafe inflate(&stream, Z_FINISH) == Z_STREAM_END && stream.avail_out == 1
      }
    }
    guard finished else { return nil }
    output.removeLast()
    return output
  }
}

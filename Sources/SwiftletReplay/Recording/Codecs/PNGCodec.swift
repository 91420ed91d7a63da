import CCodecs

/// PNG by libpng's simplified interface, which reports errors without jumping over Swift frames.
public enum PNGCodec {
  static let signature: [UInt8] = [0x89, 0x50, 0x4e, 0x47]

  /// Decodes to RGB; grey is replicated, palettes are looked up, transparency lies on black and
  /// 16-bit channels are reduced to 8.
  public static func decode(_ bytes: [UInt8]) throws(CodecError) -> RGBImage {
    let size = try readSize(bytes)
    var pixels = [UInt8](repeating: 0, count: size.width * size.height * 3)
    let failure = unsafe pixels.withUnsafeMutableBufferPointer { target -> CodecError? in
      unsafe decode(bytes, into: target, size: size)
    }
    if let failure { throw failure }
    return RGBImage(widthPixels: size.width, heightPixels: size.height, pixels: pixels)
  }

  /// Encodes as 8-bit RGB.
  ///
  /// - Parameter fast: larger files in a fraction of the time.
  public static func encode(_ image: RGBImage, fast: Bool = false) throws(CodecError) -> [UInt8] {
    var header = unsafe png_image()
    unsafe header.version = UInt32(PNG_IMAGE_VERSION)
    unsafe header.width = UInt32(image.widthPixels)
    unsafe header.height = UInt32(image.heightPixels)
    unsafe header.format = rgbFormat
    if fast { unsafe header.flags = UInt32(PNG_IMAGE_FLAG_FAST) }
    // Incompressible rows cost zlib's stored blocks, a filter byte each and the chunk headers.
    let raw = (image.widthPixels * 3 + 1) * image.heightPixels
    var output = [UInt8](repeating: 0, count: raw + raw / 500 + 4096)
    var byteCount = output.count
    let written = unsafe output.withUnsafeMutableBytes { target in
      unsafe image.pixels.withUnsafeBytes { source in
        unsafe png_image_write_to_memory(
          &header, target.baseAddress, &byteCount, 0, source.baseAddress, 0, nil)
      }
    }
    defer { unsafe png_image_free(&header) }
    guard written != 0, byteCount <= output.count else {
      throw CodecError(
        format: "PNG", expected: "an image to encode", found: unsafe message(header),
        remedy: "use a smaller image")
    }
    output.removeLast(output.count - byteCount)
    return output
  }

  /// Width and height from the header, within the limit of what is decoded.
  static func readSize(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
    guard bytes.starts(with: signature) else { throw ImageCodec.unknown(bytes) }
    var header = unsafe png_image()
    unsafe header.version = UInt32(PNG_IMAGE_VERSION)
    let begun = unsafe bytes.withUnsafeBytes { source in
      unsafe png_image_begin_read_from_memory(&header, source.baseAddress, source.count)
    }
    defer { unsafe png_image_free(&header) }
    guard begun != 0 else { throw unsafe damaged(header, bytes) }
    let size = unsafe (width: Int(header.width), height: Int(header.height))
    try ImageLimit.check(width: size.width, height: size.height, format: "PNG")
    return size
  }

  /// Decodes into `target`, [y][x][3] of the size `readSize` gave.
  static func decode(
    _ bytes: [UInt8], into target: UnsafeMutableBufferPointer<UInt8>,
    size: (width: Int, height: Int)
  ) -> CodecError? {
    precondition(
      target.count >= size.width * size.height * 3,
      "\(target.count) bytes do not hold \(size.width)×\(size.height) pixels")
    var header = unsafe png_image()
    unsafe header.version = UInt32(PNG_IMAGE_VERSION)
    let succeeded = unsafe bytes.withUnsafeBytes { source in
      guard
        unsafe png_image_begin_read_from_memory(&header, source.baseAddress, source.count) != 0
      else { return false }
      unsafe header.format = rgbFormat
      return unsafe png_image_finish_read(&header, nil, target.baseAddress, 0, nil) != 0
    }
    defer { unsafe png_image_free(&header) }
    return succeeded ? nil : unsafe damaged(header, bytes)
  }

  /// PNG_FORMAT_RGB: three bytes a pixel, red first; a macro Swift cannot import.
  private static let rgbFormat: UInt32 = 2

  @unsafe private static func message(_ header: png_image) -> String {
    unsafe withUnsafeBytes(of: header.message) { bytes in
      unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
    }
  }
  @unsafe private static func damaged(_ header: png_image, _ bytes: [UInt8]) -> CodecError {
    CodecError(
      format: "PNG", expected: "a whole image",
      found: "\(unsafe message(header)) (\(bytes.count) bytes)",
      remedy: "copy the file again from its source")
  }
}

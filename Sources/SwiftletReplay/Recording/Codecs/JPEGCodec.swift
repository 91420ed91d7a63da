import CCodecs

/// JPEG by libjpeg-turbo.
public enum JPEGCodec {
  static let signature: [UInt8] = [0xff, 0xd8, 0xff]

  /// Decodes to RGB; a file that ends early or holds damaged data is an error, not a grey image.
  public static func decode(_ bytes: [UInt8]) throws(CodecError) -> RGBImage {
    let size = try readSize(bytes)
    var pixels = [UInt8](repeating: 0, count: size.width * size.height * 3)
    let failure = unsafe pixels.withUnsafeMutableBufferPointer { target -> CodecError? in
      unsafe decode(bytes, into: target, size: size)
    }
    if let failure { throw failure }
    return RGBImage(widthPixels: size.width, heightPixels: size.height, pixels: pixels)
  }

  /// Encodes with 4:2:0 chroma (4:4:4 from quality 95 on).
  ///
  /// - Parameter quality: 1 (smallest) to 100.
  public static func encode(_ image: RGBImage, quality: Int = 90) throws(CodecError) -> [UInt8] {
    precondition((1...100).contains(quality), "a JPEG quality of \(quality), not 1 to 100")
    guard let codec = unsafe tjInitCompress() else { throw unavailable() }
    defer { unsafe tjDestroy(codec) }
    var output: UnsafeMutablePointer<UInt8>?
    var byteCount: UInt = 0
    let chroma = quality >= 95 ? TJSAMP_444 : TJSAMP_420
    let status = unsafe image.pixels.withUnsafeBufferPointer { source in
      unsafe tjCompress2(
        codec, source.baseAddress, Int32(image.widthPixels), 0, Int32(image.heightPixels),
        Int32(TJPF_RGB.rawValue), &output, &byteCount, Int32(chroma.rawValue), Int32(quality), 0)
    }
    defer { unsafe tjFree(output) }
    guard status == 0, let output = unsafe output else {
      throw CodecError(
        format: "JPEG", expected: "an image to encode", found: unsafe message(codec),
        remedy: "use an image of at most 65535×65535")
    }
    return unsafe Array(UnsafeBufferPointer(start: output, count: Int(byteCount)))
  }

  /// Width and height from the header, within the limit of what is decoded.
  static func readSize(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
    guard bytes.starts(with: signature) else { throw ImageCodec.unknown(bytes) }
    guard let codec = unsafe tjInitDecompress() else { throw unavailable() }
    defer { unsafe tjDestroy(codec) }
    var (width, height, chroma, space): (Int32, Int32, Int32, Int32) = (0, 0, 0, 0)
    let status = unsafe bytes.withUnsafeBufferPointer { source in
      unsafe tjDecompressHeader3(
        codec, source.baseAddress, UInt(source.count), &width, &height, &chroma, &space)
    }
    guard status == 0 else { throw unsafe damaged(message(codec), bytes) }
    try ImageLimit.check(width: Int(width), height: Int(height), format: "JPEG")
    return (Int(width), Int(height))
  }

  /// Decodes into `target`, [y][x][3] of the size `readSize` gave.
  static func decode(
    _ bytes: [UInt8], into target: UnsafeMutableBufferPointer<UInt8>,
    size: (width: Int, height: Int)
  ) -> CodecError? {
    precondition(
      target.count >= size.width * size.height * 3,
      "\(target.count) bytes do not hold \(size.width)×\(size.height) pixels")
    guard let codec = unsafe tjInitDecompress() else { return unavailable() }
    defer { unsafe tjDestroy(codec) }
    let status = unsafe bytes.withUnsafeBufferPointer { source in
      unsafe tjDecompress2(
        codec, source.baseAddress, UInt(source.count), target.baseAddress, Int32(size.width), 0,
        Int32(size.height), Int32(TJPF_RGB.rawValue), 0)
    }
    if status == 0 { return nil }
    let reason = unsafe message(codec)
    // Some cameras pad between markers; libjpeg warns, yet every pixel is there.
    let isHarmless =
      unsafe tjGetErrorCode(codec) == Int32(TJERR_WARNING.rawValue)
      && reason.contains("extraneous bytes")
    return isHarmless ? nil : damaged(reason, bytes)
  }

  @unsafe private static func message(_ codec: tjhandle) -> String {
    unsafe String(cString: tjGetErrorStr2(codec))
  }
  private static func damaged(_ reason: String, _ bytes: [UInt8]) -> CodecError {
    CodecError(
      format: "JPEG", expected: "a whole image",
      found: "\(reason) (\(bytes.count) bytes)", remedy: "copy the file again from its source")
  }
  private static func unavailable() -> CodecError {
    CodecError(
      format: "JPEG", expected: "a codec", found: "no memory for one",
      remedy: "free memory and try again")
  }
}

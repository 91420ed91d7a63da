import Swiftlet

/// An 8-bit RGB image, [y][x][3], rows without padding.
public struct RGBImage: Sendable, Equatable {
  public var widthPixels: Int
  public var heightPixels: Int
  /// `widthPixels · heightPixels · 3` bytes.
  public var pixels: [UInt8]

  /// - Precondition: `pixels` holds exactly `widthPixels · heightPixels · 3` bytes.
  public init(widthPixels: Int, heightPixels: Int, pixels: [UInt8]) {
    precondition(widthPixels > 0 && heightPixels > 0, "an image of \(widthPixels)×\(heightPixels)")
    precondition(
      pixels.count == widthPixels * heightPixels * 3,
      "\(widthPixels)×\(heightPixels) pixels need \(widthPixels * heightPixels * 3) bytes, not "
        + "\(pixels.count)")
    self.widthPixels = widthPixels
    self.heightPixels = heightPixels
    self.pixels = pixels
  }

  /// A black image.
  public init(widthPixels: Int, heightPixels: Int) {
    self.init(
      widthPixels: widthPixels, heightPixels: heightPixels,
      pixels: [UInt8](repeating: 0, count: widthPixels * heightPixels * 3))
  }
}

/// Image bytes that are no image, a damaged one, or one too large to be meant.
public struct CodecError: Error, Sendable, Equatable, CustomStringConvertible {
  /// JPEG, PNG or image.
  public var format: String
  public var expected: String
  public var found: String
  public var remedy: String

  public init(format: String, expected: String, found: String, remedy: String) {
    self.format = format
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }
  public var description: String {
    "\(format): expected \(expected), found \(found); \(remedy)"
  }
}

/// What every codec here refuses: a header may claim any size, memory is only taken below this.
enum ImageLimit {
  /// Larger than any camera's sensor in use on a vehicle, 300 MB decoded.
  static let maximumPixelCount = 100_000_000

  static func check(width: Int, height: Int, format: String) throws(CodecError) {
    guard width > 0, height > 0, width <= 65_535, height <= 65_535,
      width * height <= maximumPixelCount
    else {
      throw CodecError(
        format: format, expected: "1 to \(maximumPixelCount) pixels",
        found: "\(width)×\(height)", remedy: "leave the image out; its header is damaged")
    }
  }
}

/// JPEG or PNG, told apart by their first bytes.
public enum ImageCodec {
  /// Decodes a JPEG or PNG to RGB.
  public static func decode(_ bytes: [UInt8]) throws(CodecError) -> RGBImage {
    if bytes.starts(with: PNGCodec.signature) { return try PNGCodec.decode(bytes) }
    if bytes.starts(with: JPEGCodec.signature) { return try JPEGCodec.decode(bytes) }
    throw unknown(bytes)
  }

  /// Decodes into a buffer of its own, whose address stays: what frames are made of.
  static func decodeAligned(
    _ bytes: [UInt8]
  ) throws(CodecError) -> (pixels: AlignedBuffer<UInt8>, size: (width: Int, height: Int)) {
    let isPNG = bytes.starts(with: PNGCodec.signature)
    let size = try readSize(bytes)
    let pixels = AlignedBuffer<UInt8>(count: size.width * size.height * 3)
    let failure =
      isPNG
      ? unsafe PNGCodec.decode(bytes, into: pixels.elements, size: size)
      : unsafe JPEGCodec.decode(bytes, into: pixels.elements, size: size)
    if let failure { throw failure }
    return (pixels, size)
  }

  /// Width and height from the header.
  static func readSize(_ bytes: [UInt8]) throws(CodecError) -> (width: Int, height: Int) {
    bytes.starts(with: PNGCodec.signature)
      ? try PNGCodec.readSize(bytes) : try JPEGCodec.readSize(bytes)
  }

  static func unknown(_ bytes: [UInt8]) -> CodecError {
    CodecError(
      format: "image", expected: "a JPEG (ff d8 ff) or a PNG (89 50 4e 47)",
      found: bytes.isEmpty ? "an empty file" : "first bytes \(hexadecimal(bytes.prefix(4)))",
      remedy: "copy the file again from its source")
  }

  static func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: " ")
  }
}

/// Encoded images with parts made unrecognisable, or without what they say beside the picture.
enum ImageRedaction {
  /// A box becomes at most this many tiles across: a face of 4×4 colours is nobody's.
  private static let tileCount = 4

  /// The image with its boxes replaced by tiles of their mean colour; JPEG stays JPEG, PNG PNG.
  static func blurred(_ bytes: [UInt8], _ boxes: [Redaction.Box]) throws(CodecError) -> [UInt8] {
    var image = try ImageCodec.decode(bytes)
    for box in boxes { blur(&image, box) }
    return bytes.starts(with: PNGCodec.signature)
      ? try PNGCodec.encode(image) : try JPEGCodec.encode(image, quality: 95)
  }

  static func blur(_ image: inout RGBImage, _ box: Redaction.Box) {
    let left = max(0, box.x)
    let top = max(0, box.y)
    let right = min(image.widthPixels, box.x + box.width)
    let bottom = min(image.heightPixels, box.y + box.height)
    guard left < right, top < bottom else { return }
    let width = (right - left + tileCount - 1) / tileCount
    let height = (bottom - top + tileCount - 1) / tileCount
    for y in stride(from: top, to: bottom, by: height) {
      for x in stride(from: left, to: right, by: width) {
        flatten(&image, x..<min(right, x + width), y..<min(bottom, y + height))
      }
    }
  }

  private static func flatten(_ image: inout RGBImage, _ columns: Range<Int>, _ rows: Range<Int>) {
    var sums = SIMD3<Int>.zero
    for y in rows {
      for x in columns {
        let at = (y * image.widthPixels + x) * 3
        for channel in 0..<3 { sums[channel] += Int(image.pixels[at + channel]) }
      }
    }
    let count = rows.count * columns.count
    for y in rows {
      for x in columns {
        let at = (y * image.widthPixels + x) * 3
        for channel in 0..<3 { image.pixels[at + channel] = UInt8(sums[channel] / count) }
      }
    }
  }

  /// A JPEG without comments and application segments (EXIF holds GPS positions), the picture's
  /// bytes untouched; JFIF and Adobe's colour mark stay, decoders need them. Other bytes come back
  /// as they are.
  static func withoutComments(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.starts(with: JPEGCodec.signature) else { return bytes }
    var kept: [UInt8] = [0xff, 0xd8]
    var at = 2
    while at + 4 <= bytes.count, bytes[at] == 0xff {
      let marker = bytes[at + 1]
      let length = Int(bytes[at + 2]) << 8 | Int(bytes[at + 3])
      guard marker != 0xda, length >= 2, at + 2 + length <= bytes.count else { break }
      let isApplication = (0xe1...0xed).contains(marker) || marker == 0xef
      if !isApplication, marker != 0xfe { kept += bytes[at..<at + 2 + length] }
      at += 2 + length
    }
    return kept + bytes[at...]
  }
}

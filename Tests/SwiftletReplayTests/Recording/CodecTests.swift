import SwiftletReplay
import SwiftletTestSupport
import Testing

@Suite struct CodecTests {
  /// A smooth gradient, so that JPEG's quantisation stays small.
  static func gradient(_ width: Int, _ height: Int) -> RGBImage {
    var image = RGBImage(widthPixels: width, heightPixels: height)
    for y in 0..<height {
      for x in 0..<width {
        let at = (y * width + x) * 3
        image.pixels[at] = UInt8(x * 255 / max(1, width - 1))
        image.pixels[at + 1] = UInt8(y * 255 / max(1, height - 1))
        image.pixels[at + 2] = 128
      }
    }
    return image
  }

  @Test(arguments: [(1, 1), (7, 5), (64, 33)])
  func `PNG gives back every pixel`(size: (Int, Int)) throws {
    var generator = SeededGenerator(seed: 7)
    var image = RGBImage(widthPixels: size.0, heightPixels: size.1)
    for index in image.pixels.indices { image.pixels[index] = .random(in: 0...255, using: &generator) }
    #expect(try PNGCodec.decode(PNGCodec.encode(image)) == image)
    #expect(try ImageCodec.decode(PNGCodec.encode(image, fast: true)) == image)
  }

  @Test func `JPEG gives back a gradient within its quantisation, channels in order`() throws {
    let image = Self.gradient(96, 64)
    let decoded = try ImageCodec.decode(JPEGCodec.encode(image, quality: 95))
    #expect(decoded.widthPixels == 96 && decoded.heightPixels == 64)
    let worst = zip(decoded.pixels, image.pixels).map { abs(Int($0) - Int($1)) }.max() ?? 255
    #expect(worst <= 6, "off by \(worst)")
  }

  @Test(arguments: [2, 3, 20, 200, 1_000])
  func `an image cut short is an error, never a grey image`(keep: Int) throws {
    let jpeg = try JPEGCodec.encode(Self.gradient(96, 64), quality: 95)
    let png = try PNGCodec.encode(Self.gradient(96, 64))
    #expect(throws: CodecError.self) { try ImageCodec.decode(Array(jpeg.prefix(keep))) }
    #expect(throws: CodecError.self) { try ImageCodec.decode(Array(jpeg.dropLast(keep))) }
    #expect(throws: CodecError.self) { try ImageCodec.decode(Array(png.prefix(min(keep, 60)))) }
  }

  @Test func `a header that claims absurd sizes takes no memory`() throws {
    var png = try PNGCodec.encode(Self.gradient(8, 8))
    png.replaceSubrange(16..<20, with: [0x7f, 0xff, 0xff, 0xff])
    #expect(throws: CodecError.self) { try PNGCodec.decode(png) }
    var jpeg = try JPEGCodec.encode(Self.gradient(8, 8))
    let frame = try #require(
      jpeg.indices.first { jpeg[$0] == 0xff && jpeg[$0 + 1] == 0xc0 })
    jpeg.replaceSubrange(frame + 5..<frame + 9, with: [0xff, 0xff, 0xff, 0xff])
    #expect(throws: CodecError.self) { try JPEGCodec.decode(jpeg) }
  }

  @Test func `bytes that are no image say what they are`() {
    do {
      _ = try ImageCodec.decode(Array("GIF8".utf8))
      Issue.record("decoded")
    } catch { #expect("\(error)".contains("47 49 46 38")) }
    #expect(throws: CodecError.self) { try ImageCodec.decode([]) }
  }
}

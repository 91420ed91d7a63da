extension RGBImage {
  /// Pixels of an uncompressed image message.
  ///
  /// - Throws: `FieldError` for encodings other than rgb8, bgr8, rgba8, bgra8, mono8 (8UC1, 8UC3 as
  ///   grey and BGR) and for data shorter than its rows.
  init(_ message: RawImageMessage) throws(FieldError) {
    let layouts: [String: (byteCount: Int, red: Int, green: Int, blue: Int)] = [
      "rgb8": (3, 0, 1, 2), "bgr8": (3, 2, 1, 0), "8UC3": (3, 2, 1, 0), "rgba8": (4, 0, 1, 2),
      "bgra8": (4, 2, 1, 0), "mono8": (1, 0, 0, 0), "8UC1": (1, 0, 0, 0),
    ]
    guard let layout = layouts[message.encoding] else {
      throw FieldError(
        byteOffset: message.data.startIndex,
        expected: "encoding \(layouts.keys.sorted().joined(separator: " "))",
        found: "'\(message.encoding)'")
    }
    do throws(CodecError) {
      try ImageLimit.check(width: message.width, height: message.height, format: "image message")
    } catch {
      throw FieldError(
        byteOffset: message.data.startIndex, expected: error.expected, found: error.found)
    }
    let row = message.width * layout.byteCount
    let needed = message.rowByteStride.multipliedReportingOverflow(by: message.height - 1)
    let total = needed.partialValue.addingReportingOverflow(row)
    guard message.rowByteStride >= row, !needed.overflow, !total.overflow,
      total.partialValue <= message.data.count
    else {
      throw FieldError(
        byteOffset: message.data.startIndex,
        expected: "\(message.height) rows of \(row) bytes at a step of \(message.rowByteStride)",
        found: "\(message.data.count) bytes")
    }
    self.init(widthPixels: message.width, heightPixels: message.height)
    for y in 0..<message.height {
      var source = message.data.startIndex + y * message.rowByteStride
      var target = y * message.width * 3
      for _ in 0..<message.width {
        pixels[target] = message.data[source + layout.red]
        pixels[target + 1] = message.data[source + layout.green]
        pixels[target + 2] = message.data[source + layout.blue]
        source += layout.byteCount
        target += 3
      }
    }
  }
}

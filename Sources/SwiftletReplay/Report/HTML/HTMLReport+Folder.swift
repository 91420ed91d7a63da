import Foundation

extension HTMLReport {
  /// Pictures of a result folder for embedding, as JPEG to keep the file small: the worst frame's
  /// first, then the first and the last one's mosaics.
  public static func pictures(in folder: URL) -> [Picture] {
    let names = [
      "worst_cameras", "worst_bev", "worst_occupancy", "first_cameras", "last_cameras",
    ]
    return names.compactMap { name in
      let file = folder.appending(path: name + ".png")
      guard let data = try? Data(contentsOf: file),
        let image = try? PNGCodec.decode([UInt8](data)),
        let bytes = try? JPEGCodec.encode(image, quality: 82)
      else { return nil }
      let words = name.split(separator: "_")
      return Picture(label: "\(words[0]) frame, \(words.dropFirst().joined(separator: " "))", bytes: bytes)
    }
  }

  /// Writes `report.html` into `folder`, whole or not at all.
  public func write(to folder: URL) throws {
    try Data(text().utf8).write(to: folder.appending(path: "report.html"), options: .atomic)
  }
}

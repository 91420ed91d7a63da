import Foundation

extension HTMLReport {
  /// Pictures of a result folder for embedding, as JPEG to keep the file small: cameras, BEV and
  /// occupancy of the three worst frames.
  public static func pictures(in folder: URL) -> [Picture] {
    let names = ["worst", "second", "third"].flatMap { label in
      ["cameras", "bev", "occupancy"].map { "\(label)_\($0)" }
    }
    return names.compactMap { name in
      let file = folder.appending(path: name + ".png")
      guard let data = try? Data(contentsOf: file),
        let image = try? PNGCodec.decode([UInt8](data)),
        let bytes = try? JPEGCodec.encode(image, quality: 82)
      else { return nil }
      let words = name.split(separator: "_")
      return Picture(label: "\(words[0]) frame, \(words[1])", bytes: bytes)
    }
  }

  /// Writes `report.html` into `folder`, whole or not at all.
  public func write(to folder: URL) throws {
    try Data(text().utf8).write(to: folder.appending(path: "report.html"), options: .atomic)
  }
}

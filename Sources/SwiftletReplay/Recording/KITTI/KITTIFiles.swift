/// What both KITTI layouts share about file names.
enum KITTIFiles {
  static func number(_ number: Int, digits: Int) -> String {
    let text = String(number)
    return String(repeating: "0", count: max(0, digits - text.count)) + text
  }

  /// One sample for each time; its line is the number in the file's name.
  static func samples(
    _ folder: String, _ times: [Int64?], _ extensions: [String], digits: Int,
    _ warnings: inout [ReplayWarning]
  ) -> [IndexedSample] {
    var present: [Int: String] = [:]
    for name in RecordingFile.names(in: folder)
    where extensions.contains(where: { name.hasSuffix("." + $0) }) {
      if let number = Int(RecordingFile.stem(name)) { present[number] = name }
    }
    let orphans = present.keys.filter { !times.indices.contains($0) }
    if let first = orphans.min() {
      warnings.append(
        ReplayWarning(
          code: ReplayWarning.recordInvalid,
          message: "\(folder): \(orphans.count) files have no line in the timestamps, the first: "
            + (present[first] ?? "")))
    }
    return times.enumerated().compactMap { number, time in
      guard let time else { return nil }
      let stem = Self.number(number, digits: digits)
      return IndexedSample(
        timestampNanoseconds: time,
        file: "\(folder)/\(present[number] ?? "\(stem).\(extensions[0])")", outputName: stem,
        calibration: 0, isPresent: present[number] != nil)
    }
  }

  /// A poses file given by path or by its name inside one of `folders`.
  static func locate(_ file: String, folders: [String]) -> String {
    if RecordingFile.exists(file) { return file }
    return folders.map { "\($0)/\(file)" }.first(where: RecordingFile.exists) ?? file
  }

  /// Poses are of rectified camera 0 unless the file's name says velodyne or lidar.
  static func isLidarFrame(_ file: String) -> Bool {
    let name = RecordingFile.name(file).lowercased()
    return name.contains("velodyne") || name.contains("lidar")
  }

  static func imageSize(_ file: String) throws(RecordingError) -> (width: Int, height: Int) {
    let bytes = try RecordingFile.read(file)
    do throws(CodecError) {
      return try ImageCodec.readSize(bytes)
    } catch {
      throw RecordingError(
        file: file, expected: error.expected, found: error.found, remedy: error.remedy)
    }
  }
}

/// Opens recordings, whatever their layout.
public enum RecordingOpener {
  /// Opens the recording at `path` by what is in its folder: nuScenes (the root or a `v1.0-*`
  /// folder), KITTI raw (a root, a date or a drive), KITTI odometry (a root or a sequence), an MCAP
  /// file or a ROS 2 bag (its folder or a `.db3` file).
  public static func open(
    path: String, options: RecordingOptions = RecordingOptions()
  ) throws(RecordingError) -> any Recording {
    guard RecordingFile.exists(path) else {
      throw RecordingError(
        file: path, expected: "a recording", found: "nothing there", remedy: "check the path")
    }
    let trimmed = path.count > 1 && path.hasSuffix("/") ? String(path.dropLast()) : path
    if let recording = try MessageRecording.open(path: trimmed, options: options) {
      return recording
    }
    let index = try index(trimmed, options)
    return try IndexedRecording(index: index, reader: FileSampleReader(), options: options)
  }

  private static func index(
    _ path: String, _ options: RecordingOptions
  ) throws(RecordingError) -> RecordingIndex {
    if !NuScenesReader.tableFolders(path).isEmpty {
      return try NuScenesReader.index(path: path, options: options)
    }
    let sequences = KITTIOdometryReader.sequences(path)
    if !sequences.isEmpty {
      return try KITTIOdometryReader.index(
        sequence: try choose(sequences, options.scene, path, "sequence"), path: path,
        options: options)
    }
    let drives = KITTIRawReader.drives(path)
    if !drives.isEmpty {
      return try KITTIRawReader.index(
        drive: try choose(drives, options.scene, path, "drive"), path: path, options: options)
    }
    throw unknownLayout(path)
  }

  private static func choose(
    _ folders: [String], _ wanted: String?, _ path: String, _ what: String
  ) throws(RecordingError) -> String {
    guard let wanted else { return folders[0] }
    guard let folder = folders.first(where: { RecordingFile.name($0) == wanted }) else {
      throw RecordingError(
        file: path, expected: "a \(what) \(wanted)",
        found: folders.map(RecordingFile.name).joined(separator: " "),
        remedy: "choose one that is there")
    }
    return folder
  }

  private static func unknownLayout(_ path: String) -> RecordingError {
    let names = RecordingFile.names(in: path).prefix(8)
    let found =
      !RecordingFile.isFolder(path)
      ? "a file" : names.isEmpty ? "an empty folder" : "a folder with \(names.joined(separator: " "))"
    return RecordingError(
      file: path,
      expected: "nuScenes (v1.0-*), KITTI raw (velodyne_points, image_0x), KITTI odometry "
        + "(sequences, times.txt), an MCAP file or a ROS 2 bag",
      found: found, remedy: "give the file or folder that holds the recording")
  }
}

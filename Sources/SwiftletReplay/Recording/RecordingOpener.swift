import Foundation

/// Opens recordings, whatever their layout.
public enum RecordingOpener {
  /// Opens the recording at `path` by what is in its folder.
  public static func open(
    path: String, options: RecordingOptions = RecordingOptions()
  ) throws(RecordingError) -> any Recording {
    var isFolder: ObjCBool = false
    guard unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) else {
      throw RecordingError(
        file: path, expected: "a recording", found: "nothing there", remedy: "check the path")
    }
    throw RecordingError(
      file: path, expected: "a nuScenes, KITTI raw or KITTI odometry folder",
      found: isFolder.boolValue ? "another folder" : "a file",
      remedy: "give the folder that holds the recording")
  }
}

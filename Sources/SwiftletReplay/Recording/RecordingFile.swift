import Foundation

/// Files of a recording, with errors that name them.
enum RecordingFile {
  /// Larger than any image, scan or text file of a recording; tables are mapped, not read.
  static let maximumByteCount = 1 << 29

  static func exists(_ path: String) -> Bool {
    !path.utf8.contains(0) && FileManager.default.fileExists(atPath: path)
  }

  static func isFolder(_ path: String) -> Bool {
    var isFolder: ObjCBool = false
    return unsafe FileManager.default.fileExists(atPath: path, isDirectory: &isFolder)
      && isFolder.boolValue
  }

  /// False for names with a NUL, which the system would read only in part.
  private static func isRegularFile(_ path: String) -> Bool {
    guard !path.utf8.contains(0) else { return false }
    let resolved = URL(fileURLWithPath: path).resolvingSymlinksInPath().path
    let attributes = try? FileManager.default.attributesOfItem(atPath: resolved)
    return attributes?[.type] as? FileAttributeType == .typeRegular
  }

  /// Names in a folder, sorted by their bytes; empty where there is none.
  static func names(in folder: String) -> [String] {
    ((try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []).sorted {
      $0.utf8.lexicographicallyPrecedes($1.utf8)
    }
  }

  /// The file's bytes without copying them: large tables are paged in as they are read.
  static func map(_ path: String) throws(RecordingError) -> Data {
    // A table may name any file: a pipe or device would block or never end.
    guard isRegularFile(path) else { throw unreadable(path) }
    do {
      return try Data(contentsOf: URL(fileURLWithPath: path), options: .alwaysMapped)
    } catch {
      throw unreadable(path)
    }
  }

  /// The whole file.
  static func read(_ path: String) throws(RecordingError) -> [UInt8] {
    let data = try map(path)
    guard data.count <= maximumByteCount else {
      throw RecordingError(
        file: path, expected: "at most \(maximumByteCount) bytes", found: "\(data.count)",
        remedy: "check that this is the right file")
    }
    return [UInt8](data)
  }

  /// A text file's lines without line ends; the last one may lack its own.
  static func lines(_ path: String) throws(RecordingError) -> [String] {
    let bytes = try read(path)
    guard let text = String(validating: bytes, as: UTF8.self) else {
      throw RecordingError(
        file: path, expected: "UTF-8 text", found: "other bytes", remedy: "copy the file again")
    }
    var lines = text.split(separator: "\n", omittingEmptySubsequences: false).map {
      $0.hasSuffix("\r") ? String($0.dropLast()) : String($0)
    }
    if lines.last == "" { lines.removeLast() }
    return lines
  }

  private static func unreadable(_ path: String) -> RecordingError {
    let found =
      !exists(path)
      ? "nothing there" : isFolder(path) ? "a folder" : "something that cannot be read as a file"
    return RecordingError(
      file: path, expected: "a readable file", found: found,
      remedy: "copy it from the recording's source or check its permissions")
  }

  /// `a/b/name.pcd.bin` → `name`.
  static func stem(_ path: String) -> String {
    let name = path.split(separator: "/").last ?? ""
    return String(name.split(separator: ".").first ?? name)
  }
  static func name(_ path: String) -> String { String(path.split(separator: "/").last ?? "") }
}

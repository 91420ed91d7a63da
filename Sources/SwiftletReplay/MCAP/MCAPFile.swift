import Foundation

/// The bytes of a recording's container: a file read in pieces, or bytes in memory.
///
/// Pieces are read, not mapped: a file that shrinks while it is replayed is then an error, not a
/// bus error.
final class MCAPFile: Sendable {
  let path: String
  let byteCount: Int
  /// Nil for a file.
  private let memory: [UInt8]?
  private let descriptor: Int32

  init(path: String) throws(RecordingError) {
    self.path = path
    memory = nil
    let descriptor = unsafe path.withCString { unsafe open($0, O_RDONLY | O_CLOEXEC) }
    guard descriptor >= 0 else { throw Self.unreadable(path, unsafe String(cString: strerror(errno))) }
    var status = stat()
    guard unsafe fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
      close(descriptor)
      throw Self.unreadable(path, "not a regular file")
    }
    self.descriptor = descriptor
    byteCount = Int(status.st_size)
  }

  init(bytes: [UInt8], path: String) {
    self.path = path
    memory = bytes
    byteCount = bytes.count
    descriptor = -1
  }

  deinit {
    if descriptor >= 0 { close(descriptor) }
  }

  /// The bytes from `offset` on, fewer than `count` only at the file's end.
  func read(_ offset: Int, _ count: Int) throws(FieldError) -> ArraySlice<UInt8> {
    let count = min(count, max(0, byteCount - offset))
    guard count > 0, offset >= 0 else { return [] }
    if let memory { return memory[offset..<offset + count] }
    var problem: String?
    let bytes = unsafe [UInt8](unsafeUninitializedCapacity: count) { target, used in
      used = 0
      while used < count {
        let got = unsafe pread(descriptor, target.baseAddress! + used, count - used, off_t(offset + used))
        if got < 0, errno == EINTR { continue }
        guard got > 0 else {
          problem = got == 0 ? "the file shrank" : unsafe String(cString: strerror(errno))
          return
        }
        used += got
      }
    }
    if let problem {
      throw FieldError(byteOffset: offset, expected: "\(count) readable bytes", found: problem)
    }
    return bytes[...]
  }

  private static func unreadable(_ path: String, _ found: String) -> RecordingError {
    RecordingError(
      file: path, expected: "a readable file", found: found,
      remedy: "copy it from the recording's source or check its permissions")
  }
}

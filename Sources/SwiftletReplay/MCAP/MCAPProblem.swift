/// What is wrong, or odd, in an MCAP file that is read all the same.
public struct MCAPProblem: Sendable, Equatable, CustomStringConvertible {
  public enum Kind: String, Sendable, Codable {
    /// The first or last 8 bytes are not MCAP's.
    case magicDamaged
    /// The file ends inside a record or without a footer: a crash, a full disk, an incomplete copy.
    case truncated
    /// A record that cannot be what its head says.
    case recordDamaged
    /// A chunk whose records cannot be decompressed or do not fill it.
    case chunkUndecodable
    /// A chunk, a section or an attachment whose bytes changed since they were written.
    case crcMismatch
    /// The summary cannot be used; the file is read through instead.
    case summaryUnreadable
    /// A message on a channel that nothing defines.
    case channelUndefined
    /// Messages outside the time range of their chunk.
    case chunkTimeRange
    /// Bytes after the end of the file's content.
    case trailingBytes
    /// A kind of record this reader does not know, skipped as the format asks. A note.
    case unknownRecord
    /// No chunk or message index: legal, but reading at a time means reading through. A note.
    case unindexed
  }

  public var kind: Kind
  /// Where, what was expected, what was found, what to do.
  public var error: RecordingError
  /// What could not be used.
  public var lostBytes: Range<Int>?

  /// False where nothing is lost or wrong.
  public var isDamage: Bool { kind != .unknownRecord && kind != .unindexed }
  public var description: String {
    guard let lostBytes else { return error.description }
    return "\(error.description) (bytes \(lostBytes.lowerBound) to \(lostBytes.upperBound) are lost)"
  }
}

extension MCAPProblem {
  static let restoreRemedy = "copy the file again, or use what was read"

  init(
    _ kind: Kind, _ file: String, record: String? = nil, at byteOffset: Int, expected: String,
    found: String, remedy: String = MCAPProblem.restoreRemedy, lost: Range<Int>? = nil
  ) {
    self.init(
      kind: kind,
      error: RecordingError(
        file: file, record: record, byteOffset: byteOffset, expected: expected, found: found,
        remedy: remedy),
      lostBytes: lost)
  }
}

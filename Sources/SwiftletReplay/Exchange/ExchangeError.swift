/// A map or label file that cannot be used: where, what was expected, what was found, what to do.
public struct ExchangeError: Error, Sendable, Equatable, CustomStringConvertible {
  public var file: String
  public var byteOffset: Int?
  public var expected: String
  public var found: String
  /// One imperative: what to do.
  public var remedy: String

  public init(
    file: String, byteOffset: Int? = nil, expected: String, found: String, remedy: String
  ) {
    self.file = file
    self.byteOffset = byteOffset
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }

  /// One line.
  public var description: String {
    let place = byteOffset.map { "\(file), byte \($0)" } ?? file
    return "\(place): expected \(expected), found \(found); \(remedy)"
  }
}

extension ExchangeError {
  /// The same failure of a recording's reader.
  init(_ error: RecordingError) {
    self.init(
      file: error.file, byteOffset: error.byteOffset, expected: error.expected, found: error.found,
      remedy: error.remedy)
  }
}

/// Every record of a file in file order, chunks opened: what stands in them comes right behind
/// them. For tools that look at the file itself; messages come from `MCAPReader.messages`.
///
/// Stops at the first record that cannot be read: `error` says why.
public struct MCAPRecordIterator: IteratorProtocol {
  /// Why the walk ended before the footer; nil: it did not.
  public private(set) var error: RecordingError?

  private let file: MCAPFile
  private let loader: MCAPChunkLoader
  private var scanner: MCAPScanner
  private var offset = MCAPReader.magic.count
  private var chunk: MCAPChunkRecords?
  private var isAtEnd = false

  init(file: MCAPFile, loader: MCAPChunkLoader) {
    self.file = file
    self.loader = loader
    scanner = MCAPScanner(file: file)
  }

  public mutating func next() -> MCAPRecord? {
    if isAtEnd { return nil }
    do throws(FieldError) {
      if let inner = try chunk?.next() {
        return try MCAPRecord.parse(opcode: inner.opcode, inner.content)
      }
      chunk = nil
      return try nextInFile()
    } catch {
      isAtEnd = true
      self.error = RecordingError(
        file: file.path, byteOffset: chunk == nil ? error.byteOffset : offset,
        expected: error.expected, found: error.found, remedy: MCAPProblem.restoreRemedy)
      return nil
    }
  }

  private mutating func nextInFile() throws(FieldError) -> MCAPRecord {
    let place = try scanner.record(at: offset)
    let content = try file.read(place.contentOffset, place.contentByteCount)
    let record: MCAPRecord
    do throws(FieldError) {
      record = try MCAPRecord.parse(opcode: place.opcode, content)
    } catch { throw error.moved(from: content.startIndex, to: place.contentOffset) }
    if case .chunk = record { chunk = MCAPChunkRecords(try loader.load(place)) }
    if case .footer = record { isAtEnd = true }
    offset = place.endOffset
    return record
  }
}

extension MCAPReader {
  /// Every record of the file.
  public func records() -> MCAPRecordIterator { MCAPRecordIterator(file: file, loader: loader) }
}

/// Where the tensors of a `.safetensors` file lie, without copying any: the header, checked against
/// the bytes that are there.
public struct SafeTensorsLayout: Sendable {
  public struct Entry: Sendable {
    public var elementType: SafeTensorType
    public var shape: [Int]
    /// In the file.
    public var byteRange: Range<Int>
  }
  public var entries: [String: Entry] = [:]
  /// `__metadata__`, strings by strings.
  public var metadata: [String: String] = [:]

  /// Reads the header of a whole file in memory.
  ///
  /// - Throws: `WeightsError` naming the tensor (or `header`), what was expected and found.
  @unsafe
  public init(bytes: UnsafeRawBufferPointer) throws(WeightsError) {
    let header = unsafe try Self.header(of: bytes)
    for (name, value) in header.value.objectValue ?? [:] {
      if name == "__metadata__" {
        metadata = (value.objectValue ?? [:]).compactMapValues(\.stringValue)
      } else {
        entries[name] = try Self.entry(
          name, value, fileByteCount: bytes.count, dataOffset: header.dataOffset)
      }
    }
    try checkNoOverlap()
  }

  private static func header(
    of bytes: UnsafeRawBufferPointer
  ) throws(WeightsError) -> (value: JSONValue, dataOffset: Int) {
    func failure(_ expected: String, _ found: String) -> WeightsError {
      WeightsError(
        tensor: "header", expected: expected, found: found, remedy: "write the file again")
    }
    guard bytes.count >= 8 else { throw failure("at least 8 bytes", "\(bytes.count)") }
    let length = UInt64(littleEndian: unsafe bytes.loadUnaligned(as: UInt64.self))
    guard length <= UInt64(bytes.count - 8) else {
      throw failure("a header within the file's \(bytes.count) bytes", "a length of \(length)")
    }
    let dataOffset = 8 + Int(length)
    do throws(JSONError) {
      let value = try JSONReader.parse(unsafe [UInt8](bytes[8..<dataOffset]))
      guard value.objectValue != nil else {
        throw JSONError(byteOffset: 0, expected: "an object", found: value.kind)
      }
      return (value, dataOffset)
    } catch {
      throw failure(error.expected, "\(error.found) at header byte \(error.byteOffset)")
    }
  }

  private static func entry(
    _ name: String, _ value: JSONValue, fileByteCount: Int, dataOffset: Int
  ) throws(WeightsError) -> Entry {
    func failure(_ expected: String, _ found: String) -> WeightsError {
      WeightsError(tensor: name, expected: expected, found: found, remedy: "write the file again")
    }
    let typeName = value["dtype"]?.stringValue ?? "none"
    guard let type = SafeTensorType(rawValue: typeName) else {
      throw failure(
        "a dtype of \(SafeTensorType.allCases.map(\.rawValue).joined(separator: " "))", typeName)
    }
    guard let shape = value["shape"]?.arrayValue?.map(\.intValue),
      shape.allSatisfy({ ($0 ?? -1) >= 0 })
    else {
      throw failure("a shape of non-negative integers", value["shape"]?.text ?? "none")
    }
    guard let offsets = value["data_offsets"]?.arrayValue?.map(\.intValue), offsets.count == 2,
      let lower = offsets[0], let upper = offsets[1], lower >= 0, upper >= lower,
      upper <= fileByteCount - dataOffset
    else {
      throw failure(
        "data_offsets within \(fileByteCount - dataOffset) bytes",
        value["data_offsets"]?.text ?? "none")
    }
    let sizes = shape.compactMap { $0 }
    var byteCount = type.byteCount
    for size in sizes {
      let (product, overflow) = byteCount.multipliedReportingOverflow(by: size)
      guard !overflow else { throw failure("a shape that fits memory", "\(sizes)") }
      byteCount = product
    }
    guard byteCount == upper - lower else {
      throw failure("\(byteCount) bytes for shape \(sizes)", "\(upper - lower)")
    }
    return Entry(
      elementType: type, shape: sizes, byteRange: (dataOffset + lower)..<(dataOffset + upper))
  }

  private func checkNoOverlap() throws(WeightsError) {
    let sorted = entries.filter { !$0.value.byteRange.isEmpty }
      .sorted { $0.value.byteRange.lowerBound < $1.value.byteRange.lowerBound }
    for (before, after) in zip(sorted, sorted.dropFirst())
    where after.value.byteRange.lowerBound < before.value.byteRange.upperBound {
      throw WeightsError(
        tensor: after.key,
        expected: "data after byte \(before.value.byteRange.upperBound), the end of \(before.key)",
        found: "data from byte \(after.value.byteRange.lowerBound)", remedy: "write the file again")
    }
  }
}

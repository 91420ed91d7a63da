/// A `.safetensors` file: 8 bytes little-endian header length, a JSON header, raw tensors.
///
/// Nothing is allocated for what a header merely claims: sizes are checked against the bytes that
/// are there before any tensor is copied.
public struct SafeTensors: Sendable {
  public var tensors: [String: HostTensor]
  /// `__metadata__`, strings by strings.
  public var metadata: [String: String]

  public init(tensors: [String: HostTensor], metadata: [String: String] = [:]) {
    self.tensors = tensors
    self.metadata = metadata
  }

  /// Reads a whole file from memory.
  ///
  /// - Throws: `WeightsError` naming the tensor (or `header`), what was expected and found.
  public init(bytes: [UInt8]) throws(WeightsError) {
    let header = try Self.header(of: bytes)
    tensors = [:]
    metadata = [:]
    var places: [Place] = []
    for (name, entry) in header.value.objectValue ?? [:] {
      if name == "__metadata__" {
        metadata = (entry.objectValue ?? [:]).compactMapValues(\.stringValue)
      } else {
        places.append(try Self.place(name, entry, dataCount: bytes.count - header.dataOffset))
      }
    }
    // Before anything is copied: a thousand tensors may claim the same bytes.
    try Self.checkNoOverlap(places)
    for place in places {
      let data = bytes[header.dataOffset + place.lower..<header.dataOffset + place.upper]
      tensors[place.name] = HostTensor(
        elementType: place.type, shape: place.shape, bytes: Array(data))
    }
  }

  /// Where a tensor lies in the data part, checked against the bytes that are there.
  private struct Place {
    var name: String
    var type: SafeTensorType
    var shape: [Int]
    var lower: Int
    var upper: Int
  }

  private static func header(
    of bytes: [UInt8]
  ) throws(WeightsError) -> (value: JSONValue, dataOffset: Int) {
    func failure(_ expected: String, _ found: String) -> WeightsError {
      WeightsError(
        tensor: "header", expected: expected, found: found, remedy: "write the file again")
    }
    guard bytes.count >= 8 else { throw failure("at least 8 bytes", "\(bytes.count)") }
    let length = (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[$1]) << (8 * UInt64($1)) }
    guard length <= UInt64(bytes.count - 8) else {
      throw failure("a header within the file's \(bytes.count) bytes", "a length of \(length)")
    }
    let dataOffset = 8 + Int(length)
    do throws(JSONError) {
      let value = try JSONReader.parse(Array(bytes[8..<dataOffset]))
      guard value.objectValue != nil else { throw JSONError(byteOffset: 0, expected: "an object", found: value.kind) }
      return (value, dataOffset)
    } catch {
      throw failure(error.expected, "\(error.found) at header byte \(error.byteOffset)")
    }
  }

  private static func place(
    _ name: String, _ entry: JSONValue, dataCount: Int
  ) throws(WeightsError) -> Place {
    func failure(_ expected: String, _ found: String) -> WeightsError {
      WeightsError(tensor: name, expected: expected, found: found, remedy: "write the file again")
    }
    let typeName = entry["dtype"]?.stringValue ?? "none"
    guard let type = SafeTensorType(rawValue: typeName) else {
      throw failure(
        "a dtype of \(SafeTensorType.allCases.map(\.rawValue).joined(separator: " "))", typeName)
    }
    guard let shape = entry["shape"]?.arrayValue?.map(\.intValue), shape.allSatisfy({ ($0 ?? -1) >= 0 })
    else { throw failure("a shape of non-negative integers", entry["shape"]?.text ?? "none") }
    guard let offsets = entry["data_offsets"]?.arrayValue?.map(\.intValue), offsets.count == 2,
      let lower = offsets[0], let upper = offsets[1], lower >= 0, upper >= lower,
      upper <= dataCount
    else {
      throw failure(
        "data_offsets within \(dataCount) bytes", entry["data_offsets"]?.text ?? "none")
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
    return Place(name: name, type: type, shape: sizes, lower: lower, upper: upper)
  }

  private static func checkNoOverlap(
    _ places: [Place]
  ) throws(WeightsError) {
    let sorted = places.filter { $0.upper > $0.lower }.sorted { $0.lower < $1.lower }
    for (before, after) in zip(sorted, sorted.dropFirst()) where after.lower < before.upper {
      throw WeightsError(
        tensor: after.name, expected: "data after byte \(before.upper), the end of \(before.name)",
        found: "data from byte \(after.lower)", remedy: "write the file again")
    }
  }

  /// The file's bytes: tensors sorted by name, the header padded with spaces to 8 bytes, so that
  /// the same content gives the same bytes.
  public func serialized() -> [UInt8] {
    let names = tensors.keys.sorted()
    var entries: [String: JSONValue] = [:]
    if !metadata.isEmpty { entries["__metadata__"] = .object(metadata.mapValues(JSONValue.string)) }
    var offset = 0
    for name in names {
      guard let tensor = tensors[name] else { continue }
      let end = offset + tensor.bytes.count
      entries[name] = .object([
        "dtype": .string(tensor.elementType.rawValue),
        "shape": .array(tensor.shape.map { .integer(Int64($0)) }),
        "data_offsets": .array([.integer(Int64(offset)), .integer(Int64(end))]),
      ])
      offset = end
    }
    var header = Array(JSONValue.object(entries).text.utf8)
    while header.count % 8 != 0 { header.append(0x20) }
    var bytes = (0..<8).map { UInt8(truncatingIfNeeded: header.count >> (8 * $0)) }
    bytes.reserveCapacity(8 + header.count + offset)
    bytes += header
    for name in names { bytes += tensors[name]?.bytes ?? [] }
    return bytes
  }
}

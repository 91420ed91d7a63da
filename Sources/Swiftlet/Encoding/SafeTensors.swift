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
    let layout: Result<SafeTensorsLayout, WeightsError> = unsafe bytes.withUnsafeBytes { raw in
      do throws(WeightsError) {
        return .success(unsafe try SafeTensorsLayout(bytes: raw))
      } catch {
        return .failure(error)
      }
    }
    let found = try layout.get()
    metadata = found.metadata
    tensors = found.entries.mapValues {
      HostTensor(elementType: $0.elementType, shape: $0.shape, bytes: Array(bytes[$0.byteRange]))
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

import Swiftlet
import Testing

@Suite struct SafeTensorsTests {
  @Test func `tensors and metadata read back, and the same content gives the same bytes`() throws {
    let file = SafeTensors(
      tensors: [
        "a": HostTensor([1, -2.5, .infinity] as [Float], shape: [3]),
        "b": HostTensor([7, -8] as [Int32], shape: [2, 1]),
        "empty": HostTensor([] as [Double], shape: [0, 4]),
        "scalar": HostTensor([3] as [UInt8], shape: []),
      ], metadata: ["made_by": "test"])
    let bytes = file.serialized()
    let back = try SafeTensors(bytes: bytes)
    #expect(back.tensors == file.tensors)
    #expect(back.metadata == file.metadata)
    #expect(back.serialized() == bytes)
    #expect(back.tensors["a"]?.floats() == [1, -2.5, .infinity])
    #expect(back.tensors["b"]?.int32s() == [7, -8])
    #expect(back.tensors["a"]?.int32s() == nil)
  }

  @Test(arguments: [
    // A length beyond the file, no JSON, an unknown type, offsets past the end, a shape that
    // disagrees, a shape whose size overflows, a negative size.
    "", "xx", #"{"a":{"dtype":"F99","shape":[1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}"#,
    #"{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#,
    #"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[2],"data_offsets":[2,4]}}"#,
  ])
  func `a damaged file is a typed error`(header: String) {
    let length = header.isEmpty ? 1 << 40 : header.utf8.count
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) }
      + Array(header.utf8) + [0, 0, 0, 0]
    #expect(throws: WeightsError.self) { try SafeTensors(bytes: bytes) }
  }

  @Test func `every prefix of a file is read or refused, never trapped on`() {
    let bytes = SafeTensors(tensors: ["a": HostTensor([1, 2] as [Float], shape: [2])]).serialized()
    for count in 0..<bytes.count {
      #expect(throws: WeightsError.self) { try SafeTensors(bytes: Array(bytes.prefix(count))) }
    }
  }

  @Test func `a header cannot make the reader allocate what it claims`() {
    func bytes(_ header: String, data: Int = 0, length: UInt64? = nil) -> [UInt8] {
      let length = length ?? UInt64(header.utf8.count)
      return (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
        + [UInt8](repeating: 0, count: data)
    }
    // Terabytes by length, by offsets, by shape, by the product of sizes, by the sum of offsets.
    let files = [
      bytes("{}", length: .max), bytes("{}", length: 1 << 62), bytes("{}", length: 3),
      bytes(#"{"a":{"dtype":"F32","shape":[1099511627776],"data_offsets":[0,4398046511104]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[9223372036854775807],"data_offsets":[0,8]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[9223372036854775800,8]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[2.5],"data_offsets":[0,8]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,8]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":"2","data_offsets":[0,8]}}"#, data: 8),
      bytes(#"{"a":{"dtype":"F32","shape":[2]}}"#, data: 8), bytes(#"{"a":7}"#), bytes("[]"),
      bytes(#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8,16]}}"#, data: 16),
      // The same bytes twice: 1,000 tensors that share 8 bytes.
      bytes(
        "{" + (0..<1000).map { #""t\#($0)":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}"# }
          .joined(separator: ",") + "}", data: 8),
      bytes(String(repeating: #"{"a":"#, count: 100_000)),
      bytes(String(repeating: "[", count: 100_000)),
    ]
    for (index, file) in files.enumerated() {
      #expect(throws: WeightsError.self, "file \(index)") { try SafeTensors(bytes: file) }
    }
  }

  @Test func `sharing bytes is an error before the second copy is made`() {
    // 4,096 tensors over the same 4 MiB would be 16 GiB of copies.
    let count = 1 << 22
    let header =
      "{"
      + (0..<4096).map { #""t\#($0)":{"dtype":"U8","shape":[\#(count)],"data_offsets":[0,\#(count)]}"# }
      .joined(separator: ",") + "}"
    let length = header.utf8.count
    let bytes = (0..<8).map { UInt8(truncatingIfNeeded: length >> (8 * $0)) } + Array(header.utf8)
      + [UInt8](repeating: 0, count: count)
    #expect(throws: WeightsError.self) { try SafeTensors(bytes: bytes) }
  }
}

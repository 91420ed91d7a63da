import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct OccupancyLabelsTests {
  @Test(arguments: [NumpyArchives.stored, NumpyArchives.deflated])
  func `numpy's archives read back`(archive: [UInt8]) throws {
    let folder = try TemporaryFolder()
    try folder.write("labels.npz", archive)
    let labels = try OccupancyLabels.read(folder.path + "/labels.npz")
    #expect(labels.sizes == SIMD3(2, 3, 2))
    #expect(labels.labels == NumpyArchives.semantics)
    #expect(labels.cameraMask == [0, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1])
    #expect(labels.lidarMask == [0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1])
    #expect(labels.flow == (0..<24).map { Float($0) / 4 })
  }

  @Test func `every prefix and every flipped byte is an error or the same labels`() throws {
    let archive = NumpyArchives.deflated
    let whole = try arrays(archive)
    for count in 0..<archive.count { #expect(throws: ExchangeError.self) { try arrays(Array(archive.prefix(count))) } }
    for index in archive.indices {
      var damaged = archive
      damaged[index] ^= 0x55
      guard let read = try? arrays(damaged) else { continue }
      // Dates, versions and names are not covered by a checksum; contents are.
      #expect(Set(read.values) == Set(whole.values), "byte \(index)")
    }
  }

  private func arrays(_ bytes: [UInt8]) throws -> [String: [UInt8]] {
    let archive = try ZipArchive(bytes, file: "test.npz")
    return try Dictionary(
      archive.entries.map { ($0.name, try archive.contents(of: $0)) }, uniquingKeysWith: { a, _ in a })
  }

  @Test func `a size that the data cannot inflate to allocates nothing`() throws {
    // The central directory of the first entry claims 2 GB.
    var archive = NumpyArchives.deflated
    let start = try #require(
      archive.indices.first { archive[$0...].starts(with: [0x50, 0x4b, 0x01, 0x02]) })
    archive.replaceSubrange(start + 24..<start + 28, with: [0xff, 0xff, 0xff, 0x7f])
    let zip = try ZipArchive(archive, file: "test.npz")
    let error = #expect(throws: ExchangeError.self) { try zip.contents(of: zip.entries[0]) }
    #expect(error?.found == "a damaged stream")
  }

  @Test func `wide integers become bytes, and what does not fit is named`() throws {
    let folder = try TemporaryFolder()
    let file = SafeTensors(tensors: ["pred": HostTensor([0, 255, 17] as [Int64], shape: [1, 3, 1])])
    try folder.write("a.safetensors", file.serialized())
    #expect(try OccupancyLabels.read(folder.path + "/a.safetensors").labels == [0, 255, 17])
    for (tensor, expected) in [
      (HostTensor([0, 256] as [Int32], shape: [1, 2, 1]), "labels 0 to 255"),
      (HostTensor([0, -1] as [Int64], shape: [1, 2, 1]), "labels 0 to 255"),
      (HostTensor([0, 1] as [Float], shape: [1, 2, 1]), "uint8 (or int8, uint16, int32, int64)"),
      (
        HostTensor([0, 1] as [UInt8], shape: [2, 1]),
        "an array semantics, labels, pred, occ or arr_0 of three dimensions"
      ),
    ] {
      try folder.write("b.safetensors", SafeTensors(tensors: ["pred": tensor]).serialized())
      let error = #expect(throws: ExchangeError.self) {
        try OccupancyLabels.read(folder.path + "/b.safetensors")
      }
      #expect(error?.expected == expected)
    }
    #expect(throws: ExchangeError.self) { try OccupancyLabels.read(folder.path + "/none.npz") }
    #expect(throws: ExchangeError.self) { try OccupancyLabels.read(folder.path) }
  }
}

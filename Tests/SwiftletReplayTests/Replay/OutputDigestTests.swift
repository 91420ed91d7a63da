import SwiftletReplay
import Testing

@Suite struct OutputDigestTests {
  private func digest(_ outputs: [(String, [UInt8])]) -> UInt64 {
    let digest = OutputDigest()
    for (name, bytes) in outputs {
      bytes.withUnsafeBytes { digest.add(name: name, bytes: $0) }
    }
    return digest.endFrame()
  }

  @Test func `equal outputs have equal digests, and name, order, size and bytes all count`() {
    let reference = digest([("bev", [1, 2]), ("occupancy", [3])])
    #expect(digest([("bev", [1, 2]), ("occupancy", [3])]) == reference)
    #expect(digest([("bev", [1, 9]), ("occupancy", [3])]) != reference)
    #expect(digest([("occupancy", [3]), ("bev", [1, 2])]) != reference)
    #expect(digest([("bev", [1]), ("occupancy", [2, 3])]) != reference)
    #expect(digest([("fused", [1, 2]), ("occupancy", [3])]) != reference)
  }

  /// XXH3_64bits of no input with seed 0, as xxHash's own sanity table has it.
  @Test func `a frame without outputs has XXH3's digest of nothing`() {
    #expect(digest([]) == 0x2d06_8005_38d3_94c2)
    #expect(OutputDigest.text(0x2d06_8005_38d3_94c2) == "2d06800538d394c2")
    #expect(OutputDigest.text(1) == "0000000000000001")
  }

  @Test func `the run's digest depends on the order of frames`() {
    func run(_ frames: [[UInt8]]) -> UInt64 {
      let digest = OutputDigest()
      for frame in frames {
        frame.withUnsafeBytes { digest.add(name: "x", bytes: $0) }
        _ = digest.endFrame()
      }
      return digest.run
    }
    #expect(run([[1], [2]]) == run([[1], [2]]))
    #expect(run([[1], [2]]) != run([[2], [1]]))
  }
}

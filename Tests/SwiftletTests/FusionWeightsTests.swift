import Swiftlet
import Testing

@Suite struct FusionWeightsTests {
  @Test func `weights survive a file`() throws {
    let weights = FusionWeights.default(channels: 8, heads: 2)
    let file = try SafeTensors(bytes: SafeTensors(tensors: weights.tensors).serialized())
    var read = try FusionWeights(file, channels: 8, heads: 2)
    #expect(!read.isDefault)
    read.isDefault = true
    #expect(read == weights)
  }

  @Test func `a missing, extra, misshapen or infinite tensor is named`() throws {
    let good = FusionWeights.default(channels: 8, heads: 2).tensors
    func failure(_ change: (inout [String: HostTensor]) -> Void) -> WeightsError? {
      var tensors = good
      change(&tensors)
      do throws(WeightsError) {
        _ = try FusionWeights(SafeTensors(tensors: tensors), channels: 8, heads: 2)
        return nil
      } catch {
        return error
      }
    }
    #expect(failure { _ in } == nil)
    #expect(failure { $0["fusion.out_proj.bias"] = nil }?.tensor == "fusion.out_proj.bias")
    #expect(failure { $0["fusion.gate"] = HostTensor([Float(1)], shape: [1]) }?.tensor == "fusion.gate")
    let misshapen = failure {
      $0["fusion.in_proj.weight"] = HostTensor([Float](repeating: 0, count: 64), shape: [8, 8])
    }
    #expect(misshapen?.expected == "shape [24, 8]")
    #expect(misshapen?.found == "shape [8, 8]")
    let infinite = failure {
      $0["fusion.query_embedding"] = HostTensor(
        [0, 0, .infinity, 0, 0, 0, 0, 0] as [Float], shape: [8])
    }
    #expect(infinite?.found == "inf at index 2")
    let integers = failure {
      $0["fusion.query_embedding"] = HostTensor([Int32](repeating: 0, count: 8), shape: [8])
    }
    #expect(integers?.found == "I32")
    #expect(failure { $0["other.weight"] = HostTensor([Float(1)], shape: [1]) } == nil)
  }

  @Test func `channels that do not divide into heads are an error`() {
    let file = SafeTensors(tensors: [:])
    #expect(throws: WeightsError.self) { try FusionWeights(file, channels: 10, heads: 4) }
  }
}

import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct EncoderPrecisionTests {
  /// BEVFormer-tiny's encoder at its real size: 2,500 queries of 256 channels, three layers, history.
  @Test(arguments: [(DensePrecision.fp16, 1e-3), (.bf16, 6e-3), (.int8, 1e-2)])
  func `a whole encoder of tiny's size stays within its precision's error of fp32`(
    precision: DensePrecision, bound: Double
  ) {
    let pool = WorkerPool(threadCount: 2)
    let exact = EncoderStage(precision: .fp32, .best, pool)
    let stage = EncoderStage(precision: precision, .best, pool)
    let error = stage.error(against: exact.encoder)
    #expect(error <= bound && error > bound / 50, "\(precision): \(error)")
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `BEVPool.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func poolVisits(
    _ set: InstructionSet, _ points: UnsafePointer<UInt64>, _ visits: UnsafePointer<Int32>,
    _ begin: Int, _ end: Int, _ depth: UnsafePointer<Float>, _ features: UnsafeRawPointer,
    _ featureStride: Int, _ format: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>,
    _ target: UnsafePointer<Int>, _ streams: Bool, _ excluded: UnsafePointer<Int32>,
    _ excludedCount: Int
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.poolVisits(
        points, visits, begin, end, depth, features, featureStride, format, channels, output,
        target, streams, excluded, excludedCount)
    case .baseline:
      unsafe SwiftletKernels.poolVisits(
        points, visits, begin, end, depth, features, featureStride, format, channels, output,
        target, streams, excluded, excludedCount)
    case .avx2:
      unsafe SwiftletKernelsAVX2.poolVisits(
        points, visits, begin, end, depth, features, featureStride, format, channels, output,
        target, streams, excluded, excludedCount)
    case .avx512:
      unsafe SwiftletKernelsAVX512.poolVisits(
        points, visits, begin, end, depth, features, featureStride, format, channels, output,
        target, streams, excluded, excludedCount)
    }
  }
}

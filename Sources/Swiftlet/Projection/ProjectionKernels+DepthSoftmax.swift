import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `DepthSoftmax.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func softmaxOverBins(
    _ set: InstructionSet, _ logits: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ bins: Int, _ planeStride: Int, _ begin: Int, _ end: Int
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.softmaxOverBins(logits, output, bins, planeStride, begin, end)
    case .baseline:
      unsafe SwiftletKernels.softmaxOverBins(logits, output, bins, planeStride, begin, end)
    case .avx2:
      unsafe SwiftletKernelsAVX2.softmaxOverBins(logits, output, bins, planeStride, begin, end)
    case .avx512:
      unsafe SwiftletKernelsAVX512.softmaxOverBins(logits, output, bins, planeStride, begin, end)
    }
  }

  @inline(__always)
  static func channelsLast(
    _ set: InstructionSet, _ planes: UnsafePointer<Float>, _ planeStride: Int, _ channels: Int,
    _ begin: Int, _ end: Int, _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.channelsLast(
        planes, planeStride, channels, begin, end, output, outputStride)
    case .baseline:
      unsafe SwiftletKernels.channelsLast(
        planes, planeStride, channels, begin, end, output, outputStride)
    case .avx2:
      unsafe SwiftletKernelsAVX2.channelsLast(
        planes, planeStride, channels, begin, end, output, outputStride)
    case .avx512:
      unsafe SwiftletKernelsAVX512.channelsLast(
        planes, planeStride, channels, begin, end, output, outputStride)
    }
  }
}

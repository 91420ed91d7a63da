import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `BEVWarp.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func warpRows(
    _ set: InstructionSet, _ source: UnsafePointer<Float>, _ width: Int, _ height: Int,
    _ channels: Int, _ transform: UnsafePointer<Double>, _ begin: Int, _ end: Int,
    _ output: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.warpRows(
        source, width, height, channels, transform, begin, end, output)
    case .baseline:
      unsafe SwiftletKernels.warpRows(
        source, width, height, channels, transform, begin, end, output)
    case .avx2:
      unsafe SwiftletKernelsAVX2.warpRows(
        source, width, height, channels, transform, begin, end, output)
    case .avx512:
      unsafe SwiftletKernelsAVX512.warpRows(
        source, width, height, channels, transform, begin, end, output)
    }
  }

  @inline(__always)
  static func warpValidityRows(
    _ set: InstructionSet, _ source: UnsafePointer<UInt8>?, _ width: Int, _ height: Int,
    _ transform: UnsafePointer<Double>, _ begin: Int, _ end: Int,
    _ output: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.warpValidityRows(
        source, width, height, transform, begin, end, output)
    case .baseline:
      unsafe SwiftletKernels.warpValidityRows(source, width, height, transform, begin, end, output)
    case .avx2:
      unsafe SwiftletKernelsAVX2.warpValidityRows(
        source, width, height, transform, begin, end, output)
    case .avx512:
      unsafe SwiftletKernelsAVX512.warpValidityRows(
        source, width, height, transform, begin, end, output)
    }
  }
}

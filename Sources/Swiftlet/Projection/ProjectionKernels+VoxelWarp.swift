import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `VoxelWarp.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func warpVolumeRows(
    _ set: InstructionSet, _ source: UnsafePointer<Float>, _ depth: Int, _ height: Int,
    _ width: Int, _ channels: Int, _ flow: UnsafePointer<Double>, _ begin: Int, _ end: Int,
    _ output: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.warpVolumeRows(
        source, depth, height, width, channels, flow, begin, end, output)
    case .baseline:
      unsafe SwiftletKernels.warpVolumeRows(
        source, depth, height, width, channels, flow, begin, end, output)
    case .avx2:
      unsafe SwiftletKernelsAVX2.warpVolumeRows(
        source, depth, height, width, channels, flow, begin, end, output)
    case .avx512:
      unsafe SwiftletKernelsAVX512.warpVolumeRows(
        source, depth, height, width, channels, flow, begin, end, output)
    }
  }

  @inline(__always)
  static func rotateRows(
    _ set: InstructionSet, _ source: UnsafePointer<Float>, _ height: Int, _ width: Int,
    _ channels: Int, _ cosine: Double, _ sine: Double, _ centerX: Double, _ centerY: Double,
    _ begin: Int, _ end: Int, _ output: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.rotateRows(
        source, height, width, channels, cosine, sine, centerX, centerY, begin, end, output)
    case .baseline:
      unsafe SwiftletKernels.rotateRows(
        source, height, width, channels, cosine, sine, centerX, centerY, begin, end, output)
    case .avx2:
      unsafe SwiftletKernelsAVX2.rotateRows(
        source, height, width, channels, cosine, sine, centerX, centerY, begin, end, output)
    case .avx512:
      unsafe SwiftletKernelsAVX512.rotateRows(
        source, height, width, channels, cosine, sine, centerX, centerY, begin, end, output)
    }
  }
}

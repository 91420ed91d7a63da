import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `BEVPool.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func poolCells(
    _ set: InstructionSet, _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>,
    _ begin: Int, _ end: Int, _ depth: UnsafePointer<Float>, _ features: UnsafePointer<Float>,
    _ featureStride: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>,
    _ outputStride: Int
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.poolCells(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride)
    case .baseline:
      unsafe SwiftletKernels.poolCells(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride)
    case .avx2:
      unsafe SwiftletKernelsAVX2.poolCells(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride)
    case .avx512:
      unsafe SwiftletKernelsAVX512.poolCells(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride)
    }
  }

  @inline(__always)
  static func poolCellsExcluding(
    _ set: InstructionSet, _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>,
    _ begin: Int, _ end: Int, _ depth: UnsafePointer<Float>, _ features: UnsafePointer<Float>,
    _ featureStride: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>,
    _ outputStride: Int, _ excluded: UnsafePointer<Int32>, _ excludedCount: Int
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.poolCellsExcluding(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride,
        excluded, excludedCount)
    case .baseline:
      unsafe SwiftletKernels.poolCellsExcluding(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride,
        excluded, excludedCount)
    case .avx2:
      unsafe SwiftletKernelsAVX2.poolCellsExcluding(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride,
        excluded, excludedCount)
    case .avx512:
      unsafe SwiftletKernelsAVX512.poolCellsExcluding(
        points, starts, begin, end, depth, features, featureStride, channels, output, outputStride,
        excluded, excludedCount)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `GridSample.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func gridSample(
    _ set: InstructionSet, _ map: UnsafePointer<Float>, _ channels: Int, _ depth: Int,
    _ height: Int, _ width: Int, _ grid: UnsafePointer<Float>, _ dimensions: Int, _ begin: Int,
    _ end: Int, _ count: Int, _ isNearest: Bool, _ alignCorners: Bool,
    _ output: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.gridSample(
        map, channels, depth, height, width, grid, dimensions, begin, end, count, isNearest,
        alignCorners, output)
    case .baseline:
      unsafe SwiftletKernels.gridSample(
        map, channels, depth, height, width, grid, dimensions, begin, end, count, isNearest,
        alignCorners, output)
    case .avx2:
      unsafe SwiftletKernelsAVX2.gridSample(
        map, channels, depth, height, width, grid, dimensions, begin, end, count, isNearest,
        alignCorners, output)
    case .avx512:
      unsafe SwiftletKernelsAVX512.gridSample(
        map, channels, depth, height, width, grid, dimensions, begin, end, count, isNearest,
        alignCorners, output)
    }
  }
}

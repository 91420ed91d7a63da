import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `VoxelPull.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func nearestPixels(
    _ set: InstructionSet, _ geometry: UnsafePointer<Double>, _ sizeY: Int, _ sizeZ: Int,
    _ width: Int, _ height: Int, _ firstToken: Int, _ roundsAway: Bool, _ begin: Int, _ end: Int,
    _ indices: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.nearestPixels(
        geometry, sizeY, sizeZ, width, height, firstToken, roundsAway, begin, end, indices)
    case .baseline:
      unsafe SwiftletKernels.nearestPixels(
        geometry, sizeY, sizeZ, width, height, firstToken, roundsAway, begin, end, indices)
    case .avx2:
      unsafe SwiftletKernelsAVX2.nearestPixels(
        geometry, sizeY, sizeZ, width, height, firstToken, roundsAway, begin, end, indices)
    case .avx512:
      unsafe SwiftletKernelsAVX512.nearestPixels(
        geometry, sizeY, sizeZ, width, height, firstToken, roundsAway, begin, end, indices)
    }
  }

  @inline(__always)
  static func resolveOverlap(
    _ set: InstructionSet, _ tables: UnsafePointer<Int32>, _ cameras: Int, _ stride: Int,
    _ valid: UInt16, _ takesLast: Bool, _ begin: Int, _ end: Int,
    _ resolved: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.resolveOverlap(
        tables, cameras, stride, valid, takesLast, begin, end, resolved)
    case .baseline:
      unsafe SwiftletKernels.resolveOverlap(
        tables, cameras, stride, valid, takesLast, begin, end, resolved)
    case .avx2:
      unsafe SwiftletKernelsAVX2.resolveOverlap(
        tables, cameras, stride, valid, takesLast, begin, end, resolved)
    case .avx512:
      unsafe SwiftletKernelsAVX512.resolveOverlap(
        tables, cameras, stride, valid, takesLast, begin, end, resolved)
    }
  }

  @inline(__always)
  static func pullRows(
    _ set: InstructionSet, _ indices: UnsafePointer<Int32>, _ begin: Int, _ end: Int,
    _ features: UnsafePointer<Float>, _ channels: Int, _ output: UnsafeMutablePointer<Float>,
    _ streams: Bool
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.pullRows(
        indices, begin, end, features, channels, output, streams)
    case .baseline:
      unsafe SwiftletKernels.pullRows(indices, begin, end, features, channels, output, streams)
    case .avx2:
      unsafe SwiftletKernelsAVX2.pullRows(indices, begin, end, features, channels, output, streams)
    case .avx512:
      unsafe SwiftletKernelsAVX512.pullRows(
        indices, begin, end, features, channels, output, streams)
    }
  }

  @inline(__always)
  static func pullMeanRows(
    _ set: InstructionSet, _ tables: UnsafePointer<Int32>, _ cameras: Int, _ stride: Int,
    _ valid: UInt16, _ begin: Int, _ end: Int, _ features: UnsafePointer<Float>, _ channels: Int,
    _ output: UnsafeMutablePointer<Float>, _ counts: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.pullMeanRows(
        tables, cameras, stride, valid, begin, end, features, channels, output, counts)
    case .baseline:
      unsafe SwiftletKernels.pullMeanRows(
        tables, cameras, stride, valid, begin, end, features, channels, output, counts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.pullMeanRows(
        tables, cameras, stride, valid, begin, end, features, channels, output, counts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.pullMeanRows(
        tables, cameras, stride, valid, begin, end, features, channels, output, counts)
    }
  }

  @inline(__always)
  static func pullBilinearMean(
    _ set: InstructionSet, _ cameraData: UnsafePointer<Double>, _ cameras: Int, _ valid: UInt16,
    _ lattice: UnsafePointer<Double>, _ sizeY: Int, _ sizeX: Int, _ begin: Int, _ end: Int,
    _ features: UnsafePointer<Float>, _ channels: Int, _ counts: UnsafeMutablePointer<Int32>,
    _ sums: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.pullBilinearMean(
        cameraData, cameras, valid, lattice, sizeY, sizeX, begin, end, features, channels, counts,
        sums, output)
    case .baseline:
      unsafe SwiftletKernels.pullBilinearMean(
        cameraData, cameras, valid, lattice, sizeY, sizeX, begin, end, features, channels, counts,
        sums, output)
    case .avx2:
      unsafe SwiftletKernelsAVX2.pullBilinearMean(
        cameraData, cameras, valid, lattice, sizeY, sizeX, begin, end, features, channels, counts,
        sums, output)
    case .avx512:
      unsafe SwiftletKernelsAVX512.pullBilinearMean(
        cameraData, cameras, valid, lattice, sizeY, sizeX, begin, end, features, channels, counts,
        sums, output)
    }
  }
}

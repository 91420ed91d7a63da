import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `FrustumTemplate.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func arithmeticSeries(
    _ set: InstructionSet, _ first: Double, _ step: Double, _ count: Int,
    _ positions: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.arithmeticSeries(first, step, count, positions)
    case .baseline:
      unsafe SwiftletKernels.arithmeticSeries(first, step, count, positions)
    case .avx2:
      unsafe SwiftletKernelsAVX2.arithmeticSeries(first, step, count, positions)
    case .avx512:
      unsafe SwiftletKernelsAVX512.arithmeticSeries(first, step, count, positions)
    }
  }

  @inline(__always)
  static func augmentationMatrices(
    _ set: InstructionSet, _ settings: UnsafePointer<Double>, _ count: Int,
    _ results: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.augmentationMatrices(settings, count, results)
    case .baseline:
      unsafe SwiftletKernels.augmentationMatrices(settings, count, results)
    case .avx2:
      unsafe SwiftletKernelsAVX2.augmentationMatrices(settings, count, results)
    case .avx512:
      unsafe SwiftletKernelsAVX512.augmentationMatrices(settings, count, results)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `Poses.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func quaternionMatrices(
    _ set: InstructionSet, _ quaternions: UnsafePointer<Double>, _ count: Int,
    _ matrices: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.quaternionMatrices(quaternions, count, matrices)
    case .baseline:
      unsafe SwiftletKernels.quaternionMatrices(quaternions, count, matrices)
    case .avx2:
      unsafe SwiftletKernelsAVX2.quaternionMatrices(quaternions, count, matrices)
    case .avx512:
      unsafe SwiftletKernelsAVX512.quaternionMatrices(quaternions, count, matrices)
    }
  }

  @inline(__always)
  static func assemblePoses(
    _ set: InstructionSet, _ rotations: UnsafePointer<Double>,
    _ translations: UnsafePointer<Double>, _ count: Int, _ poses: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.assemblePoses(rotations, translations, count, poses)
    case .baseline:
      unsafe SwiftletKernels.assemblePoses(rotations, translations, count, poses)
    case .avx2:
      unsafe SwiftletKernelsAVX2.assemblePoses(rotations, translations, count, poses)
    case .avx512:
      unsafe SwiftletKernelsAVX512.assemblePoses(rotations, translations, count, poses)
    }
  }

  @inline(__always)
  static func composePoses(
    _ set: InstructionSet, _ a: UnsafePointer<Double>, _ strideA: Int, _ b: UnsafePointer<Double>,
    _ count: Int, _ products: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.composePoses(a, strideA, b, count, products)
    case .baseline:
      unsafe SwiftletKernels.composePoses(a, strideA, b, count, products)
    case .avx2:
      unsafe SwiftletKernelsAVX2.composePoses(a, strideA, b, count, products)
    case .avx512:
      unsafe SwiftletKernelsAVX512.composePoses(a, strideA, b, count, products)
    }
  }

  @inline(__always)
  static func invertPoses(
    _ set: InstructionSet, _ poses: UnsafePointer<Double>, _ count: Int,
    _ inverses: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.invertPoses(poses, count, inverses)
    case .baseline:
      unsafe SwiftletKernels.invertPoses(poses, count, inverses)
    case .avx2:
      unsafe SwiftletKernelsAVX2.invertPoses(poses, count, inverses)
    case .avx512:
      unsafe SwiftletKernelsAVX512.invertPoses(poses, count, inverses)
    }
  }

  @inline(__always)
  static func multiplyQuaternions(
    _ set: InstructionSet, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>, _ count: Int,
    _ products: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.multiplyQuaternions(a, b, count, products)
    case .baseline:
      unsafe SwiftletKernels.multiplyQuaternions(a, b, count, products)
    case .avx2:
      unsafe SwiftletKernelsAVX2.multiplyQuaternions(a, b, count, products)
    case .avx512:
      unsafe SwiftletKernelsAVX512.multiplyQuaternions(a, b, count, products)
    }
  }

  @inline(__always)
  static func slerpQuaternions(
    _ set: InstructionSet, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    _ fractions: UnsafePointer<Double>, _ count: Int, _ results: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.slerpQuaternions(a, b, fractions, count, results)
    case .baseline:
      unsafe SwiftletKernels.slerpQuaternions(a, b, fractions, count, results)
    case .avx2:
      unsafe SwiftletKernelsAVX2.slerpQuaternions(a, b, fractions, count, results)
    case .avx512:
      unsafe SwiftletKernelsAVX512.slerpQuaternions(a, b, fractions, count, results)
    }
  }

  @inline(__always)
  static func interpolateLinearly(
    _ set: InstructionSet, _ a: UnsafePointer<Double>, _ b: UnsafePointer<Double>,
    _ fractions: UnsafePointer<Double>, _ count: Int, _ width: Int,
    _ results: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.interpolateLinearly(a, b, fractions, count, width, results)
    case .baseline:
      unsafe SwiftletKernels.interpolateLinearly(a, b, fractions, count, width, results)
    case .avx2:
      unsafe SwiftletKernelsAVX2.interpolateLinearly(a, b, fractions, count, width, results)
    case .avx512:
      unsafe SwiftletKernelsAVX512.interpolateLinearly(a, b, fractions, count, width, results)
    }
  }

  @inline(__always)
  static func narrow(
    _ set: InstructionSet, _ values: UnsafePointer<Double>, _ count: Int,
    _ results: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.narrow(values, count, results)
    case .baseline:
      unsafe SwiftletKernels.narrow(values, count, results)
    case .avx2:
      unsafe SwiftletKernelsAVX2.narrow(values, count, results)
    case .avx512:
      unsafe SwiftletKernelsAVX512.narrow(values, count, results)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `Exp.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func exponentials(
    _ set: InstructionSet, _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>,
    _ count: Int
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.exponentials(input, output, count)
    case .baseline:
      unsafe SwiftletKernels.exponentials(input, output, count)
    case .avx2:
      unsafe SwiftletKernelsAVX2.exponentials(input, output, count)
    case .avx512:
      unsafe SwiftletKernelsAVX512.exponentials(input, output, count)
    }
  }
}

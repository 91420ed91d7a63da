import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `VisitOrder.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func countVisits(
    _ set: InstructionSet, _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>,
    _ tokenColumns: UnsafePointer<UInt16>, _ begin: Int, _ end: Int,
    _ keys: UnsafeMutablePointer<UInt16>, _ histogram: UnsafeMutablePointer<Int32>,
    _ work: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.countVisits(
        points, starts, tokenColumns, begin, end, keys, histogram, work)
    case .baseline:
      unsafe SwiftletKernels.countVisits(
        points, starts, tokenColumns, begin, end, keys, histogram, work)
    case .avx2:
      unsafe SwiftletKernelsAVX2.countVisits(
        points, starts, tokenColumns, begin, end, keys, histogram, work)
    case .avx512:
      unsafe SwiftletKernelsAVX512.countVisits(
        points, starts, tokenColumns, begin, end, keys, histogram, work)
    }
  }

  @inline(__always)
  static func placeVisits(
    _ set: InstructionSet, _ starts: UnsafePointer<Int32>, _ keys: UnsafePointer<UInt16>,
    _ begin: Int, _ end: Int, _ next: UnsafeMutablePointer<Int32>,
    _ visits: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.placeVisits(starts, keys, begin, end, next, visits)
    case .baseline:
      unsafe SwiftletKernels.placeVisits(starts, keys, begin, end, next, visits)
    case .avx2:
      unsafe SwiftletKernelsAVX2.placeVisits(starts, keys, begin, end, next, visits)
    case .avx512:
      unsafe SwiftletKernelsAVX512.placeVisits(starts, keys, begin, end, next, visits)
    }
  }
}

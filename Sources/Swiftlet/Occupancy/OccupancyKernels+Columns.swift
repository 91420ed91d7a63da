import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

extension OccupancyKernels {
  @unsafe @inline(__always)
  static func summarizeColumnRows(
    _ set: InstructionSet, _ map: UnsafePointer<Double>, _ heights: UnsafePointer<Double>,
    _ layout: UnsafePointer<Double>, _ window: UnsafePointer<Int>,
    _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>, _ rows: Range<Int>,
    _ outputs: (
      UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>, UnsafeMutablePointer<Float>,
      UnsafeMutablePointer<Float>
    )
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.summarizeColumnRows(
        map, heights, layout, window, occupied, known, rows.lowerBound, rows.upperBound,
        outputs.0, outputs.1, outputs.2, outputs.3)
    case .baseline:
      unsafe SwiftletKernels.summarizeColumnRows(
        map, heights, layout, window, occupied, known, rows.lowerBound, rows.upperBound,
        outputs.0, outputs.1, outputs.2, outputs.3)
    case .avx2:
      unsafe SwiftletKernelsAVX2.summarizeColumnRows(
        map, heights, layout, window, occupied, known, rows.lowerBound, rows.upperBound,
        outputs.0, outputs.1, outputs.2, outputs.3)
    case .avx512:
      unsafe SwiftletKernelsAVX512.summarizeColumnRows(
        map, heights, layout, window, occupied, known, rows.lowerBound, rows.upperBound,
        outputs.0, outputs.1, outputs.2, outputs.3)
    }
  }
}

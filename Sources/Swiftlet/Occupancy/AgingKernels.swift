import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The kernels of decay and motion marks of a chosen instruction set. One enum switch a call.
enum AgingKernels {
  @unsafe @inline(__always)
  static func decayColumns(
    _ set: InstructionSet, _ lines: UnsafeMutablePointer<Int8>,
    _ occupied: UnsafeMutablePointer<UInt64>, _ known: UnsafeMutablePointer<UInt64>,
    _ dynamic: UnsafeMutablePointer<UInt64>, _ candidate: UnsafeMutablePointer<UInt64>,
    _ ticks: UnsafeMutablePointer<Int32>, _ wordCount: Int, _ rates: UnsafePointer<Int64>,
    _ now: Int32, _ threshold: Int8, _ columns: Range<Int>, _ onlyDynamic: Bool
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.decayColumns(
        lines, occupied, known, dynamic, candidate, ticks, wordCount, rates, now, threshold,
        columns.lowerBound, columns.upperBound, onlyDynamic)
    case .baseline:
      unsafe SwiftletKernels.decayColumns(
        lines, occupied, known, dynamic, candidate, ticks, wordCount, rates, now, threshold,
        columns.lowerBound, columns.upperBound, onlyDynamic)
    case .avx2:
      unsafe SwiftletKernelsAVX2.decayColumns(
        lines, occupied, known, dynamic, candidate, ticks, wordCount, rates, now, threshold,
        columns.lowerBound, columns.upperBound, onlyDynamic)
    case .avx512:
      unsafe SwiftletKernelsAVX512.decayColumns(
        lines, occupied, known, dynamic, candidate, ticks, wordCount, rates, now, threshold,
        columns.lowerBound, columns.upperBound, onlyDynamic)
    }
  }

  @unsafe @inline(__always)
  static func ageEvidence(
    _ set: InstructionSet, _ free: UnsafePointer<UInt64>, _ partCount: Int,
    _ partStride: Int, _ hits: UnsafePointer<UInt64>, _ moving: UnsafeMutablePointer<UInt64>,
    _ columnCount: Int, _ wordCount: Int, _ masks: UnsafePointer<UInt64>,
    _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
    _ known: UnsafeMutablePointer<UInt64>, _ dynamic: UnsafeMutablePointer<UInt64>,
    _ candidate: UnsafeMutablePointer<UInt64>,
    _ vanished: UnsafeMutablePointer<UInt64>, _ solid: UnsafeMutablePointer<UInt64>,
    _ ticks: UnsafeMutablePointer<Int32>, _ rates: UnsafePointer<Int64>, _ now: Int32,
    _ levels: UnsafePointer<Int8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.ageEvidence(
        free, partCount, partStride, hits, moving, columnCount, wordCount, masks, lines, occupied,
        known, dynamic, candidate, vanished, solid, ticks, rates, now, levels)
    case .baseline:
      unsafe SwiftletKernels.ageEvidence(
        free, partCount, partStride, hits, moving, columnCount, wordCount, masks, lines, occupied,
        known, dynamic, candidate, vanished, solid, ticks, rates, now, levels)
    case .avx2:
      unsafe SwiftletKernelsAVX2.ageEvidence(
        free, partCount, partStride, hits, moving, columnCount, wordCount, masks, lines, occupied,
        known, dynamic, candidate, vanished, solid, ticks, rates, now, levels)
    case .avx512:
      unsafe SwiftletKernelsAVX512.ageEvidence(
        free, partCount, partStride, hits, moving, columnCount, wordCount, masks, lines, occupied,
        known, dynamic, candidate, vanished, solid, ticks, rates, now, levels)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The distance field's kernels of a chosen instruction set. One enum switch a call.
enum DistanceFieldKernels {
  @unsafe @inline(__always)
  static func findChangedColumns(
    _ set: InstructionSet, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
    _ masks: UnsafePointer<UInt64>, _ unknownCounts: UInt64, _ words: Int, _ first: Int,
    _ last: Int, _ seen: UnsafeMutablePointer<UInt64>, _ changed: UnsafeMutablePointer<UInt8>
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.findChangedColumns(
        occupied, known, masks, unknownCounts, words, first, last, seen, changed)
    case .baseline:
      unsafe SwiftletKernels.findChangedColumns(
        occupied, known, masks, unknownCounts, words, first, last, seen, changed)
    case .avx2:
      unsafe SwiftletKernelsAVX2.findChangedColumns(
        occupied, known, masks, unknownCounts, words, first, last, seen, changed)
    case .avx512:
      unsafe SwiftletKernelsAVX512.findChangedColumns(
        occupied, known, masks, unknownCounts, words, first, last, seen, changed)
    }
  }

  @unsafe @inline(__always)
  static func spreadChangedSlots(
    _ set: InstructionSet, _ changed: UnsafeMutablePointer<UInt8>, _ count: Int, _ reach: Int,
    _ spread: UnsafeMutablePointer<UInt8>, _ dirty: UnsafeMutablePointer<UInt8>
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.spreadChangedSlots(changed, count, reach, spread, dirty)
    case .baseline:
      unsafe SwiftletKernels.spreadChangedSlots(changed, count, reach, spread, dirty)
    case .avx2:
      unsafe SwiftletKernelsAVX2.spreadChangedSlots(changed, count, reach, spread, dirty)
    case .avx512:
      unsafe SwiftletKernelsAVX512.spreadChangedSlots(changed, count, reach, spread, dirty)
    }
  }

  @unsafe @inline(__always)
  static func orBytes(
    _ set: InstructionSet, _ source: UnsafePointer<UInt8>, _ count: Int,
    _ target: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.orBytes(source, count, target)
    case .baseline:
      unsafe SwiftletKernels.orBytes(source, count, target)
    case .avx2:
      unsafe SwiftletKernelsAVX2.orBytes(source, count, target)
    case .avx512:
      unsafe SwiftletKernelsAVX512.orBytes(source, count, target)
    }
  }

  @unsafe @inline(__always)
  static func fieldAlongRow(
    _ set: InstructionSet, _ seen: UnsafePointer<UInt64>, _ columns: Int, _ words: Int,
    _ slotX: Int, _ reach: Int, _ dirty: UnsafeMutablePointer<UInt8>,
    _ scratch: UnsafeMutablePointer<Int16>, _ empty: UnsafeMutablePointer<UInt8>,
    _ field: UnsafeMutablePointer<Int16>, _ isFar: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.fieldAlongRow(
        seen, columns, words, slotX, reach, dirty, scratch, empty, field, isFar)
    case .baseline:
      unsafe SwiftletKernels.fieldAlongRow(
        seen, columns, words, slotX, reach, dirty, scratch, empty, field, isFar)
    case .avx2:
      unsafe SwiftletKernelsAVX2.fieldAlongRow(
        seen, columns, words, slotX, reach, dirty, scratch, empty, field, isFar)
    case .avx512:
      unsafe SwiftletKernelsAVX512.fieldAlongRow(
        seen, columns, words, slotX, reach, dirty, scratch, empty, field, isFar)
    }
  }

  @unsafe @inline(__always)
  static func fieldAcrossRows(
    _ set: InstructionSet, _ rowField: UnsafePointer<Int16>, _ rowStride: Int,
    _ isFar: UnsafePointer<UInt8>, _ columns: Int, _ rows: Int, _ height: Int,
    _ slots: UnsafePointer<Int>, _ reach: Int, _ y: Int, _ firstX: Int, _ lastX: Int,
    _ dirty: UnsafeMutablePointer<UInt8>, _ field: UnsafeMutablePointer<Int16>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.fieldAcrossRows(
        rowField, rowStride, isFar, columns, rows, height, slots, reach, y, firstX, lastX, dirty,
        field)
    case .baseline:
      unsafe SwiftletKernels.fieldAcrossRows(
        rowField, rowStride, isFar, columns, rows, height, slots, reach, y, firstX, lastX, dirty,
        field)
    case .avx2:
      unsafe SwiftletKernelsAVX2.fieldAcrossRows(
        rowField, rowStride, isFar, columns, rows, height, slots, reach, y, firstX, lastX, dirty,
        field)
    case .avx512:
      unsafe SwiftletKernelsAVX512.fieldAcrossRows(
        rowField, rowStride, isFar, columns, rows, height, slots, reach, y, firstX, lastX, dirty,
        field)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

extension OccupancyKernels {
  @unsafe @inline(__always)
  static func foldBytes(
    _ set: InstructionSet, _ free: UnsafeMutablePointer<UInt64>, _ partCount: Int,
    _ partStride: Int, _ hits: UnsafeMutablePointer<UInt64>, _ columnCount: Int,
    _ evidenceStride: Int, _ lineStride: Int, _ wordCount: Int, _ masks: UnsafePointer<UInt64>,
    _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
    _ known: UnsafeMutablePointer<UInt64>, _ atMinimum: UnsafeMutablePointer<UInt64>?,
    _ model: UnsafePointer<Int8>, _ totals: UnsafeMutablePointer<Int>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, atMinimum, model, totals)
    case .baseline:
      unsafe SwiftletKernels.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, atMinimum, model, totals)
    case .avx2:
      unsafe SwiftletKernelsAVX2.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, atMinimum, model, totals)
    case .avx512:
      unsafe SwiftletKernelsAVX512.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, atMinimum, model, totals)
    }
  }

  @unsafe @inline(__always)
  static func foldShorts(
    _ set: InstructionSet, _ free: UnsafeMutablePointer<UInt64>, _ partCount: Int,
    _ partStride: Int, _ hits: UnsafeMutablePointer<UInt64>, _ columnCount: Int,
    _ wordCount: Int, _ masks: UnsafePointer<UInt64>, _ values: UnsafeMutablePointer<Int16>,
    _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
    _ known: UnsafeMutablePointer<UInt64>, _ model: UnsafePointer<Int16>, _ scale: Float,
    _ totals: UnsafeMutablePointer<Int>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.foldShorts(
        free, partCount, partStride, hits, columnCount, wordCount, masks, values, lines, occupied,
        known, model, scale, totals)
    case .baseline:
      unsafe SwiftletKernels.foldShorts(
        free, partCount, partStride, hits, columnCount, wordCount, masks, values, lines, occupied,
        known, model, scale, totals)
    case .avx2:
      unsafe SwiftletKernelsAVX2.foldShorts(
        free, partCount, partStride, hits, columnCount, wordCount, masks, values, lines, occupied,
        known, model, scale, totals)
    case .avx512:
      unsafe SwiftletKernelsAVX512.foldShorts(
        free, partCount, partStride, hits, columnCount, wordCount, masks, values, lines, occupied,
        known, model, scale, totals)
    }
  }

  @unsafe @inline(__always)
  static func foldFloats(
    _ set: InstructionSet, _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int,
    _ hits: UnsafePointer<UInt64>, _ columnStride: Int, _ rowStride: Int,
    _ lines: UnsafeMutablePointer<Float>, _ known: UnsafeMutablePointer<UInt64>,
    _ model: UnsafePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.foldFloats(
        free, partCount, partStride, hits, columnStride, rowStride, lines, known, model)
    case .baseline:
      unsafe SwiftletKernels.foldFloats(
        free, partCount, partStride, hits, columnStride, rowStride, lines, known, model)
    case .avx2:
      unsafe SwiftletKernelsAVX2.foldFloats(
        free, partCount, partStride, hits, columnStride, rowStride, lines, known, model)
    case .avx512:
      unsafe SwiftletKernelsAVX512.foldFloats(
        free, partCount, partStride, hits, columnStride, rowStride, lines, known, model)
    }
  }

  @unsafe @inline(__always)
  static func findTouchedBlocks(
    _ set: InstructionSet, _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int,
    _ hits: UnsafePointer<UInt64>, _ blocksX: Int, _ wordCount: Int, _ firstRow: Int,
    _ lastRow: Int, _ touched: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.findTouchedBlocks(
        free, partCount, partStride, hits, blocksX, wordCount, firstRow, lastRow, touched)
    case .baseline:
      unsafe SwiftletKernels.findTouchedBlocks(
        free, partCount, partStride, hits, blocksX, wordCount, firstRow, lastRow, touched)
    case .avx2:
      unsafe SwiftletKernelsAVX2.findTouchedBlocks(
        free, partCount, partStride, hits, blocksX, wordCount, firstRow, lastRow, touched)
    case .avx512:
      unsafe SwiftletKernelsAVX512.findTouchedBlocks(
        free, partCount, partStride, hits, blocksX, wordCount, firstRow, lastRow, touched)
    }
  }

  @unsafe @inline(__always)
  static func gatherWindow(
    _ set: InstructionSet, _ free: UnsafePointer<UInt64>, _ partCount: Int, _ partStride: Int,
    _ hits: UnsafePointer<UInt64>, _ volume: UnsafePointer<Int32>, _ window: UnsafePointer<Int32>,
    _ firstRow: Int, _ lastRow: Int, _ windowFree: UnsafeMutablePointer<UInt64>,
    _ windowHits: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.gatherWindow(
        free, partCount, partStride, hits, volume, window, firstRow, lastRow, windowFree,
        windowHits)
    case .baseline:
      unsafe SwiftletKernels.gatherWindow(
        free, partCount, partStride, hits, volume, window, firstRow, lastRow, windowFree,
        windowHits)
    case .avx2:
      unsafe SwiftletKernelsAVX2.gatherWindow(
        free, partCount, partStride, hits, volume, window, firstRow, lastRow, windowFree,
        windowHits)
    case .avx512:
      unsafe SwiftletKernelsAVX512.gatherWindow(
        free, partCount, partStride, hits, volume, window, firstRow, lastRow, windowFree,
        windowHits)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

extension OccupancyKernels {
  @unsafe @inline(__always)
  static func traceRays(
    _ set: InstructionSet, _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset:
    Int, _ zOffset: Int, _ count: Int, _ frame: UnsafePointer<Double>, _ setup:
    UnsafePointer<Float>, _ window: UnsafePointer<Int32>, _ scratch: UnsafeMutablePointer<Float>,
    _ bins: UnsafeMutablePointer<Int32>, _ beams: UnsafeMutablePointer<Int32>, _ hits:
    UnsafeMutablePointer<Int32>, _ tally: UnsafeMutablePointer<Int>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.traceRays(
        base, stride, xOffset, yOffset, zOffset, count, frame, setup, window, scratch, bins,
        beams, hits, tally)
    case .baseline:
      unsafe SwiftletKernels.traceRays(
        base, stride, xOffset, yOffset, zOffset, count, frame, setup, window, scratch, bins,
        beams, hits, tally)
    case .avx2:
      unsafe SwiftletKernelsAVX2.traceRays(
        base, stride, xOffset, yOffset, zOffset, count, frame, setup, window, scratch, bins,
        beams, hits, tally)
    case .avx512:
      unsafe SwiftletKernelsAVX512.traceRays(
        base, stride, xOffset, yOffset, zOffset, count, frame, setup, window, scratch, bins,
        beams, hits, tally)
    }
  }

  @unsafe @inline(__always)
  static func sortBeams(
    _ set: InstructionSet, _ bins: UnsafePointer<Int32>, _ beams: UnsafePointer<Int32>, _ hits:
    UnsafePointer<Int32>, _ count: Int, _ slots: UnsafePointer<Float>, _ ownBins: Range<Int>, _
    ownWords: Range<Int>, _ scratch: UnsafeMutablePointer<Int32>, _ image:
    UnsafeMutablePointer<Int32>, _ marks: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.sortBeams(
        bins, beams, hits, count, slots, Int32(ownBins.lowerBound), Int32(ownBins.upperBound),
        Int32(64 * ownWords.lowerBound), Int32(64 * ownWords.upperBound), scratch, image, marks)
    case .baseline:
      unsafe SwiftletKernels.sortBeams(
        bins, beams, hits, count, slots, Int32(ownBins.lowerBound), Int32(ownBins.upperBound),
        Int32(64 * ownWords.lowerBound), Int32(64 * ownWords.upperBound), scratch, image, marks)
    case .avx2:
      unsafe SwiftletKernelsAVX2.sortBeams(
        bins, beams, hits, count, slots, Int32(ownBins.lowerBound), Int32(ownBins.upperBound),
        Int32(64 * ownWords.lowerBound), Int32(64 * ownWords.upperBound), scratch, image, marks)
    case .avx512:
      unsafe SwiftletKernelsAVX512.sortBeams(
        bins, beams, hits, count, slots, Int32(ownBins.lowerBound), Int32(ownBins.upperBound),
        Int32(64 * ownWords.lowerBound), Int32(64 * ownWords.upperBound), scratch, image, marks)
    }
  }

  @unsafe @inline(__always)
  static func holdBackBeams(
    _ set: InstructionSet, _ measured: UnsafePointer<Int32>, _ rowTotal: Int, _ firstRow: Int, _
    lastRow: Int, _ lines: UnsafePointer<Float>, _ settings: UnsafePointer<Float>, _ scratch:
    UnsafeMutablePointer<Float>, _ image: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.holdBackBeams(
        measured, rowTotal, firstRow, lastRow, lines, settings, scratch, image)
    case .baseline:
      unsafe SwiftletKernels.holdBackBeams(
        measured, rowTotal, firstRow, lastRow, lines, settings, scratch, image)
    case .avx2:
      unsafe SwiftletKernelsAVX2.holdBackBeams(
        measured, rowTotal, firstRow, lastRow, lines, settings, scratch, image)
    case .avx512:
      unsafe SwiftletKernelsAVX512.holdBackBeams(
        measured, rowTotal, firstRow, lastRow, lines, settings, scratch, image)
    }
  }

  @unsafe @inline(__always)
  static func countFanPairs(
    _ set: InstructionSet, _ image: UnsafePointer<Int32>, _ pairCount: Int,
    _ tally: UnsafeMutablePointer<Int>
  ) {
    switch set {
    case .portable: unsafe SwiftletKernelsPortable.countFanPairs(image, pairCount, tally)
    case .baseline: unsafe SwiftletKernels.countFanPairs(image, pairCount, tally)
    case .avx2: unsafe SwiftletKernelsAVX2.countFanPairs(image, pairCount, tally)
    case .avx512: unsafe SwiftletKernelsAVX512.countFanPairs(image, pairCount, tally)
    }
  }

  @unsafe @inline(__always)
  static func mergeFans(
    _ set: InstructionSet, _ image: UnsafePointer<Int32>, _ rowCount: Int, _ merged:
    UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.mergeFans(
        image, rowCount, merged)
    case .baseline:
      unsafe SwiftletKernels.mergeFans(
        image, rowCount, merged)
    case .avx2:
      unsafe SwiftletKernelsAVX2.mergeFans(
        image, rowCount, merged)
    case .avx512:
      unsafe SwiftletKernelsAVX512.mergeFans(
        image, rowCount, merged)
    }
  }

  @unsafe @inline(__always)
  static func carveFans(
    _ set: InstructionSet, _ origin: UnsafePointer<Float>, _ lines: UnsafePointer<Float>, _
    image: UnsafeMutablePointer<Int32>, _ unit: Float, _ firstRow: Int, _ lastRow: Int, _ step:
    Int, _ window: UnsafePointer<Int32>, _ apartRow: Int, _ scratch: UnsafeMutablePointer<Float>,
    _ free: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.carveFans(
        origin, lines, image, unit, firstRow, lastRow, step, window, apartRow, scratch, free)
    case .baseline:
      unsafe SwiftletKernels.carveFans(
        origin, lines, image, unit, firstRow, lastRow, step, window, apartRow, scratch, free)
    case .avx2:
      unsafe SwiftletKernelsAVX2.carveFans(
        origin, lines, image, unit, firstRow, lastRow, step, window, apartRow, scratch, free)
    case .avx512:
      unsafe SwiftletKernelsAVX512.carveFans(
        origin, lines, image, unit, firstRow, lastRow, step, window, apartRow, scratch, free)
    }
  }
}

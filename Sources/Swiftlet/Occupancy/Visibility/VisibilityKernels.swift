import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The visibility kernels of a chosen instruction set. One enum switch a call.
enum VisibilityKernels {
  @unsafe @inline(__always)
  static func markViewRays(
    _ set: InstructionSet, _ base: UnsafeRawPointer, _ stride: Int,
    _ offsets: (Int, Int, Int), _ range: Range<Int>, _ parameters: UnsafePointer<Float>,
    _ layout: UnsafePointer<Int32>, _ stops: UnsafePointer<UInt32>,
    _ visible: UnsafeMutablePointer<UInt32>, _ scratch: UnsafeMutablePointer<UInt32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.markViewRays(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, stops, visible, scratch)
    case .baseline:
      unsafe SwiftletKernels.markViewRays(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, stops, visible, scratch)
    case .avx2:
      unsafe SwiftletKernelsAVX2.markViewRays(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, stops, visible, scratch)
    case .avx512:
      unsafe SwiftletKernelsAVX512.markViewRays(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, stops, visible, scratch)
    }
  }

  @unsafe @inline(__always)
  static func markViewHits(
    _ set: InstructionSet, _ base: UnsafeRawPointer, _ stride: Int,
    _ offsets: (Int, Int, Int), _ range: Range<Int>, _ parameters: UnsafePointer<Float>,
    _ layout: UnsafePointer<Int32>, _ hits: UnsafeMutablePointer<UInt32>,
    _ sectors: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.markViewHits(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, hits, sectors)
    case .baseline:
      unsafe SwiftletKernels.markViewHits(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, hits, sectors)
    case .avx2:
      unsafe SwiftletKernelsAVX2.markViewHits(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, hits, sectors)
    case .avx512:
      unsafe SwiftletKernelsAVX512.markViewHits(
        base, stride, offsets.0, offsets.1, offsets.2, range.lowerBound, range.upperBound, parameters,
        layout, hits, sectors)
    }
  }

  @unsafe @inline(__always)
  static func fillViewSectors(
    _ set: InstructionSet, _ parameters: UnsafePointer<Float>,
    _ layout: UnsafePointer<Int32>, _ sectors: UnsafePointer<Float>, _ range: Range<Int>,
    _ field: UnsafeMutablePointer<UInt32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.fillViewSectors(
        parameters, layout, sectors, range.lowerBound, range.upperBound, field)
    case .baseline:
      unsafe SwiftletKernels.fillViewSectors(
        parameters, layout, sectors, range.lowerBound, range.upperBound, field)
    case .avx2:
      unsafe SwiftletKernelsAVX2.fillViewSectors(
        parameters, layout, sectors, range.lowerBound, range.upperBound, field)
    case .avx512:
      unsafe SwiftletKernelsAVX512.fillViewSectors(
        parameters, layout, sectors, range.lowerBound, range.upperBound, field)
    }
  }

  @unsafe @inline(__always)
  static func splatViewColumns(
    _ set: InstructionSet, _ occupied: UnsafePointer<UInt64>,
    _ window: UnsafePointer<Int>, _ map: UnsafePointer<Double>, _ layout: UnsafePointer<Int32>,
    _ samples: Int, _ range: Range<Int>, _ columns: UnsafeMutablePointer<UInt32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.splatViewColumns(
        occupied, window, map, layout, samples, range.lowerBound, range.upperBound, columns)
    case .baseline:
      unsafe SwiftletKernels.splatViewColumns(
        occupied, window, map, layout, samples, range.lowerBound, range.upperBound, columns)
    case .avx2:
      unsafe SwiftletKernelsAVX2.splatViewColumns(
        occupied, window, map, layout, samples, range.lowerBound, range.upperBound, columns)
    case .avx512:
      unsafe SwiftletKernelsAVX512.splatViewColumns(
        occupied, window, map, layout, samples, range.lowerBound, range.upperBound, columns)
    }
  }

  @unsafe @inline(__always)
  static func sampleViewColumns(
    _ set: InstructionSet, _ known: UnsafePointer<UInt64>, _ window: UnsafePointer<Int>,
    _ map: UnsafePointer<Double>, _ layout: UnsafePointer<Int32>, _ range: Range<Int>,
    _ columns: UnsafeMutablePointer<UInt32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.sampleViewColumns(
        known, window, map, layout, range.lowerBound, range.upperBound, columns)
    case .baseline:
      unsafe SwiftletKernels.sampleViewColumns(
        known, window, map, layout, range.lowerBound, range.upperBound, columns)
    case .avx2:
      unsafe SwiftletKernelsAVX2.sampleViewColumns(
        known, window, map, layout, range.lowerBound, range.upperBound, columns)
    case .avx512:
      unsafe SwiftletKernelsAVX512.sampleViewColumns(
        known, window, map, layout, range.lowerBound, range.upperBound, columns)
    }
  }

  @unsafe @inline(__always)
  static func mergeViewColumns(
    _ set: InstructionSet, _ parts: UnsafeMutablePointer<UInt32>, _ partCount: Int,
    _ partStride: Int, _ range: Range<Int>, _ target: UnsafeMutablePointer<UInt32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.mergeViewColumns(
        parts, partCount, partStride, range.lowerBound, range.upperBound, target)
    case .baseline:
      unsafe SwiftletKernels.mergeViewColumns(
        parts, partCount, partStride, range.lowerBound, range.upperBound, target)
    case .avx2:
      unsafe SwiftletKernelsAVX2.mergeViewColumns(
        parts, partCount, partStride, range.lowerBound, range.upperBound, target)
    case .avx512:
      unsafe SwiftletKernelsAVX512.mergeViewColumns(
        parts, partCount, partStride, range.lowerBound, range.upperBound, target)
    }
  }

  @unsafe @inline(__always)
  static func expandViewColumns(
    _ set: InstructionSet, _ bits: UnsafePointer<UInt32>, _ other: UnsafePointer<UInt32>,
    _ height: Int, _ values: (UInt8, UInt8), _ range: Range<Int>,
    _ bytes: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.expandViewColumns(
        bits, other, height, values.0, values.1, range.lowerBound, range.upperBound, bytes)
    case .baseline:
      unsafe SwiftletKernels.expandViewColumns(
        bits, other, height, values.0, values.1, range.lowerBound, range.upperBound, bytes)
    case .avx2:
      unsafe SwiftletKernelsAVX2.expandViewColumns(
        bits, other, height, values.0, values.1, range.lowerBound, range.upperBound, bytes)
    case .avx512:
      unsafe SwiftletKernelsAVX512.expandViewColumns(
        bits, other, height, values.0, values.1, range.lowerBound, range.upperBound, bytes)
    }
  }
}

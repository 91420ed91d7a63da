import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `IndexSort.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func countRanks(
    _ set: InstructionSet, _ ranks: UnsafePointer<Int32>, _ count: Int,
    _ histogram: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.countRanks(ranks, count, histogram)
    case .baseline:
      unsafe SwiftletKernels.countRanks(ranks, count, histogram)
    case .avx2:
      unsafe SwiftletKernelsAVX2.countRanks(ranks, count, histogram)
    case .avx512:
      unsafe SwiftletKernelsAVX512.countRanks(ranks, count, histogram)
    }
  }

  @inline(__always)
  static func sumHistograms(
    _ set: InstructionSet, _ histograms: UnsafePointer<Int32>, _ parts: Int, _ stride: Int,
    _ begin: Int, _ end: Int
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.sumHistograms(histograms, parts, stride, begin, end)
    case .baseline:
      unsafe SwiftletKernels.sumHistograms(histograms, parts, stride, begin, end)
    case .avx2:
      unsafe SwiftletKernelsAVX2.sumHistograms(histograms, parts, stride, begin, end)
    case .avx512:
      unsafe SwiftletKernelsAVX512.sumHistograms(histograms, parts, stride, begin, end)
    }
  }

  @inline(__always)
  static func scanHistograms(
    _ set: InstructionSet, _ histograms: UnsafeMutablePointer<Int32>, _ parts: Int, _ stride: Int,
    _ begin: Int, _ end: Int, _ base: Int, _ starts: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.scanHistograms(
        histograms, parts, stride, begin, end, base, starts)
    case .baseline:
      unsafe SwiftletKernels.scanHistograms(histograms, parts, stride, begin, end, base, starts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.scanHistograms(histograms, parts, stride, begin, end, base, starts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.scanHistograms(
        histograms, parts, stride, begin, end, base, starts)
    }
  }

  @inline(__always)
  static func scatterPoints(
    _ set: InstructionSet, _ ranks: UnsafePointer<Int32>, _ count: Int,
    _ next: UnsafeMutablePointer<Int32>, _ firstDepth: Int, _ firstFeature: Int,
    _ points: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.scatterPoints(
        ranks, count, next, firstDepth, firstFeature, points)
    case .baseline:
      unsafe SwiftletKernels.scatterPoints(ranks, count, next, firstDepth, firstFeature, points)
    case .avx2:
      unsafe SwiftletKernelsAVX2.scatterPoints(ranks, count, next, firstDepth, firstFeature, points)
    case .avx512:
      unsafe SwiftletKernelsAVX512.scatterPoints(
        ranks, count, next, firstDepth, firstFeature, points)
    }
  }

  @inline(__always)
  static func markCameras(
    _ set: InstructionSet, _ points: UnsafePointer<UInt64>, _ starts: UnsafePointer<Int32>,
    _ begin: Int, _ end: Int, _ cameraStarts: UnsafePointer<Int32>, _ cameraCount: Int,
    _ masks: UnsafeMutablePointer<UInt16>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.markCameras(
        points, starts, begin, end, cameraStarts, cameraCount, masks)
    case .baseline:
      unsafe SwiftletKernels.markCameras(
        points, starts, begin, end, cameraStarts, cameraCount, masks)
    case .avx2:
      unsafe SwiftletKernelsAVX2.markCameras(
        points, starts, begin, end, cameraStarts, cameraCount, masks)
    case .avx512:
      unsafe SwiftletKernelsAVX512.markCameras(
        points, starts, begin, end, cameraStarts, cameraCount, masks)
    }
  }

  @inline(__always)
  static func markValidCells(
    _ set: InstructionSet, _ masks: UnsafePointer<UInt16>, _ slabs: Int, _ cells: Int,
    _ cameras: UInt16, _ begin: Int, _ end: Int, _ validity: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.markValidCells(
        masks, slabs, cells, cameras, begin, end, validity)
    case .baseline:
      unsafe SwiftletKernels.markValidCells(masks, slabs, cells, cameras, begin, end, validity)
    case .avx2:
      unsafe SwiftletKernelsAVX2.markValidCells(masks, slabs, cells, cameras, begin, end, validity)
    case .avx512:
      unsafe SwiftletKernelsAVX512.markValidCells(
        masks, slabs, cells, cameras, begin, end, validity)
    }
  }
}

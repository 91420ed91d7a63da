import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The occupancy kernels of a chosen instruction set. One enum switch a call.
enum OccupancyKernels {
  @unsafe @inline(__always)
  static func binRays(
    _ set: InstructionSet, _ ends: UnsafePointer<Float>, _ capacity: Int, _ count: Int,
    _ origin: UnsafePointer<Float>, _ binCount: Int, _ bins: UnsafeMutablePointer<Int32>,
    _ ranges: UnsafeMutablePointer<Float>, _ slopes: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.binRays(
        ends, capacity, count, origin, binCount, bins, ranges, slopes)
    case .baseline:
      unsafe SwiftletKernels.binRays(
        ends, capacity, count, origin, binCount, bins, ranges, slopes)
    case .avx2:
      unsafe SwiftletKernelsAVX2.binRays(
        ends, capacity, count, origin, binCount, bins, ranges, slopes)
    case .avx512:
      unsafe SwiftletKernelsAVX512.binRays(
        ends, capacity, count, origin, binCount, bins, ranges, slopes)
    }
  }

  @unsafe @inline(__always)
  static func countBins(
    _ set: InstructionSet, _ bins: UnsafePointer<Int32>, _ count: Int, _ firstBin: Int,
    _ lastBin: Int, _ counts: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.countBins(
        bins, count, firstBin, lastBin, counts)
    case .baseline:
      unsafe SwiftletKernels.countBins(
        bins, count, firstBin, lastBin, counts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.countBins(
        bins, count, firstBin, lastBin, counts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.countBins(
        bins, count, firstBin, lastBin, counts)
    }
  }

  @unsafe @inline(__always)
  static func fillBins(
    _ set: InstructionSet, _ bins: UnsafePointer<Int32>, _ ranges: UnsafePointer<Float>,
    _ slopes: UnsafePointer<Float>, _ count: Int, _ firstBin: Int, _ lastBin: Int,
    _ cursors: UnsafeMutablePointer<Int32>, _ binRanges: UnsafeMutablePointer<Float>,
    _ binSlopes: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.fillBins(
        bins, ranges, slopes, count, firstBin, lastBin, cursors, binRanges, binSlopes)
    case .baseline:
      unsafe SwiftletKernels.fillBins(
        bins, ranges, slopes, count, firstBin, lastBin, cursors, binRanges, binSlopes)
    case .avx2:
      unsafe SwiftletKernelsAVX2.fillBins(
        bins, ranges, slopes, count, firstBin, lastBin, cursors, binRanges, binSlopes)
    case .avx512:
      unsafe SwiftletKernelsAVX512.fillBins(
        bins, ranges, slopes, count, firstBin, lastBin, cursors, binRanges, binSlopes)
    }
  }

  @unsafe @inline(__always)
  static func closeBins(
    _ set: InstructionSet, _ starts: UnsafePointer<Int32>, _ cursors: UnsafePointer<Int32>,
    _ firstBin: Int, _ lastBin: Int, _ binRanges: UnsafeMutablePointer<Float>,
    _ groupRanges: UnsafeMutablePointer<Float>, _ longest: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.closeBins(
        starts, cursors, firstBin, lastBin, binRanges, groupRanges, longest)
    case .baseline:
      unsafe SwiftletKernels.closeBins(
        starts, cursors, firstBin, lastBin, binRanges, groupRanges, longest)
    case .avx2:
      unsafe SwiftletKernelsAVX2.closeBins(
        starts, cursors, firstBin, lastBin, binRanges, groupRanges, longest)
    case .avx512:
      unsafe SwiftletKernelsAVX512.closeBins(
        starts, cursors, firstBin, lastBin, binRanges, groupRanges, longest)
    }
  }

  @unsafe @inline(__always)
  static func carveColumns(
    _ set: InstructionSet, _ origin: UnsafePointer<Float>, _ binCount: Int, _ maximumSamples: Int,
    _ starts: UnsafePointer<Int32>, _ binRanges: UnsafePointer<Float>,
    _ binSlopes: UnsafePointer<Float>, _ groupRanges: UnsafePointer<Float>,
    _ longest: UnsafePointer<Float>, _ sectors: UnsafePointer<Float>,
    _ directions: UnsafePointer<Float>, _ window: UnsafePointer<Int32>, _ firstRow: Int,
    _ lastRow: Int, _ free: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.carveColumns(
        origin, binCount, maximumSamples, starts, binRanges, binSlopes, groupRanges, longest,
        sectors, directions, window, firstRow, lastRow, free)
    case .baseline:
      unsafe SwiftletKernels.carveColumns(
        origin, binCount, maximumSamples, starts, binRanges, binSlopes, groupRanges, longest,
        sectors, directions, window, firstRow, lastRow, free)
    case .avx2:
      unsafe SwiftletKernelsAVX2.carveColumns(
        origin, binCount, maximumSamples, starts, binRanges, binSlopes, groupRanges, longest,
        sectors, directions, window, firstRow, lastRow, free)
    case .avx512:
      unsafe SwiftletKernelsAVX512.carveColumns(
        origin, binCount, maximumSamples, starts, binRanges, binSlopes, groupRanges, longest,
        sectors, directions, window, firstRow, lastRow, free)
    }
  }

  @unsafe @inline(__always)
  static func carveRays(
    _ set: InstructionSet, _ ends: UnsafePointer<Float>, _ capacity: Int,
    _ order: UnsafePointer<Int32>, _ count: Int, _ parameters: UnsafePointer<Double>,
    _ volume: UnsafePointer<Int32>, _ bits: UnsafeMutablePointer<UInt64>,
    _ scratch: UnsafeMutablePointer<Int64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.carveRays(
        ends, capacity, order, count, parameters, volume, bits, scratch)
    case .baseline:
      unsafe SwiftletKernels.carveRays(
        ends, capacity, order, count, parameters, volume, bits, scratch)
    case .avx2:
      unsafe SwiftletKernelsAVX2.carveRays(
        ends, capacity, order, count, parameters, volume, bits, scratch)
    case .avx512:
      unsafe SwiftletKernelsAVX512.carveRays(
        ends, capacity, order, count, parameters, volume, bits, scratch)
    }
  }

  @unsafe @inline(__always)
  static func markHits(
    _ set: InstructionSet, _ keys: UnsafePointer<Int32>, _ isHit: UnsafePointer<UInt8>,
    _ capacity: Int, _ count: Int, _ volume: UnsafePointer<Int32>, _ firstRow: Int, _ lastRow: Int,
    _ bits: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.markHits(
        keys, isHit, capacity, count, volume, firstRow, lastRow, bits)
    case .baseline:
      unsafe SwiftletKernels.markHits(
        keys, isHit, capacity, count, volume, firstRow, lastRow, bits)
    case .avx2:
      unsafe SwiftletKernelsAVX2.markHits(
        keys, isHit, capacity, count, volume, firstRow, lastRow, bits)
    case .avx512:
      unsafe SwiftletKernelsAVX512.markHits(
        keys, isHit, capacity, count, volume, firstRow, lastRow, bits)
    }
  }

  @unsafe @inline(__always)
  static func foldBytes(
    _ set: InstructionSet, _ free: UnsafeMutablePointer<UInt64>, _ partCount: Int,
    _ partStride: Int, _ hits: UnsafeMutablePointer<UInt64>, _ columnCount: Int,
    _ evidenceStride: Int, _ lineStride: Int, _ wordCount: Int, _ masks: UnsafePointer<UInt64>,
    _ lines: UnsafeMutablePointer<Int8>, _ occupied: UnsafeMutablePointer<UInt64>,
    _ known: UnsafeMutablePointer<UInt64>, _ model: UnsafePointer<Int8>,
    _ totals: UnsafeMutablePointer<Int>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, model, totals)
    case .baseline:
      unsafe SwiftletKernels.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, model, totals)
    case .avx2:
      unsafe SwiftletKernelsAVX2.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, model, totals)
    case .avx512:
      unsafe SwiftletKernelsAVX512.foldBytes(
        free, partCount, partStride, hits, columnCount, evidenceStride, lineStride, wordCount,
        masks, lines, occupied, known, model, totals)
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
  static func orderRays(
    _ set: InstructionSet, _ keys: UnsafePointer<Int32>, _ capacity: Int,
    _ origin: UnsafePointer<Int32>, _ first: Int, _ count: Int,
    _ buckets: UnsafeMutablePointer<Int32>, _ order: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.orderRays(
        keys, capacity, origin, first, count, buckets, order)
    case .baseline:
      unsafe SwiftletKernels.orderRays(
        keys, capacity, origin, first, count, buckets, order)
    case .avx2:
      unsafe SwiftletKernelsAVX2.orderRays(
        keys, capacity, origin, first, count, buckets, order)
    case .avx512:
      unsafe SwiftletKernelsAVX512.orderRays(
        keys, capacity, origin, first, count, buckets, order)
    }
  }

  @unsafe @inline(__always)
  static func listRayVoxels(
    _ set: InstructionSet, _ ends: UnsafePointer<Float>, _ capacity: Int, _ first: Int,
    _ count: Int, _ parameters: UnsafePointer<Double>, _ limit: Int,
    _ voxels: UnsafeMutablePointer<Int64>, _ counts: UnsafeMutablePointer<Int64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.listRayVoxels(
        ends, capacity, first, count, parameters, limit, voxels, counts)
    case .baseline:
      unsafe SwiftletKernels.listRayVoxels(
        ends, capacity, first, count, parameters, limit, voxels, counts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.listRayVoxels(
        ends, capacity, first, count, parameters, limit, voxels, counts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.listRayVoxels(
        ends, capacity, first, count, parameters, limit, voxels, counts)
    }
  }

  @unsafe @inline(__always)
  static func findRayEnds(
    _ set: InstructionSet, _ x: UnsafePointer<Float>, _ y: UnsafePointer<Float>,
    _ z: UnsafePointer<Float>, _ count: Int, _ parameters: UnsafePointer<Double>,
    _ ends: UnsafeMutablePointer<Float>, _ keys: UnsafeMutablePointer<Int32>,
    _ isHit: UnsafeMutablePointer<UInt8>, _ capacity: Int, _ bounds: UnsafeMutablePointer<Int32>,
    _ dropped: UnsafeMutablePointer<Int>
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.findRayEnds(
        x, y, z, count, parameters, ends, keys, isHit, capacity, bounds, dropped)
    case .baseline:
      unsafe SwiftletKernels.findRayEnds(
        x, y, z, count, parameters, ends, keys, isHit, capacity, bounds, dropped)
    case .avx2:
      unsafe SwiftletKernelsAVX2.findRayEnds(
        x, y, z, count, parameters, ends, keys, isHit, capacity, bounds, dropped)
    case .avx512:
      unsafe SwiftletKernelsAVX512.findRayEnds(
        x, y, z, count, parameters, ends, keys, isHit, capacity, bounds, dropped)
    }
  }

  @unsafe @inline(__always)
  static func transformPoints(
    _ set: InstructionSet, _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int,
    _ zOffset: Int, _ count: Int, _ matrix: UnsafePointer<Double>,
    _ worldX: UnsafeMutablePointer<Float>, _ worldY: UnsafeMutablePointer<Float>,
    _ worldZ: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.transformPoints(
        base, stride, xOffset, yOffset, zOffset, count, matrix, worldX, worldY, worldZ)
    case .baseline:
      unsafe SwiftletKernels.transformPoints(
        base, stride, xOffset, yOffset, zOffset, count, matrix, worldX, worldY, worldZ)
    case .avx2:
      unsafe SwiftletKernelsAVX2.transformPoints(
        base, stride, xOffset, yOffset, zOffset, count, matrix, worldX, worldY, worldZ)
    case .avx512:
      unsafe SwiftletKernelsAVX512.transformPoints(
        base, stride, xOffset, yOffset, zOffset, count, matrix, worldX, worldY, worldZ)
    }
  }

  @unsafe @inline(__always)
  static func dropPointsInBox(
    _ set: InstructionSet, _ base: UnsafeRawPointer, _ stride: Int, _ xOffset: Int, _ yOffset: Int,
    _ zOffset: Int, _ count: Int, _ matrix: UnsafePointer<Double>, _ box: UnsafePointer<Double>,
    _ worldX: UnsafeMutablePointer<Float>, _ worldY: UnsafeMutablePointer<Float>,
    _ worldZ: UnsafeMutablePointer<Float>
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.dropPointsInBox(
        base, stride, xOffset, yOffset, zOffset, count, matrix, box, worldX, worldY, worldZ)
    case .baseline:
      unsafe SwiftletKernels.dropPointsInBox(
        base, stride, xOffset, yOffset, zOffset, count, matrix, box, worldX, worldY, worldZ)
    case .avx2:
      unsafe SwiftletKernelsAVX2.dropPointsInBox(
        base, stride, xOffset, yOffset, zOffset, count, matrix, box, worldX, worldY, worldZ)
    case .avx512:
      unsafe SwiftletKernelsAVX512.dropPointsInBox(
        base, stride, xOffset, yOffset, zOffset, count, matrix, box, worldX, worldY, worldZ)
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

  @unsafe @inline(__always)
  static func markWindowHits(
    _ set: InstructionSet, _ keys: UnsafePointer<Int32>, _ isHit: UnsafePointer<UInt8>,
    _ capacity: Int, _ count: Int, _ window: UnsafePointer<Int32>, _ firstRow: Int, _ lastRow: Int,
    _ hits: UnsafeMutablePointer<UInt64>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.markWindowHits(
        keys, isHit, capacity, count, window, firstRow, lastRow, hits)
    case .baseline:
      unsafe SwiftletKernels.markWindowHits(
        keys, isHit, capacity, count, window, firstRow, lastRow, hits)
    case .avx2:
      unsafe SwiftletKernelsAVX2.markWindowHits(
        keys, isHit, capacity, count, window, firstRow, lastRow, hits)
    case .avx512:
      unsafe SwiftletKernelsAVX512.markWindowHits(
        keys, isHit, capacity, count, window, firstRow, lastRow, hits)
    }
  }
}

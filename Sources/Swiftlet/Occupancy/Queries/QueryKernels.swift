import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The query kernels of a chosen instruction set. One enum switch a call.
enum QueryKernels {
  @unsafe @inline(__always)
  static func castWindowRays(
    _ set: InstructionSet, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
    _ layout: UnsafePointer<Int>, _ origin: UnsafePointer<Double>,
    _ directions: UnsafePointer<Float>, _ first: Int, _ last: Int, _ unknownStops: UInt64,
    _ distances: UnsafeMutablePointer<Float>, _ states: UnsafeMutablePointer<UInt8>,
    _ voxels: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.castWindowRays(
        occupied, known, layout, origin, directions, first, last, unknownStops, distances, states,
        voxels)
    case .baseline:
      unsafe SwiftletKernels.castWindowRays(
        occupied, known, layout, origin, directions, first, last, unknownStops, distances, states,
        voxels)
    case .avx2:
      unsafe SwiftletKernelsAVX2.castWindowRays(
        occupied, known, layout, origin, directions, first, last, unknownStops, distances, states,
        voxels)
    case .avx512:
      unsafe SwiftletKernelsAVX512.castWindowRays(
        occupied, known, layout, origin, directions, first, last, unknownStops, distances, states,
        voxels)
    }
  }

  @unsafe @inline(__always)
  static func countBoxVoxels(
    _ set: InstructionSet, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
    _ layout: UnsafePointer<Int>, _ box: UnsafePointer<Double>, _ counts: UnsafeMutablePointer<Int>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.countBoxVoxels(occupied, known, layout, box, counts)
    case .baseline:
      unsafe SwiftletKernels.countBoxVoxels(occupied, known, layout, box, counts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.countBoxVoxels(occupied, known, layout, box, counts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.countBoxVoxels(occupied, known, layout, box, counts)
    }
  }

  @unsafe @inline(__always)
  static func reducePyramidRow(
    _ set: InstructionSet, _ upper0: UnsafePointer<Int8>, _ upper1: UnsafePointer<Int8>,
    _ lower0: UnsafePointer<Int8>, _ lower1: UnsafePointer<Int8>, _ has0: Int, _ has1: Int,
    _ layout: UnsafePointer<Int>, _ blank: UnsafePointer<Int8>,
    _ scratch: UnsafeMutablePointer<Int8>, _ maximum: UnsafeMutablePointer<Int8>,
    _ minimum: UnsafeMutablePointer<Int8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.reducePyramidRow(
        upper0, upper1, lower0, lower1, has0, has1, layout, blank, scratch, maximum, minimum)
    case .baseline:
      unsafe SwiftletKernels.reducePyramidRow(
        upper0, upper1, lower0, lower1, has0, has1, layout, blank, scratch, maximum, minimum)
    case .avx2:
      unsafe SwiftletKernelsAVX2.reducePyramidRow(
        upper0, upper1, lower0, lower1, has0, has1, layout, blank, scratch, maximum, minimum)
    case .avx512:
      unsafe SwiftletKernelsAVX512.reducePyramidRow(
        upper0, upper1, lower0, lower1, has0, has1, layout, blank, scratch, maximum, minimum)
    }
  }

  @unsafe @inline(__always)
  static func growGroundRow(
    _ set: InstructionSet, _ occupied: UnsafePointer<UInt64>, _ layout: UnsafePointer<Int>,
    _ y: Int, _ startX: Int, _ seed: Int, _ step: Int, _ inner: UnsafePointer<Int16>?,
    _ ground: UnsafeMutablePointer<Int16>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.growGroundRow(
        occupied, layout, y, startX, seed, step, inner, ground)
    case .baseline:
      unsafe SwiftletKernels.growGroundRow(occupied, layout, y, startX, seed, step, inner, ground)
    case .avx2:
      unsafe SwiftletKernelsAVX2.growGroundRow(
        occupied, layout, y, startX, seed, step, inner, ground)
    case .avx512:
      unsafe SwiftletKernelsAVX512.growGroundRow(
        occupied, layout, y, startX, seed, step, inner, ground)
    }
  }

  @unsafe @inline(__always)
  static func maskObstacles(
    _ set: InstructionSet, _ occupied: UnsafePointer<UInt64>, _ known: UnsafePointer<UInt64>,
    _ layout: UnsafePointer<Int>, _ ground: UnsafePointer<Int16>, _ low: Int, _ high: Int,
    _ first: Int, _ last: Int, _ obstacles: UnsafeMutablePointer<UInt64>,
    _ states: UnsafeMutablePointer<UInt8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.maskObstacles(
        occupied, known, layout, ground, low, high, first, last, obstacles, states)
    case .baseline:
      unsafe SwiftletKernels.maskObstacles(
        occupied, known, layout, ground, low, high, first, last, obstacles, states)
    case .avx2:
      unsafe SwiftletKernelsAVX2.maskObstacles(
        occupied, known, layout, ground, low, high, first, last, obstacles, states)
    case .avx512:
      unsafe SwiftletKernelsAVX512.maskObstacles(
        occupied, known, layout, ground, low, high, first, last, obstacles, states)
    }
  }

  @unsafe @inline(__always)
  static func labelRuns(
    _ set: InstructionSet, _ bits: UnsafePointer<UInt64>, _ columns: Int, _ rows: Int, _ words: Int,
    _ capacity: Int, _ starts: UnsafeMutablePointer<Int32>, _ lows: UnsafeMutablePointer<Int16>,
    _ highs: UnsafeMutablePointer<Int16>, _ parents: UnsafeMutablePointer<Int32>
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.labelRuns(
        bits, columns, rows, words, capacity, starts, lows, highs, parents)
    case .baseline:
      unsafe SwiftletKernels.labelRuns(
        bits, columns, rows, words, capacity, starts, lows, highs, parents)
    case .avx2:
      unsafe SwiftletKernelsAVX2.labelRuns(
        bits, columns, rows, words, capacity, starts, lows, highs, parents)
    case .avx512:
      unsafe SwiftletKernelsAVX512.labelRuns(
        bits, columns, rows, words, capacity, starts, lows, highs, parents)
    }
  }

  @unsafe @inline(__always)
  static func measureComponents(
    _ set: InstructionSet, _ columns: Int, _ rows: Int, _ starts: UnsafePointer<Int32>,
    _ lows: UnsafePointer<Int16>, _ highs: UnsafePointer<Int16>, _ parents: UnsafePointer<Int32>,
    _ indices: UnsafeMutablePointer<Int32>, _ sums: UnsafeMutablePointer<Double>, _ capacity: Int
  ) -> Int {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.measureComponents(
        columns, rows, starts, lows, highs, parents, indices, sums, capacity)
    case .baseline:
      unsafe SwiftletKernels.measureComponents(
        columns, rows, starts, lows, highs, parents, indices, sums, capacity)
    case .avx2:
      unsafe SwiftletKernelsAVX2.measureComponents(
        columns, rows, starts, lows, highs, parents, indices, sums, capacity)
    case .avx512:
      unsafe SwiftletKernelsAVX512.measureComponents(
        columns, rows, starts, lows, highs, parents, indices, sums, capacity)
    }
  }

  @unsafe @inline(__always)
  static func measureExtents(
    _ set: InstructionSet, _ columns: Int, _ rows: Int, _ starts: UnsafePointer<Int32>,
    _ indices: UnsafePointer<Int32>, _ axes: UnsafePointer<Double>,
    _ extents: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.measureExtents(columns, rows, starts, indices, axes, extents)
    case .baseline:
      unsafe SwiftletKernels.measureExtents(columns, rows, starts, indices, axes, extents)
    case .avx2:
      unsafe SwiftletKernelsAVX2.measureExtents(columns, rows, starts, indices, axes, extents)
    case .avx512:
      unsafe SwiftletKernelsAVX512.measureExtents(columns, rows, starts, indices, axes, extents)
    }
  }

  @unsafe @inline(__always)
  static func costDistanceAlongRows(
    _ set: InstructionSet, _ states: UnsafePointer<UInt8>, _ columns: Int, _ first: Int,
    _ last: Int, _ reach: Int, _ stride: Int, _ field: UnsafeMutablePointer<Int16>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.costDistanceAlongRows(
        states, columns, first, last, reach, stride, field)
    case .baseline:
      unsafe SwiftletKernels.costDistanceAlongRows(
        states, columns, first, last, reach, stride, field)
    case .avx2:
      unsafe SwiftletKernelsAVX2.costDistanceAlongRows(
        states, columns, first, last, reach, stride, field)
    case .avx512:
      unsafe SwiftletKernelsAVX512.costDistanceAlongRows(
        states, columns, first, last, reach, stride, field)
    }
  }

  @unsafe @inline(__always)
  static func inflateCosts(
    _ set: InstructionSet, _ states: UnsafePointer<UInt8>, _ columns: Int, _ rows: Int,
    _ first: Int, _ last: Int, _ reach: Int, _ stride: Int, _ field: UnsafePointer<Int16>,
    _ table: UnsafePointer<Int8>, _ solid: Int8, _ line: UnsafeMutablePointer<Int16>,
    _ costs: UnsafeMutablePointer<Int8>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.inflateCosts(
        states, columns, rows, first, last, reach, stride, field, table, solid, line, costs)
    case .baseline:
      unsafe SwiftletKernels.inflateCosts(
        states, columns, rows, first, last, reach, stride, field, table, solid, line, costs)
    case .avx2:
      unsafe SwiftletKernelsAVX2.inflateCosts(
        states, columns, rows, first, last, reach, stride, field, table, solid, line, costs)
    case .avx512:
      unsafe SwiftletKernelsAVX512.inflateCosts(
        states, columns, rows, first, last, reach, stride, field, table, solid, line, costs)
    }
  }
}

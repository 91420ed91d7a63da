import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

extension OccupancyKernels {
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
}

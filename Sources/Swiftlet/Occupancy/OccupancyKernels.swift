import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// The occupancy kernels of a chosen instruction set. One enum switch a call. Here: points and ray
/// ends; the other files go by topic.
enum OccupancyKernels {
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
}

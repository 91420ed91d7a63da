import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `FrustumLift.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func rotateRays(
    _ set: InstructionSet, _ x: UnsafePointer<Double>, _ y: UnsafePointer<Double>, _ count: Int,
    _ matrix: UnsafePointer<Double>, _ outX: UnsafeMutablePointer<Float>,
    _ outY: UnsafeMutablePointer<Float>, _ outZ: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.rotateRays(x, y, count, matrix, outX, outY, outZ)
    case .baseline:
      unsafe SwiftletKernels.rotateRays(x, y, count, matrix, outX, outY, outZ)
    case .avx2:
      unsafe SwiftletKernelsAVX2.rotateRays(x, y, count, matrix, outX, outY, outZ)
    case .avx512:
      unsafe SwiftletKernelsAVX512.rotateRays(x, y, count, matrix, outX, outY, outZ)
    }
  }

  @inline(__always)
  static func liftRanks(
    _ set: InstructionSet, _ rayX: UnsafePointer<Float>, _ rayY: UnsafePointer<Float>,
    _ rayZ: UnsafePointer<Float>, _ count: Int, _ depth: Float, _ grid: UnsafePointer<Float>,
    _ ranks: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.liftRanks(rayX, rayY, rayZ, count, depth, grid, ranks)
    case .baseline:
      unsafe SwiftletKernels.liftRanks(rayX, rayY, rayZ, count, depth, grid, ranks)
    case .avx2:
      unsafe SwiftletKernelsAVX2.liftRanks(rayX, rayY, rayZ, count, depth, grid, ranks)
    case .avx512:
      unsafe SwiftletKernelsAVX512.liftRanks(rayX, rayY, rayZ, count, depth, grid, ranks)
    }
  }

  @inline(__always)
  static func liftPoints(
    _ set: InstructionSet, _ rayX: UnsafePointer<Float>, _ rayY: UnsafePointer<Float>,
    _ rayZ: UnsafePointer<Float>, _ count: Int, _ depth: Float, _ origin: UnsafePointer<Float>,
    _ points: UnsafeMutablePointer<Float>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.liftPoints(rayX, rayY, rayZ, count, depth, origin, points)
    case .baseline:
      unsafe SwiftletKernels.liftPoints(rayX, rayY, rayZ, count, depth, origin, points)
    case .avx2:
      unsafe SwiftletKernelsAVX2.liftPoints(rayX, rayY, rayZ, count, depth, origin, points)
    case .avx512:
      unsafe SwiftletKernelsAVX512.liftPoints(rayX, rayY, rayZ, count, depth, origin, points)
    }
  }
}

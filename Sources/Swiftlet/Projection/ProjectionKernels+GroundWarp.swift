import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `GroundWarp.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func groundPixels(
    _ set: InstructionSet, _ camera: UnsafePointer<Double>, _ view: UnsafePointer<Double>,
    _ bounds: UnsafePointer<Double>, _ kind: Int, _ count: Int,
    _ u: UnsafeMutablePointer<Double>, _ v: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.groundPixels(camera, view, bounds, kind, count, u, v)
    case .baseline:
      unsafe SwiftletKernels.groundPixels(camera, view, bounds, kind, count, u, v)
    case .avx2:
      unsafe SwiftletKernelsAVX2.groundPixels(camera, view, bounds, kind, count, u, v)
    case .avx512:
      unsafe SwiftletKernelsAVX512.groundPixels(camera, view, bounds, kind, count, u, v)
    }
  }

  @inline(__always)
  static func blendGround(
    _ set: InstructionSet, _ starts: UnsafePointer<Int32>, _ cameras: UnsafePointer<Int32>,
    _ pixels: UnsafePointer<Int32>, _ fractionsX: UnsafePointer<Float>,
    _ fractionsY: UnsafePointer<Float>, _ weights: UnsafePointer<Float>?,
    _ images: UnsafePointer<UInt>, _ strides: UnsafePointer<Int32>, _ blocksPerRow: Int,
    _ width: Int, _ begin: Int, _ end: Int, _ colors: UnsafeMutablePointer<Float>,
    _ counts: UnsafeMutablePointer<Int32>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.blendGround(
        starts, cameras, pixels, fractionsX, fractionsY, weights, images, strides, blocksPerRow,
        width, begin, end, colors, counts)
    case .baseline:
      unsafe SwiftletKernels.blendGround(
        starts, cameras, pixels, fractionsX, fractionsY, weights, images, strides, blocksPerRow,
        width, begin, end, colors, counts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.blendGround(
        starts, cameras, pixels, fractionsX, fractionsY, weights, images, strides, blocksPerRow,
        width, begin, end, colors, counts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.blendGround(
        starts, cameras, pixels, fractionsX, fractionsY, weights, images, strides, blocksPerRow,
        width, begin, end, colors, counts)
    }
  }
}

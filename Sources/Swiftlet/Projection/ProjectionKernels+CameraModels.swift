import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Calls the kernels of `CameraModels.swift` in the build for `set`.
extension ProjectionKernels {
  @inline(__always)
  static func projectBrownConrady(
    _ set: InstructionSet, _ points: UnsafePointer<Double>, _ count: Int,
    _ camera: UnsafePointer<Double>, _ pixels: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.projectBrownConrady(points, count, camera, pixels)
    case .baseline:
      unsafe SwiftletKernels.projectBrownConrady(points, count, camera, pixels)
    case .avx2:
      unsafe SwiftletKernelsAVX2.projectBrownConrady(points, count, camera, pixels)
    case .avx512:
      unsafe SwiftletKernelsAVX512.projectBrownConrady(points, count, camera, pixels)
    }
  }

  @inline(__always)
  static func projectRadial(
    _ set: InstructionSet, _ points: UnsafePointer<Double>, _ count: Int,
    _ camera: UnsafePointer<Double>, _ kind: Int, _ pixels: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.projectRadial(points, count, camera, kind, pixels)
    case .baseline:
      unsafe SwiftletKernels.projectRadial(points, count, camera, kind, pixels)
    case .avx2:
      unsafe SwiftletKernelsAVX2.projectRadial(points, count, camera, kind, pixels)
    case .avx512:
      unsafe SwiftletKernelsAVX512.projectRadial(points, count, camera, kind, pixels)
    }
  }

  @inline(__always)
  static func unprojectBrownConrady(
    _ set: InstructionSet, _ pixels: UnsafePointer<Double>, _ count: Int,
    _ camera: UnsafePointer<Double>, _ rays: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.unprojectBrownConrady(pixels, count, camera, rays)
    case .baseline:
      unsafe SwiftletKernels.unprojectBrownConrady(pixels, count, camera, rays)
    case .avx2:
      unsafe SwiftletKernelsAVX2.unprojectBrownConrady(pixels, count, camera, rays)
    case .avx512:
      unsafe SwiftletKernelsAVX512.unprojectBrownConrady(pixels, count, camera, rays)
    }
  }

  @inline(__always)
  static func unprojectRadial(
    _ set: InstructionSet, _ pixels: UnsafePointer<Double>, _ count: Int,
    _ camera: UnsafePointer<Double>, _ kind: Int, _ rays: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.unprojectRadial(pixels, count, camera, kind, rays)
    case .baseline:
      unsafe SwiftletKernels.unprojectRadial(pixels, count, camera, kind, rays)
    case .avx2:
      unsafe SwiftletKernelsAVX2.unprojectRadial(pixels, count, camera, kind, rays)
    case .avx512:
      unsafe SwiftletKernelsAVX512.unprojectRadial(pixels, count, camera, kind, rays)
    }
  }
}

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
  static func projectKannalaBrandt(
    _ set: InstructionSet, _ points: UnsafePointer<Double>, _ count: Int,
    _ camera: UnsafePointer<Double>, _ pixels: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.projectKannalaBrandt(points, count, camera, pixels)
    case .baseline:
      unsafe SwiftletKernels.projectKannalaBrandt(points, count, camera, pixels)
    case .avx2:
      unsafe SwiftletKernelsAVX2.projectKannalaBrandt(points, count, camera, pixels)
    case .avx512:
      unsafe SwiftletKernelsAVX512.projectKannalaBrandt(points, count, camera, pixels)
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
  static func unprojectKannalaBrandt(
    _ set: InstructionSet, _ pixels: UnsafePointer<Double>, _ count: Int,
    _ camera: UnsafePointer<Double>, _ rays: UnsafeMutablePointer<Double>
  ) {
    switch set {
    case .portable:
      unsafe SwiftletKernelsPortable.unprojectKannalaBrandt(pixels, count, camera, rays)
    case .baseline:
      unsafe SwiftletKernels.unprojectKannalaBrandt(pixels, count, camera, rays)
    case .avx2:
      unsafe SwiftletKernelsAVX2.unprojectKannalaBrandt(pixels, count, camera, rays)
    case .avx512:
      unsafe SwiftletKernelsAVX512.unprojectKannalaBrandt(pixels, count, camera, rays)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Rows of feature cells, dealt to threads in blocks.
@unsafe
struct EncodeRowsJob: PartitionedJob {
  var image: UnsafePointer<UInt8>
  var width: Int
  var height: Int
  var byteStride: Int
  var rawFromNetwork: SIMD8<Float>
  var networkWidth: Int
  var networkHeight: Int
  var channels: Int
  var scratch: UnsafeMutablePointer<Float>
  var scratchPerPart: Int
  var features: UnsafeMutablePointer<Float>
  var set: InstructionSet

  func run(part: Int, of parts: Int) {
    let mine = unsafe scratch + part * scratchPerPart
    for row in unsafe partition(networkHeight / 16, part: part, of: parts) {
      unsafe encode(row, mine, features + row * (networkWidth / 16) * channels)
    }
  }

  private func encode(
    _ row: Int, _ scratch: UnsafeMutablePointer<Float>, _ output: UnsafeMutablePointer<Float>
  ) {
    unsafe withUnsafeBytes(of: rawFromNetwork) { raw in
      guard let map = unsafe raw.assumingMemoryBound(to: Float.self).baseAddress else { return }
      switch unsafe set {
      case .portable:
        unsafe SwiftletKernelsPortable.encodeImageRow(
          image, width, height, byteStride, map, networkWidth, networkHeight, row, channels,
          scratch, output)
      case .baseline:
        unsafe SwiftletKernels.encodeImageRow(
          image, width, height, byteStride, map, networkWidth, networkHeight, row, channels,
          scratch, output)
      case .avx2:
        unsafe SwiftletKernelsAVX2.encodeImageRow(
          image, width, height, byteStride, map, networkWidth, networkHeight, row, channels,
          scratch, output)
      case .avx512:
        unsafe SwiftletKernelsAVX512.encodeImageRow(
          image, width, height, byteStride, map, networkWidth, networkHeight, row, channels,
          scratch, output)
      }
    }
  }
}

/// One LiDAR's points counted into one camera's depth bins.
@unsafe
struct CountDepthJob {
  var points: PointCloudView
  var cameraFromPoints: SIMD16<Float>
  var pinhole: SIMD4<Float>
  var networkFromRaw: SIMD8<Float>
  var networkWidth: Int
  var networkHeight: Int
  var lower: Float
  var step: Float
  var bins: Int
  var counts: UnsafeMutablePointer<Float>
  var set: InstructionSet

  func run() {
    guard let base = unsafe points.baseAddress else { return }
    unsafe withUnsafeBytes(of: cameraFromPoints) { t in
      unsafe withUnsafeBytes(of: pinhole) { k in
        unsafe withUnsafeBytes(of: networkFromRaw) { a in
          guard let t = unsafe t.assumingMemoryBound(to: Float.self).baseAddress,
            let k = unsafe k.assumingMemoryBound(to: Float.self).baseAddress,
            let a = unsafe a.assumingMemoryBound(to: Float.self).baseAddress
          else { return }
          unsafe count(base, t, k, a)
        }
      }
    }
  }

  private func count(
    _ base: UnsafeRawPointer, _ t: UnsafePointer<Float>, _ k: UnsafePointer<Float>,
    _ a: UnsafePointer<Float>
  ) {
    let p = unsafe points
    switch unsafe set {
    case .portable:
      unsafe SwiftletKernelsPortable.countDepthEvidence(
        base, p.count, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, t, k, a,
        networkWidth, networkHeight, lower, step, bins, counts)
    case .baseline:
      unsafe SwiftletKernels.countDepthEvidence(
        base, p.count, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, t, k, a,
        networkWidth, networkHeight, lower, step, bins, counts)
    case .avx2:
      unsafe SwiftletKernelsAVX2.countDepthEvidence(
        base, p.count, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, t, k, a,
        networkWidth, networkHeight, lower, step, bins, counts)
    case .avx512:
      unsafe SwiftletKernelsAVX512.countDepthEvidence(
        base, p.count, p.byteStride, p.xByteOffset, p.yByteOffset, p.zByteOffset, t, k, a,
        networkWidth, networkHeight, lower, step, bins, counts)
    }
  }
}

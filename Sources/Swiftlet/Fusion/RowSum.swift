import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// output[row] = before[row] beside first[row] + second[row]; without `before` the sum alone.
@unsafe struct RowSumJob: PartitionedJob {
  var rows: Int
  var channels: Int
  var before: UnsafePointer<Float>?
  var first: UnsafePointer<Float>
  var second: UnsafePointer<Float>
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(rows, part: part, of: parts)
    guard case .simd(let set) = unsafe engine else {
      for row in range { unsafe sumReference(row) }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.sumRows
      case .baseline: unsafe SwiftletKernels.sumRows
      case .avx2: unsafe SwiftletKernelsAVX2.sumRows
      case .avx512: unsafe SwiftletKernelsAVX512.sumRows
      }
    unsafe run(before, first, second, range.lowerBound, range.upperBound, channels, output)
  }

  private func sumReference(_ row: Int) {
    let c = unsafe channels
    let target = unsafe output + row * (before == nil ? c : 2 * c)
    for channel in 0..<c {
      let sum = unsafe first[row * c + channel] + second[row * c + channel]
      if let before = unsafe before {
        unsafe target[channel] = before[row * c + channel]
        unsafe target[c + channel] = sum
      } else {
        unsafe target[channel] = sum
      }
    }
  }
}

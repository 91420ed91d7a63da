import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Two stages: keys and values are packed in blocks of 16 keys; then groups of queries of each
/// head are attended.
@unsafe struct AttentionJob: PartitionedJob {
  var heads: Int
  var keyWidth: Int
  var valueWidth: Int
  var queries: HeadTensor
  var queryCount: Int
  var keys: HeadTensor
  var values: HeadTensor
  var keyCount: Int
  var scale: Float
  var mask: AttentionMask
  var output: HeadTensor
  var packedKeys: UnsafeMutablePointer<Float>
  var packedValues: UnsafeMutablePointer<Float>
  var scratch: UnsafeMutablePointer<Float>
  var scratchStride: Int
  var set: InstructionSet
  var isPacking: Bool

  /// A whole number of every instruction set's groups of tiles: 8, 16, 24 or 48 rows.
  private static let groupRows = 48
  private var paddedKeys: Int { unsafe (keyCount + 15) & ~15 }
  private var paddedValues: Int { unsafe (valueWidth + 15) & ~15 }

  func run(part: Int, of parts: Int) {
    if unsafe isPacking {
      let blocks = unsafe paddedKeys / 16
      for item in unsafe partition(heads * blocks, part: part, of: parts) {
        unsafe pack(head: item / blocks, key: item % blocks * 16)
      }
    } else {
      let groups = unsafe (queryCount + Self.groupRows - 1) / Self.groupRows
      let own = unsafe scratch + part * scratchStride
      for item in unsafe partition(heads * groups, part: part, of: parts) {
        unsafe attend(head: item / groups, row: item % groups * Self.groupRows, own)
      }
    }
  }

  private func pack(head: Int, key: Int) {
    let count = unsafe min(16, keyCount - key)
    let (packKeys, packValues) =
      switch unsafe set {
      case .portable:
        unsafe (SwiftletKernelsPortable.packWeights, SwiftletKernelsPortable.packValues)
      case .baseline: unsafe (SwiftletKernels.packWeights, SwiftletKernels.packValues)
      case .avx2: unsafe (SwiftletKernelsAVX2.packWeights, SwiftletKernelsAVX2.packValues)
      case .avx512: unsafe (SwiftletKernelsAVX512.packWeights, SwiftletKernelsAVX512.packValues)
      }
    unsafe packKeys(
      keys.base + head * keys.headStride + key * keys.rowStride, count, keyWidth, keys.rowStride,
      packedKeys + (head * paddedKeys + key) * keyWidth)
    unsafe packValues(
      values.base + head * values.headStride, values.rowStride, key, key + count, valueWidth,
      packedValues + head * paddedKeys * paddedValues, paddedKeys * 16)
  }

  private func attend(head: Int, row: Int, _ own: UnsafeMutablePointer<Float>) {
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.attendRows
      case .baseline: unsafe SwiftletKernels.attendRows
      case .avx2: unsafe SwiftletKernelsAVX2.attendRows
      case .avx512: unsafe SwiftletKernelsAVX512.attendRows
      }
    unsafe run(
      queries.base + head * queries.headStride, queries.rowStride, row,
      min(row + Self.groupRows, queryCount),
      packedKeys + head * paddedKeys * keyWidth, packedValues + head * paddedKeys * paddedValues,
      paddedKeys * 16, keyCount, keyWidth, valueWidth, scale, mask.excluded, mask.excludedStride,
      mask.additive, mask.additiveStride, output.base + head * output.headStride, output.rowStride,
      own)
  }
}

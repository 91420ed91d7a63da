import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// A borrowed tensor [head][row][channel] whose channels are contiguous: heads packed side by side in
/// the channels of one matrix, or one matrix per head. Strides in floats.
@unsafe
public struct HeadTensor: BitwiseCopyable {
  public var base: UnsafeMutablePointer<Float>
  public var headStride: Int
  public var rowStride: Int

  public init(base: UnsafeMutablePointer<Float>, headStride: Int, rowStride: Int) {
    unsafe self.base = base
    unsafe self.headStride = headStride
    unsafe self.rowStride = rowStride
  }
}

/// Which keys a query may attend to; the same for every head.
@unsafe
public struct AttentionMask: BitwiseCopyable {
  /// [query][key], not 0 where the key is left out; nil for none.
  public var excluded: UnsafePointer<UInt8>?
  /// Bytes between queries; 0 for a key padding mask.
  public var excludedStride: Int
  /// [query][key] added to the scaled product; nil for none.
  public var additive: UnsafePointer<Float>?
  public var additiveStride: Int

  public init(
    excluded: UnsafePointer<UInt8>? = nil, excludedStride: Int = 0,
    additive: UnsafePointer<Float>? = nil, additiveStride: Int = 0
  ) {
    unsafe self.excluded = excluded
    unsafe self.excludedStride = excludedStride
    unsafe self.additive = additive
    unsafe self.additiveStride = additiveStride
  }
}

/// softmax(scale · q kᵀ + mask) v per head with an online softmax: no matrix of all scores exists.
///
/// Queries whose keys are all left out give 0. Logits of thousands and tens of thousands of keys are
/// exact to rounding ("FlashAttention", arXiv 2205.14135). Allocates nothing after `init`; the same
/// bits for any thread count.
@safe
public final class ScaledDotProductAttention: @unchecked Sendable {
  public let heads: Int
  /// Channels of queries and keys, and of values, per head.
  public let keyWidth: Int
  public let valueWidth: Int
  public let maximumKeys: Int
  private let packedKeys: AlignedBuffer<Float>
  private let packedValues: AlignedBuffer<Float>
  private let scratch: AlignedBuffer<Float>
  private let scratchStride: Int

  public init(
    heads: Int, keyWidth: Int, valueWidth: Int, maximumKeys: Int, maximumThreads: Int = 16
  ) {
    precondition(
      heads > 0 && keyWidth > 0 && valueWidth > 0 && maximumKeys >= 0,
      "\(heads) heads of \(keyWidth) and \(valueWidth) channels, \(maximumKeys) keys")
    self.heads = heads
    self.keyWidth = keyWidth
    self.valueWidth = valueWidth
    self.maximumKeys = maximumKeys
    let capacity = (maximumKeys + 15) & ~15
    packedKeys = AlignedBuffer(count: heads * capacity * keyWidth)
    packedValues = AlignedBuffer(count: heads * capacity * ((valueWidth + 15) & ~15))
    scratchStride = (SwiftletKernels.attentionScratchCount(valueWidth) + 15) & ~15
    scratch = AlignedBuffer(count: scratchStride * maximumThreads)
  }

  /// Attends `queryCount` queries to `keyCount` keys of every head.
  ///
  /// - Precondition: at most `maximumKeys` keys; every tensor has the rows it needs.
  @unsafe
  public func apply(
    queries: HeadTensor, queryCount: Int, keys: HeadTensor, values: HeadTensor, keyCount: Int,
    scale: Float, mask: AttentionMask = unsafe AttentionMask(), into output: HeadTensor, engine: Engine,
    pool: WorkerPool
  ) {
    precondition(keyCount <= maximumKeys, "\(keyCount) keys, \(maximumKeys) were announced")
    precondition(
      pool.threadCount * scratchStride <= scratch.count,
      "\(pool.threadCount) threads, \(scratch.count / scratchStride) were announced")
    var job = unsafe AttentionJob(
      heads: heads, keyWidth: keyWidth, valueWidth: valueWidth, queries: queries,
      queryCount: queryCount, keys: keys, values: values, keyCount: keyCount, scale: scale,
      mask: mask, output: output, packedKeys: packedKeys.pointer,
      packedValues: packedValues.pointer, scratch: scratch.pointer, scratchStride: scratchStride,
      set: .portable, isPacking: true)
    guard case .simd(let set) = engine else { return unsafe job.runReference() }
    unsafe job.set = set
    unsafe pool.run(job)
    unsafe job.isPacking = false
    unsafe pool.run(job)
  }
}

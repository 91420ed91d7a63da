import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Fuses bird's-eye-view maps of several modalities cell by cell with multi-head attention.
///
/// A cell has one query, the mean of its valid tokens plus a query embedding. Key m is
/// Wk (x_m + e_m) + bk, value m is Wv x_m + bv; the softmax runs over the valid modalities only, the
/// output is Wo · heads + bo. A missing modality is masked: it is never read and never averaged in
/// as zeros. A cell without any valid modality is exactly 0 with validity 0.
///
/// Attention as in "Attention Is All You Need" (arXiv 1706.03762) with torch.nn.MultiheadAttention's
/// weights. Allocates nothing after `init`; the same bits for any thread count.
@safe
public final class ModalityFusion: @unchecked Sendable {
  /// The most modalities one call takes: camera, LiDAR, previous map, radar, map prior.
  public static let maximumModalities = 5

  public private(set) var weights: FusionWeights
  public let cellCount: Int
  public let engine: Engine
  private var packed: PackedFusionWeights
  @unsafe private let features: AlignedBuffer<UnsafePointer<Float>?>
  @unsafe private let validities: AlignedBuffer<UnsafePointer<UInt8>?>
  private let scratch: AlignedBuffer<Float>
  private let cells: AlignedBuffer<Int32>
  private let scratchStride: Int

  /// - Parameters:
  ///   - weights: of the attention and the modality embedding.
  ///   - cellCount: cells of every map.
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - maximumThreads: the largest pool that `fuse` will be given.
  public convenience init(
    weights: FusionWeights, cellCount: Int, engine: Engine, maximumThreads: Int = 16
  ) {
    self.init(
      weights: weights, packed: PackedFusionWeights(weights), cellCount: cellCount, engine: engine,
      maximumThreads: maximumThreads)
  }

  /// - Parameter packed: `weights`, packed.
  init(
    weights: FusionWeights, packed: PackedFusionWeights, cellCount: Int, engine: Engine,
    maximumThreads: Int
  ) {
    precondition(cellCount >= 0 && cellCount <= Int(Int32.max), "\(cellCount) cells")
    self.weights = weights
    self.cellCount = cellCount
    self.engine = engine
    self.packed = packed
    unsafe features = AlignedBuffer(count: Self.maximumModalities)
    unsafe validities = AlignedBuffer(count: Self.maximumModalities)
    let needed = SwiftletKernels.fusionScratchCount(
      weights.channels, weights.heads, Self.maximumModalities)
    scratchStride = (needed + 31) & ~31
    scratch = AlignedBuffer(count: scratchStride * maximumThreads)
    cells = AlignedBuffer(count: 4 * SwiftletKernels.fusionBlockCells * maximumThreads)
  }

  /// Takes over weights of the same sizes, packed elsewhere. Allocates nothing.
  func adopt(_ next: FusionWeights, packed nextPacked: PackedFusionWeights) {
    precondition(
      next.channels == weights.channels && next.heads == weights.heads,
      "weights of \(next.channels) channels, \(next.heads) heads for \(weights.channels), \(weights.heads)")
    weights = next
    packed = nextPacked
  }

  /// Fuses up to five maps into `output` [y][x][C] and `validity` [y][x] (1 valid, 0 not). Map m
  /// uses modality embedding m; nil is a lost sensor. Allocates nothing.
  ///
  /// - Precondition: every map has this fusion's cells and channels, `output` and `validity` have
  ///   room, and no map beyond `weights.modalities` is given.
  public func fuse(
    _ first: BEVMap?, _ second: BEVMap? = nil, _ third: BEVMap? = nil, _ fourth: BEVMap? = nil,
    _ fifth: BEVMap? = nil, into output: AlignedBuffer<Float>, validity: AlignedBuffer<UInt8>,
    pool: WorkerPool
  ) {
    let channels = weights.channels
    precondition(
      output.count >= cellCount * channels && validity.count >= cellCount,
      "\(output.count) floats and \(validity.count) bytes for \(cellCount) cells of \(channels)")
    precondition(
      pool.threadCount * scratchStride <= scratch.count,
      "\(pool.threadCount) threads, \(scratch.count / scratchStride) were announced")
    set(0, first)
    set(1, second)
    set(2, third)
    set(3, fourth)
    set(4, fifth)
    guard case .simd(let instructionSet) = engine else {
      return unsafe fuseReference(
        features: features.pointer, validities: validities.pointer, into: output.pointer,
        validity: validity.pointer)
    }
    unsafe pool.run(
      FusionJob(
        set: instructionSet, features: features.pointer, validities: validities.pointer,
        modalities: weights.modalities, cellCount: cellCount, channels: channels,
        heads: weights.heads, weights: packed.table.pointer, traits: packed.traits,
        output: output.pointer, validity: validity.pointer, scratch: scratch.pointer,
        scratchStride: scratchStride, cells: cells.pointer))
  }

  private func set(_ index: Int, _ map: BEVMap?) {
    precondition(
      map == nil || index < weights.modalities,
      "map \(index) of \(weights.modalities) modalities")
    precondition(
      map == nil || (map!.cellCount == cellCount && map!.channels == weights.channels),
      "map \(index) has \(map?.cellCount ?? 0) cells of \(map?.channels ?? 0), expected \(cellCount) of \(weights.channels)")
    unsafe features.pointer[index] = map?.features
    unsafe validities.pointer[index] = map?.validity
  }
}

/// Cells split over threads in whole blocks.
@unsafe private struct FusionJob: PartitionedJob {
  var set: InstructionSet
  var features: UnsafePointer<UnsafePointer<Float>?>
  var validities: UnsafePointer<UnsafePointer<UInt8>?>
  var modalities: Int
  var cellCount: Int
  var channels: Int
  var heads: Int
  var weights: UnsafePointer<UnsafePointer<Float>?>
  var traits: Int
  var output: UnsafeMutablePointer<Float>
  var validity: UnsafeMutablePointer<UInt8>
  var scratch: UnsafeMutablePointer<Float>
  var scratchStride: Int
  var cells: UnsafeMutablePointer<Int32>

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(cellCount, part: part, of: parts, grain: 24)
    let own = unsafe scratch + part * scratchStride
    let ownCells = unsafe cells + part * 4 * SwiftletKernels.fusionBlockCells
    switch unsafe set {
    case .portable:
      unsafe SwiftletKernelsPortable.fuseCells(
        features, validities, modalities, range.lowerBound, range.upperBound, channels, heads,
        weights, traits, output, validity, own, ownCells)
    case .baseline:
      unsafe SwiftletKernels.fuseCells(
        features, validities, modalities, range.lowerBound, range.upperBound, channels, heads,
        weights, traits, output, validity, own, ownCells)
    case .avx2:
      unsafe SwiftletKernelsAVX2.fuseCells(
        features, validities, modalities, range.lowerBound, range.upperBound, channels, heads,
        weights, traits, output, validity, own, ownCells)
    case .avx512:
      unsafe SwiftletKernelsAVX512.fuseCells(
        features, validities, modalities, range.lowerBound, range.upperBound, channels, heads,
        weights, traits, output, validity, own, ownCells)
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// One level of a feature pyramid: its size and its first token among all tokens.
public struct FeatureLevel: Sendable, Equatable {
  public var height: Int
  public var width: Int
  public var firstToken: Int

  public init(height: Int, width: Int, firstToken: Int) {
    self.height = height
    self.width = width
    self.firstToken = firstToken
  }

  /// Levels one after another, row-major inside a level.
  public static func pyramid(_ sizes: [(height: Int, width: Int)]) -> [FeatureLevel] {
    var first = 0
    return sizes.map { size in
      defer { first += size.height * size.width }
      return FeatureLevel(height: size.height, width: size.width, firstToken: first)
    }
  }
}

/// Multi-scale deformable attention with given sampling locations and weights (Deformable DETR, arXiv
/// 2010.04159; mmcv's MultiScaleDeformableAttention): location (x, y) in 0 ... 1, pixel = l · size - 0.5,
/// bilinear, each tap outside its level dropped by itself;
/// out[q][m · c + k] = Σ over levels and points of weight · sample of head m.
///
/// Weights need not sum to 1; locations may lie anywhere. Any number of heads, levels, points and
/// channels. Allocates nothing after `init`; the same bits for any thread count.
@safe
public final class MultiScaleDeformableAttention: @unchecked Sendable {
  public let heads: Int
  /// Channels per head.
  public let channels: Int
  public let levels: [FeatureLevel]
  public let points: Int
  /// Tokens of one value map.
  public let tokenCount: Int
  let lanes: DeformableLanes
  private let scratch: DeformableScratch

  public init(
    heads: Int, channels: Int, levels: [FeatureLevel], points: Int, maximumThreads: Int = 16
  ) {
    precondition(
      heads > 0 && channels > 0 && !levels.isEmpty && points > 0,
      "\(heads) heads of \(channels) channels, \(levels.count) levels of \(points) points")
    self.heads = heads
    self.channels = channels
    self.levels = levels
    self.points = points
    tokenCount = levels.map { $0.firstToken + $0.height * $0.width }.max() ?? 0
    precondition(
      tokenCount * heads * channels < Int(Int32.max),
      "\(tokenCount) tokens of \(heads * channels) channels do not fit 32-bit offsets")
    lanes = DeformableLanes(
      heads: heads, channels: channels, levels: levels, points: points, anchors: 1)
    scratch = DeformableScratch(lanes: lanes, maximumThreads: maximumThreads)
  }

  /// Attends `queryCount` queries of each of `maps` independent value maps.
  ///
  /// - Parameters:
  ///   - values: [map][token][head][channel].
  ///   - locations: [map][query][head][level][point][x, y].
  ///   - weights: [map][query][head][level][point].
  ///   - queryCount: queries of each map.
  ///   - maps: independent value maps.
  ///   - output: [map][query][head · channel].
  ///   - engine: the scalar reference, or the kernels of one instruction set.
  ///   - pool: the threads the work is shared out over; one caller at a time.
  public func apply(
    values: AlignedBuffer<Float>, locations: AlignedBuffer<Float>, weights: AlignedBuffer<Float>,
    queryCount: Int, maps: Int = 1, into output: AlignedBuffer<Float>, engine: Engine,
    pool: WorkerPool
  ) {
    let samples = maps * queryCount * lanes.count
    precondition(
      values.count >= maps * tokenCount * heads * channels && weights.count >= samples
        && locations.count >= 2 * samples && output.count >= maps * queryCount * heads * channels,
      "buffers of \(values.count), \(locations.count), \(weights.count) and \(output.count) for \(maps) maps of \(queryCount) queries")
    scratch.check(pool)
    unsafe pool.run(
      DeformableJob(
        lanes: LanePointers(lanes), scratch: ScratchPointers(scratch), values: values.pointer,
        valueMapStride: tokenCount * heads * channels, locations: locations.pointer,
        weights: weights.pointer, queryCount: queryCount, maps: maps, output: output.pointer,
        engine: engine))
  }
}

/// Maps × heads split over threads: a head's map is packed, then all its queries are attended while
/// it is in the cache.
@unsafe private struct DeformableJob: PartitionedJob {
  var lanes: LanePointers
  var scratch: ScratchPointers
  var values: UnsafePointer<Float>
  var valueMapStride: Int
  var locations: UnsafePointer<Float>
  var weights: UnsafePointer<Float>
  var queryCount: Int
  var maps: Int
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    let heads = unsafe lanes.heads
    unsafe forEachHead(maps * heads, queryCount: queryCount, part: part, of: parts) { item, queries in
      unsafe attend(map: item / heads, head: item % heads, queries, scratch.part(part))
    }
  }

  /// Queries are counted over all maps: rows of locations, weights and output follow each other.
  private func attend(map: Int, head: Int, _ queries: Range<Int>, _ own: ScratchPointers) {
    let l = unsafe lanes
    let source = unsafe values + map * valueMapStride
    let width = unsafe l.heads * l.channels
    let rows = unsafe map * queryCount + queries.lowerBound..<map * queryCount + queries.upperBound
    guard case .simd(let set) = unsafe engine else {
      for query in rows {
        let first = unsafe query * l.count + head * l.samples
        unsafe deformableReference(
          source, l, head: head, locations + 2 * first, weights + first,
          output + query * width + head * l.channels)
      }
      return
    }
    unsafe packHead(source, l, head: head, into: own.packed, set)
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.deformableHead
      case .baseline: unsafe SwiftletKernels.deformableHead
      case .avx2: unsafe SwiftletKernelsAVX2.deformableHead
      case .avx512: unsafe SwiftletKernelsAVX512.deformableHead
      }
    unsafe run(
      own.packed, l.padded, l.channels, l.samples, l.sizes, l.places, l.period,
      locations + 2 * head * l.samples, weights + head * l.samples, l.count, rows.lowerBound,
      rows.upperBound, output + head * l.channels, width, own.floats, own.ints)
  }
}

/// One head of a value map [token][head][channel] to the kernels' layout.
@unsafe func packHead(
  _ values: UnsafePointer<Float>, _ l: LanePointers, head: Int,
  into packed: UnsafeMutablePointer<Float>, _ set: InstructionSet
) {
  let run =
    switch set {
    case .portable: unsafe SwiftletKernelsPortable.packHead
    case .baseline: unsafe SwiftletKernels.packHead
    case .avx2: unsafe SwiftletKernelsAVX2.packHead
    case .avx512: unsafe SwiftletKernelsAVX512.packHead
    }
  unsafe run(
    values + head * l.channels, l.heads * l.channels, l.channels, l.padded, l.levels,
    l.levelCount, packed)
}

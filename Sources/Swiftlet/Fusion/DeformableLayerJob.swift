import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Offsets and logits by one product; the softmax over a head's samples follows block by block,
/// while the logits are cached.
@unsafe struct ProjectionJob: PartitionedJob {
  var linear: LinearJob
  var queues: Int
  var heads: Int
  var samples: Int

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(linear.rows, part: part, of: parts, grain: 48)
    var lower = range.lowerBound
    while lower < range.upperBound {
      let block = lower..<min(lower + 48, range.upperBound)
      unsafe linear.run(rows: block, part: part)
      for queue in unsafe 0..<queues {
        let first = unsafe (3 * queue + 2) * heads * samples
        unsafe softmax(linear.output + first, block)
      }
      lower = block.upperBound
    }
  }

  private func softmax(_ logits: UnsafeMutablePointer<Float>, _ rows: Range<Int>) {
    guard case .simd(let set) = unsafe linear.engine else {
      for row in rows {
        for head in unsafe 0..<heads {
          let place = unsafe logits + row * linear.outputStride + head * samples
          unsafe softmaxReference(place, width: samples, into: place)
        }
      }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.softmaxRuns
      case .baseline: unsafe SwiftletKernels.softmaxRuns
      case .avx2: unsafe SwiftletKernelsAVX2.softmaxRuns
      case .avx512: unsafe SwiftletKernelsAVX512.softmaxRuns
      }
    unsafe run(logits, linear.outputStride, rows.lowerBound, rows.upperBound, heads, samples)
  }
}

/// Heads split over threads; the maps of a head follow each other, so that every output is summed in
/// one order.
@unsafe struct DeformableLayerJob: PartitionedJob {
  var lanes: LanePointers
  var scratch: ScratchPointers
  var values: UnsafePointer<Float>
  var valueMapStride: Int
  var maps: Int
  /// Per queue x offsets [heads · samples], y offsets, softmaxed weights.
  var projected: UnsafePointer<Float>
  var projectedStride: Int
  var projectedMapStride: Int
  var references: UnsafePointer<Float>
  var anchorWeights: UnsafePointer<Float>?
  var active: UnsafePointer<UInt8>
  var queryCount: Int
  var output: UnsafeMutablePointer<Float>
  var engine: Engine

  func run(part: Int, of parts: Int) {
    guard case .simd(let set) = unsafe engine else {
      for query in unsafe partition(queryCount, part: part, of: parts) {
        unsafe attendReference(query)
      }
      return
    }
    unsafe forEachHead(lanes.heads, queryCount: queryCount, part: part, of: parts) { head, queries in
      unsafe attend(head, queries, scratch.part(part), set)
    }
  }

  private func attend(
    _ head: Int, _ queries: Range<Int>, _ own: ScratchPointers, _ set: InstructionSet
  ) {
    let (clear, average) =
      switch set {
      case .portable:
        unsafe (SwiftletKernelsPortable.clearHeadRows, SwiftletKernelsPortable.averageHeadRows)
      case .baseline: unsafe (SwiftletKernels.clearHeadRows, SwiftletKernels.averageHeadRows)
      case .avx2: unsafe (SwiftletKernelsAVX2.clearHeadRows, SwiftletKernelsAVX2.averageHeadRows)
      case .avx512:
        unsafe (SwiftletKernelsAVX512.clearHeadRows, SwiftletKernelsAVX512.averageHeadRows)
      }
    let channels = unsafe lanes.channels
    let width = unsafe lanes.heads * channels
    let target = unsafe output + head * channels
    unsafe clear(queries.lowerBound, queries.upperBound, channels, target, width)
    for map in unsafe 0..<maps { unsafe attend(head, queries, map, own, set) }
    unsafe average(
      active, maps, queryCount, queries.lowerBound, queries.upperBound, channels, target, width)
  }

  private func attend(
    _ head: Int, _ queries: Range<Int>, _ map: Int, _ own: ScratchPointers, _ set: InstructionSet
  ) {
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.deformableHeadProjected
      case .baseline: unsafe SwiftletKernels.deformableHeadProjected
      case .avx2: unsafe SwiftletKernelsAVX2.deformableHeadProjected
      case .avx512: unsafe SwiftletKernelsAVX512.deformableHeadProjected
      }
    let l = unsafe lanes
    unsafe packHead(values + map * valueMapStride, l, head: head, into: own.packed, set)
    let first = unsafe map * queryCount
    unsafe run(
      own.packed, l.padded, l.channels, l.samples, l.sizes, l.places, l.period, l.anchor,
      projected + map * projectedMapStride + head * l.samples, projectedStride, l.count,
      references + first * 32, anchorWeights.map { unsafe $0 + first * 16 }, active + first,
      queries.lowerBound, queries.upperBound, output + head * l.channels, l.heads * l.channels,
      own.floats, own.ints)
  }
}

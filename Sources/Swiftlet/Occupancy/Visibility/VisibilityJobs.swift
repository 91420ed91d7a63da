/// Rays shared out over the threads, each with bits of its own.
@safe
struct ViewRaysJob: PartitionedJob {
  let set: InstructionSet
  let base: UnsafeRawPointer
  let stride: Int
  let offsets: (Int, Int, Int)
  let count: Int
  let parameters: UnsafePointer<Float>
  let layout: UnsafePointer<Int32>
  let stops: UnsafePointer<UInt32>
  let parts: UnsafeMutablePointer<UInt32>
  let partStride: Int
  let scratch: UnsafeMutablePointer<UInt32>

  @unsafe
  init(
    map: VisibilityMap, set: InstructionSet, base: UnsafeRawPointer, stride: Int,
    offsets: (Int, Int, Int), count: Int, stops: UnsafePointer<UInt32>
  ) {
    self.set = set
    unsafe self.base = base
    self.stride = stride
    self.offsets = offsets
    self.count = count
    unsafe parameters = UnsafePointer(map.parameters.pointer)
    unsafe layout = UnsafePointer(map.layout.pointer)
    unsafe self.stops = stops
    unsafe parts = map.parts.pointer
    partStride = map.columnStride
    unsafe scratch = map.scratch.pointer
  }

  /// Blocks in turn: clouds are ordered by row, and low rows are short.
  func run(part: Int, of parts: Int) {
    let block = 1024
    for first in Swift.stride(from: part * block, to: count, by: parts * block) {
      unsafe VisibilityKernels.markViewRays(
        set, base, stride, offsets, first..<min(count, first + block), parameters, layout, stops,
        self.parts + part * partStride, scratch + 64 * part)
    }
  }
}

@safe
struct ViewHitsJob: PartitionedJob {
  let rays: ViewRaysJob
  let sectors: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let range = partition(rays.count, part: part, of: parts)
    let count = unsafe 2 * Int(rays.layout[4])
    unsafe VisibilityKernels.markViewHits(
      rays.set, rays.base, rays.stride, rays.offsets, range, rays.parameters, rays.layout,
      rays.parts + part * rays.partStride, sectors + part * count)
  }
}

@safe
struct ViewSectorsJob: PartitionedJob {
  let set: InstructionSet
  let parameters: UnsafePointer<Float>
  let layout: UnsafePointer<Int32>
  let sectors: UnsafePointer<Float>
  let columns: Int
  /// The first part's bits.
  let field: UnsafeMutablePointer<UInt32>

  func run(part: Int, of parts: Int) {
    let range = partition(columns, part: part, of: parts)
    unsafe VisibilityKernels.fillViewSectors(set, parameters, layout, sectors, range, field)
  }
}

@safe
struct ViewMergeJob: PartitionedJob {
  let set: InstructionSet
  let parts: UnsafeMutablePointer<UInt32>
  let partStride: Int
  let columns: Int
  let target: UnsafeMutablePointer<UInt32>

  func run(part: Int, of partCount: Int) {
    let range = partition(columns, part: part, of: partCount, grain: 16)
    unsafe VisibilityKernels.mergeViewColumns(set, parts, partCount, partStride, range, target)
  }
}

@safe
struct ViewSplatJob: PartitionedJob {
  let set: InstructionSet
  let occupied: UnsafePointer<UInt64>
  let window: UnsafePointer<Int>
  let map: UnsafePointer<Double>
  let layout: UnsafePointer<Int32>
  let samples: Int
  let parts: UnsafeMutablePointer<UInt32>
  let partStride: Int

  func run(part: Int, of partCount: Int) {
    let range = unsafe partition(window[1], part: part, of: partCount)
    unsafe VisibilityKernels.splatViewColumns(
      set, occupied, window, map, layout, samples, range, parts + part * partStride)
  }
}

@safe
struct ViewSampleJob: PartitionedJob {
  let set: InstructionSet
  let known: UnsafePointer<UInt64>
  let window: UnsafePointer<Int>
  let map: UnsafePointer<Double>
  let layout: UnsafePointer<Int32>
  let columns: UnsafeMutablePointer<UInt32>

  func run(part: Int, of parts: Int) {
    let range = unsafe partition(Int(layout[0]), part: part, of: parts)
    unsafe VisibilityKernels.sampleViewColumns(set, known, window, map, layout, range, columns)
  }
}

@safe
struct ViewExpandJob: PartitionedJob {
  let set: InstructionSet
  let bits: UnsafePointer<UInt32>
  let other: UnsafePointer<UInt32>
  let height: Int
  let values: (UInt8, UInt8)
  let columns: Int
  let bytes: UnsafeMutablePointer<UInt8>

  func run(part: Int, of parts: Int) {
    let range = partition(columns, part: part, of: parts, grain: 64)
    unsafe VisibilityKernels.expandViewColumns(set, bits, other, height, values, range, bytes)
  }
}

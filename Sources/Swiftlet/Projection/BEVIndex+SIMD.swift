extension BEVIndex {
  func rebuildSIMD(_ lift: FrustumLift, _ set: InstructionSet) {
    let tables = unsafe IndexJobTables(self, set)
    withExtendedLifetime((self, lift)) {
      unsafe layout.withPlanes { planes in
        unsafe pool.run(
          LiftJob(
            tables: tables, planes: planes, rayX: lift.rayX.pointer, rayY: lift.rayY.pointer,
            rayZ: lift.rayZ.pointer, depths: lift.depths.pointer,
            parameters: lift.parameters.pointer))
        unsafe place(tables, planes)
      }
    }
  }

  func sortSIMD(_ set: InstructionSet) {
    let tables = unsafe IndexJobTables(self, set)
    unsafe layout.withPlanes { planes in
      unsafe pool.run(CountJob(tables: tables))
      unsafe place(tables, planes)
    }
  }

  private func place(_ tables: IndexJobTables, _ planes: PlaneTable) {
    unsafe pool.run(SumJob(tables: tables))
    unsafe pool.run(ScanJob(tables: tables))
    starts[cellCount + 1] = Int32(layout.pointCount)
    unsafe pool.run(ScatterJob(tables: tables, planes: planes))
    if layout.cameras.count <= 16 { unsafe pool.run(MarkJob(tables: tables)) }
    let order = unsafe VisitTables(self, tables)
    if layout.featureCount < Self.leastTokensByColumn {
      unsafe pool.run(RankVisitsJob(visits: order))
      unsafe order.scanRanks()
      return
    }
    unsafe pool.run(CountVisitsJob(visits: order))
    unsafe order.scan()
    unsafe pool.run(PlaceVisitsJob(visits: order))
  }
}

/// The layout as pointers, for jobs.
@unsafe struct PlaneTable: BitwiseCopyable {
  var cameras: UnsafePointer<FrustumLayout.Camera>
  var featureStarts: UnsafePointer<Int>
  var depthStarts: UnsafePointer<Int>

  /// As `FrustumLayout.forEachPlaneRun`.
  @inline(__always)
  func forEachRun(in range: Range<Int>, _ body: (PlaneRun) -> Void) {
    var camera = 0
    var point = range.lowerBound
    while point < range.upperBound {
      while unsafe point >= depthStarts[camera + 1] { camera += 1 }
      let pixels = unsafe cameras[camera].pixelCount
      let inCamera = unsafe point - depthStarts[camera]
      let pixel = inCamera % pixels
      let count = min(pixels - pixel, range.upperBound - point)
      unsafe body(
        PlaneRun(
          camera: camera, bin: inCamera / pixels, depthIndex: point,
          featureIndex: featureStarts[camera] + pixel, count: count))
      point += count
    }
  }
}

extension FrustumLayout {
  @unsafe func withPlanes(_ body: (PlaneTable) -> Void) {
    unsafe cameras.withUnsafeBufferPointer { cameras in
      unsafe featureStarts.withUnsafeBufferPointer { features in
        unsafe depthStarts.withUnsafeBufferPointer { depths in
          guard let first = cameras.baseAddress, let feature = features.baseAddress,
            let depth = depths.baseAddress
          else { return }
          unsafe body(PlaneTable(cameras: first, featureStarts: feature, depthStarts: depth))
        }
      }
    }
  }
}

/// The index's buffers as pointers, shared by its jobs.
@unsafe struct IndexJobTables: BitwiseCopyable {
  var set: InstructionSet
  var pointCount: Int
  var cellCount: Int
  var cameraCount: Int
  var parts: Int
  var stride: Int
  var ranks: UnsafeMutablePointer<Int32>
  var histograms: UnsafeMutablePointer<Int32>
  var partSums: UnsafeMutablePointer<Int>
  var starts: UnsafeMutablePointer<Int32>
  var points: UnsafeMutablePointer<UInt64>
  var masks: UnsafeMutablePointer<UInt16>
  var cameraStarts: UnsafeMutablePointer<Int32>

  init(_ index: BEVIndex, _ set: InstructionSet) {
    unsafe self.set = set
    unsafe pointCount = index.layout.pointCount
    unsafe cellCount = index.cellCount
    unsafe cameraCount = index.layout.cameras.count
    unsafe parts = index.pool.threadCount
    unsafe stride = index.histogramStride
    unsafe ranks = index.ranks.pointer
    unsafe histograms = index.histograms.pointer
    unsafe partSums = index.partSums.pointer
    unsafe starts = index.starts.pointer
    unsafe points = index.points.pointer
    unsafe masks = index.cameraMasks.pointer
    unsafe cameraStarts = index.cameraStarts.pointer
  }

  /// Points of a part; counting and scattering must agree on it.
  func pointRange(_ part: Int, _ parts: Int) -> Range<Int> {
    unsafe partition(pointCount, part: part, of: parts, grain: 64)
  }
  /// Cells of a part, the dropped points' cell included.
  func cellRange(_ part: Int, _ parts: Int) -> Range<Int> {
    unsafe partition(cellCount + 1, part: part, of: parts, grain: 64)
  }
  func histogram(_ part: Int) -> UnsafeMutablePointer<Int32> {
    unsafe histograms + part * stride
  }
}

@safe struct LiftJob: PartitionedJob {
  var tables: IndexJobTables
  var planes: PlaneTable
  var rayX: UnsafeMutablePointer<Float>
  var rayY: UnsafeMutablePointer<Float>
  var rayZ: UnsafeMutablePointer<Float>
  var depths: UnsafeMutablePointer<Float>
  var parameters: UnsafeMutablePointer<Float>

  func run(part: Int, of parts: Int) {
    let counts = unsafe tables.histogram(part)
    unsafe counts.update(repeating: 0, count: tables.stride)
    unsafe planes.forEachRun(in: tables.pointRange(part, parts)) { run in
      let ranks = unsafe tables.ranks + run.depthIndex
      unsafe ProjectionKernels.liftRanks(
        tables.set, rayX + run.featureIndex, rayY + run.featureIndex, rayZ + run.featureIndex,
        run.count, depths[run.bin], parameters + 16 * run.camera, ranks)
      unsafe ProjectionKernels.countRanks(tables.set, ranks, run.count, counts)
    }
  }
}

@safe struct CountJob: PartitionedJob {
  var tables: IndexJobTables
  func run(part: Int, of parts: Int) {
    let counts = unsafe tables.histogram(part)
    unsafe counts.update(repeating: 0, count: tables.stride)
    let range = unsafe tables.pointRange(part, parts)
    unsafe ProjectionKernels.countRanks(
      tables.set, tables.ranks + range.lowerBound, range.count, counts)
  }
}

@safe struct SumJob: PartitionedJob {
  var tables: IndexJobTables
  func run(part: Int, of parts: Int) {
    let range = unsafe tables.cellRange(part, parts)
    unsafe tables.partSums[16 * part] = ProjectionKernels.sumHistograms(
      tables.set, tables.histograms, parts, tables.stride, range.lowerBound, range.upperBound)
  }
}

@safe struct ScanJob: PartitionedJob {
  var tables: IndexJobTables
  func run(part: Int, of parts: Int) {
    let range = unsafe tables.cellRange(part, parts)
    var base = 0
    for before in 0..<part { unsafe base += tables.partSums[16 * before] }
    unsafe ProjectionKernels.scanHistograms(
      tables.set, tables.histograms, parts, tables.stride, range.lowerBound, range.upperBound,
      base, tables.starts)
  }
}

@safe struct ScatterJob: PartitionedJob {
  var tables: IndexJobTables
  var planes: PlaneTable
  func run(part: Int, of parts: Int) {
    unsafe planes.forEachRun(in: tables.pointRange(part, parts)) { run in
      unsafe ProjectionKernels.scatterPoints(
        tables.set, tables.ranks + run.depthIndex, run.count, tables.histogram(part),
        run.depthIndex, run.featureIndex, tables.points)
    }
  }
}

@safe struct MarkJob: PartitionedJob {
  var tables: IndexJobTables
  func run(part: Int, of parts: Int) {
    let range = unsafe partition(tables.cellCount, part: part, of: parts, grain: 64)
    unsafe ProjectionKernels.markCameras(
      tables.set, tables.points, tables.starts, range.lowerBound, range.upperBound,
      tables.cameraStarts, tables.cameraCount, tables.masks)
  }
}

@safe struct ValidityJob: PartitionedJob {
  var set: InstructionSet
  var masks: UnsafeMutablePointer<UInt16>
  var slabs: Int
  var cells: Int
  var cameras: UInt16
  var validity: UnsafeMutablePointer<UInt8>
  func run(part: Int, of parts: Int) {
    let range = partition(cells, part: part, of: parts, grain: 64)
    unsafe ProjectionKernels.markValidCells(
      set, masks, slabs, cells, cameras, range.lowerBound, range.upperBound, validity)
  }
}

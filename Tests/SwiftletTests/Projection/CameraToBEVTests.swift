import CAllocationCounter
import SwiftletTestSupport
import Testing

@testable import Swiftlet

@Suite(.serialized) struct CameraToBEVTests {
  private static let bins = DepthBins.uniform(lower: 1, upper: 10, step: 0.5)
  private func rig(_ sizes: [(Int, Int)] = [(16, 8), (9, 5), (11, 4)], channels: Int = 20) -> TestRig {
    TestRig(sizes: sizes, channels: channels, bins: Self.bins, seed: 41)
  }

  @Test(arguments: Engine.simdSets)
  func `SIMD matches the reference for rigs of 1 to 12 cameras of different sizes`(
    engine: Engine
  ) throws {
    for count in [1, 2, 5, 7, 12] {
      let rig = rig((0..<count).map { (4 + $0 % 5, 2 + $0 % 3) })
      let scalar = try rig.projection(.reference)
      let vector = try rig.projection(engine, threads: 2)
      for projection in [scalar, vector] {
        try projection.updateCalibration(rig.cameras)
        try projection.project(rig.cameras)
      }
      let moved = zip(scalar.index.pointRanks(), vector.index.pointRanks()).filter { $0 != $1 }
      #expect(moved.isEmpty)
      // At most 200 points of magnitude 0.1 a cell.
      #expect(largestDifference(scalar.bev.array, vector.bev.array) <= 200 * 20 * 0x1p-23)
      #expect(scalar.cellValidity.array == vector.cellValidity.array)
      #expect(scalar.bev.array.contains { $0 != 0 })
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `pooled mass equals the mass of the kept points`(engine: Engine) throws {
    let rig = rig(channels: 1)
    for features in rig.features { features.fill(1) }
    let projection = try rig.projection(engine)
    try projection.updateCalibration(rig.cameras)
    try projection.project(rig.cameras)
    let ranks = projection.index.pointRanks()
    let depths = rig.depths.flatMap(\.array)
    let expected = zip(ranks, depths).reduce(0.0) { $0 + ($1.0 >= 0 ? Double($1.1) : 0) }
    let found = projection.bev.array.reduce(0.0) { $0 + Double($1) }
    #expect(abs(found - expected) <= 1e-5 * expected)
  }

  @Test(arguments: Engine.everyEngine)
  func `a missing camera contributes nothing and its cells become invalid`(engine: Engine) throws {
    var rig = rig()
    let projection = try rig.projection(engine)
    try projection.updateCalibration(rig.cameras)
    rig.cameras[1].isValid = false
    rig.cameras[1].features = nil
    rig.cameras[1].depth = nil
    try projection.updateCalibration(rig.cameras)
    try projection.project(rig.cameras)
    #expect(projection.validCameras == [.camera(0), .camera(2)])
    let masks = projection.index.cameraMasks.array
    let grid = TestRig.grid
    for cell in masks.indices where masks[cell] & 0b101 == 0 {
      #expect(projection.bev.array[(cell * 20)..<(cell * 20 + 20)].allSatisfy { $0 == 0 })
    }
    for cell in 0..<(grid.sizeX * grid.sizeY) {
      let seen = (0..<grid.sizeZ).contains {
        masks[$0 * grid.sizeX * grid.sizeY + cell] & 0b101 != 0
      }
      #expect(projection.cellValidity[cell] == (seen ? 1 : 0))
    }
    #expect(projection.rebuildCount == 1)
  }

  @Test(arguments: Engine.everyEngine)
  func `adding an empty camera changes nothing`(engine: Engine) throws {
    let small = rig()
    var large = rig([(16, 8), (9, 5), (11, 4), (6, 6)])
    for position in 0..<3 {
      large.features[position] = small.features[position]
      large.depths[position] = small.depths[position]
      large.cameras[position] = small.cameras[position]
    }
    large.cameras[3].isValid = false
    let a = try small.projection(engine)
    let b = try large.projection(engine)
    try a.updateCalibration(small.cameras)
    try a.project(small.cameras)
    try b.updateCalibration(large.cameras)
    try b.project(large.cameras)
    #expect(a.bev.array == b.bev.array)
  }

  @Test(arguments: Engine.everyEngine)
  func `the order of cameras is irrelevant but for rounding`(engine: Engine) throws {
    let rig = rig([(16, 8), (9, 5), (11, 4)])
    var turned = rig
    let order = [2, 0, 1]
    turned.sizes = order.map { rig.sizes[$0] }
    turned.cameras = order.map { rig.cameras[$0] }
    let a = try rig.projection(engine)
    let b = try turned.projection(engine)
    try a.updateCalibration(rig.cameras)
    try a.project(rig.cameras)
    try b.updateCalibration(turned.cameras)
    try b.project(turned.cameras)
    #expect(largestDifference(a.bev.array, b.bev.array) <= 200 * 20 * 0x1p-23)
    #expect(a.cellValidity.array == b.cellValidity.array)
  }

  @Test(arguments: Engine.simdSets)
  func `cells are visited once each, by rank or by column, whatever the number of threads`(
    engine: Engine
  ) {
    for (width, isByColumn) in [(16, false), (128, true)] {
      var random = SeededGenerator(seed: 43)
      let layout = FrustumLayout(
        cameras: [(width, 64), (9, 5)].map {
          FrustumLayout.Camera(featureWidth: $0.0, featureHeight: $0.1)
        }, binCount: 2)
      let ranks = (0..<layout.pointCount).map { _ in Int32.random(in: -9..<500, using: &random) }
      for threads in [1, 2, 3] {
        let index = BEVIndex(
          layout: layout, cellCount: 501, engine: engine, pool: WorkerPool(threadCount: threads))
        index.rebuild(ranks: ranks)
        let cells = (0..<index.cellCount).map { Int(index.visits[3 * $0]) }
        #expect(cells.sorted() == Array(0..<index.cellCount))
        #expect((cells != cells.sorted()) == isByColumn)
        for visit in 0..<index.cellCount {
          #expect(index.visits[3 * visit + 1] == index.starts[cells[visit]])
          #expect(index.visits[3 * visit + 2] == index.starts[cells[visit] + 1])
        }
        #expect(Int(index.visitStarts[index.visitKeyCount]) == index.cellCount)
      }
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `strided, transposed and half tensors give what contiguous float32 gives`(
    engine: Engine
  ) throws {
    var rig = rig()
    // bfloat16 patterns are exact in all three types.
    for buffer in rig.features + rig.depths {
      for index in 0..<buffer.count {
        buffer[index] = Float(bitPattern: buffer[index].bitPattern & 0xffff_0000)
      }
    }
    let projection = try rig.projection(engine, threads: 2)
    try projection.updateCalibration(rig.cameras)
    try projection.project(rig.cameras)
    let expected = projection.bev.array
    let (height, width) = (8, 16)
    let planes = AlignedBuffer<Float>(count: height * width * 20)
    for pixel in 0..<(height * width) {
      for channel in 0..<20 {
        planes[channel * height * width + pixel] = rig.features[0][pixel * 20 + channel]
      }
    }
    rig.cameras[0].features = TensorView(
      base: UnsafeRawPointer(planes.pointer), elementType: .float32, shape: (height, width, 20),
      strides: (width, 1, height * width))
    let halves = AlignedBuffer<UInt16>(
      rig.features[1].array.map { UInt16($0.bitPattern >> 16) })
    rig.cameras[1].features = TensorView(
      base: UnsafeRawPointer(halves.pointer), elementType: .bfloat16, shape: (5, 9, 20))
    let spread = AlignedBuffer<Float>(count: rig.depths[2].count * 2)
    for index in 0..<rig.depths[2].count { spread[2 * index] = rig.depths[2][index] }
    rig.cameras[2].depth = TensorView(
      base: UnsafeRawPointer(spread.pointer), elementType: .float32,
      shape: (Self.bins.count, 4, 11), strides: (88, 22, 2))
    try projection.project(rig.cameras)
    #expect(projection.bev.array == expected)
  }

  @Test(arguments: Engine.everyEngine)
  func `features of all cameras in half or bfloat16 give what their float32 values give`(
    engine: Engine
  ) throws {
    for type in [ElementType.float16, .bfloat16] {
      var rig = rig()
      let words = rig.features.map { buffer in
        AlignedBuffer<UInt16>(
          buffer.array.map {
            type == .float16 ? Float16($0).bitPattern : UInt16($0.bitPattern >> 16)
          })
      }
      for (buffer, halves) in zip(rig.features, words) {
        for index in 0..<buffer.count {
          buffer[index] =
            type == .float16
            ? Float(Float16(bitPattern: halves[index]))
            : Float(bitPattern: UInt32(halves[index]) << 16)
        }
      }
      let projection = try rig.projection(engine, threads: 2)
      try projection.updateCalibration(rig.cameras)
      try projection.project(rig.cameras)
      let expected = projection.bev.array
      for (position, size) in rig.sizes.enumerated() {
        rig.cameras[position].features = TensorView(
          base: UnsafeRawPointer(words[position].pointer), elementType: type,
          shape: (size.featureHeight, size.featureWidth, 20))
      }
      try projection.project(rig.cameras)
      #expect(projection.bev.array == expected)
      #expect(expected.contains { $0 != 0 })
      withExtendedLifetime(words) {}
    }
  }

  @Test(arguments: Engine.everyEngine)
  func `tensors one after another in memory are read in place`(engine: Engine) throws {
    var rig = rig()
    let projection = try rig.projection(engine)
    try projection.updateCalibration(rig.cameras)
    try projection.project(rig.cameras)
    let expected = projection.bev.array
    let features = AlignedBuffer(rig.features.flatMap(\.array))
    let depths = AlignedBuffer(rig.depths.flatMap(\.array))
    for (position, size) in rig.sizes.enumerated() {
      rig.cameras[position].features = TensorView(
        base: UnsafeRawPointer(
          features.pointer + projection.layout.featureStarts[position] * 20),
        elementType: .float32, shape: (size.featureHeight, size.featureWidth, 20))
      rig.cameras[position].depth = TensorView(
        base: UnsafeRawPointer(depths.pointer + projection.layout.depthStarts[position]),
        elementType: .float32, shape: (Self.bins.count, size.featureHeight, size.featureWidth))
    }
    try projection.project(rig.cameras)
    #expect(projection.bev.array == expected)
    // The first camera missing: the others still lie one after another.
    rig.cameras[0].isValid = false
    try projection.project(rig.cameras)
    #expect(projection.bev.array != expected)
  }

  @Test(arguments: Engine.everyEngine)
  func `logits become distributions on the way`(engine: Engine) throws {
    var rig = rig()
    let projection = try rig.projection(engine)
    try projection.updateCalibration(rig.cameras)
    let logits = rig.depths[0].array
    for position in rig.cameras.indices { rig.cameras[position].depthIsLogits = true }
    try projection.project(rig.cameras)
    let fromLogits = projection.bev.array
    for position in rig.cameras.indices {
      let buffer = AlignedBuffer<Float>(count: rig.depths[position].count)
      DepthSoftmax.softmax(
        UnsafeBufferPointer(rig.depths[position].elements), bins: Self.bins.count,
        pixels: rig.sizes[position].pixelCount, into: buffer.elements, engine: engine,
        pool: WorkerPool(threadCount: 1))
      rig.depths[position] = buffer
      rig.attach(position)
      rig.cameras[position].depthIsLogits = false
    }
    try projection.project(rig.cameras)
    #expect(projection.bev.array == fromLogits)
    #expect(rig.depths[0].array != logits)
  }

  @Test func `a static rig is built once, a moved camera rebuilds and moves the map`() throws {
    var rig = rig()
    let projection = try rig.projection(.best)
    for _ in 0..<3 { try projection.updateCalibration(rig.cameras) }
    try projection.project(rig.cameras)
    let before = projection.bev.array
    #expect(projection.rebuildCount == 1)
    rig.cameras[2].keyEgoFromCamera.translation.x += 0.4
    let rebuilt = try projection.updateCalibration(rig.cameras)
    #expect(rebuilt)
    try projection.project(rig.cameras)
    #expect(projection.rebuildCount == 2)
    #expect(projection.bev.array != before)
  }

  @Test func `bad calibrations and tensors are typed errors that name the camera`() throws {
    var rig = rig()
    let projection = try rig.projection(.best)
    try projection.updateCalibration(rig.cameras)
    let good = rig.cameras[1]
    rig.cameras[1].intrinsics.focalX = 0
    #expect(throws: CalibrationError.self) { try projection.updateCalibration(rig.cameras) }
    rig.cameras[1] = good
    rig.cameras[1].keyEgoFromCamera.rotation.row0 *= 1.1
    #expect(throws: CalibrationError.self) { try projection.updateCalibration(rig.cameras) }
    rig.cameras[1] = good
    rig.cameras[1].augmentation.a00 = 0
    #expect(throws: CalibrationError.self) { try projection.updateCalibration(rig.cameras) }
    rig.cameras[1] = good
    rig.cameras[1].features = nil
    do {
      try projection.project(rig.cameras)
      Issue.record("features were missing")
    } catch { #expect(error.input.contains("CAM_1")) }
    #expect(throws: ConfigurationError.self) {
      try TestRig(
        sizes: Array(repeating: (1, 1), count: 13), channels: 1, bins: Self.bins, seed: 1
      ).projection(.best)
    }
  }

  @Test func `fuzzed calibrations give an error or a finite map`() throws {
    var random = SeededGenerator(seed: 42)
    var rig = rig()
    let projection = try rig.projection(.best)
    let extremes = [0, -1, 1e-30, 1e30, 1e300, .infinity, -.infinity, .nan, 0.5]
    for _ in 0..<300 {
      let good = rig.cameras[0]
      let value = extremes.randomElement(using: &random) ?? 0
      switch Int.random(in: 0..<6, using: &random) {
      case 0: rig.cameras[0].intrinsics.focalX = value
      case 1: rig.cameras[0].intrinsics.centerY = value
      case 2: rig.cameras[0].keyEgoFromCamera.translation.y = value
      case 3: rig.cameras[0].keyEgoFromCamera.rotation.row1.z = value
      case 4: rig.cameras[0].augmentation.a01 = value
      default: rig.cameras[0].augmentation.tx = value
      }
      do {
        try projection.updateCalibration(rig.cameras)
        try projection.project(rig.cameras)
        let isFinite = projection.bev.array.allSatisfy { $0.isFinite }
        #expect(isFinite)
      } catch is CalibrationError {}
      rig.cameras[0] = good
    }
  }

  // Debug builds box every job for the pool; only release builds keep the promise.
  @Test(.enabled(if: countsAllocations), arguments: Engine.simdSets)
  func `frames allocate nothing, rebuilds included`(engine: Engine) throws {
    var rig = rig()
    let projection = try rig.projection(engine, threads: 2)
    try projection.updateCalibration(rig.cameras)
    try projection.project(rig.cameras)
    rig.cameras[0].depthIsLogits = true
    // The counter sees the whole process, where other tests may allocate: one quiet run of twenty
    // frames proves the point, and an allocation per frame leaves none.
    var fewest = Int64.max
    for attempt in 0..<200 where fewest > 0 {
      allocation_counter_start()
      for frame in 0..<20 {
        rig.cameras[1].keyEgoFromCamera.translation.x = Double(20 * attempt + frame) * 1e-4
        try projection.updateCalibration(rig.cameras)
        try projection.project(rig.cameras)
      }
      fewest = min(fewest, allocation_counter_stop())
    }
    #expect(fewest == 0)
    #expect(projection.rebuildCount > 20)
  }
}

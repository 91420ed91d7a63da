#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

func cosineAndSine(_ angle: Float) -> (Float, Float) {
  let wide = Double(angle)
  return (Float(cos(wide)), Float(sin(wide)))
}

/// How a network's occupancy is believed.
public struct NetworkOccupancyModel: Sendable, Equatable, BitwiseCopyable {
  /// Share of a logit that counts.
  public var weight: Float = 0.25
  /// Logits nearer to 0 say nothing.
  public var leastLogit: Float = 0.5
  /// At most this is added to a voxel a frame, natural log-odds.
  public var maximumStep: Float = 0.6
  /// Lower corner of cell (0, 0, 0) in ego, metres: Occ3D's.
  public var lowerMeters = SIMD3(-40.0, -40, -1)
  public var cellSizeMeters = 0.4
  public var cellCounts = SIMD3(200, 200, 16)

  public init() {}
}

extension OccupancyGrid {
  /// Adds a network's occupancy logits to the map: every voxel of the window whose middle lies in a
  /// cell takes weight · logit, held to the model's step, rounded to the window's steps, clamped as
  /// by every update. A voxel is updated once a call, unknown ones start at even odds. Logits that
  /// are not finite or too near to 0 change nothing. Marks of what moves stay. Allocates nothing.
  ///
  /// - Parameters:
  ///   - logits: [x][y][z] as Occ3D stores it, positive for occupied.
  ///   - worldFromEgo: pose of the vehicle.
  ///   - model: the cells, the weight and the largest step.
  /// - Returns: voxels that took evidence.
  /// - Precondition: `logits` holds the model's cells.
  @discardableResult
  public func add(
    logits: AlignedBuffer<Float>, worldFromEgo: RigidTransform,
    model: NetworkOccupancyModel = NetworkOccupancyModel()
  ) -> Int {
    let cells = model.cellCounts.x * model.cellCounts.y * model.cellCounts.z
    precondition(logits.count == cells, "\(logits.count) logits for \(cells) cells")
    guard worldFromEgo.isFinite, model.cellSizeMeters > 0 else { return 0 }
    // What is added now must not decay by time that has passed.
    settle()
    totals.zero()
    pool.run(
      LogitsJob(grid: self, egoFromWorld: worldFromEgo.inverse, model: model, logits: logits))
    var count = 0
    for part in 0..<pool.threadCount { count += totals[8 * part] }
    return count
  }
}

/// Logits into the window's rows. The walk over a column is affine, so a column costs one transform.
@safe
struct LogitsJob: PartitionedJob {
  let view: WindowView
  /// Cell = R · world + shift, by rows.
  let row0: SIMD3<Double>
  let row1: SIMD3<Double>
  let row2: SIMD3<Double>
  let shift: SIMD3<Double>
  let model: NetworkOccupancyModel
  let bytes: ByteModel
  let logits: UnsafePointer<Float>
  let lines: UnsafeMutablePointer<Int8>
  let occupied: UnsafeMutablePointer<UInt64>
  let known: UnsafeMutablePointer<UInt64>
  let atMinimum: UnsafeMutablePointer<UInt64>?
  let totals: UnsafeMutablePointer<Int>

  init(
    grid: OccupancyGrid, egoFromWorld: RigidTransform, model: NetworkOccupancyModel,
    logits: AlignedBuffer<Float>
  ) {
    let inverse = 1 / model.cellSizeMeters
    let r = egoFromWorld.rotation
    view = WindowView(grid)
    row0 = r.row0 * inverse
    row1 = r.row1 * inverse
    row2 = r.row2 * inverse
    shift = (egoFromWorld.translation - model.lowerMeters) * inverse
    self.model = model
    bytes = grid.byteModel
    unsafe self.logits = UnsafePointer(logits.pointer)
    unsafe lines = grid.lines.pointer
    unsafe occupied = grid.occupied.pointer
    unsafe known = grid.known.pointer
    unsafe atMinimum = grid.atMinimum.count > 0 ? grid.atMinimum.pointer : nil
    unsafe totals = grid.totals.pointer
  }

  func run(part: Int, of parts: Int) {
    var count = 0
    let up = SIMD3(row0.z, row1.z, row2.z) * view.voxelSize
    for y in partition(view.cells.y, part: part, of: parts) {
      for x in 0..<view.cells.x {
        let world = view.world(SIMD3(Double(x), Double(y), 0) + 0.5)
        let foot = SIMD3((row0 * world).sum(), (row1 * world).sum(), (row2 * world).sum()) + shift
        count += add(view.line(x, y), foot, up)
      }
    }
    unsafe totals[8 * part] = count
  }

  private func add(_ line: Int, _ foot: SIMD3<Double>, _ up: SIMD3<Double>) -> Int {
    let n = SIMD3<Double>(model.cellCounts)
    var count = 0
    for z in 0..<view.cells.z {
      let place = foot + up * Double(z)
      guard place.x >= 0, place.y >= 0, place.z >= 0, place.x < n.x, place.y < n.y, place.z < n.z
      else { continue }
      let cell = (Int(place.x) * model.cellCounts.y + Int(place.y)) * model.cellCounts.z
      let logit = unsafe logits[cell + Int(place.z)]
      let step = self.step(logit)
      if step == 0 { continue }
      update(line + z / 64, z % 64, step)
      count += 1
    }
    return count
  }

  /// In the window's steps; 0 says nothing.
  private func step(_ logit: Float) -> Int {
    // Written so that NaN fails.
    guard abs(logit) >= model.leastLogit, abs(logit) < .infinity else { return 0 }
    let limit = model.maximumStep
    let step = max(-limit, min(limit, logit * model.weight)) * bytes.stepsPerUnit
    return Int(max(-127, min(127, step.rounded())))
  }

  private func update(_ line: Int, _ bit: Int, _ step: Int) {
    let old = unsafe lines[line * 64 + bit]
    let sum = (old == -128 ? 0 : Int(old)) + step
    let new = Int8(max(Int(bytes.minimum), min(Int(bytes.maximum), sum)))
    unsafe lines[line * 64 + bit] = new
    let one = UInt64(1) << UInt64(bit)
    unsafe known[line] |= one
    unsafe atMinimum?[line] = 0
    if new >= bytes.threshold {
      unsafe occupied[line] |= one
    } else {
      unsafe occupied[line] &= ~one
    }
  }
}

import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// One modality's validity and age per cell, [y][x]. Ages are whole milliseconds between the frame
/// and what the cell was made from, 65535 where there is nothing.
final class AgedCells {
  let validity: AlignedBuffer<UInt8>
  let ages: AlignedBuffer<UInt16>

  init(cellCount: Int) {
    validity = AlignedBuffer(count: cellCount)
    ages = AlignedBuffer(count: cellCount)
    ages.fill(.max)
  }

  /// Nothing here in this frame.
  func clear() {
    validity.zero()
    ages.fill(.max)
  }
}

/// Fills `AgedCells` and masks cells older than a limit. Owns nothing that depends on the rig;
/// allocates nothing after `init`.
final class CellAger {
  private let width: Int
  private let height: Int
  private let limit: UInt16
  private let set: InstructionSet
  private let pool: WorkerPool
  private let cameraAges = AlignedBuffer<UInt16>(count: 16)
  private let transform = AlignedBuffer<Double>(count: 6)

  init(width: Int, height: Int, limitMilliseconds: Double, engine: Engine, pool: WorkerPool) {
    self.width = width
    self.height = height
    limit = UInt16(min(limitMilliseconds, 65_534))
    set = engine.scalarSet
    self.pool = pool
  }

  /// Whole milliseconds of an age before or after the frame, at most 65534.
  static func milliseconds(_ nanoseconds: Int64) -> UInt16 {
    UInt16(min(nanoseconds.magnitude / 1_000_000, 65_534))
  }

  /// Camera cells: as old as the oldest camera that contributes.
  func ageCameras(
    _ cameras: [CameraInput], masks: AlignedBuffer<UInt16>, valid: CameraSet,
    seen: AlignedBuffer<UInt8>, into cells: AgedCells
  ) {
    for index in cameras.indices.prefix(16) {
      cameraAges[index] = Self.milliseconds(cameras[index].ageNanoseconds)
    }
    unsafe run(
      .camera, seen.pointer, cells, age: 0, masks: masks.pointer, cameras: valid.rawValue)
  }

  /// A map of one age.
  func ageMap(_ seen: AlignedBuffer<UInt8>, age: UInt16, into cells: AgedCells) {
    unsafe run(.uniform, seen.pointer, cells, age: age)
  }

  /// The previous fused map's ages, moved as the map was; `cells.validity` holds the moved validity.
  func ageHistory(
    _ previous: AlignedBuffer<UInt16>, by move: BEVPixelTransform, elapsedNanoseconds: Int64,
    into cells: AgedCells
  ) {
    transform[0] = move.xx
    transform[1] = move.xy
    transform[2] = move.x0
    transform[3] = move.yx
    transform[4] = move.yy
    transform[5] = move.y0
    unsafe run(
      .history, nil, cells, age: Self.milliseconds(elapsedNanoseconds), previous: previous.pointer)
  }

  /// `result` takes the ages of `cells` where those are valid and younger.
  func takeYounger(_ cells: AgedCells, into result: AlignedBuffer<UInt16>) {
    unsafe run(.younger, nil, cells, age: 0, result: result.pointer)
  }

  private func run(
    _ step: AgeJob.Step, _ seen: UnsafePointer<UInt8>?, _ cells: AgedCells, age: UInt16,
    masks: UnsafePointer<UInt16>? = nil, cameras: UInt16 = 0,
    previous: UnsafePointer<UInt16>? = nil, result: UnsafeMutablePointer<UInt16>? = nil
  ) {
    unsafe pool.run(
      AgeJob(
        step: step, set: set, width: width, height: height, limit: limit, seen: seen, age: age,
        masks: masks, cameras: cameras, cameraAges: cameraAges.pointer,
        transform: transform.pointer, previous: previous, validity: cells.validity.pointer,
        ages: cells.ages.pointer, result: result))
  }
}

@unsafe private struct AgeJob: PartitionedJob {
  enum Step: BitwiseCopyable { case camera, uniform, history, younger }
  var step: Step
  var set: InstructionSet
  var width: Int
  var height: Int
  var limit: UInt16
  var seen: UnsafePointer<UInt8>?
  var age: UInt16
  var masks: UnsafePointer<UInt16>?
  var cameras: UInt16
  var cameraAges: UnsafePointer<UInt16>
  var transform: UnsafePointer<Double>
  var previous: UnsafePointer<UInt16>?
  var validity: UnsafeMutablePointer<UInt8>
  var ages: UnsafeMutablePointer<UInt16>
  var result: UnsafeMutablePointer<UInt16>?

  func run(part: Int, of parts: Int) {
    let rows = unsafe partition(height, part: part, of: parts)
    let (lower, upper) = unsafe (rows.lowerBound * width, rows.upperBound * width)
    switch unsafe step {
    case .camera: unsafe ageCameras(lower, upper)
    case .uniform: unsafe ageUniform(lower, upper)
    case .history: unsafe ageHistory(rows)
    case .younger: unsafe younger(lower, upper)
    }
  }

  private func ageCameras(_ lower: Int, _ upper: Int) {
    guard let masks = unsafe masks, let seen = unsafe seen else { return }
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.ageCameraCells
      case .baseline: unsafe SwiftletKernels.ageCameraCells
      case .avx2: unsafe SwiftletKernelsAVX2.ageCameraCells
      case .avx512: unsafe SwiftletKernelsAVX512.ageCameraCells
      }
    unsafe run(masks, cameras, cameraAges, seen, limit, lower, upper, validity, ages)
  }

  private func ageUniform(_ lower: Int, _ upper: Int) {
    guard let seen = unsafe seen else { return }
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.ageUniformCells
      case .baseline: unsafe SwiftletKernels.ageUniformCells
      case .avx2: unsafe SwiftletKernelsAVX2.ageUniformCells
      case .avx512: unsafe SwiftletKernelsAVX512.ageUniformCells
      }
    unsafe run(seen, age, limit, lower, upper, validity, ages)
  }

  private func ageHistory(_ rows: Range<Int>) {
    guard let previous = unsafe previous else { return }
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.ageHistoryCells
      case .baseline: unsafe SwiftletKernels.ageHistoryCells
      case .avx2: unsafe SwiftletKernelsAVX2.ageHistoryCells
      case .avx512: unsafe SwiftletKernelsAVX512.ageHistoryCells
      }
    unsafe run(
      previous, width, height, transform, Int(age), limit, rows.lowerBound, rows.upperBound,
      validity, ages)
  }

  private func younger(_ lower: Int, _ upper: Int) {
    guard let result = unsafe result else { return }
    let run =
      switch unsafe set {
      case .portable: unsafe SwiftletKernelsPortable.youngerAges
      case .baseline: unsafe SwiftletKernels.youngerAges
      case .avx2: unsafe SwiftletKernelsAVX2.youngerAges
      case .avx512: unsafe SwiftletKernelsAVX512.youngerAges
      }
    unsafe run(validity, ages, lower, upper, result)
  }
}

/// A bird's-eye-view map that somebody else made: a radar network's, a map of the place. Borrowed
/// views stay valid during the call.
public struct BEVMapInput: Sendable {
  public enum Kind: Int, Sendable, CaseIterable {
    /// Modality 3.
    case radar = 3
    /// Modality 4; never too old.
    case mapPrior = 4
  }

  public var kind: Kind
  public var name: String
  public var isValid: Bool
  /// Frame time minus the map's time.
  public var ageNanoseconds: Int64
  /// [y][x][channel] on the pipeline's grid, in ego axes at the map's own time; float32, float16 or
  /// bfloat16, any strides.
  public var features: TensorView
  /// [1][y][x] uint8, 0 where the map knows nothing; nil when every cell is valid.
  public var validity: TensorView?
  /// Ego at the map's own time to world.
  public var worldFromEgo: RigidTransform

  public init(
    kind: Kind, name: String, isValid: Bool = true, ageNanoseconds: Int64 = 0,
    features: TensorView, validity: TensorView? = nil, worldFromEgo: RigidTransform
  ) {
    self.kind = kind
    self.name = name
    self.isValid = isValid
    self.ageNanoseconds = ageNanoseconds
    self.features = features
    self.validity = validity
    self.worldFromEgo = worldFromEgo
  }
}

/// Takes one kind of external map into the pipeline's axes. Made by the first frame that has one;
/// allocates nothing afterwards.
final class ExternalMap {
  let cells: AgedCells
  let warp: BEVWarp
  private(set) var isPresent = false
  private let packed: AlignedBuffer<Float>
  private let packedValidity: AlignedBuffer<UInt8>
  private let grid: BEVGrid
  private let channels: Int
  private let engine: Engine
  private let pool: WorkerPool

  init(grid: BEVGrid, channels: Int, engine: Engine, pool: WorkerPool) {
    self.grid = grid
    self.channels = channels
    self.engine = engine
    self.pool = pool
    let count = grid.sizeX * grid.sizeY
    cells = AgedCells(cellCount: count)
    warp = BEVWarp(
      width: grid.sizeX, height: grid.sizeY, channels: channels, engine: engine, pool: pool)
    packed = AlignedBuffer(count: count * channels)
    packedValidity = AlignedBuffer(count: count)
  }

  func clear() { isPresent = false }

  /// Why a map cannot be used; nil for one that can.
  static func problem(
    _ map: BEVMapInput, grid: BEVGrid, channels: Int
  ) -> Bool {
    let size = (grid.sizeY, grid.sizeX)
    guard map.features.shape == (size.0, size.1, channels), map.features.elementType != .uint8,
      map.worldFromEgo.isFinite, map.worldFromEgo.rotation.orthonormalityError < 1e-3
    else { return true }
    guard let validity = map.validity else { return false }
    return validity.shape != (1, size.0, size.1) || validity.elementType != .uint8
  }

  /// Moves `map` from its own time's axes to the frame's.
  func take(_ map: BEVMapInput, worldFromEgo: RigidTransform, ager: CellAger) {
    unsafe TensorPacking.pack(map.features, into: packed.pointer, engine: engine, pool: pool)
    copyValidity(map.validity)
    let move = map.worldFromEgo.inverse * worldFromEgo
    unsafe warp.warp(
      UnsafeBufferPointer(packed.elements),
      validity: UnsafeBufferPointer(packedValidity.elements),
      by: .cellCenters(previousEgoFromCurrentEgo: move, grid: grid))
    let age = map.kind == .mapPrior ? 0 : CellAger.milliseconds(map.ageNanoseconds)
    ager.ageMap(warp.validity, age: age, into: cells)
    isPresent = true
  }

  private func copyValidity(_ view: TensorView?) {
    guard let view else { return packedValidity.fill(1) }
    for row in 0..<grid.sizeY {
      for column in 0..<grid.sizeX {
        let place = row * view.strides.1 + column * view.strides.2
        let value = unsafe view.baseAddress.load(fromByteOffset: place, as: UInt8.self)
        packedValidity[row * grid.sizeX + column] = value == 0 ? 0 : 1
      }
    }
  }

  /// The map for `ModalityFusion`; nil where this frame has none.
  var view: BEVMap? {
    isPresent ? BEVMap(features: warp.output, validity: cells.validity, channels: channels) : nil
  }
}

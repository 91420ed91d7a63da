import Swiftlet

/// Several drives' maps in one frame.
///
/// Log-odds of a voxel that several maps know are added, in the maps' order, and clamped: the maps
/// are taken as independent evidence. A map whose pose turns it by quarter turns and moves it by
/// whole voxels is moved exactly. Any other is resampled: each target voxel takes the value of the
/// source voxel its centre lies in, so nothing is blurred and no hole opens, but surfaces move by up
/// to half a voxel.
public struct VoxelMapMerge: Sendable {
  /// One map and where it lies.
  public struct Source: Sendable {
    public var map: VoxelMap
    public var worldFromMap: RigidTransform

    public init(map: VoxelMap, worldFromMap: RigidTransform = .identity) {
      self.map = map
      self.worldFromMap = worldFromMap
    }
  }

  /// What became of one map.
  public struct Placement: Sendable, Equatable {
    public var isExact: Bool
    public var sourceVoxelCount: Int
    public var placedVoxelCount: Int
    /// Voxels outside the 16-bit cube of keys.
    public var droppedVoxelCount: Int
  }

  public private(set) var map: VoxelMap
  public private(set) var placements: [Placement] = []
  /// Voxels that more than one map knows, and of these where free met occupied.
  public private(set) var sharedVoxelCount = 0
  public private(set) var contradictedVoxelCount = 0

  /// - Parameter model: clamps the sums.
  /// - Throws: `InputError` without a map, for different voxel sizes, or a pose that is no rigid
  ///   transform.
  public init(_ sources: [Source], model: OccupancyModel = .octoMap) throws(InputError) {
    guard let first = sources.first, sources.count <= 1 << 15 else {
      throw InputError(
        input: "maps", expected: "1 to \(1 << 15)", found: "\(sources.count)",
        remedy: "name the maps to merge")
    }
    // Voxel (48 bits) and source (16) in one word: sorting it keeps the maps' order in a voxel.
    var entries: [(word: UInt64, logOdds: Float)] = []
    for (number, source) in sources.enumerated() {
      try Self.check(source, number, first.map.voxelSizeMeters)
      var placement = Placement(
        isExact: true, sourceVoxelCount: source.map.count, placedVoxelCount: 0,
        droppedVoxelCount: 0)
      Self.place(source, &placement) { key, value in
        entries.append((Self.word(key, number), value))
      }
      placements.append(placement)
    }
    entries.sort { $0.word < $1.word }
    var voxels: [(key: VoxelKey, logOdds: Float)] = []
    let threshold = first.map.occupiedThreshold
    var index = 0
    while index < entries.count {
      var end = index + 1
      var sum = entries[index].logOdds
      var occupied = sum >= threshold ? 1 : 0
      while end < entries.count, entries[end].word >> 16 == entries[index].word >> 16 {
        sum += entries[end].logOdds
        occupied += entries[end].logOdds >= threshold ? 1 : 0
        end += 1
      }
      if end - index > 1 {
        sharedVoxelCount += 1
        contradictedVoxelCount += occupied > 0 && occupied < end - index ? 1 : 0
        sum = min(max(sum, model.minimum), model.maximum)
      }
      voxels.append((Self.key(entries[index].word), sum))
      index = end
    }
    map = try VoxelMap(
      voxelSizeMeters: first.map.voxelSizeMeters, keys: voxels.map(\.key),
      logOdds: voxels.map(\.logOdds), occupiedThreshold: threshold)
  }

  private static func word(_ key: VoxelKey, _ source: Int) -> UInt64 {
    let x = UInt64(UInt32(bitPattern: key.x &+ 32768))
    let y = UInt64(UInt32(bitPattern: key.y &+ 32768))
    let z = UInt64(UInt32(bitPattern: key.z &+ 32768))
    return x << 48 | y << 32 | z << 16 | UInt64(source)
  }
  private static func key(_ word: UInt64) -> VoxelKey {
    VoxelKey(
      x: Int32(word >> 48) - 32768, y: Int32(word >> 32 & 0xffff) - 32768,
      z: Int32(word >> 16 & 0xffff) - 32768)
  }

  private static func check(
    _ source: Source, _ number: Int, _ voxelSize: Double
  ) throws(InputError) {
    let size = source.map.voxelSizeMeters
    guard abs(size - voxelSize) <= 1e-9 * voxelSize else {
      throw InputError(
        input: "map \(number + 1)", expected: "voxels of \(voxelSize) m as in the first map",
        found: "\(size) m", remedy: "build the maps with one voxel size")
    }
    do throws(CalibrationError) {
      try source.worldFromMap.validate(sensor: "map \(number + 1)", tolerance: 1e-6)
    } catch {
      throw InputError(
        input: "pose of \(error.sensor)", expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
  }

  private static func place(
    _ source: Source, _ placement: inout Placement, _ emit: (VoxelKey, Float) -> Void
  ) {
    let map = source.map
    let aligned = VoxelAlignment(source.worldFromMap, voxelSizeMeters: map.voxelSizeMeters)
    placement.isExact = aligned != nil
    let resampler = VoxelResampler(source.worldFromMap, voxelSizeMeters: map.voxelSizeMeters)
    for index in map.keys.indices {
      let targets = aligned.map { [$0.target(of: map.keys[index])] }
        ?? resampler.targets(of: map.keys[index])
      for target in targets {
        if let key = target.key {
          placement.placedVoxelCount += 1
          emit(key, map.logOdds[index])
        } else {
          placement.droppedVoxelCount += 1
        }
      }
    }
  }
}

import Swiftlet

/// A map as files hold it: every known voxel with its log-odds, in no window.
public struct VoxelMap: Sendable, Equatable {
  public var voxelSizeMeters: Double
  /// floor(coordinate / voxel size) a axis, strictly ascending by x, y, z.
  public private(set) var keys: [VoxelKey]
  /// Natural logarithm of the odds, by key.
  public private(set) var logOdds: [Float]
  /// A voxel is occupied at or above this.
  public var occupiedThreshold: Float = 0

  /// - Throws: `InputError` unless the voxel size is finite and above 0, keys are strictly
  ///   ascending within 16 bits, and every key has log-odds that are a number.
  public init(
    voxelSizeMeters: Double, keys: [VoxelKey], logOdds: [Float], occupiedThreshold: Float = 0
  ) throws(InputError) {
    func failure(_ input: String, _ expected: String, _ found: String) -> InputError {
      InputError(
        input: input, expected: expected, found: found, remedy: "write the map again")
    }
    guard voxelSizeMeters.isFinite, voxelSizeMeters > 0 else {
      throw failure("voxel size", "a finite size above 0 m", "\(voxelSizeMeters)")
    }
    guard keys.count == logOdds.count else {
      throw failure("log-odds", "\(keys.count) as there are keys", "\(logOdds.count)")
    }
    guard occupiedThreshold.isFinite else {
      throw failure("threshold", "a number", "\(occupiedThreshold)")
    }
    for index in keys.indices {
      let key = keys[index]
      guard key.isInsideCube else { throw failure("key \(index)", "-32768...32767", "\(key)") }
      guard index == 0 || keys[index - 1] < key else {
        throw failure("key \(index)", "keys ascending by x, y, z", "\(keys[index - 1]), \(key)")
      }
      guard !logOdds[index].isNaN else { throw failure("log-odds \(index)", "a number", "NaN") }
    }
    self.voxelSizeMeters = voxelSizeMeters
    self.keys = keys
    self.logOdds = logOdds
    self.occupiedThreshold = occupiedThreshold
  }

  public var count: Int { keys.count }
  /// Whether the voxel at `index` is occupied; a known voxel is free otherwise.
  public func isOccupied(_ index: Int) -> Bool { logOdds[index] >= occupiedThreshold }
  public var occupiedCount: Int { logOdds.count { $0 >= occupiedThreshold } }

  /// Voxels in any order, made a map. Every key once, inside the cube, with a number.
  init(
    voxelSizeMeters: Double, unsorted voxels: [(key: VoxelKey, logOdds: Float)],
    occupiedThreshold: Float = 0
  ) throws(InputError) {
    let sorted = voxels.sorted { $0.key < $1.key }
    try self.init(
      voxelSizeMeters: voxelSizeMeters, keys: sorted.map(\.key), logOdds: sorted.map(\.logOdds),
      occupiedThreshold: occupiedThreshold)
  }
}

extension VoxelKey {
  /// Whether every index fits OctoMap's 16 bits.
  var isInsideCube: Bool {
    let range: ClosedRange<Int32> = -32768...32767
    return range.contains(x) && range.contains(y) && range.contains(z)
  }
}

/// The files a map can be kept in or handed on as.
public enum VoxelMapFormat: String, Sendable, CaseIterable {
  /// The project's own: versioned header, CRC-32. Exact.
  case swlmap
  /// What `swiftlet map` writes. Exact.
  case safetensors
  /// OctoMap's binary tree: free or occupied, no log-odds.
  case bt
  /// OctoMap's full tree: float32 log-odds. Exact.
  case ot
  /// Centres of the occupied voxels; written only.
  case ply
  case pcd

  /// The format of a file by its extension.
  public init(path: String) throws(ExchangeError) {
    let name = path.split(separator: ".").last?.lowercased() ?? ""
    guard let format = VoxelMapFormat(rawValue: name) else {
      throw ExchangeError(
        file: path,
        expected: "an extension of \(Self.allCases.map { "." + $0.rawValue }.joined(separator: " "))",
        found: name == path ? "none" : ".\(name)", remedy: "name the file by its format")
    }
    self = format
  }

  /// Whether maps can be read from it.
  public var isReadable: Bool { self != .ply && self != .pcd }
}

extension VoxelMap {
  /// Reads a map by its file's extension.
  public static func read(_ path: String) throws(ExchangeError) -> VoxelMap {
    let format = try VoxelMapFormat(path: path)
    let bytes: [UInt8]
    do throws(RecordingError) {
      bytes = try RecordingFile.read(path)
    } catch {
      throw ExchangeError(error)
    }
    return try parse(bytes, format, file: path)
  }

  /// Reads a map from a file's bytes.
  public static func parse(
    _ bytes: [UInt8], _ format: VoxelMapFormat, file: String
  ) throws(ExchangeError) -> VoxelMap {
    switch format {
    case .swlmap: return try NativeMapFile.parse(bytes, file: file)
    case .safetensors: return try SafeTensorsMap.parse(bytes, file: file)
    case .bt, .ot: return try OctreeReader.parse(bytes, file: file)
    case .ply, .pcd:
      throw ExchangeError(
        file: file, expected: "a map that can be read (.swlmap .safetensors .bt .ot)",
        found: ".\(format.rawValue), which keeps occupied centres only",
        remedy: "give the map it was made from")
    }
  }

  /// A map from a file's values; errors name the file.
  init(
    file: String, voxelSizeMeters: Double, keys: [VoxelKey], logOdds: [Float],
    occupiedThreshold: Float = 0
  ) throws(ExchangeError) {
    do throws(InputError) {
      try self.init(
        voxelSizeMeters: voxelSizeMeters, keys: keys, logOdds: logOdds,
        occupiedThreshold: occupiedThreshold)
    } catch {
      throw ExchangeError(
        file: "\(file) \(error.input)", expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
  }

  /// The map as a file's bytes: the same map gives the same bytes.
  public func serialized(_ format: VoxelMapFormat) -> [UInt8] {
    switch format {
    case .swlmap: NativeMapFile.serialize(self)
    case .safetensors: SafeTensorsMap.serialize(self)
    case .bt: OctreeWriter.binaryTree(self)
    case .ot: OctreeWriter.fullTree(self)
    case .ply: PointFile.ply(self)
    case .pcd: PointFile.pcd(self)
    }
  }
}

extension VoxelMap {
  /// The corners of the box around all known voxels, metres; nil for an empty map.
  public var boundsMeters: (lower: SIMD3<Double>, upper: SIMD3<Double>)? {
    guard let first = keys.first else { return nil }
    var lower = SIMD3(first.x, first.y, first.z)
    var upper = lower
    for key in keys {
      let index = SIMD3(key.x, key.y, key.z)
      lower = pointwiseMin(lower, index)
      upper = pointwiseMax(upper, index)
    }
    func meters(_ corner: SIMD3<Int32>) -> SIMD3<Double> {
      SIMD3(Double(corner.x), Double(corner.y), Double(corner.z)) * voxelSizeMeters
    }
    return (meters(lower), meters(upper &+ 1))
  }
}

extension OccupancyGrid {
  /// Position inside the window; nil outside.
  func localIndex(_ key: VoxelKey) -> (x: Int, y: Int, z: Int)? {
    let x = Int(key.x) - Int(window[0])
    let y = Int(key.y) - Int(window[1])
    let z = Int(key.z) - Int(window[2])
    guard x >= 0, x < configuration.cellCountX, y >= 0, y < configuration.cellCountY, z >= 0,
      z < configuration.cellCountZ
    else { return nil }
    return (x, y, z)
  }

  /// Whether the voxel lies in the window.
  public func covers(_ key: VoxelKey) -> Bool { localIndex(key) != nil }

  /// The first line of the column at window position (x, y).
  func lineIndex(x: Int, y: Int) -> Int {
    let slotX = Self.wrap(Int(window[0]) + x, configuration.cellCountX)
    let slotY = Self.wrap(Int(window[1]) + y, configuration.cellCountY)
    return (slotY * configuration.cellCountX + slotX) * configuration.wordCount
  }

  /// The voxel of a position, metres in world.
  public func key(ofWorld position: SIMD3<Double>) -> VoxelKey {
    let scaled = (position * (1 / configuration.voxelSizeMeters)).rounded(.down)
    precondition(
      abs(scaled.x) < 2e9 && abs(scaled.y) < 2e9 && abs(scaled.z) < 2e9,
      "position \(position) has no voxel")
    return VoxelKey(x: Int32(scaled.x), y: Int32(scaled.y), z: Int32(scaled.z))
  }

  /// What the map says about a voxel; unknown outside the window.
  public func state(_ key: VoxelKey) -> VoxelState {
    guard let local = localIndex(key) else { return .unknown }
    let line = lineIndex(x: local.x, y: local.y) + local.z / 64
    let bit = UInt64(local.z % 64)
    if known[line] >> bit & 1 == 0 { return .unknown }
    return occupied[line] >> bit & 1 == 1 ? .occupied : .free
  }

  /// Steps of the stored int8 log-odds in one unit of natural log-odds.
  public var stepsPerUnit: Float { byteModel.stepsPerUnit }

  /// The voxel's log-odds (natural logarithm); nil when unknown or outside the window.
  public func logOdds(_ key: VoxelKey) -> Float? {
    guard let local = localIndex(key) else { return nil }
    let line = lineIndex(x: local.x, y: local.y) + local.z / 64
    let place = line * 64 + local.z % 64
    if exactLines.count > 0 {
      let value = exactLines[place]
      return value == .min ? nil : Float(value) / shortModel.stepsPerUnit
    }
    let value = lines[place]
    return value == -128 ? nil : Float(value) / byteModel.stepsPerUnit
  }

  /// The memory itself, for one call: lines [slot y][slot x][word][64] of int8 log-odds (-128
  /// unknown), and the occupied and known bit planes [slot y][slot x][word]. The slot of key (x, y)
  /// is x mod `cellCountX`, y mod `cellCountY`; z counts from the window's floor.
  @unsafe
  public struct Memory {
    public let lines: UnsafePointer<Int8>
    public let occupied: UnsafePointer<UInt64>
    public let known: UnsafePointer<UInt64>
    public let wordCount: Int
  }
  @unsafe public var memory: Memory {
    unsafe Memory(
      lines: lines.pointer, occupied: occupied.pointer, known: known.pointer,
      wordCount: configuration.wordCount)
  }

  /// Calls `body` for every occupied voxel of the window by rows, columns, then height: its key, its
  /// centre (metres in world), and its height above the window's floor.
  public func forEachOccupied(
    _ body: (_ key: VoxelKey, _ centerInWorld: SIMD3<Double>, _ heightMeters: Double) -> Void
  ) {
    forEach(plane: occupied, body)
  }
  /// The same for every known voxel.
  public func forEachKnown(
    _ body: (_ key: VoxelKey, _ centerInWorld: SIMD3<Double>, _ heightMeters: Double) -> Void
  ) {
    forEach(plane: known, body)
  }

  private func forEach(
    plane: AlignedBuffer<UInt64>, _ body: (VoxelKey, SIMD3<Double>, Double) -> Void
  ) {
    let size = configuration.voxelSizeMeters
    for y in 0..<configuration.cellCountY {
      for x in 0..<configuration.cellCountX {
        let line = lineIndex(x: x, y: y)
        for word in 0..<configuration.wordCount {
          var bits = unsafe plane.pointer[line + word]
          while bits != 0 {
            let z = 64 * word + bits.trailingZeroBitCount
            bits &= bits - 1
            let key = VoxelKey(
              x: window[0] + Int32(x), y: window[1] + Int32(y), z: window[2] + Int32(z))
            let center = (SIMD3(Double(key.x), Double(key.y), Double(key.z)) + 0.5) * size
            body(key, center, (Double(z) + 0.5) * size)
          }
        }
      }
    }
  }

  /// Occupied and known voxels of the window.
  public var occupiedCount: Int {
    unsafe occupied.elements.reduce(0) { $0 + $1.nonzeroBitCount }
  }
  public var knownCount: Int { unsafe known.elements.reduce(0) { $0 + $1.nonzeroBitCount } }
}

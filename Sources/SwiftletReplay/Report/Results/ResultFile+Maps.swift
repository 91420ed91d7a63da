import Foundation
import Swiftlet

extension ResultFile {
  /// The occupancy window from above and its occupied voxels; nothing with occupancy off.
  func maps(of frame: SensorFrame, _ pipeline: FramePipeline) -> [Message] {
    guard let grid = pipeline.occupancy else { return [] }
    let header = MessageHeader(stampNanoseconds: frame.timestampNanoseconds, frameID: Self.world)
    return [
      Message(
        topic: "/swiftlet/bev", time: frame.timestampNanoseconds,
        type: OccupancyGridMessage.rosType, data: TopDownMap(grid).message(header).cdr()),
      Message(
        topic: "/swiftlet/voxels", time: frame.timestampNanoseconds,
        type: VoxelGridMessage.foxgloveType, data: Self.voxels(grid, header).protobuf()),
    ]
  }

  /// The box around all occupied voxels, world-aligned; each cell five bytes: the occupancy
  /// probability in percent (0: free or unknown), then a colour by height whose alpha is 0 where
  /// nothing is.
  static func voxels(_ grid: OccupancyGrid, _ header: MessageHeader) -> VoxelGridMessage {
    var lower = SIMD3(repeating: Int32.max)
    var upper = SIMD3(repeating: Int32.min)
    grid.forEachOccupied { key, _, _ in
      let place = SIMD3(key.x, key.y, key.z)
      lower = pointwiseMin(lower, place)
      upper = pointwiseMax(upper, place)
    }
    if upper.x < lower.x { (lower, upper) = (SIMD3(grid.origin), SIMD3(grid.origin)) }
    let counts = SIMD3<Int>(
      Int(upper.x - lower.x) + 1, Int(upper.y - lower.y) + 1, Int(upper.z - lower.z) + 1)
    let stride = 5
    let size = grid.configuration.voxelSizeMeters
    var data = [UInt8](repeating: 0, count: counts.x * counts.y * counts.z * stride)
    grid.forEachOccupied { key, _, height in
      let (x, y, z) = (Int(key.x - lower.x), Int(key.y - lower.y), Int(key.z - lower.z))
      let at = ((z * counts.y + y) * counts.x + x) * stride
      // The window's floor lies below the ground by about its lower bound.
      let color = ColorMap.turbo.color(
        Float((height + grid.configuration.lowerZMeters + 1) / 6))
      data[at] = UInt8(percent(grid.logOdds(key) ?? 0))
      data[at + 1] = color.red
      data[at + 2] = color.green
      data[at + 3] = color.blue
      data[at + 4] = 255
    }
    return VoxelGridMessage(
      header: header, originMeters: SIMD3(Double(lower.x), Double(lower.y), Double(lower.z)) * size,
      cellSizeMeters: size, counts: counts, cellByteStride: stride,
      fields: ["occupancy", "red", "green", "blue", "alpha"].enumerated().map {
        VoxelGridMessage.Field($0.element, byteOffset: $0.offset, numericType: 1)
      }, data: data)
  }

  /// Log-odds as a probability, 0…100.
  static func percent(_ logOdds: Float) -> Int {
    Int((100 / (1 + exp(-Double(logOdds)))).rounded())
  }
}

extension SIMD3<Int32> {
  fileprivate init(_ key: VoxelKey) { self.init(key.x, key.y, key.z) }
}

/// The occupancy window from above, as costmaps show it: what stands up is occupied, what is known
/// and flat is free.
///
/// A column is occupied where it holds an occupied voxel that stands at least half a metre (and two
/// voxels) above the lowest occupied one of itself and its eight neighbours; its value is then the
/// highest probability of those voxels in percent. A column that is known otherwise is 0, the others
/// are −1.
struct TopDownMap {
  private let grid: OccupancyGrid
  private let countX: Int
  private let countY: Int
  /// [y][x], of occupied voxels; `Int32.max` for none.
  private var lowest: [Int32]
  private var cells: [Int8]

  init(_ grid: OccupancyGrid) {
    self.grid = grid
    countX = grid.cellCounts.x
    countY = grid.cellCounts.y
    lowest = [Int32](repeating: .max, count: countX * countY)
    cells = [Int8](repeating: -1, count: countX * countY)
    markKnown()
    markStanding()
  }

  func message(_ header: MessageHeader) -> OccupancyGridMessage {
    let lower = grid.lowerMeters
    return OccupancyGridMessage(
      header: header, mapLoadNanoseconds: 0,
      resolutionMeters: Float(grid.configuration.voxelSizeMeters), width: countX, height: countY,
      originPosition: SIMD3(lower.x, lower.y, 0), originOrientation: .identity, cells: cells)
  }

  private func cell(_ key: VoxelKey) -> Int {
    Int(key.y - grid.origin.y) * countX + Int(key.x - grid.origin.x)
  }

  private mutating func markKnown() {
    var known = cells
    var floor = lowest
    grid.forEachKnown { key, _, _ in known[cell(key)] = 0 }
    grid.forEachOccupied { key, _, _ in
      let at = cell(key)
      floor[at] = min(floor[at], key.z)
    }
    cells = known
    lowest = floor
  }

  private mutating func markStanding() {
    let rise = max(2, Int32((0.5 / grid.configuration.voxelSizeMeters).rounded(.up)))
    var marked = cells
    grid.forEachOccupied { key, _, _ in
      let at = cell(key)
      guard key.z >= ground(x: at % countX, y: at / countX) + rise else { return }
      marked[at] = max(marked[at], Int8(ResultFile.percent(grid.logOdds(key) ?? 0)))
    }
    cells = marked
  }

  /// The lowest occupied voxel of a column and its neighbours.
  private func ground(x: Int, y: Int) -> Int32 {
    var found = Int32.max
    for row in max(0, y - 1)...min(countY - 1, y + 1) {
      for column in max(0, x - 1)...min(countX - 1, x + 1) {
        found = min(found, lowest[row * countX + column])
      }
    }
    return found
  }
}

import Swiftlet

/// The known and occupied voxels of an occupancy window at one moment, for comparing two runs.
struct MapPlanes {
  /// How many voxels two maps disagree on, apart by whether a third map knows them.
  struct Difference: Equatable {
    /// Voxels that the third map knows, and those of them that differ.
    var seen = 0
    var differingSeen = 0
    /// Voxels that either map knows and the third does not, and those of them that differ.
    var unseen = 0
    var differingUnseen = 0
  }

  private let origin: VoxelKey
  private let countX: Int
  private let countY: Int
  private let wordCount: Int
  /// By slot: [y mod countY][x mod countX][word].
  private let occupied: [UInt64]
  private let known: [UInt64]

  init(_ grid: OccupancyGrid) {
    origin = grid.origin
    countX = grid.cellCounts.x
    countY = grid.cellCounts.y
    let memory = unsafe grid.memory
    wordCount = unsafe memory.wordCount
    let count = countX * countY * wordCount
    occupied = unsafe Array(UnsafeBufferPointer(start: memory.occupied, count: count))
    known = unsafe Array(UnsafeBufferPointer(start: memory.known, count: count))
  }

  /// Compares voxel for voxel over this map's window: a voxel differs when one map knows it and the
  /// other does not, or when they know different states.
  ///
  /// - Parameter third: splits the voxels into those it knows and the others; nil knows none.
  func difference(from other: MapPlanes, seenBy third: MapPlanes?) -> Difference {
    var sum = Difference()
    for y in Int(origin.y)..<Int(origin.y) + countY {
      for x in Int(origin.x)..<Int(origin.x) + countX {
        for word in 0..<wordCount {
          let z = Int(origin.z) + 64 * word
          let a = bits(x, y, z)
          let b = other.bits(x, y, z)
          let seen = third?.bits(x, y, z).known ?? 0
          let either = a.known | b.known
          let differing = (a.known ^ b.known) | (a.occupied ^ b.occupied)
          sum.seen += (either & seen).nonzeroBitCount
          sum.differingSeen += (differing & seen).nonzeroBitCount
          sum.unseen += (either & ~seen).nonzeroBitCount
          sum.differingUnseen += (differing & ~seen).nonzeroBitCount
        }
      }
    }
    return sum
  }

  /// 64 voxels from height key `z` on, the lowest in bit 0; zero outside the window.
  private func bits(_ x: Int, _ y: Int, _ z: Int) -> (known: UInt64, occupied: UInt64) {
    guard x >= Int(origin.x), x < Int(origin.x) + countX, y >= Int(origin.y),
      y < Int(origin.y) + countY
    else { return (0, 0) }
    let line = (Self.wrap(y, countY) * countX + Self.wrap(x, countX)) * wordCount
    let offset = z - Int(origin.z)
    // Floor division: windows at other heights begin between two words.
    let word = offset >> 6
    let shift = offset & 63
    func take(_ plane: [UInt64]) -> UInt64 {
      let low = (0..<wordCount).contains(word) ? plane[line + word] : 0
      guard shift > 0 else { return low }
      let high = (0..<wordCount).contains(word + 1) ? plane[line + word + 1] : 0
      return low >> UInt64(shift) | high << UInt64(64 - shift)
    }
    return (take(known), take(occupied))
  }

  private static func wrap(_ value: Int, _ count: Int) -> Int {
    let rest = value % count
    return rest < 0 ? rest + count : rest
  }
}

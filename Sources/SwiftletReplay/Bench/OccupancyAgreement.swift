import Swiftlet

/// A window compared with the reference map, over the window: the 3×3 confusion of states.
public struct OccupancyAgreement: Sendable {
  /// [reference][window] by `VoxelState` raw value, over voxels known in either.
  public private(set) var confusion = [[Int]](repeating: [0, 0, 0], count: 3)

  public init(grid: OccupancyGrid, reference: ReferenceOccupancyMap) {
    var seen = 0
    for voxel in reference.knownVoxels() where grid.covers(voxel.key) {
      let expected = voxel.logOdds >= reference.model.threshold ? VoxelState.occupied : .free
      let got = grid.state(voxel.key)
      confusion[Int(expected.rawValue)][Int(got.rawValue)] += 1
      if got != .unknown { seen += 1 }
    }
    confusion[0][Int(VoxelState.free.rawValue)] =
      grid.knownCount - grid.occupiedCount - confusion[1][1] - confusion[2][1]
    confusion[0][Int(VoxelState.occupied.rawValue)] =
      grid.occupiedCount - confusion[1][2] - confusion[2][2]
  }

  /// Intersection over union of one state.
  public func iou(_ state: VoxelState) -> Double {
    let index = Int(state.rawValue)
    let both = confusion[index][index]
    let union = (0..<3).reduce(-both) { $0 + confusion[index][$1] + confusion[$1][index] }
    return union == 0 ? 1 : Double(both) / Double(union)
  }
  /// Share of the voxels known in both whose state agrees.
  public var sameState: Double {
    let same = confusion[1][1] + confusion[2][2]
    let all = same + confusion[1][2] + confusion[2][1]
    return all == 0 ? 1 : Double(same) / Double(all)
  }
  /// Share of the reference's occupied voxels that the window calls free.
  public var occupiedCalledFree: Double {
    let all = confusion[2].reduce(0, +)
    return all == 0 ? 0 : Double(confusion[2][1]) / Double(all)
  }

  public var description: String {
    "IoU occupied \(iou(.occupied)), free \(iou(.free)), same state \(sameState), "
      + "occupied called free \(occupiedCalledFree)"
  }

  /// What breaks the mode's promise; nil when it is kept.
  public func failure(of mode: OccupancyMode) -> String? {
    let promise = mode.promise
    let isKept =
      iou(.occupied) >= promise.occupiedIoU && iou(.free) >= promise.freeIoU
      && sameState >= promise.sameState && occupiedCalledFree <= promise.occupiedCalledFree
    return isKept ? nil : "promised \(promise), got \(description)"
  }
}

/// What a map says about a place.
public enum MapState: Sendable {
  case unknown
  case free
  case occupied
}

/// How well an occupancy map agrees with one frame's ground truth. Only voxels the frame's sweep saw
/// are judged, and of these only the ones that are surely free or surely occupied.
///
/// A map is scored right after it took in the frame; voxels swept by moving things earlier and empty
/// now are among the free ones, so what is left behind there counts as a ghost.
public struct MapScore: Sendable, Equatable {
  /// Truly occupied voxels the map calls occupied.
  public var found = 0
  /// Truly occupied voxels the map calls free or unknown.
  public var missed = 0
  /// Truly occupied voxels the map calls free: surfaces it would drive through.
  public var calledFree = 0
  /// Truly free voxels the map calls occupied.
  public var ghosts = 0
  /// Truly free voxels the map calls free.
  public var confirmedFree = 0
  /// Truly free voxels the map does not know.
  public var unknownFree = 0

  public init() {}

  /// found / (found + missed + ghosts); nil where nothing was there to find.
  public var intersectionOverUnion: Double? { ratio(found, found + missed + ghosts) }
  /// found / (found + missed).
  public var surfaceRecall: Double? { ratio(found, found + missed) }
  /// Ghosts among the truly free voxels.
  public var ghostRate: Double? { ratio(ghosts, ghosts + confirmedFree + unknownFree) }
  /// Intersection over union of the free voxels, against all that were judged.
  public var freeIntersectionOverUnion: Double? {
    ratio(confirmedFree, confirmedFree + unknownFree + ghosts + calledFree)
  }
  private func ratio(_ part: Int, _ whole: Int) -> Double? {
    whole == 0 ? nil : Double(part) / Double(whole)
  }

  /// Adds another frame's counts.
  public static func += (a: inout MapScore, b: MapScore) {
    a.found += b.found
    a.missed += b.missed
    a.calledFree += b.calledFree
    a.ghosts += b.ghosts
    a.confirmedFree += b.confirmedFree
    a.unknownFree += b.unknownFree
  }

  /// Scores a map.
  ///
  /// - Parameters:
  ///   - truth: the frame the map was last updated with.
  ///   - mapVoxelSizeMeters: the map's voxel size. A map with finer voxels is asked at the middles
  ///     of the ones inside each 0.4-metre voxel: occupied if any is, else free if any is.
  ///   - state: the map at a world position, metres; nil outside the map, which is not judged.
  public static func compare(
    _ truth: GroundTruthFrame, mapVoxelSizeMeters: Double,
    state: (SIMD3<Double>) -> MapState?
  ) -> MapScore {
    precondition(mapVoxelSizeMeters > 0, "a voxel size of \(mapVoxelSizeMeters) m")
    let size = 0.4
    let parts = max(1, Int((size / mapVoxelSizeMeters).rounded()))
    var score = MapScore()
    func judged(_ key: SIMD3<Int32>) -> MapState? {
      var isKnownFree = false
      var isOutside = false
      for part in 0..<(parts * parts * parts) {
        let place = SIMD3(part % parts, part / parts % parts, part / (parts * parts))
        let fraction = (SIMD3<Double>(SIMD3<Int32>(truncatingIfNeeded: place)) + 0.5)
        let point = (SIMD3<Double>(key) + fraction / Double(parts)) * size
        switch state(point) {
        case .occupied: return .occupied
        case .free: isKnownFree = true
        case .unknown: break
        case nil: isOutside = true
        }
      }
      if isOutside { return nil }
      return isKnownFree ? .free : .unknown
    }
    for key in truth.occupiedKeys {
      switch judged(key) {
      case .occupied: score.found += 1
      case .free:
        score.missed += 1
        score.calledFree += 1
      case .unknown: score.missed += 1
      case nil: break
      }
    }
    for key in truth.freeKeys {
      switch judged(key) {
      case .occupied: score.ghosts += 1
      case .free: score.confirmedFree += 1
      case .unknown: score.unknownFree += 1
      case nil: break
      }
    }
    return score
  }
}

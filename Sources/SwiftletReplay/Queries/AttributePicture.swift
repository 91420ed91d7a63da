import Swiftlet

/// What a picture of attributes shows.
public enum AttributeShown: String, Sendable, CaseIterable {
  case `class`
  case intensity
}

extension AttributeResult {
  /// Colours of Occ3D's classes, those of nuScenes-lidarseg's public pictures.
  private static let palette: [PictureColor] = [
    PictureColor(190, 120, 255), PictureColor(112, 128, 144), PictureColor(220, 20, 60),
    PictureColor(255, 127, 80), PictureColor(255, 158, 0), PictureColor(233, 150, 70),
    PictureColor(255, 61, 99), PictureColor(0, 0, 230), PictureColor(47, 79, 79),
    PictureColor(255, 140, 0), PictureColor(255, 99, 71), PictureColor(0, 207, 191),
    PictureColor(175, 0, 75), PictureColor(75, 0, 75), PictureColor(112, 180, 60),
    PictureColor(222, 184, 135), PictureColor(0, 175, 0),
  ]
  private static let unlabelled = PictureColor(110, 112, 120)
  private static let widestLegend = 640

  /// The topmost occupied voxel of every column, ego forward up.
  ///
  /// - Parameter maximumHeightMeters: voxels whose middles lie higher above the ego's origin are left
  ///   out; nil: none.
  public func picture(
    _ shown: AttributeShown, maximumHeightMeters: Double? = nil
  ) throws(CodecError) -> [UInt8] {
    let top = topVoxels(maximumHeightMeters)
    var picture = MapPicture(
      title: shown == .class ? "Classes" : "Intensity", worldFromEgo: window.worldFromEgo)
    picture.legend = legend(shown)
    let (grid, size) = (window.grid, window.grid.configuration.voxelSizeMeters)
    let image = picture.draw { place in
      let x = Int((place.x / size).rounded(.down)) - Int(grid.origin.x)
      let y = Int((place.y / size).rounded(.down)) - Int(grid.origin.y)
      guard x >= 0, x < grid.cellCounts.x, y >= 0, y < grid.cellCounts.y else {
        return OccupancyPicture.unknown
      }
      let found = top[y * grid.cellCounts.x + x]
      if found < 0 { return found == -1 ? OccupancyPicture.unknown : OccupancyPicture.free }
      return color(voxels[found], shown)
    }
    return try PNGCodec.encode(image)
  }

  private func color(_ voxel: Voxel, _ shown: AttributeShown) -> PictureColor {
    switch shown {
    case .class: Self.color(voxel.label)
    case .intensity:
      // The square root: most surfaces send little back.
      voxel.intensity.map { ColorMap.viridis.color((Float($0) / 255).squareRoot()) }
        ?? Self.unlabelled
    }
  }
  private static func color(_ label: UInt8) -> PictureColor {
    palette.indices.contains(Int(label)) ? palette[Int(label)] : unlabelled
  }

  /// The index of each column's topmost voxel, [y][x]; -1 where nothing is known, -2 where only free.
  private func topVoxels(_ maximumHeightMeters: Double?) -> [Int] {
    let grid = window.grid
    var top = [Int](repeating: -1, count: grid.cellCounts.x * grid.cellCounts.y)
    func column(_ key: VoxelKey) -> Int {
      Int(key.y - grid.origin.y) * grid.cellCounts.x + Int(key.x - grid.origin.x)
    }
    let size = grid.configuration.voxelSizeMeters
    let egoFromWorld = window.worldFromEgo.inverse
    grid.forEachKnown { key, _, _ in top[column(key)] = -2 }
    // Sorted by x, y, z: the last of a column is its topmost.
    for (index, voxel) in voxels.enumerated() {
      let key = voxel.key
      let center = (SIMD3(Double(key.x), Double(key.y), Double(key.z)) + 0.5) * size
      if let maximumHeightMeters, (egoFromWorld * center).z > maximumHeightMeters { continue }
      top[column(key)] = index
    }
    return top
  }

  /// The most frequent classes that fit, in the order of their labels.
  private func legend(_ shown: AttributeShown) -> [(name: String, color: PictureColor)] {
    guard shown == .class else {
      return [0, 16, 64, 144, 255].map {
        ("\($0)", ColorMap.viridis.color((Float($0) / 255).squareRoot()))
      }
    }
    var room = Self.widestLegend
    let fitting = rows.sorted { ($1.voxelCount, $0.label) < ($0.voxelCount, $1.label) }.filter {
      row in
      room -= Canvas.textWidth(row.name, scale: 1) + 26
      return room >= 0
    }
    return fitting.sorted { $0.label < $1.label }.map { ($0.name, Self.color($0.label)) }
  }
}

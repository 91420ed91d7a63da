import Foundation
import Swiftlet

/// The occupied voxels of a window with their classes and intensities.
public struct AttributeResult {
  public struct Voxel: Sendable, Equatable {
    public var key: VoxelKey
    /// Occ3D's 0 to 16; 255 where no label was seen.
    public var label: UInt8
    /// How much speaks for the label, 1...255; 0 without one.
    public var weight: UInt8
    /// Mean of the points' intensities; nil where none was seen.
    public var intensity: UInt8?
  }
  /// One class of the table; label 255 stands for voxels without one.
  public struct Row: Sendable, Equatable {
    public var label: UInt8
    public var voxelCount = 0
    public var intensitySum = 0
    public var intensityCount = 0
    public var weightSum = 0

    public var name: String {
      label == 255 ? "no class" : OccupancyClasses.occ3d.names[Int(label)]
    }
    public var meanIntensity: Double? {
      intensityCount == 0 ? nil : Double(intensitySum) / Double(intensityCount)
    }
    public var meanWeight: Double { voxelCount == 0 ? 0 : Double(weightSum) / Double(voxelCount) }
  }
  /// Sorted by key.
  public let voxels: [Voxel]
  /// Classes that some voxel has, by label.
  public let rows: [Row]
  /// Occupied voxels with a class whose labels were counted, and those that hold the most frequent.
  public let agreement: (voxels: Int, agreeing: Int)?
  let feeder: AttributeFeeder
  let window: QueryWindow

  public init(_ feeder: AttributeFeeder, window: QueryWindow) {
    self.feeder = feeder
    self.window = window
    let grid = window.grid
    var voxels: [Voxel] = []
    grid.forEachOccupied { key, _, _ in
      let held = feeder.attributes?.label(key, in: grid)
      voxels.append(
        Voxel(
          key: key, label: held?.label ?? 255, weight: held?.weight ?? 0,
          intensity: feeder.attributes?.intensity(key, in: grid)))
    }
    voxels.sort { $0.key < $1.key }
    self.voxels = voxels
    rows = Self.rows(voxels)
    agreement = feeder.settings.countsLabels ? Self.agreement(voxels, feeder.labelCounts) : nil
  }

  private static func rows(_ voxels: [Voxel]) -> [Row] {
    var rows: [UInt8: Row] = [:]
    for voxel in voxels {
      var row = rows[voxel.label] ?? Row(label: voxel.label)
      row.voxelCount += 1
      row.weightSum += Int(voxel.weight)
      if let intensity = voxel.intensity {
        row.intensitySum += Int(intensity)
        row.intensityCount += 1
      }
      rows[voxel.label] = row
    }
    return rows.values.sorted { $0.label < $1.label }
  }

  private static func agreement(
    _ voxels: [Voxel], _ counts: [VoxelKey: [UInt8: Int]]
  ) -> (voxels: Int, agreeing: Int) {
    var (total, agreeing) = (0, 0)
    for voxel in voxels where voxel.label != 255 {
      guard let own = counts[voxel.key], let most = own.values.max() else { continue }
      total += 1
      if own[voxel.label] == most { agreeing += 1 }
    }
    return (total, agreeing)
  }

  private var labelledCount: Int { voxels.count { $0.label != 255 } }

  /// Where the labels come from, or that there are none.
  public var sourceText: String {
    let (points, volume) = (feeder.labelledScanCount, feeder.volumeScanCount)
    if points + volume == 0 {
      return "no class labels: neither classes of points (nuScenes-lidarseg, SemanticKITTI) nor "
        + "semantics or class_logits in network_outputs/OCCUPANCY"
    }
    var parts: [String] = []
    if points > 0 { parts.append("\(points) scans with a class for every point") }
    if volume > 0 { parts.append("\(volume) scans looked up in class volumes") }
    return "labels: " + parts.joined(separator: ", ")
      + "; \(feeder.labelledPointCount) points have one"
  }
  /// The scale of intensities, or that there are none.
  public var intensityText: String {
    guard let scale = feeder.intensityScale else { return "no intensities" }
    return "intensities 0 to 255, recorded times \(fixed(Double(scale), 4))"
  }

  public var table: String {
    var lines = ["class                  voxels  share %   mean intensity  mean weight"]
    for row in rows {
      let share = 100 * Double(row.voxelCount) / Double(max(1, voxels.count))
      lines.append(
        row.name.padding(toLength: 20, withPad: " ", startingAt: 0)
          + padded("\(row.voxelCount)", 9) + padded(fixed(share, 1), 9)
          + padded(row.meanIntensity.map { fixed($0, 1) } ?? "-", 17)
          + padded(row.label == 255 ? "-" : fixed(row.meanWeight, 1), 13))
    }
    lines.append(
      "\(voxels.count) occupied voxels, \(labelledCount) with a class, after \(window.frameCount) "
        + "frames, \(feeder.pointCount) points")
    lines += [sourceText, intensityText]
    if let agreement {
      lines.append(
        "\(agreement.agreeing) of \(agreement.voxels) voxels hold their most frequent label "
          + "(\(fixed(100 * share(agreement), 2)) %)")
    }
    return lines.joined(separator: "\n")
  }
  private func share(_ agreement: (voxels: Int, agreeing: Int)) -> Double {
    agreement.voxels == 0 ? 0 : Double(agreement.agreeing) / Double(agreement.voxels)
  }

  public var json: JSONValue {
    var members: [String: JSONValue] = [
      "schema_version": .integer(1), "frames": .integer(Int64(window.frameCount)),
      "occupied_voxels": .integer(Int64(voxels.count)),
      "labelled_voxels": .integer(Int64(labelledCount)),
      "points": .integer(Int64(feeder.pointCount)),
      "labelled_points": .integer(Int64(feeder.labelledPointCount)),
      "scans_with_point_labels": .integer(Int64(feeder.labelledScanCount)),
      "scans_with_class_volume": .integer(Int64(feeder.volumeScanCount)),
      "intensity_scale": feeder.intensityScale.map { .number(Double($0)) } ?? .null,
      "classes": .array(
        rows.map { row in
          .object([
            "label": .integer(Int64(row.label)), "name": .string(row.name),
            "voxels": .integer(Int64(row.voxelCount)),
            "mean_intensity": row.meanIntensity.map { .number($0) } ?? .null,
            "mean_weight": .number(row.meanWeight),
          ])
        }),
    ]
    if let agreement {
      members["checked_voxels"] = .integer(Int64(agreement.voxels))
      members["agreeing_voxels"] = .integer(Int64(agreement.agreeing))
    }
    return .object(members)
  }

  /// `keys` int32 [N, 3], `label`, `weight`, `intensity` and `has_intensity` uint8 [N].
  public var safeTensors: SafeTensors {
    func column(_ value: (Voxel) -> UInt8) -> HostTensor {
      HostTensor(voxels.map(value), shape: [voxels.count])
    }
    return SafeTensors(
      tensors: [
        "keys": HostTensor(
          voxels.flatMap { [$0.key.x, $0.key.y, $0.key.z] }, shape: [voxels.count, 3]),
        "label": column(\.label), "weight": column(\.weight),
        "intensity": column { $0.intensity ?? 0 },
        "has_intensity": column { $0.intensity == nil ? 0 : 1 },
      ],
      metadata: [
        "format": "swiftlet voxel attributes, version 1",
        "voxel_size_meters": "\(window.grid.configuration.voxelSizeMeters)",
        "classes": OccupancyClasses.occ3d.names.dropLast().joined(separator: ","),
      ])
  }
}

import Foundation
import Swiftlet

/// The result of `swiftlet score` as JSON and as a table.
public struct ScoreReport: Sendable {
  public let json: JSONValue
  public let table: String

  public init(_ scorer: OccupancyScorer, missing: [String], unused: [String], engine: Engine) {
    json = Self.json(scorer, missing, unused, engine)
    table = Self.table(scorer)
  }

  private static func json(
    _ scorer: OccupancyScorer, _ missing: [String], _ unused: [String], _ engine: Engine
  ) -> JSONValue {
    let options = scorer.options
    var members: [String: JSONValue] = [
      "schema_version": .integer(1), "samples": .integer(Int64(scorer.sampleCount)),
      "missing_predictions": .array(missing.map(JSONValue.string)),
      "unused_predictions": .array(unused.map(JSONValue.string)),
      "classes": .string(options.classes.setName), "engine": .string(engine.name),
      "isa": .string(engine.instructionSetName),
    ]
    if options.metrics.contains(.miou) { members["miou"] = confusion(scorer) }
    if options.metrics.contains(.rayiou) { members["rayiou"] = rays(scorer) }
    if options.metrics.contains(.mave) { members["mave"] = flow(scorer) }
    return .object(members)
  }

  private static func confusion(_ scorer: OccupancyScorer) -> JSONValue {
    let confusion = scorer.confusion
    return .object([
      "mean": value(confusion.meanIntersectionOverUnion),
      "occupied_iou": value(confusion.occupiedIntersectionOverUnion),
      "iou": byClass(confusion.classes, confusion.intersectionOverUnion),
      "confusion": .array(confusion.counts.map { .integer($0) }),
      "evaluated_voxels": .integer(confusion.evaluatedVoxelCount),
      "mask": .string(scorer.options.mask.rawValue),
      "samples_with_camera_mask": .integer(Int64(scorer.cameraMaskCount)),
      "samples_with_lidar_mask": .integer(Int64(scorer.lidarMaskCount)),
    ])
  }

  private static func rays(_ scorer: OccupancyScorer) -> JSONValue {
    let rays = scorer.rays
    var members: [String: JSONValue] = [
      "mean": value(rays.overall), "rays_cast": .integer(Int64(scorer.castRayCount)),
      "rays_evaluated": .integer(rays.rayCount),
      "voxel_size_meters": .number(Double(scorer.options.voxelSizeMeters)),
    ]
    let scores = rays.intersectionOverUnion
    for (index, threshold) in rays.thresholdsMeters.enumerated() {
      members["at_\(name(threshold))m"] = .object([
        "mean": value(rays.atThreshold[index]), "iou": byClass(rays.classes, scores[index]),
      ])
    }
    return .object(members)
  }

  private static func flow(_ scorer: OccupancyScorer) -> JSONValue {
    .object([
      "mean_meters_per_second": value(scorer.rays.meanVelocityError),
      "by_class": byClass(scorer.rays.classes, scorer.rays.velocityErrors),
      "samples_with_flow": .integer(Int64(scorer.flowCount)),
      "occupancy_score": value(scorer.rays.occupancyScore),
    ])
  }

  private static func byClass(_ classes: OccupancyClasses, _ values: [Double?]) -> JSONValue {
    .object(
      Dictionary(uniqueKeysWithValues: zip(classes.names, values.map(value))))
  }
  private static func value(_ number: Double?) -> JSONValue { number.map(JSONValue.number) ?? .null }
  private static func name(_ threshold: Float) -> String {
    threshold == threshold.rounded() ? "\(Int(threshold))" : "\(threshold)"
  }

  private static func table(_ scorer: OccupancyScorer) -> String {
    let metrics = scorer.options.metrics
    var columns: [(title: String, values: [Double?], mean: Double?)] = []
    if metrics.contains(.miou) {
      columns.append(
        ("IoU", scorer.confusion.intersectionOverUnion, scorer.confusion.meanIntersectionOverUnion))
    }
    if metrics.contains(.rayiou) {
      let scores = scorer.rays.intersectionOverUnion
      for (index, threshold) in scorer.rays.thresholdsMeters.enumerated() {
        columns.append(("Ray@\(name(threshold))m", scores[index], scorer.rays.atThreshold[index]))
      }
    }
    if metrics.contains(.mave) {
      columns.append(("AVE m/s", scorer.rays.velocityErrors, scorer.rays.meanVelocityError))
    }
    var lines = [row("class", columns.map(\.title))]
    for label in scorer.options.classes.names.indices {
      lines.append(
        row(scorer.options.classes.names[label], columns.map { cell($0.values[label]) }))
    }
    lines.append(row("mean without free", columns.map { cell($0.mean) }))
    lines += summary(scorer)
    return lines.joined(separator: "\n")
  }

  private static func summary(_ scorer: OccupancyScorer) -> [String] {
    let metrics = scorer.options.metrics
    var lines = ["", "\(scorer.sampleCount) samples"]
    if metrics.contains(.miou) {
      lines.append(
        "mIoU \(cell(scorer.confusion.meanIntersectionOverUnion)), occupied IoU "
          + "\(cell(scorer.confusion.occupiedIntersectionOverUnion)) over "
          + "\(scorer.confusion.evaluatedVoxelCount) voxels; camera mask in "
          + "\(scorer.cameraMaskCount), LiDAR mask in \(scorer.lidarMaskCount) samples")
    }
    if metrics.contains(.rayiou) {
      lines.append(
        "RayIoU \(cell(scorer.rays.overall)) over \(scorer.rays.rayCount) of "
          + "\(scorer.castRayCount) rays (truth not free)")
    }
    if metrics.contains(.mave) {
      lines.append(
        "mAVE \(cell(scorer.rays.meanVelocityError)) m/s, occupancy score "
          + "\(cell(scorer.rays.occupancyScore)); flow in \(scorer.flowCount) samples")
    }
    return lines
  }

  private static func row(_ name: String, _ cells: [String]) -> String {
    name.padding(toLength: 22, withPad: " ", startingAt: 0)
      + cells.map { String(repeating: " ", count: max(0, 10 - $0.count)) + $0 }.joined()
  }
  private static func cell(_ value: Double?) -> String {
    value.map { String(format: "%.4f", $0) } ?? "-"
  }
}

import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct BEVCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "bev",
    abstract: "Run a published camera-to-BEV projection on a recording's frames.",
    discussion: """
      The whole chain: depth softmax where the recording has logits, frustum lift, index tables by \
      counting sort, weighted pooling, with the conventions of the project the preset is named \
      after (cell rule, lower bin edges, endpoint-aligned pixels, augmentation, output order). \
      Network outputs beside the recording are used as they are; without them the built-in encoder \
      stands in (luma, chroma, gradients; LiDAR depth). Presets: \
      \(ProjectionPreset.all.map(\.name).joined(separator: ", ")).

      Writes bev_N.png (forward up, in ego axes) and bev_N.safetensors (bev in the preset's order, \
      validity [y][x], with --tables the BEVPoolv2 tables) for every frame.

      Exit codes: 0 done, 1 a file cannot be written, 4 a frame, calibration or tensor cannot be \
      used, 64 usage.

      Examples:
        swiftlet bev drive --preset bevdet-r50 --out bev
        swiftlet bev drive --preset fb-occ --cell-rule floor --frame 3 --count 10 --json
        swiftlet bev drive --preset bevfusion --drop CAM_BACK --precision bf16 --out bev
      """)

  @OptionGroup var source: FrameOptions
  @Option(help: "The project whose projection to run.") var preset = "bevdet-r50"
  @Option(name: .customLong("cell-rule"), help: "truncation (as published) or floor (right).")
  var cellRule = "truncation"
  @Option(help: "slabs, collapsed or x-major; default: the preset's.") var order: String?
  @Option(help: "Features are handed over as fp32, fp16 or bf16; sums stay fp32.")
  var precision = "fp32"
  @Option(help: "How many frames from --frame on.") var count = 1
  @Option(help: "Folder for pictures and tensors.") var out: String?
  @Flag(help: "Also write the index tables.") var tables = false
  @Flag(help: "Print JSON instead of the table.") var json = false
  @OptionGroup var engineOptions: EngineOptions

  private static let precisions: [String: ElementType] = [
    "fp32": .float32, "fp16": .float16, "bf16": .bfloat16,
  ]

  func validate() throws {
    guard Self.precisions[precision] != nil else {
      throw ValidationError("--precision: expected fp32, fp16 or bf16, found \(precision)")
    }
    guard count > 0 else { throw ValidationError("--count: expected 1 or more, found \(count)") }
  }

  func run() throws {
    let chosen = try makePreset()
    let engine = try engineOptions.makeEngine()
    let pool = WorkerPool(threadCount: engineOptions.threads)
    let recording = try source.open()
    var projection: PresetProjection?
    var rows: [(Int, PresetProjection.Result)] = []
    for index in source.frame..<(source.frame + count) {
      let recorded = try source.load(recording, index)
      try withExtendedLifetime(recorded) {
        let frame = try source.prepared(recorded)
        try reportingProblems {
          let made =
            try projection
            ?? PresetProjection(
              chosen, rig: frame, precision: Self.precisions[precision] ?? .float32,
              engine: engine, pool: pool)
          projection = made
          rows.append((index, try made.project(frame)))
          if let out { try write(made, index, out) }
        }
      }
    }
    print(json ? jsonText(chosen, rows) : text(chosen, rows))
  }

  private func makePreset() throws -> ProjectionPreset {
    do throws(ConfigurationError) {
      var chosen = try ProjectionPreset.named(preset)
      switch cellRule {
      case "truncation": break
      case "floor": chosen = chosen.configuration.cellRule == .floor ? chosen : chosen.floored
      default:
        throw ConfigurationError(
          field: "--cell-rule", expected: "truncation or floor", found: cellRule,
          remedy: "choose one of them")
      }
      if let order {
        let orders: [String: BEVOrder] = [
          "slabs": .slabs, "collapsed": .collapsed, "x-major": .xMajor,
        ]
        guard let value = orders[order] else {
          throw ConfigurationError(
            field: "--order", expected: "slabs, collapsed or x-major", found: order,
            remedy: "choose one of them")
        }
        chosen.configuration.order = value
      }
      return chosen
    } catch {
      throw ValidationError("\(error)")
    }
  }

  private func write(_ made: PresetProjection, _ index: Int, _ folder: String) throws {
    let rule = made.preset.configuration.cellRule.rawValue
    try writePicture(
      BEVColors.map(made).picture("\(made.preset.name), \(rule), frame \(index)"),
      to: "\(folder)/bev_\(index).png")
    let configuration = made.preset.configuration
    let grid = configuration.grid
    let c = configuration.channels
    let shape =
      switch configuration.order {
      case .slabs: [grid.sizeZ, grid.sizeY, grid.sizeX, c]
      case .collapsed: [grid.sizeY, grid.sizeX, grid.sizeZ * c]
      case .xMajor: [grid.sizeZ, grid.sizeX, grid.sizeY, c]
      }
    var tensors = [
      "bev": HostTensor(made.projection.bev.array, shape: shape),
      "validity": HostTensor(
        made.projection.cellValidity.array, shape: [grid.sizeY, grid.sizeX]),
    ]
    if tables {
      let tables = made.projection.index.tables()
      for (name, values) in [
        ("ranks_bev", tables.ranksBEV), ("ranks_depth", tables.ranksDepth),
        ("ranks_feat", tables.ranksFeature), ("interval_starts", tables.intervalStarts),
        ("interval_lengths", tables.intervalLengths),
      ] { tensors[name] = HostTensor(values, shape: [values.count]) }
    }
    let file = SafeTensors(
      tensors: tensors,
      metadata: [
        "preset": made.preset.name, "order": configuration.order.rawValue, "cell_rule": rule,
        "frame": "\(index)",
      ])
    try writeFile(file.serialized(), to: "\(folder)/bev_\(index).safetensors")
  }

  private func text(
    _ chosen: ProjectionPreset, _ rows: [(Int, PresetProjection.Result)]
  ) -> String {
    let grid = chosen.configuration.grid
    var lines = [
      "\(chosen.name): \(grid.sizeX)×\(grid.sizeY)×\(grid.sizeZ) cells of "
        + "\(grid.stepMeters.x)×\(grid.stepMeters.y)×\(grid.stepMeters.z) m in the "
        + "\(chosen.frame) frame, \(chosen.configuration.depthBins.count) bins, "
        + "\(chosen.configuration.channels) channels, \(chosen.configuration.cellRule.rawValue), "
        + "\(chosen.configuration.order.rawValue), \(precision) features"
    ]
    let header = [
      "frame", "cameras", "missing", "tables", "points", "kept", "by truncation", "cells", "weight",
      "calibrate ms", "project ms",
    ]
    lines += ColumnLayout.lines([header] + rows.map { row($0, $1) })
    return lines.joined(separator: "\n")
  }

  private func row(_ index: Int, _ result: PresetProjection.Result) -> [String] {
    let weight = result.weightBefore.flatMap { before in
      result.weightAfter.map { String(format: "%.3f of %.3f", $0, before) }
    }
    return [
      "\(index)", "\(result.validCameras.count)",
      result.missingCameras.isEmpty ? "–" : result.missingCameras.joined(separator: " "),
      result.wasRebuilt ? "rebuilt" : "kept", "\(result.pointCount)", "\(result.keptCount)",
      result.keptByTruncationCount.map {
        String(format: "%.1f %%", 100 * Double($0) / Double(max(1, result.keptCount)))
      } ?? "–", "\(result.occupiedCellCount) of \(result.cellCount)", weight ?? "–",
      String(format: "%.3f", Double(result.calibrationNanoseconds) / 1e6),
      String(format: "%.3f", Double(result.projectNanoseconds) / 1e6),
    ]
  }

  private func jsonText(
    _ chosen: ProjectionPreset, _ rows: [(Int, PresetProjection.Result)]
  ) -> String {
    var frames: [JSONValue] = []
    for (index, result) in rows {
      var members: [String: JSONValue] = [:]
      members["frame"] = .count(index)
      members["cameras"] = .array(result.validCameras.map { .string($0) })
      members["missing_cameras"] = .array(result.missingCameras.map { .string($0) })
      members["tables_rebuilt"] = .bool(result.wasRebuilt)
      members["points"] = .count(result.pointCount)
      members["kept_points"] = .count(result.keptCount)
      members["kept_by_truncation"] = .optional(result.keptByTruncationCount.map { Double($0) })
      members["cells"] = .count(result.cellCount)
      members["occupied_cells"] = .count(result.occupiedCellCount)
      members["weight_of_points"] = .optional(result.weightBefore)
      members["weight_of_cells"] = .optional(result.weightAfter)
      members["calibrate_ms"] = .number(Double(result.calibrationNanoseconds) / 1e6)
      members["project_ms"] = .number(Double(result.projectNanoseconds) / 1e6)
      frames.append(.object(members))
    }
    var report: [String: JSONValue] = [:]
    report["schema_version"] = .integer(1)
    report["preset"] = .string(chosen.name)
    report["cell_rule"] = .string(chosen.configuration.cellRule.rawValue)
    report["order"] = .string(chosen.configuration.order.rawValue)
    report["precision"] = .string(precision)
    report["grid_frame"] = .string(chosen.frame)
    report["frames"] = .array(frames)
    return JSONValue.object(report).text
  }
}

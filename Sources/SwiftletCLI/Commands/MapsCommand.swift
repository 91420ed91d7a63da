import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct MapsCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "maps",
    abstract: "Inspect, convert, merge and compare occupancy maps.",
    discussion: """
      Maps are what `swiftlet map` writes (.safetensors), the project's own .swlmap (versioned, \
      CRC-32), or OctoMap's .bt and .ot. Occupied voxels can be written as .ply and .pcd.

      Examples:
        swiftlet maps info map.safetensors
        swiftlet maps convert map.safetensors map.ot
        swiftlet maps merge monday.ot tuesday.ot --pose 0,0,0 --pose 12.4,-3,0,90 --out both.swlmap
        swiftlet maps diff before.swlmap after.swlmap --out changed.safetensors --json
      """,
    subcommands: [
      MapInfoCommand.self, MapConvertCommand.self, MapMergeCommand.self, MapDiffCommand.self,
    ])
}

/// Runs `body`; bad files and bad inputs end with one line and exit code 4.
private func reportingErrors(_ body: () throws -> Void) throws {
  do {
    try body()
  } catch let error as ExchangeError {
    printError(error.description)
    throw ExitCode(4)
  } catch let error as InputError {
    printError(error.description)
    throw ExitCode(4)
  }
}

private func write(_ bytes: [UInt8], to path: String) throws {
  do {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  } catch {
    printError("\(path): \(error.localizedDescription); choose a folder that can be written")
    throw ExitCode(1)
  }
}

/// What a map holds, as JSON.
private func summary(_ map: VoxelMap) -> JSONValue {
  var members: [String: JSONValue] = [
    "voxel_size_meters": .number(map.voxelSizeMeters),
    "known_voxels": .integer(Int64(map.count)),
    "occupied_voxels": .integer(Int64(map.occupiedCount)),
    "free_voxels": .integer(Int64(map.count - map.occupiedCount)),
    "occupied_threshold": .number(Double(map.occupiedThreshold)),
  ]
  if let bounds = map.boundsMeters {
    members["lower_meters"] = .array((0..<3).map { .number(bounds.lower[$0]) })
    members["upper_meters"] = .array((0..<3).map { .number(bounds.upper[$0]) })
  }
  return .object(members)
}

private func line(_ map: VoxelMap) -> String {
  var text =
    "\(map.count) voxels of \(map.voxelSizeMeters) m: \(map.occupiedCount) occupied, "
    + "\(map.count - map.occupiedCount) free"
  if let bounds = map.boundsMeters {
    let parts = (0..<3).map { axis in
      String(format: "%.2f...%.2f", bounds.lower[axis], bounds.upper[axis])
    }
    text += "; x \(parts[0]), y \(parts[1]), z \(parts[2]) m"
  }
  return text
}

struct MapInfoCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "info", abstract: "What a map holds.")
  @Argument(help: "A map: .safetensors, .swlmap, .bt or .ot.") var map: String
  @Flag(help: "Print JSON instead of text.") var json = false

  func run() throws {
    try reportingErrors {
      let map = try VoxelMap.read(map)
      print(json ? summary(map).text : line(map))
    }
  }
}

struct MapConvertCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "convert",
    abstract: "Write a map in another format, by the extensions.",
    discussion: """
      .swlmap, .safetensors and .ot keep every log-odds value; .bt keeps free or occupied only; \
      .ply and .pcd keep the centres of occupied voxels. OctoMap reads .bt and .ot back equal.

      Exit codes: 0 written, 1 the file cannot be written, 4 the map cannot be read.

      Examples:
        swiftlet maps convert map.safetensors map.bt
        swiftlet maps convert octomap.ot map.swlmap
        swiftlet maps convert map.swlmap cloud.ply
      """, aliases: ["export"])
  @Argument(help: "A map: .safetensors, .swlmap, .bt or .ot.") var input: String
  @Argument(help: "The file to write: also .ply or .pcd.") var output: String
  @Flag(help: "Print JSON instead of text.") var json = false

  func run() throws {
    try reportingErrors {
      let map = try VoxelMap.read(input)
      let format = try VoxelMapFormat(path: output)
      try write(map.serialized(format), to: output)
      if format == .bt { printError("note: .bt keeps free or occupied, not the log-odds") }
      print(json ? summary(map).text : "\(output): " + line(map))
    }
  }
}

struct MapMergeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "merge",
    abstract: "One map of several drives, given their poses.",
    discussion: """
      Log-odds of voxels that several maps know are added and clamped to OctoMap's range. A map \
      turned by quarter turns and moved by whole voxels is moved exactly; any other is resampled \
      (nearest voxel), and the output says so.

      Poses are world from map, one a map or none: x,y,z or x,y,z,yaw (degrees about z) or \
      x,y,z,qw,qx,qy,qz.

      Exit codes: 0 written, 1 the file cannot be written, 4 a map or a pose cannot be used.

      Examples:
        swiftlet maps merge a.swlmap b.swlmap --out both.swlmap
        swiftlet maps merge a.ot b.ot --pose 0,0,0 --pose 12.4,-3,0,17.5 --out both.ot --json
      """)
  @Argument(help: "Maps, the first one's voxel size and threshold hold.") var maps: [String]
  @Option(help: "Pose of a map, in the order of the maps.") var pose: [String] = []
  @Option(help: "The file to write.") var out: String
  @Flag(help: "Print JSON instead of the table.") var json = false

  func validate() throws {
    guard pose.isEmpty || pose.count == maps.count else {
      throw ValidationError("--pose: expected none or \(maps.count), one a map, found \(pose.count)")
    }
  }

  func run() throws {
    let poses = try pose.map(parse)
    try reportingErrors {
      let format = try VoxelMapFormat(path: out)
      var sources: [VoxelMapMerge.Source] = []
      for (index, path) in maps.enumerated() {
        sources.append(
          VoxelMapMerge.Source(
            map: try VoxelMap.read(path), worldFromMap: poses.isEmpty ? .identity : poses[index]))
      }
      let merged = try VoxelMapMerge(sources)
      try write(merged.map.serialized(format), to: out)
      report(merged)
    }
  }

  private func parse(_ text: String) throws -> RigidTransform {
    let parts = text.split(separator: ",")
    let v = parts.compactMap { Double($0) }
    guard v.count == parts.count, v.allSatisfy(\.isFinite), [3, 4, 7].contains(v.count) else {
      throw ValidationError("--pose: expected x,y,z[,yaw] or x,y,z,qw,qx,qy,qz, found \(text)")
    }
    let translation = SIMD3(v[0], v[1], v[2])
    switch v.count {
    case 3: return RigidTransform(rotation: Quaternion.identity, translation: translation)
    case 4: return RigidTransform(rotation: yaw(v[3]), translation: translation)
    default:
      let quaternion = Quaternion(w: v[3], x: v[4], y: v[5], z: v[6])
      guard quaternion.norm > 1e-6 else {
        throw ValidationError("--pose: expected a quaternion that is not 0, found \(text)")
      }
      return RigidTransform(rotation: quaternion.normalized, translation: translation)
    }
  }

  /// Quarter turns are exact, so that an aligned map stays aligned.
  private func yaw(_ degrees: Double) -> Matrix3 {
    let turns = (degrees / 90).truncatingRemainder(dividingBy: 4)
    let exact: [Double: (Double, Double)] = [
      0: (1, 0), 1: (0, 1), 2: (-1, 0), 3: (0, -1), -1: (0, -1), -2: (-1, 0), -3: (0, 1),
    ]
    let (c, s) = exact[turns] ?? (cos(degrees * .pi / 180), sin(degrees * .pi / 180))
    return Matrix3(SIMD3(c, -s, 0), SIMD3(s, c, 0), SIMD3(0, 0, 1))
  }

  private func report(_ merged: VoxelMapMerge) {
    let placements = zip(maps, merged.placements)
    if json {
      let sources = placements.map { path, placement in
        JSONValue.object([
          "file": .string(path), "placement": .string(placement.isExact ? "exact" : "resampled"),
          "source_voxels": .integer(Int64(placement.sourceVoxelCount)),
          "placed_voxels": .integer(Int64(placement.placedVoxelCount)),
          "dropped_voxels": .integer(Int64(placement.droppedVoxelCount)),
        ])
      }
      print(
        JSONValue.object([
          "schema_version": .integer(1), "sources": .array(sources), "map": summary(merged.map),
          "shared_voxels": .integer(Int64(merged.sharedVoxelCount)),
          "contradicted_voxels": .integer(Int64(merged.contradictedVoxelCount)),
        ]).text)
      return
    }
    for (path, placement) in placements {
      let how = placement.isExact ? "exact" : "resampled (nearest voxel)"
      print(
        "\(path): \(how), \(placement.sourceVoxelCount) voxels to \(placement.placedVoxelCount), "
          + "\(placement.droppedVoxelCount) outside")
    }
    print(
      "\(merged.sharedVoxelCount) voxels known to several maps, in "
        + "\(merged.contradictedVoxelCount) free met occupied")
    print("\(out): " + line(merged.map))
  }
}

struct MapDiffCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diff",
    abstract: "What changed between two maps of one frame.",
    discussion: """
      Counts voxels by state in both maps and, with --out, writes the changed ones: keys [N, 3], \
      from and to (0 unknown, 1 free, 2 occupied), log_odds_from and log_odds_to.

      Exit codes: 0 compared, 1 the file cannot be written, 3 states differ and --exit-code is \
      given, 4 a map cannot be read or compared.

      Examples:
        swiftlet maps diff before.swlmap after.swlmap
        swiftlet maps diff octomap.ot ours.ot --exit-code
      """)
  @Argument(help: "The map before.") var before: String
  @Argument(help: "The map after.") var after: String
  @Option(help: "A .safetensors file for the changed voxels.") var out: String?
  @Flag(help: "Exit 3 when a state differs.") var exitCode = false
  @Flag(help: "Print JSON instead of the table.") var json = false

  func run() throws {
    try reportingErrors {
      let a = try VoxelMap.read(before)
      let diff = try VoxelMapDiff(from: a, to: try VoxelMap.read(after))
      if let out {
        try write(diff.safeTensors(voxelSizeMeters: a.voxelSizeMeters).serialized(), to: out)
      }
      print(json ? object(diff).text : table(diff))
      if exitCode, !diff.changes.isEmpty { throw ExitCode(3) }
    }
  }

  private static let states: [(name: String, state: VoxelState)] = [
    ("unknown", .unknown), ("free", .free), ("occupied", .occupied),
  ]

  private func object(_ diff: VoxelMapDiff) -> JSONValue {
    var transitions: [String: JSONValue] = [:]
    for from in Self.states {
      for to in Self.states where from.state != .unknown || to.state != .unknown {
        transitions["\(from.name)_to_\(to.name)"] = .integer(
          Int64(diff.count(from: from.state, to: to.state)))
      }
    }
    return .object([
      "schema_version": .integer(1), "voxels": .object(transitions),
      "changed_voxels": .integer(Int64(diff.changes.count)),
      "occupied_iou": diff.intersectionOverUnion(.occupied).map(JSONValue.number) ?? .null,
      "free_iou": diff.intersectionOverUnion(.free).map(JSONValue.number) ?? .null,
      "different_log_odds": .integer(Int64(diff.differentLogOddsCount)),
      "maximum_log_odds_difference": .number(Double(diff.maximumLogOddsDifference)),
    ])
  }

  private func table(_ diff: VoxelMapDiff) -> String {
    func cell(_ text: String) -> String {
      String(repeating: " ", count: max(1, 12 - text.count)) + text
    }
    var lines = ["before \\ after" + Self.states.map { cell($0.name) }.joined()]
    for from in Self.states {
      let cells = Self.states.map { to in
        from.state == .unknown && to.state == .unknown
          ? cell("-") : cell("\(diff.count(from: from.state, to: to.state))")
      }
      lines.append(from.name.padding(toLength: 14, withPad: " ", startingAt: 0) + cells.joined())
    }
    let occupied = diff.intersectionOverUnion(.occupied).map { String(format: "%.4f", $0) } ?? "-"
    let free = diff.intersectionOverUnion(.free).map { String(format: "%.4f", $0) } ?? "-"
    lines.append(
      "\(diff.changes.count) voxels changed state; IoU occupied \(occupied), free \(free); "
        + "log-odds differ in \(diff.differentLogOddsCount), by at most "
        + "\(diff.maximumLogOddsDifference)")
    return lines.joined(separator: "\n")
  }
}

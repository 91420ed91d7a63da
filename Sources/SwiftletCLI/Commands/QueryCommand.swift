import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "query",
    abstract: "Ask an occupancy window what a planner asks.",
    discussion: """
      The window is the live rolling one after the frames of a recording, or is filled from a saved \
      map. Coordinates are the ego's at the last frame (x forward, y left, z up, metres) unless \
      --world is given; a saved map's ego is --ego, else its origin.

      Exit codes: 0 answered, 1 a file cannot be written, 4 the path cannot be read, 64 usage.

      Examples:
        swiftlet query ray drive --origin 0,0,1.8 --direction 1,0,0
        swiftlet query rays drive --frames 20 --json
        swiftlet query box drive --center 8,0,1 --size 4.6,1.9,1.5 --yaw 10
        swiftlet query path drive --pose 0,0,1 --pose 10,0,1 --pose 20,3,1,15 --size 4.6,1.9,1.5
        swiftlet query distance drive --at 5,0,1 --png distance.png
        swiftlet query costmap drive --png cost.png --out cost.safetensors
        swiftlet query obstacles drive --png obstacles.png
        swiftlet query pyramid map.swlmap --levels 5
        swiftlet query visibility drive --png visibility.png
        swiftlet query objects drive --png objects.png
        swiftlet query attributes drive --png classes.png
        swiftlet query costmap drive --evidence lidar,depth,occupancy --png cost.png
      """,
    subcommands: [
      QueryRayCommand.self, QueryRaysCommand.self, QueryBoxCommand.self, QueryPathCommand.self,
      QueryDistanceCommand.self, QueryCostMapCommand.self, QueryObstaclesCommand.self,
      QueryPyramidCommand.self, QueryVisibilityCommand.self, QueryObjectsCommand.self,
      QueryGhostsCommand.self, QueryAttributesCommand.self,
    ])
}

struct QueryRayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ray", abstract: "The first occupied voxel along one ray.",
    discussion: """
      The distance is to where the ray enters that voxel.

      Examples:
        swiftlet query ray drive --origin 0,0,1.8 --direction 1,0,-0.05
        swiftlet query ray map.ot --world --origin 3,4,1 --direction 0,1,0 --stop-at-unknown
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "Start of the ray: x,y,z.") var origin = "0,0,1.8"
  @Option(help: "Direction: x,y,z, of any length.") var direction = "1,0,0"
  @Option(help: "How far to look, metres.") var range = 50.0
  @Flag(help: "Unknown voxels end the ray as well.") var stopAtUnknown = false

  func run() throws {
    let start = try QueryArguments.vector(origin, "--origin")
    let toward = try QueryArguments.vector(direction, "--direction")
    guard range >= 0, range < 1e5 else {
      throw ValidationError("--range: expected 0 to 100,000 m, found \(range)")
    }
    let window = try arguments.open()
    let pose = arguments.worldFromGiven(window)
    let hit = window.grid.castRay(
      from: pose * start, direction: SIMD3<Float>(pose.rotation * toward),
      maximumRangeMeters: range, stopsAtUnknown: stopAtUnknown)
    let length = (toward * toward).sum().squareRoot()
    let point = length > 0 ? start + toward / length * Double(hit.distanceMeters) : start
    if arguments.json {
      print(
        JSONValue.object([
          "schema_version": .integer(1), "state": .string(hit.state.text),
          "distance_meters": .number(Double(hit.distanceMeters)), "voxel": jsonKey(hit.key),
          "point": jsonNumbers(point),
        ]).text)
    } else {
      print(
        "\(hit.state.text) after \(fixed(Double(hit.distanceMeters), 3)) m, at "
          + "\(fixed(point.x)), \(fixed(point.y)), \(fixed(point.z)), voxel \(hit.key.x) "
          + "\(hit.key.y) \(hit.key.z)")
    }
  }
}

struct QueryRaysCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "rays", abstract: "First hits along many rays from one origin at once.",
    discussion: """
      Without --rays these are RayIoU's 14,040 directions. --out keeps distances float32 [N], \
      states uint8 [N] (0 range reached, 1 occupied, 2 unknown, 3 left the window, 4 no direction) \
      and voxels int32 [N, 3].

      Examples:
        swiftlet query rays drive --origin 0,0,1.84 --out hits.safetensors
        swiftlet query rays map.swlmap --rays directions.safetensors --check --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "Start of the rays: x,y,z.") var origin = "0,0,1.84"
  @Option(help: "A .safetensors file with `directions` float32 [N, 3] in the ego's axes.")
  var rays: String?
  @Option(help: "How far to look, metres.") var range = 50.0
  @Flag(help: "Unknown voxels end rays as well.") var stopAtUnknown = false
  @Flag(help: "Cast every ray with the scalar reference too and compare.") var check = false
  @Option(help: "The .safetensors file to write.") var out: String?

  func run() throws {
    let start = try QueryArguments.vector(origin, "--origin")
    guard range >= 0, range < 1e5 else {
      throw ValidationError("--range: expected 0 to 100,000 m, found \(range)")
    }
    let directions = try directionsInEgo()
    let window = try arguments.open()
    let pose = arguments.worldFromGiven(window)
    var inWorld: [Float] = []
    inWorld.reserveCapacity(directions.count)
    for ray in 0..<directions.count / 3 {
      let d = SIMD3(
        Double(directions[3 * ray]), Double(directions[3 * ray + 1]), Double(directions[3 * ray + 2]))
      let turned = pose.rotation * d
      for axis in 0..<3 { inWorld.append(Float(turned[axis])) }
    }
    let result = RaysResult(
      window.grid, from: pose * start, directions: inWorld, range: range,
      stopsAtUnknown: stopAtUnknown)
    if let out { try writeFile(result.safeTensors.serialized(), to: out) }
    let differing = check ? result.differencesFromReference(window.grid, inWorld) : nil
    print(arguments.json ? result.json(differing).text : result.table(differing))
    if let differing, differing > 0 { throw ExitCode(3) }
  }

  private func directionsInEgo() throws -> [Float] {
    guard let rays else { return RayDirections.all }
    return try reportingQueryErrors {
      let bytes = try QueryFiles.read(rays)
      guard let tensor = try? SafeTensors(bytes: bytes).tensors["directions"],
        let values = tensor.floats(), tensor.shape.count == 2, tensor.shape[1] == 3
      else {
        throw ExchangeError(
          file: rays, expected: "a .safetensors file with directions float32 [N, 3]",
          found: "none", remedy: "write the directions as one tensor")
      }
      return values
    }
  }
}

struct QueryBoxCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "box", abstract: "Is an oriented box free, unknown or occupied?",
    discussion: """
      Counts every voxel the box overlaps, exactly. Voxels outside the window are unknown.

      Examples:
        swiftlet query box drive --center 8,0,1 --size 4.6,1.9,1.5 --yaw 10
        swiftlet query box map.ot --world --center 3,4,1 --size 1,1,1 --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "Middle of the box: x,y,z.") var center: String
  @Option(help: "Length, width, height in metres.") var size: String
  @Option(help: "Heading about z, degrees, counter-clockwise from x.") var yaw = 0.0
  @Option(help: "Nose down, degrees, about the box's y.") var pitch = 0.0
  @Option(help: "About the box's x, degrees.") var roll = 0.0

  func run() throws {
    let middle = try QueryArguments.vector(center, "--center")
    let edges = try boxSize(size)
    let turn =
      Quaternion(axis: SIMD3(0, 0, 1), radians: yaw * .pi / 180)
      * Quaternion(axis: SIMD3(0, 1, 0), radians: pitch * .pi / 180)
      * Quaternion(axis: SIMD3(1, 0, 0), radians: roll * .pi / 180)
    let window = try arguments.open()
    try checkSize(edges, window.grid)
    let pose =
      arguments.worldFromGiven(window) * RigidTransform(rotation: turn, translation: middle)
    let found = window.grid.occupancy(of: pose, size: edges)
    print(arguments.json ? found.json.text : "\(found.state.text): \(found.text)")
  }
}

func boxSize(_ text: String) throws -> SIMD3<Double> {
  let size = try QueryArguments.vector(text, "--size")
  guard size.x >= 0, size.y >= 0, size.z >= 0 else {
    throw ValidationError("--size: expected lengths of 0 or more, found \(text)")
  }
  return size
}
func checkSize(_ size: SIMD3<Double>, _ grid: OccupancyGrid) throws {
  let limit = OccupancyGrid.maximumBoxVoxels * grid.configuration.voxelSizeMeters
  guard size.max() <= limit else {
    throw ValidationError("--size: expected edges up to \(limit) m here, found \(size.max())")
  }
}

extension BoxOccupancy {
  var text: String {
    "\(occupiedCount) voxels occupied, \(unknownCount) unknown (\(outsideCount) outside), "
      + "\(freeCount) free"
  }
  var json: JSONValue {
    .object([
      "schema_version": .integer(1), "state": .string(state.text),
      "occupied_voxels": .integer(Int64(occupiedCount)),
      "unknown_voxels": .integer(Int64(unknownCount)), "free_voxels": .integer(Int64(freeCount)),
      "outside_voxels": .integer(Int64(outsideCount)),
    ])
  }
}

struct QueryPathCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "path", abstract: "Is what a box sweeps along a path free?",
    discussion: """
      Between two poses the box is looked at so often that no corner moves by more than half a \
      voxel. A pose is x,y,z, x,y,z,yaw (degrees) or x,y,z,qw,qx,qy,qz: the box's middle.

      Exit codes: 0 answered, 4 the path cannot be read, 64 usage.

      Examples:
        swiftlet query path drive --pose 0,0,1 --pose 15,0,1 --size 4.6,1.9,1.5
        swiftlet query path drive --poses-from plan.txt --size 4.6,1.9,1.5 --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "A pose; give several, in order.") var pose: [String] = []
  @Option(help: "A text file with one pose a line.") var posesFrom: String?
  @Option(help: "Length, width, height of the box, metres.") var size: String

  func run() throws {
    let edges = try boxSize(size)
    var lines = pose
    if let posesFrom {
      let bytes = try reportingQueryErrors { try QueryFiles.read(posesFrom) }
      lines += String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline)
        .map { $0.trimmingCharacters(in: .whitespaces) }
        .filter { !$0.isEmpty && !$0.hasPrefix("#") }
    }
    guard lines.count >= 1 else { throw ValidationError("--pose: expected at least one pose") }
    let given = try lines.map { try QueryArguments.pose($0, "--pose") }
    let window = try arguments.open()
    try checkSize(edges, window.grid)
    let poses = given.map { arguments.worldFromGiven(window) * $0 }
    let result = PathResult(window.grid, poses, size: edges)
    print(arguments.json ? result.json.text : result.table)
  }
}

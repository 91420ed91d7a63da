import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct QueryDistanceCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "distance", abstract: "Distance to the nearest obstacle (Euclidean field).",
    discussion: """
      The field follows the window frame by frame: only what lies near a change is computed again, \
      at most --budget columns a frame. --check builds it afresh and compares. --out keeps \
      `distance_meters` float32 [y, x, z] of the window and `origin_key`.

      Exit codes: 0 answered, 1 a file cannot be written, 3 --check found a difference, 4 the path \
      cannot be read.

      Examples:
        swiftlet query distance drive --at 5,0,1 --at 5,3,1
        swiftlet query distance drive --frames 20 --png distance.png --height 0.8 --check
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "A place to ask about: x,y,z.") var at: [String] = []
  @Option(help: "Distances are exact up to this, metres, at most 127 voxels.") var maximum = 4.0
  @Option(help: "Columns recomputed a frame at most; default: all that changed.") var budget: Int?
  @Option(help: "\(DistanceFieldObstacles.allCases.map(\.rawValue).joined(separator: ", ")).")
  var obstacles = "occupied"
  @Flag(help: "Compare with a field made afresh.") var check = false
  @Option(help: "A picture of the field at --height above the ego's origin.") var png: String?
  @Option(help: "Height of the picture's slice, metres.") var height = 1.0
  @Option(help: "The .safetensors file to write.") var out: String?

  func run() throws {
    guard let kind = DistanceFieldObstacles(rawValue: obstacles) else {
      throw ValidationError("--obstacles: expected occupied or occupied-or-unknown, found \(obstacles)")
    }
    if let budget, budget < 1 { throw ValidationError("--budget: expected 1 or more, found \(budget)") }
    let places = try at.map { try QueryArguments.vector($0, "--at") }
    var field: DistanceField?
    var updates: [DistanceFieldUpdate] = []
    func follow(_ grid: OccupancyGrid) throws {
      let follower =
        try field
        ?? DistanceField(for: grid, maximumDistanceMeters: maximum, obstacles: kind)
      field = follower
      updates.append(follower.update(from: grid, maximumColumnCount: budget ?? .max))
    }
    let window = try arguments.open { grid, _ in try follow(grid) }
    if field == nil { try reportingQueryErrors { try follow(window.grid) } }
    guard let field else { return }
    let pose = arguments.worldFromGiven(window)
    let result = DistanceResult(
      field: field, grid: window.grid, updates: updates,
      places: places.map { ($0, pose * $0) })
    let differing = check ? try result.differencesFromFresh() : nil
    if let png { try writeFile(try result.picture(window, height: height), to: png) }
    if let out { try writeFile(result.safeTensors.serialized(), to: out) }
    print(arguments.json ? result.json(differing).text : result.table(differing))
    if let differing, differing > 0, budget == nil { throw ExitCode(3) }
  }
}

/// Options of what stands above the ground.
struct LayerArguments: ParsableArguments {
  @Option(help: "Obstacles start this high above the ground, metres.") var lowest = 0.3
  @Option(help: "… and end here, metres.") var highest = 2.5
  @Option(help: "Ground may change by this from column to column, metres.") var groundStep = 0.2
  @Option(help: "Height of the ground below the ego's origin, metres.") var egoHeight = 0.0

  func makeLayer(_ grid: OccupancyGrid) throws -> ObstacleLayer {
    var configuration = ObstacleLayerConfiguration()
    configuration.lowestMeters = lowest
    configuration.highestMeters = highest
    configuration.groundStepMeters = groundStep
    return try ObstacleLayer(for: grid, configuration: configuration)
  }
  func ground(_ worldFromEgo: RigidTransform) -> SIMD3<Double> {
    worldFromEgo * SIMD3(0, 0, -egoHeight)
  }
}

struct QueryCostMapCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "costmap", abstract: "A top-down cost map as nav_msgs/OccupancyGrid has it.",
    discussion: """
      -1 unknown, 0 free … 98 near, 99 within the inscribed radius, 100 obstacle. Ground is found \
      by growing outward from below the ego. --out keeps `data` int8 [height, width] (x fastest) \
      with resolution and origin as metadata.

      Examples:
        swiftlet query costmap drive --png cost.png
        swiftlet query costmap drive --inscribed 0.9 --inflation 2.5 --out cost.safetensors --json
      """)
  @OptionGroup var arguments: QueryArguments
  @OptionGroup var layerArguments: LayerArguments
  @Option(help: "Cells nearer to an obstacle cost 99, metres.") var inscribed = 1.0
  @Option(help: "Beyond this distance obstacles cost nothing, metres.") var inflation = 3.0
  @Option(help: "Costs fall as exp(-decay · distance), 1/metre.") var decay = 1.5
  @Option(help: "A place to ask about: x,y.") var at: [String] = []
  @Option(help: "A picture.") var png: String?
  @Option(help: "The .safetensors file to write.") var out: String?

  func run() throws {
    let places = try at.map { try QueryArguments.numbers($0, [2, 3], "--at") }
    let window = try arguments.open()
    try reportingQueryErrors {
      let layer = try layerArguments.makeLayer(window.grid)
      layer.update(from: window.grid, groundPosition: layerArguments.ground(window.worldFromEgo))
      var configuration = CostMapConfiguration()
      configuration.inscribedRadiusMeters = inscribed
      configuration.inflationRadiusMeters = inflation
      configuration.decayPerMeter = decay
      let map = try CostMap(for: window.grid, configuration: configuration)
      map.update(from: layer)
      let pose = arguments.worldFromGiven(window)
      let result = CostMapResult(
        map: map, window: window,
        places: places.map { v in
          let world = pose * SIMD3(v[0], v[1], 0)
          return (SIMD2(v[0], v[1]), SIMD2(world.x, world.y))
        })
      if let png { try writeFile(try result.picture(), to: png) }
      if let out { try writeFile(result.safeTensors.serialized(), to: out) }
      print(arguments.json ? result.json.text : result.table)
    }
  }
}

struct QueryObstaclesCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "obstacles", abstract: "What stands on the ground: boxes, heights, speeds.",
    discussion: """
      Connected components (26 neighbours) of the occupied voxels above the ground, followed over \
      the recording's frames for their speeds: a general-obstacle detector without classes.

      Examples:
        swiftlet query obstacles drive --png obstacles.png
        swiftlet query obstacles drive --minimum-voxels 8 --within 30 --json
      """)
  @OptionGroup var arguments: QueryArguments
  @OptionGroup var layerArguments: LayerArguments
  @Option(help: "Smaller groups are left out.") var minimumVoxels = 6
  @Option(help: "Only obstacles this near to the ego, metres.") var within = 50.0
  @Option(help: "A picture.") var png: String?

  func run() throws {
    guard minimumVoxels >= 1 else {
      throw ValidationError("--minimum-voxels: expected 1 or more, found \(minimumVoxels)")
    }
    var layer: ObstacleLayer?
    var finder: ObstacleFinder?
    let tracker = ObstacleTracker()
    func follow(_ grid: OccupancyGrid, _ pose: RigidTransform, _ time: Int64) throws {
      let currentLayer = try layer ?? layerArguments.makeLayer(grid)
      let current = finder ?? ObstacleFinder(for: grid, minimumVoxelCount: minimumVoxels)
      (layer, finder) = (currentLayer, current)
      currentLayer.update(from: grid, groundPosition: layerArguments.ground(pose))
      current.find(in: currentLayer)
      tracker.update(current.obstacles, count: current.count, atNanoseconds: time)
    }
    let window = try arguments.open { grid, frame in
      try follow(grid, frame.worldFromEgo, frame.timestampNanoseconds)
    }
    try reportingQueryErrors {
      if finder == nil { try follow(window.grid, window.worldFromEgo, 0) }
      guard let finder, let layer else { return }
      let result = ObstacleResult(finder: finder, window: window, withinMeters: within)
      if let png { try writeFile(try result.picture(layer), to: png) }
      print(arguments.json ? result.json.text : result.table)
    }
  }
}

struct QueryPyramidCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pyramid", abstract: "Coarser grids of the largest and smallest log-odds.",
    discussion: """
      A coarse cell is occupied if any voxel in it is, free if every voxel in it is known and free, \
      else unknown. --out keeps `maximum` and `minimum` int8 [y, x, z] of --level (-128 unknown).

      Examples:
        swiftlet query pyramid drive --levels 5
        swiftlet query pyramid map.swlmap --level 3 --at 5,0,1 --out level3.safetensors --json
      """)
  @OptionGroup var arguments: QueryArguments
  @Option(help: "Levels above the window's own, 1 to 8.") var levels = 4
  @Option(help: "The level for --at and --out.") var level = 1
  @Option(help: "A place to ask about: x,y,z.") var at: [String] = []
  @Option(help: "The .safetensors file to write.") var out: String?

  func run() throws {
    let places = try at.map { try QueryArguments.vector($0, "--at") }
    guard (1...max(1, levels)).contains(level) else {
      throw ValidationError("--level: expected 1 to \(levels), found \(level)")
    }
    let window = try arguments.open()
    try reportingQueryErrors {
      let pyramid = try OccupancyPyramid(for: window.grid, levelCount: levels)
      pyramid.update(from: window.grid)
      let pose = arguments.worldFromGiven(window)
      let result = PyramidResult(
        pyramid: pyramid, grid: window.grid, level: level,
        places: places.map { ($0, pose * $0) })
      if let out { try writeFile(result.safeTensors.serialized(), to: out) }
      print(arguments.json ? result.json.text : result.table)
    }
  }
}

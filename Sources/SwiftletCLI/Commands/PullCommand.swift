import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct PullCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pull",
    abstract: "Pull image features into voxels, as Fast-BEV and SimpleBEV do.",
    discussion: """
      fast-bev: nearest pixel of each voxel's lower corner, 200×200×4 voxels; where cameras overlap \
      the last one wins (its Python), the first (its C++) or the mean. simple-bev: bilinear at voxel \
      centres, mean over the cameras with a sample, 200×8×200 voxels. Both in key ego axes.

      Writes pull.png (mean over the height, from above), counts.png (cameras per cell) and \
      pull.safetensors: counts, visibility per camera, with --volume the voxels' features.

      Exit codes: 0 done, 1 a file cannot be written, 4 the frame cannot be used, 64 usage.

      Examples:
        swiftlet pull drive --method fast-bev --overlap mean --out pull
        swiftlet pull drive --method simple-bev --drop CAM_BACK --out pull --json
      """)

  @OptionGroup var source: FrameOptions
  @Option(help: "fast-bev or simple-bev.") var method = "fast-bev"
  @Option(help: "fast-bev where cameras overlap: last, first or mean.") var overlap = "last"
  @Option(help: "Folder for pictures and tensors.") var out: String?
  @Flag(help: "Also write the voxels' features.") var volume = false
  @Flag(help: "Print JSON instead of the table.") var json = false
  @OptionGroup var engineOptions: EngineOptions

  func validate() throws {
    guard PullProjection.Method(rawValue: method) != nil else {
      throw ValidationError("--method: expected fast-bev or simple-bev, found \(method)")
    }
    guard VoxelOverlap(rawValue: overlap) != nil else {
      throw ValidationError("--overlap: expected last, first or mean, found \(overlap)")
    }
  }

  func run() throws {
    let engine = try engineOptions.makeEngine()
    let pool = WorkerPool(threadCount: engineOptions.threads)
    let recorded = try source.load(try source.open(), source.frame)
    try withExtendedLifetime(recorded) {
      let frame = try source.prepared(recorded)
      let result = try reportingProblems {
        try method == "fast-bev"
          ? PullProjection.fastBEV(
            frame, overlap: VoxelOverlap(rawValue: overlap) ?? .last, engine: engine, pool: pool)
          : PullProjection.simpleBEV(frame, engine: engine, pool: pool)
      }
      if let out { try write(result, frame, out) }
      print(json ? jsonText(result, frame) : text(result, frame))
    }
  }

  private func write(_ result: PullProjection, _ frame: SensorFrame, _ folder: String) throws {
    let title = method == "fast-bev" ? "\(method), \(overlap)" : method
    try writePicture(
      result.map.picture("\(title), frame \(source.frame)"), to: "\(folder)/pull.png")
    try writePicture(countPicture(result), to: "\(folder)/counts.png")
    var tensors = [
      "counts": HostTensor(result.counts, shape: result.shape),
      "visibility": HostTensor(
        result.visibility.flatMap { $0 }, shape: [result.visibility.count] + result.shape),
    ]
    if volume {
      tensors["volume"] = HostTensor(result.volume, shape: result.shape + [result.channels])
    }
    let file = SafeTensors(
      tensors: tensors,
      metadata: [
        "method": method, "overlap": overlap,
        "cameras": frame.cameras.map(\.name).joined(separator: " "),
      ])
    try writeFile(file.serialized(), to: "\(folder)/pull.safetensors")
  }

  /// The most cameras that see any voxel of a column, from above: black none, then viridis.
  private func countPicture(_ result: PullProjection) -> RGBImage {
    let map = result.map
    let most = result.columnCounts()
    var image = RGBImage(widthPixels: map.sizeY, heightPixels: map.sizeX)
    for row in 0..<map.sizeX {
      for column in 0..<map.sizeY {
        let count = most[(map.sizeY - 1 - column) * map.sizeX + map.sizeX - 1 - row]
        guard count > 0 else { continue }
        let color = ColorMap.viridis.color(Float(count) / 3)
        let place = 3 * (row * map.sizeY + column)
        image.pixels[place] = color.red
        image.pixels[place + 1] = color.green
        image.pixels[place + 2] = color.blue
      }
    }
    return image
  }

  private func text(_ result: PullProjection, _ frame: SensorFrame) -> String {
    let rows = zip(frame.cameras, result.visibility).map { camera, seen in
      [camera.name, camera.isValid ? "valid" : "missing", "\(seen.count { $0 != 0 })"]
    }
    let shared = (0...3).map { number in "\(number): \(result.counts.count { $0 == number })" }
    return ColumnLayout.lines([["camera", "state", "voxels seen"]] + rows).joined(separator: "\n")
      + "\nvoxels by the number of cameras that see them: \(shared.joined(separator: ", "))"
  }

  private func jsonText(_ result: PullProjection, _ frame: SensorFrame) -> String {
    let cameras = zip(frame.cameras, result.visibility).map { camera, seen in
      JSONValue.object([
        "name": .string(camera.name), "valid": .bool(camera.isValid),
        "voxels_seen": .integer(Int64(seen.count { $0 != 0 })),
      ])
    }
    let counts = (0...4).map { number in
      JSONValue.integer(Int64(result.counts.count { $0 == number }))
    }
    return JSONValue.object([
      "schema_version": .integer(1), "method": .string(method), "overlap": .string(overlap),
      "frame": .integer(Int64(source.frame)), "cameras": .array(cameras),
      "voxels": .integer(Int64(result.counts.count)), "voxels_by_camera_count": .array(counts),
    ]).text
  }
}

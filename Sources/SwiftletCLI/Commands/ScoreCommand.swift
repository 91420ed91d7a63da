import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct ScoreCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "score",
    abstract: "Compare predicted occupancy with the truth: mIoU, RayIoU, mAVE.",
    discussion: """
      Files or folders of Occ3D labels.npz (semantics, mask_camera, mask_lidar), .npy or \
      .safetensors with labels [x, y, z]. In folders a sample is named by its file, or by its \
      folder where the file is called labels.npz. Counts are added up over all samples.

      mIoU: voxels where the mask is 1 and the truth is a class (255 is ignored), mean over the \
      classes other than free. RayIoU: 14,040 rays an origin; a ray's distance is where it leaves \
      the first occupied voxel; true positives within 1, 2 and 4 m (strict); rays whose truth is \
      free are dropped. mAVE: flow [x, y, z, 2] in m/s, true positives at 2 m, moving classes.
      Origins are those of --origins, else the array origins [n, 3] in the truth's file, else \
      --origin, else the nuScenes LiDAR (0.9858, 0, 1.8402).

      Exit codes: 0 scored, 4 a file cannot be read or compared, or a prediction is missing.

      Examples:
        swiftlet score predictions/ occ3d/gts/scene-0061/
        swiftlet score pred.npz labels.npz --metric miou --mask camera --json
        swiftlet score pred/ openocc/ --classes openocc --origins origins.json
        swiftlet score a.npy b.npy --classes 5 --free 4 --voxel 0.5 --lower=-10,-10,-2
      """)

  @Argument(help: "Predictions: a file or a folder.") var prediction: String
  @Argument(help: "Truth: a file or a folder.") var truth: String
  @Option(help: "miou, rayiou, mave (may be repeated) or all.") var metric: [String] = ["all"]
  @Option(help: "occ3d, openocc, or a number of classes.") var classes = "occ3d"
  @Option(help: "The label that means free, with a number of classes. Default: the last.")
  var free: Int?
  @Option(help: "Moving labels (mAVE), with a number of classes: 0,1,2.") var moving: String?
  @Option(help: "Where mIoU looks: auto (the camera mask where there is one), camera, lidar, none.")
  var mask = "auto"
  @Option(help: "Edge of a voxel, metres.") var voxel: Float = 0.4
  @Option(help: "Lower corner of the grid, x,y,z in metres. Default: -40,-40,-1.")
  var lower: String?
  @Option(help: "A sensor origin x,y,z in the grid's frame, metres; may be repeated.")
  var origin: [String] = []
  @Option(help: "JSON file {\"sample\": [[x, y, z], ...]} of sensor origins.") var origins: String?
  @Flag(help: "Score the samples that have a prediction, and list the others.")
  var allowMissing = false
  @Flag(help: "Print JSON instead of the table.") var json = false
  @OptionGroup var engineOptions: EngineOptions

  func run() throws {
    let options = try makeOptions()
    let engine = try engineOptions.makeEngine()
    let scorer = OccupancyScorer(
      options: options, engine: engine, pool: WorkerPool(threadCount: engineOptions.threads))
    do {
      let pairing = try SamplePairing(prediction: prediction, truth: truth)
      try check(pairing)
      for (index, pair) in pairing.pairs.enumerated() {
        try scorer.add(pair)
        if (index + 1) % 100 == 0 { printError("sample \(index + 1) / \(pairing.pairs.count)") }
      }
      let report = ScoreReport(
        scorer, missing: pairing.missing, unused: pairing.unused, engine: engine)
      print(json ? report.json.text : report.table)
    } catch let error as ExchangeError {
      printError(error.description)
      throw ExitCode(4)
    }
  }

  private func check(_ pairing: SamplePairing) throws {
    if let first = pairing.unused.first {
      printError("\(pairing.unused.count) predictions without a truth are left out, first \(first)")
    }
    guard let first = pairing.missing.first else { return }
    printError(
      "\(pairing.missing.count) of \(pairing.missing.count + pairing.pairs.count) samples have no "
        + "prediction, first \(first)")
    if !allowMissing || pairing.pairs.isEmpty { throw ExitCode(4) }
  }

  private func makeOptions() throws -> ScoreOptions {
    var options = ScoreOptions()
    options.classes = try makeClasses()
    options.metrics = try makeMetrics()
    guard let chosen = ScoreOptions.Mask(rawValue: mask) else {
      throw ValidationError("--mask: expected auto, camera, lidar or none, found \(mask)")
    }
    options.mask = chosen
    guard voxel.isFinite, voxel > 0 else {
      throw ValidationError("--voxel: expected a size above 0, found \(voxel)")
    }
    options.voxelSizeMeters = voxel
    if let lower { options.lowerMeters = try vector(lower, "--lower") }
    if !origin.isEmpty { options.originsMeters = try origin.map { try vector($0, "--origin") } }
    if let origins { options.originsBySample = try readOrigins(origins) }
    return options
  }

  private func makeMetrics() throws -> Set<ScoreOptions.Metric> {
    var metrics: Set<ScoreOptions.Metric> = []
    for name in metric {
      if name == "all" { return Set(ScoreOptions.Metric.allCases) }
      guard let one = ScoreOptions.Metric(rawValue: name) else {
        throw ValidationError("--metric: expected miou, rayiou, mave or all, found \(name)")
      }
      metrics.insert(one)
    }
    return metrics
  }

  private func makeClasses() throws -> OccupancyClasses {
    switch classes {
    case "occ3d": return .occ3d
    case "openocc": return .openOcc
    default:
      guard let count = Int(classes) else {
        throw ValidationError("--classes: expected occ3d, openocc or a number, found \(classes)")
      }
      let labels = try moving.map { text in
        try text.split(separator: ",").map { part in
          guard let label = Int(part) else {
            throw ValidationError("--moving: expected labels, found \(part)")
          }
          return label
        }
      }
      do throws(InputError) {
        return try OccupancyClasses(
          count: count, freeClass: free ?? count - 1, movingClasses: labels ?? [])
      } catch {
        throw ValidationError("--classes: \(error)")
      }
    }
  }

  private func vector(_ text: String, _ option: String) throws -> SIMD3<Float> {
    let values = text.split(separator: ",").compactMap { Float($0) }
    guard values.count == 3, values.allSatisfy(\.isFinite) else {
      throw ValidationError("\(option): expected x,y,z, found \(text)")
    }
    return SIMD3(values[0], values[1], values[2])
  }

  private func readOrigins(_ path: String) throws -> [String: [SIMD3<Float>]] {
    guard let data = try? Data(contentsOf: URL(fileURLWithPath: path)) else {
      printError("\(path): expected a readable file, found none; give a JSON file of origins")
      throw ExitCode(4)
    }
    guard let members = try? JSONReader.parse([UInt8](data)).objectValue else {
      printError("\(path): expected a JSON object of origins by sample; correct the file")
      throw ExitCode(4)
    }
    return try members.mapValues { value in
      let origins = (value.arrayValue ?? []).map { $0.doublesValue ?? [] }
      guard !origins.isEmpty, origins.allSatisfy({ $0.count == 3 }) else {
        printError("\(path): expected [[x, y, z], ...] for each sample; correct the file")
        throw ExitCode(4)
      }
      return origins.map { SIMD3(Float($0[0]), Float($0[1]), Float($0[2])) }
    }
  }
}

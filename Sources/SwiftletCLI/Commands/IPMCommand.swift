import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct IPMCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ipm",
    abstract: "Map the raw images of a frame onto the ground, seen from above.",
    discussion: """
      Every cell of the ground plane is projected into every camera (pinhole, Brown–Conrady of 4 to \
      8 coefficients, Kannala–Brandt, f-theta), sampled bilinearly and blended where cameras \
      overlap. The plane is level at --height, or with --fit-plane fitted to the LiDAR's lowest \
      returns by robust least squares. The picture's top is ahead, its left is left.

      Exit codes: 0 done, 1 the file cannot be written, 4 the frame, a calibration or the plane \
      cannot be used, 64 usage.

      Examples:
        swiftlet ipm drive --frame 3 --out ground.png
        swiftlet ipm recordings/nuscenes --extent 20 --cell 0.05 --fit-plane --out ground.png
        swiftlet ipm drive --rig corrected.json --blend mean --out ground.png --json
      """)

  @OptionGroup var source: FrameOptions
  @Option(help: "Metres ahead, behind and to either side.") var extent = 25.6
  @Option(help: "Edge of a cell, metres.") var cell = 0.1
  @Option(help: "Height of the level ground in the ego frame, metres.") var height = 0.0
  @Flag(name: .customLong("fit-plane"), help: "Fit the ground plane to the LiDAR's points.")
  var fitPlane = false
  @Option(help: "feathered (weights fall towards image borders) or mean.") var blend = "feathered"
  @Option(help: "The PNG to write.") var out: String
  @Flag(help: "Print JSON instead of text.") var json = false
  @OptionGroup var engineOptions: EngineOptions

  func validate() throws {
    guard extent > 0, cell > 0, 2 * extent / cell <= 4096, 2 * extent / cell >= 1 else {
      throw ValidationError(
        "--extent, --cell: expected 1 to 4096 cells a side, found \(2 * extent / cell)")
    }
    guard GroundBlend(rawValue: blend) != nil else {
      throw ValidationError("--blend: expected feathered or mean, found \(blend)")
    }
  }

  func run() throws {
    let recorded = try source.load(try source.open(), source.frame)
    try withExtendedLifetime(recorded) {
      let frame = try source.prepared(recorded)
      try reportingProblems {
        let fit =
          try fitPlane
          ? GroundPlaneFit.fit(frame.pointsInKeyEgo, expectedHeightMeters: height) : nil
        let result = try GroundImage(
          frame, extentMeters: extent, cellMeters: cell,
          plane: fit?.plane ?? GroundPlane(heightMeters: height),
          blend: GroundBlend(rawValue: blend) ?? .feathered, engine: try engineOptions.makeEngine(),
          pool: WorkerPool(threadCount: engineOptions.threads))
        try writePicture(result.image, to: out)
        print(json ? jsonText(frame, result, fit) : text(frame, result, fit))
      }
    }
  }

  private func text(_ frame: SensorFrame, _ result: GroundImage, _ fit: GroundPlaneFit?) -> String {
    var lines: [String] = []
    if let fit {
      lines.append(
        String(
          format: "plane z = %.4f x + %.4f y + %.3f m: %d of %d square metres within 10 cm, rms %.3f m",
          fit.plane.slopeX, fit.plane.slopeY, fit.plane.heightMeters, fit.inlierCount,
          fit.candidateCount, fit.rootMeanSquareMeters))
    }
    let rows = zip(frame.cameras, result.cellsOfCamera).map { camera, cells in
      [
        camera.name, camera.isValid ? "valid" : "missing", camera.intrinsics.lens.name,
        "\(camera.intrinsics.widthPixels)×\(camera.intrinsics.heightPixels)", "\(cells)",
      ]
    }
    lines += ColumnLayout.lines([["camera", "state", "lens", "image", "cells"]] + rows)
    lines.append(
      "\(out): \(result.seenCount) of \(result.cellCount) cells seen, \(result.sharedCount) by more "
        + "than one camera")
    return lines.joined(separator: "\n")
  }

  private func jsonText(
    _ frame: SensorFrame, _ result: GroundImage, _ fit: GroundPlaneFit?
  ) -> String {
    let cameras = zip(frame.cameras, result.cellsOfCamera).map { camera, cells in
      JSONValue.object([
        "name": .string(camera.name), "valid": .bool(camera.isValid),
        "lens": .string(camera.intrinsics.lens.name), "cells": .integer(Int64(cells)),
      ])
    }
    var report: [String: JSONValue] = ["schema_version": .integer(1), "out": .string(out)]
    report["cameras"] = .array(cameras)
    report["cells"] = .count(result.cellCount)
    report["cells_seen"] = .count(result.seenCount)
    report["cells_shared"] = .count(result.sharedCount)
    report["fitted_plane"] = .null
    if let fit {
      var plane: [String: JSONValue] = [:]
      plane["slope_x"] = .number(fit.plane.slopeX)
      plane["slope_y"] = .number(fit.plane.slopeY)
      plane["height_meters"] = .number(fit.plane.heightMeters)
      plane["candidates"] = .count(fit.candidateCount)
      plane["inliers"] = .count(fit.inlierCount)
      plane["rms_meters"] = .number(fit.rootMeanSquareMeters)
      report["fitted_plane"] = .object(plane)
    }
    return JSONValue.object(report).text
  }
}

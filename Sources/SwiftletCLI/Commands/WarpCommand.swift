import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct WarpCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "warp",
    abstract: "Align an earlier frame's BEV map to a later frame's ego.",
    discussion: """
      Projects both frames with a preset, moves the earlier map to the later ego and says how much \
      nearer it came: mean absolute difference of luma where both have data, before and after. \
      Methods: bevdet4d (2D affine by camera 0's poses), fb-occ (trilinear flow), bevformer \
      (nearest rotation about the published centre (100, 100), then shift), bevformer-middle (the \
      same about the map's middle). With all, every method in one table.

      Writes earlier.png, later.png and warped_METHOD.png.

      Exit codes: 0 done, 1 a file cannot be written, 4 a frame cannot be used, 64 usage.

      Examples:
        swiftlet warp drive --frame 0 --to 5 --out warp
        swiftlet warp drive --frame 0 --to 3 --method bevformer --preset lss --json
      """)

  @OptionGroup var source: FrameOptions
  @Option(help: "The later frame.") var to = 1
  @Option(help: "bevdet4d, fb-occ, bevformer, bevformer-middle or all.") var method = "all"
  @Option(help: "The projection that makes both maps; its grid must be in the ego frame.")
  var preset = "bevdet-r50"
  @Option(help: "Folder for pictures.") var out: String?
  @Flag(help: "Print JSON instead of the table.") var json = false
  @OptionGroup var engineOptions: EngineOptions

  func validate() throws {
    guard method == "all" || HistoryWarp.Method(rawValue: method) != nil else {
      let names = HistoryWarp.Method.allCases.map(\.rawValue).joined(separator: ", ")
      throw ValidationError("--method: expected \(names) or all, found \(method)")
    }
  }

  func run() throws {
    let engine = try engineOptions.makeEngine()
    let pool = WorkerPool(threadCount: engineOptions.threads)
    let recording = try source.open()
    let earlier = try source.load(recording, source.frame)
    let later = try source.load(recording, to)
    try withExtendedLifetime((earlier, later)) {
      let frames = (try source.prepared(earlier), try source.prepared(later))
      let maps = try reportingProblems {
        (try map(frames.0, engine, pool), try map(frames.1, engine, pool))
      }
      let methods = HistoryWarp.Method.allCases.filter {
        method == "all" || $0.rawValue == method
      }
      let results = methods.map { method in
        (
          method,
          HistoryWarp(
            method, earlierMap: maps.0, laterMap: maps.1, earlier: frames.0, later: frames.1,
            engine: engine, pool: pool)
        )
      }
      if let out {
        try writePicture(maps.0.picture("frame \(source.frame)"), to: "\(out)/earlier.png")
        try writePicture(maps.1.picture("frame \(to)"), to: "\(out)/later.png")
        for (method, result) in results {
          try writePicture(
            result.warped.picture("frame \(source.frame) at \(to), \(method.rawValue)"),
            to: "\(out)/warped_\(method.rawValue).png")
        }
      }
      report(frames, results)
    }
  }

  private func map(
    _ frame: SensorFrame, _ engine: Engine, _ pool: WorkerPool
  ) throws -> BEVColors.Map {
    let chosen = try ProjectionPreset.named(preset)
    guard chosen.frame == "ego" else {
      throw ConfigurationError(
        field: "--preset", expected: "a preset in the ego frame", found: preset,
        remedy: "choose another one")
    }
    let projection = try PresetProjection(chosen, rig: frame, engine: engine, pool: pool)
    _ = try projection.project(frame)
    return BEVColors.map(projection)
  }

  private func report(
    _ frames: (SensorFrame, SensorFrame), _ results: [(HistoryWarp.Method, HistoryWarp)]
  ) {
    let motion = frames.0.worldFromEgo.inverse * frames.1.worldFromEgo
    let yaw = atan2(motion.rotation.row1.x, motion.rotation.row0.x) * 180 / .pi
    let distance = (motion.translation * motion.translation).sum().squareRoot()
    if json {
      let rows = results.map { method, result in
        JSONValue.object([
          "method": .string(method.rawValue), "cells": .integer(Int64(result.comparedCellCount)),
          "difference_before": .number(result.differenceBefore),
          "difference_after": .number(result.differenceAfter),
        ])
      }
      print(
        JSONValue.object([
          "schema_version": .integer(1), "moved_meters": .number(distance),
          "turned_degrees": .number(yaw), "methods": .array(rows),
        ]).text)
      return
    }
    print(String(format: "moved %.3f m, turned %.3f degrees", distance, yaw))
    let rows = results.map { method, result in
      [
        method.rawValue, "\(result.comparedCellCount)",
        String(format: "%.5f", result.differenceBefore),
        String(format: "%.5f", result.differenceAfter),
        String(format: "%.2f", result.differenceAfter / max(result.differenceBefore, 1e-12)),
      ]
    }
    print(
      ColumnLayout.lines([["method", "cells", "before", "after", "ratio"]] + rows)
        .joined(separator: "\n"))
  }
}

import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

/// The sensor model and what the window stores.
struct EvidenceOptions: ParsableArguments {
  @Option(name: .customLong("min-range"), help: "Nearer points are ignored, metres (window modes).")
  var minimumRange = 0.0
  @Option(help: "Probability a hit speaks for.") var hit = 0.7
  @Option(help: "Probability a ray that passes speaks for.") var miss = 0.4
  @Option(name: .customLong("clamp-min"), help: "Probabilities stay above this.")
  var clampMinimum = 0.1192
  @Option(name: .customLong("clamp-max"), help: "Probabilities stay below this.")
  var clampMaximum = 0.971
  @Option(help: "Occupied from this probability on.") var threshold = 0.5
  @Option(
    help: "int8 (a byte a voxel) or int16 (exact to 0.001 beside it); window modes.")
  var values = "int8"
  @Option(
    name: .customLong("no-return-range"),
    help: "Rays without a return clear up to here, metres; 0: they are ignored (window modes).")
  var noReturnRange = 0.0

  func validate() throws {
    guard OccupancyValues(rawValue: values) != nil else {
      throw ValidationError("--values: expected int8 or int16, found \(values)")
    }
    let probabilities = [hit, miss, clampMinimum, clampMaximum, threshold]
    guard probabilities.allSatisfy({ $0 > 0 && $0 < 1 }) else {
      throw ValidationError("probabilities: expected values between 0 and 1, found \(probabilities)")
    }
  }

  func apply(to options: inout MapOptions) {
    options.minimumRangeMeters = minimumRange
    options.noReturnRangeMeters = noReturnRange
    options.values = OccupancyValues(rawValue: values) ?? .int8
    options.model = OccupancyModel(
      hitProbability: hit, missProbability: miss, minimumProbability: clampMinimum,
      maximumProbability: clampMaximum, thresholdProbability: threshold)
  }
}

/// A time bound for carving, its log, and the repetition of a log.
struct CarvingOptions: ParsableArguments {
  @Option(
    help: "What a frame's update may take (1.5ms): carving stops evenly in time (window modes).")
  var timeBound: DurationOption?
  @Option(help: "Write where carving stopped in each frame to this file.") var carvingLog: String?
  @Option(help: "A carving log of an earlier run: stop where it stopped, bit for bit.")
  var repeatCarving: String?

  func apply(to options: inout MapOptions) throws {
    options.timeBoundNanoseconds = timeBound?.nanoseconds
    if let repeatCarving {
      do throws(RecordingError) {
        options.carvingLog = try CarvingLog(file: repeatCarving)
      } catch {
        throw ValidationError("--repeat-carving: \(error.description)")
      }
    }
  }

  func write(_ log: CarvingLog) throws {
    guard let carvingLog else { return }
    do {
      try Data(log.text.utf8).write(to: URL(fileURLWithPath: carvingLog))
    } catch {
      printError("\(carvingLog): \(error.localizedDescription); choose a folder that can be written")
      throw ExitCode(1)
    }
  }

  func report(_ log: CarvingLog) {
    guard timeBound != nil || repeatCarving != nil else { return }
    let counts = log.batchCounts.values.flatMap { $0 }
    let whole = Double(max(1, counts.count * CarvingLimit.batchCount))
    let share = Double(counts.reduce(0, +)) / whole * 100
    let cut = counts.count { $0 < CarvingLimit.batchCount }
    printError(
      String(format: "carved %.1f %% of the free space; %d of %d scans cut", share, cut, counts.count))
  }
}

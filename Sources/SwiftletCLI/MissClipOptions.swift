import ArgumentParser
import Swiftlet
import SwiftletReplay

/// What becomes of late frames.
struct MissClipOptions: ParsableArguments {
  enum Action: String, ExpressibleByArgument, CaseIterable {
    /// Only reported.
    case report
    /// Written as recordings of their own.
    case clip
  }

  @Option(
    help: """
      clip: write the shortest recording that repeats a late frame's work bit for bit, with its \
      command line, to --out/clips.
      """)
  var onMiss = Action.report
  @Option(help: "The worst misses to write with --on-miss clip.") var missLimit = 3

  func validate() throws {
    guard missLimit >= 1 else {
      throw ValidationError("--miss-limit: expected 1 or more, found \(missLimit)")
    }
  }

  /// Writes the clips of a run and says so.
  func write(
    _ result: ReplayResult, to out: String?, path: String, loader: PipelineLoader,
    recording: RecordingOptions, faults: FaultOptions, options: [String]
  ) throws {
    guard onMiss == .clip, let out, result.missCount > 0 else { return }
    let injection = faults.inject.map { $0 }
    var words = options
    if injection != nil { words += ["--seed", "\(faults.seed)"] }
    var clipper = MissClipper(
      recording: try RecordingOpener.open(path: path, options: recording),
      command: MissClipper.Command(
        options: words, configuration: loader.configuration, injection: injection),
      makeSource: { try faults.apply(to: RecordingSource($0), loader.configuration) },
      makeProcessor: { try loader.makeProcessor() })
    clipper.limit = missLimit
    for clip in try clipper.write(result, to: "\(out)/clips") {
      printError(
        "frame \(clip.frame) took \(clip.judgedMilliseconds) ms: \(out)/clips/\(clip.folder), "
          + "\(clip.frames) frames, digest \(clip.digest)"
          + (clip.isVerified ? " repeated" : " NOT repeated"))
    }
  }
}

import ArgumentParser
import SwiftletReplay

@main
struct SwiftletCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet",
    abstract: "Camera-to-BEV, voxel occupancy and attention fusion on CPUs, replayed and timed.",
    discussion: """
      Examples:
        swiftlet synth drive --frames 40 --seed 1
        swiftlet replay drive --out report
        swiftlet info drive
      """,
    version: SwiftletVersion.package,
    subcommands: [
      ReplayCommand.self,
      CompareCommand.self,
      AbCommand.self,
      ScoreCommand.self,
      InfoCommand.self,
      MapCommand.self,
      MapsCommand.self,
      ConvertCommand.self,
      SynthCommand.self,
      BEVCommand.self,
      IPMCommand.self,
      PullCommand.self,
      WarpCommand.self,
      DoctorCommand.self,
      VerifyCommand.self,
      BenchCommand.self,
      EnvCommand.self,
      ConfigCommand.self,
    ])
}

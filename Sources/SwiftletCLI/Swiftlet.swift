import ArgumentParser
import SwiftletReplay

@main
struct SwiftletCommand: ParsableCommand {
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
      InstructionsCommand.self,
      ScoreCommand.self,
      InfoCommand.self,
      MineCommand.self,
      FaultsCommand.self,
      FleetCommand.self,
      MergeCommand.self,
      MapCommand.self,
      MapsCommand.self,
      QueryCommand.self,
      ConvertCommand.self,
      ExportCommand.self,
      SynthCommand.self,
      BEVCommand.self,
      IPMCommand.self,
      PullCommand.self,
      WarpCommand.self,
      DoctorCommand.self,
      FusionCommand.self,
      WeightsCommand.self,
      VerifyCommand.self,
      BenchCommand.self,
      CalibrateCommand.self,
      EnvCommand.self,
      ConfigCommand.self,
    ])
}

import ArgumentParser
import SwiftletReplay

@main
struct SwiftletCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "swiftlet",
    abstract: "Camera-to-BEV, voxel occupancy and attention fusion on CPUs, replayed and timed.",
    version: SwiftletVersion.package,
    subcommands: [
      InfoCommand.self,
      MapCommand.self,
      VerifyCommand.self,
      BenchCommand.self,
      EnvCommand.self,
      ConfigCommand.self,
    ])
}

import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct ConfigCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config",
    abstract: "Print the default pipeline.json with a comment on each field, or check one.",
    discussion: """
      Exit codes: 0 printed or valid, 64 the file cannot be used.

      Examples:
        swiftlet config > pipeline.json
        swiftlet config --check pipeline.json
      """)

  @Option(help: "Check this file instead of printing the default.") var check: String?

  func run() throws {
    guard let check else { return print(PipelineConfiguration().commentedJSON) }
    _ = try loadConfiguration(check)
    print("\(check): valid")
  }
}

/// The configuration in a file, or the default for nil; what is wrong with it is a usage error.
func loadConfiguration(_ path: String?) throws -> PipelineConfiguration {
  guard let path else { return PipelineConfiguration() }
  guard let data = FileManager.default.contents(atPath: path) else {
    throw ValidationError("\(path): expected a readable pipeline.json; check the path")
  }
  do throws(ConfigurationError) {
    return try PipelineConfiguration(json: Array(data))
  } catch {
    throw ValidationError("\(path): \(error)")
  }
}

import ArgumentParser
import Foundation
import Swiftlet
import SwiftletReplay

struct EnvCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "env",
    abstract: "Show the CPU, its instruction sets, limits, and whether this host is fit to time on.",
    discussion: """
      Examples:
        swiftlet env
        swiftlet env --json
        SWIFTLET_ISA=avx2 swiftlet env
      """)

  @OptionGroup var engineOptions: EngineOptions
  @Flag(help: "Print JSON.") var json = false

  func run() throws {
    let environment = HostEnvironment.measure(engine: try engineOptions.makeEngine())
    if json {
      print(String(decoding: try JSONText.pretty(environment), as: UTF8.self), terminator: "")
    } else {
      print(environment)
    }
  }
}

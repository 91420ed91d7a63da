import ArgumentParser
import Foundation
import Swiftlet

/// Who computes: shared by every command that runs kernels.
struct EngineOptions: ParsableArguments {
  @Option(help: "reference (scalar) or simd.") var engine = "simd"
  @Option(
    help: """
      Instruction set: portable, baseline, avx2 or avx512. Default: SWIFTLET_ISA, else the best \
      of this CPU.
      """) var isa: String?
  @Option(help: "Threads that share a frame's work.") var threads = 1

  func validate() throws {
    guard ["reference", "simd"].contains(engine) else {
      throw ValidationError("--engine: expected reference or simd, found \(engine)")
    }
    guard (1...256).contains(threads) else {
      throw ValidationError("--threads: expected 1 to 256, found \(threads)")
    }
  }

  /// The engine asked for, checked against this CPU before any kernel runs.
  func makeEngine() throws -> Engine {
    if engine == "reference" { return .reference }
    guard let name = isa ?? ProcessInfo.processInfo.environment["SWIFTLET_ISA"], !name.isEmpty
    else { return .best }
    do throws(ConfigurationError) {
      return .simd(try InstructionSet.named(name))
    } catch {
      throw ValidationError("\(error)")
    }
  }
}

/// One line to standard error.
func printError(_ line: String) {
  FileHandle.standardError.write(Data((line + "\n").utf8))
}

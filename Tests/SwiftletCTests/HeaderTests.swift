import Foundation
import Testing

private let root = URL(fileURLWithPath: #filePath)
  .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
private let headers = root.appendingPathComponent("Sources/CSwiftlet/include")

/// Runs a tool and gives its status and what it printed.
private func run(_ arguments: [String]) throws -> (status: Int32, output: String) {
  let process = Process()
  process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
  process.arguments = arguments
  let pipe = Pipe()
  process.standardOutput = pipe
  process.standardError = pipe
  try process.run()
  let data = pipe.fileHandleForReading.readDataToEndOfFile()
  process.waitUntilExit()
  return (process.terminationStatus, String(decoding: data, as: UTF8.self))
}

@Suite struct HeaderTests {
  /// The functions that swiftlet.h declares.
  private func declared() throws -> Set<String> {
    let text = try String(contentsOf: headers.appendingPathComponent("swiftlet.h"), encoding: .utf8)
    let code = text.replacing(/\/\*(?s:.*?)\*\//, with: "")
    return Set(code.matches(of: /(swiftlet_[a-z_0-9]+)\(/).map { String($0.1) })
  }

  @Test(arguments: [
    ["-x", "c", "-std=c11"], ["-x", "c++", "-std=c++17"], ["-x", "c++", "-std=c++20"],
  ])
  func `the header compiles without a warning`(language: [String]) throws {
    let flags = ["-Wall", "-Wextra", "-Wconversion", "-Wpedantic", "-Werror", "-fsyntax-only"]
    for name in language.contains("c") ? ["swiftlet.h"] : ["swiftlet.h", "swiftlet.hpp"] {
      // As the only include of a program, not as a file of its own.
      let main = FileManager.default.temporaryDirectory
        .appendingPathComponent("swiftlet-header-\(UUID()).cpp")
      defer { try? FileManager.default.removeItem(at: main) }
      try "#include <\(name)>\nint main(void) { return 0; }\n"
        .write(to: main, atomically: true, encoding: .utf8)
      let result = try run(["clang"] + language + flags + ["-I", headers.path, main.path])
      #expect(result.status == 0, "\(name) \(language): \(result.output)")
    }
  }

  @Test func `a header with a narrowing conversion is found`() throws {
    let main = FileManager.default.temporaryDirectory
      .appendingPathComponent("swiftlet-narrow-\(UUID()).c")
    defer { try? FileManager.default.removeItem(at: main) }
    try "#include <swiftlet.h>\nunsigned char f(void) { return swiftlet_abi_version(); }\n"
      .write(to: main, atomically: true, encoding: .utf8)
    let result = try run(
      ["clang", "-x", "c", "-std=c11", "-Wconversion", "-Werror", "-fsyntax-only", "-I", headers.path,
        main.path])
    #expect(result.status != 0)
  }

  @Test func `header and library name the same functions`() throws {
    // The compiler has held every implementation to its declaration; what is left to find is a
    // declaration without an implementation, or one that was left out of the header.
    let sources = root.appendingPathComponent("Sources/SwiftletC")
    var implemented: Set<String> = []
    for file in try FileManager.default.contentsOfDirectory(at: sources, includingPropertiesForKeys: nil)
    where file.pathExtension == "swift" {
      let text = try String(contentsOf: file, encoding: .utf8)
      for match in text.matches(of: /@c @implementation\npublic func (swiftlet_[a-z_0-9]+)\(/) {
        implemented.insert(String(match.1))
      }
    }
    let names = try declared()
    #expect(names.count > 40)
    #expect(names.subtracting(implemented) == [], "declared, not implemented")
    #expect(implemented.subtracting(names) == [], "implemented, not declared")
  }
}

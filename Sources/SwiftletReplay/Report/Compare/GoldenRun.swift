import Foundation

/// A result folder kept as the answer that later runs must give: report, frames and kept outputs.
public struct GoldenRun: Sendable {
  public var path: String

  public init(path: String) { self.path = path }

  /// Takes over `run`'s answer. The folder is replaced as a whole or not at all.
  public func update(from run: RunFolder) throws {
    let files = FileManager.default
    let fresh = path + ".new-\(ProcessInfo.processInfo.processIdentifier)"
    try? files.removeItem(atPath: fresh)
    try files.createDirectory(atPath: fresh, withIntermediateDirectories: true)
    do {
      for name in ["report.json", "frames.jsonl", OutputStore.folderName] {
        let source = "\(run.path)/\(name)"
        guard files.fileExists(atPath: source) else { continue }
        try files.copyItem(atPath: source, toPath: "\(fresh)/\(name)")
      }
      if files.fileExists(atPath: path) {
        // Foundation on Linux replaces files only: the old folder steps aside for the new one.
        let old = path + ".old-\(ProcessInfo.processInfo.processIdentifier)"
        try files.moveItem(atPath: path, toPath: old)
        do {
          try files.moveItem(atPath: fresh, toPath: path)
        } catch {
          try? files.moveItem(atPath: old, toPath: path)
          throw error
        }
        try? files.removeItem(atPath: old)
      } else {
        try files.moveItem(atPath: fresh, toPath: path)
      }
    } catch {
      try? files.removeItem(atPath: fresh)
      throw error
    }
  }
}

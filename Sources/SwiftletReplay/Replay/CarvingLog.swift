import Swiftlet

/// Where a time bound stopped the carving of each frame's LiDARs, so that a run can be repeated bit
/// for bit. As text: a line with the version, then for each frame its number and the batches carved
/// of each LiDAR.
public struct CarvingLog: Sendable, Equatable {
  static let header = "swiftlet carving log, version 1, of \(CarvingLimit.batchCount) batches"

  /// Batches carved by frame, one count a LiDAR.
  public var batchCounts: [Int: [Int]] = [:]

  public init() {}

  public var text: String {
    let lines = batchCounts.sorted { $0.key < $1.key }.map { frame, counts in
      ([frame] + counts).map(String.init).joined(separator: " ")
    }
    return ([Self.header] + lines).joined(separator: "\n") + "\n"
  }

  /// Reads a log.
  ///
  /// - Throws: `RecordingError` with the file and the line that cannot be read.
  public init(file: String) throws(RecordingError) {
    for (number, line) in try RecordingFile.lines(file).enumerated() {
      if number == 0 {
        guard line == Self.header else {
          throw RecordingError(
            file: file, expected: "the line \"\(Self.header)\"", found: "\"\(line.prefix(80))\"",
            remedy: "give a log this version of the tool wrote")
        }
        continue
      }
      let fields = line.split(separator: " ")
      let values = fields.compactMap { Int($0) }
      guard values.count == fields.count, values.count >= 1, values.allSatisfy({ $0 >= 0 }) else {
        throw RecordingError(
          file: file, record: "line \(number + 1)", expected: "a frame's number and batch counts",
          found: "\"\(line.prefix(80))\"", remedy: "write the log again")
      }
      batchCounts[values[0]] = Array(values.dropFirst())
    }
  }

  /// How far to carve a frame's LiDAR; unlimited where the log has nothing.
  public func limit(frame: Int, lidar: Int) -> CarvingLimit {
    guard let counts = batchCounts[frame], counts.indices.contains(lidar) else { return .unlimited }
    return .batches(counts[lidar])
  }
}

import Foundation
import Swiftlet

/// Small files of queries.
public enum QueryFiles {
  /// - Throws: `ExchangeError` when it cannot be read.
  public static func read(_ path: String) throws(ExchangeError) -> [UInt8] {
    do throws(RecordingError) {
      return try RecordingFile.read(path)
    } catch {
      throw ExchangeError(error)
    }
  }
}

extension RayState {
  /// The name in tables and JSON.
  public var text: String {
    switch self {
    case .rangeReached: "range_reached"
    case .occupied: "occupied"
    case .unknown: "unknown"
    case .leftWindow: "left_window"
    case .noDirection: "no_direction"
    }
  }
}
extension VoxelState {
  /// The name in tables and JSON.
  public var text: String {
    switch self {
    case .unknown: "unknown"
    case .free: "free"
    case .occupied: "occupied"
    }
  }
}

func numbers(_ v: SIMD3<Double>) -> JSONValue {
  .array([.number(v.x), .number(v.y), .number(v.z)])
}
func fixed(_ value: Double, _ digits: Int = 2) -> String { String(format: "%.\(digits)f", value) }
/// Right-aligned in `width`.
func padded(_ text: String, _ width: Int) -> String {
  String(repeating: " ", count: max(0, width - text.count)) + text
}

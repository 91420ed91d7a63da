import Foundation
import Swiftlet

/// What is made unrecognisable in what is written: where the drive took place, and parts of images.
///
/// Only what is understood is written then: messages of other kinds may hold positions.
public struct Redaction: Sendable, Equatable {
  public enum Positions: String, Sendable, CaseIterable {
    /// As recorded.
    case keep
    /// The drive begins at the origin and looks along x: the way stays, its place is gone.
    case offset
    /// No ego poses at all.
    case drop
  }

  /// A part of a camera's images, in pixels.
  public struct Box: Sendable, Equatable {
    public var sensor: String
    /// Nil: in every image.
    public var timestampNanoseconds: Int64?
    public var x: Int
    public var y: Int
    public var width: Int
    public var height: Int

    public init(
      sensor: String, timestampNanoseconds: Int64? = nil, x: Int, y: Int, width: Int, height: Int
    ) {
      self.sensor = sensor
      self.timestampNanoseconds = timestampNanoseconds
      self.x = x
      self.y = y
      self.width = width
      self.height = height
    }
  }

  public var positions: Positions
  public var boxes: [Box]

  public init(positions: Positions = .keep, boxes: [Box] = []) {
    self.positions = positions
    self.boxes = boxes
  }

  /// Reads `positions=offset,boxes=faces.json`; a box is
  /// `{"sensor": "CAM_FRONT", "timestamp_ns": 1532402927612460000, "box": [x, y, width, height]}`,
  /// its time optional.
  public init(_ text: String) throws(RecordingError) {
    self.init()
    for part in text.split(separator: ",") {
      let halves = part.split(separator: "=", maxSplits: 1).map(String.init)
      switch (halves.first, halves.last) {
      case ("positions", let value?) where Positions(rawValue: value) != nil:
        positions = Positions(rawValue: value) ?? .keep
      case ("boxes", let file?) where halves.count == 2: boxes += try Self.boxes(file)
      default:
        throw RecordingError(
          file: "--redact", record: String(part),
          expected: "positions=offset, positions=drop or boxes=FILE", found: String(part),
          remedy: "write for example positions=offset,boxes=faces.json")
      }
    }
  }

  private static func boxes(_ file: String) throws(RecordingError) -> [Box] {
    let bytes = try RecordingFile.read(file)
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONReader.parse(bytes)
    } catch {
      throw RecordingError(
        file: file, byteOffset: error.byteOffset, expected: error.expected, found: error.found,
        remedy: "write a JSON array of boxes")
    }
    var boxes: [Box] = []
    for (number, entry) in (value.arrayValue ?? []).enumerated() {
      guard let sensor = entry["sensor"]?.stringValue,
        let box = entry["box"]?.arrayValue?.compactMap(\.intValue), box.count == 4,
        box[2] > 0, box[3] > 0, box.allSatisfy({ abs($0) < 1 << 20 })
      else {
        throw RecordingError(
          file: file, record: "box \(number)",
          expected: "a sensor and a box of x, y, width and height in whole pixels",
          found: "\(entry.text.prefix(80))", remedy: "correct the entry")
      }
      boxes.append(
        Box(
          sensor: sensor, timestampNanoseconds: entry["timestamp_ns"]?.intValue.map(Int64.init),
          x: box[0], y: box[1], width: box[2], height: box[3]))
    }
    guard !boxes.isEmpty else {
      throw RecordingError(
        file: file, expected: "a JSON array of boxes", found: "none",
        remedy: "write [{\"sensor\": \"CAM_FRONT\", \"box\": [10, 20, 64, 48]}]")
    }
    return boxes
  }

  /// The parts of one image.
  func boxes(_ sensor: String, _ time: Int64) -> [Box] {
    boxes.filter {
      $0.sensor == sensor && ($0.timestampNanoseconds == nil || $0.timestampNanoseconds == time)
    }
  }
}

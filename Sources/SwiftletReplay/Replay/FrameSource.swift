import Swiftlet

/// A frame in memory: owns what the views of `sensorFrame` borrow.
public protocol ReplayFrame: AnyObject, Sendable {
  var sensorFrame: SensorFrame { get }
  /// What reading this frame found odd.
  var warnings: [ReplayWarning] { get }
}

/// The distinct frames of a recording, in order.
///
/// Used by one thread at a time, which is not the thread that measures.
public protocol FrameSource: AnyObject, Sendable {
  /// What the report calls the recording: its path.
  var name: String { get }
  /// The number of distinct frames, readable or not.
  var frameCount: Int { get }
  /// Reads and decodes frame `index`.
  ///
  /// - Throws: what keeps this frame from being read; later frames may still be readable.
  func frame(at index: Int) throws -> any ReplayFrame
  /// Oddities of the recording as a whole.
  var warnings: [ReplayWarning] { get }
}

extension FrameSource {
  public var warnings: [ReplayWarning] { [] }
}

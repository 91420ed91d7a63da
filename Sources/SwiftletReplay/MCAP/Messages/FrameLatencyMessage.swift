/// swiftlet_msgs/msg/FrameLatency: what was measured about one frame. The definition travels in the
/// file, so that any ROS 2 or MCAP reader decodes it.
public struct FrameLatencyMessage: Sendable, Equatable {
  public static let rosType = "swiftlet_msgs/msg/FrameLatency"

  public var header: MessageHeader
  /// Index in the recording.
  public var frame: Int
  public var serviceMilliseconds: Double
  /// NaN in a closed loop, where nothing waits.
  public var responseMilliseconds: Double
  public var budgetMilliseconds: Double
  public var isMissed: Bool
  /// `host`, `code`, `queue`; empty for a frame in time.
  public var missCause: String
  public var stageNames: [String]
  /// One per name.
  public var stageMilliseconds: [Double]
  public var missingSensors: [String]

  /// The message in CDR.
  func cdr() -> [UInt8] {
    var w = CDRWriter()
    w.put(header)
    w.put(UInt32(frame))
    w.put(serviceMilliseconds)
    w.put(responseMilliseconds)
    w.put(budgetMilliseconds)
    w.put(isMissed)
    w.put(missCause)
    put(stageNames, to: &w)
    w.put(UInt32(stageMilliseconds.count))
    w.put(stageMilliseconds)
    put(missingSensors, to: &w)
    return w.bytes
  }

  private func put(_ texts: [String], to w: inout CDRWriter) {
    w.put(UInt32(texts.count))
    for text in texts { w.put(text) }
  }
}

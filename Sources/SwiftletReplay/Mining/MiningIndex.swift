import Foundation

/// `index.json`: what was looked for, what was found and where it was written.
public struct MiningIndex: Sendable, Encodable {
  public struct Trigger: Sendable, Encodable {
    public var kind: MiningTrigger.Kind
    public var threshold: Double
    /// Frames the trigger could look at, and those it fired in.
    public var evaluated: Int
    public var fired: Int
    /// The worst value of all frames.
    public var worst: Double?
    /// Why it could look at none.
    public var note: String?
  }
  public struct Event: Sendable, Encodable {
    public var kind: MiningTrigger.Kind
    public var firstFrame: Int
    public var lastFrame: Int
    /// Where it was worst.
    public var frame: Int
    public var value: Double
    public var detail: String?

    enum CodingKeys: String, CodingKey {
      case kind, frame, value, detail
      case firstFrame = "first_frame"
      case lastFrame = "last_frame"
    }
  }
  public struct Clip: Sendable, Encodable {
    public var file: String
    public var firstFrame: Int
    public var lastFrame: Int
    public var startNanoseconds: Int64
    public var endNanoseconds: Int64
    public var messages: Int
    public var bytes: Int
    public var events: [Event]

    enum CodingKeys: String, CodingKey {
      case file, messages, bytes, events
      case firstFrame = "first_frame"
      case lastFrame = "last_frame"
      case startNanoseconds = "start_ns"
      case endNanoseconds = "end_ns"
    }
  }

  public var schemaVersion = 1
  public var recording: String
  public var frames: Int
  public var triggers: [Trigger] = []
  public var clips: [Clip] = []
  /// `positions=offset`, `boxes=3`; empty: nothing.
  public var redaction = ""
  public var warnings: [ReplayWarning] = []

  enum CodingKeys: String, CodingKey {
    case recording, frames, triggers, clips, redaction, warnings
    case schemaVersion = "schema_version"
  }

  /// A table for people.
  public var text: String {
    var lines = ["\(recording): \(frames) frames"]
    for trigger in triggers {
      let name = trigger.kind.rawValue.padding(toLength: 12, withPad: " ", startingAt: 0)
      if let note = trigger.note {
        lines.append("  \(name)  not evaluated: \(note)")
        continue
      }
      let unit = MiningTrigger.units[trigger.kind] ?? ""
      let worst = trigger.worst.map { String(format: "%.3g", $0) } ?? "–"
      lines.append(
        "  \(name)  \(trigger.fired) of \(trigger.evaluated) frames at \(trigger.threshold)\(unit)"
          + ", worst \(worst)\(unit)")
    }
    lines.append(clips.isEmpty ? "no clips" : "\(clips.count) clips:")
    for clip in clips {
      lines.append(
        "  \(clip.file)  frames \(clip.firstFrame)–\(clip.lastFrame), "
          + "\(String(format: "%.1f", Double(clip.bytes) / 1e6)) MB")
      for event in clip.events {
        let detail = event.detail.map { ": \($0)" } ?? ""
        lines.append(
          "    \(event.kind.rawValue) at frame \(event.frame), "
            + "\(String(format: "%.3g", event.value))\(MiningTrigger.units[event.kind] ?? "")\(detail)")
      }
    }
    return lines.joined(separator: "\n")
  }
}

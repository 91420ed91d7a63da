import Swiftlet

/// The transforms of a recording bit for bit, beside messages that hold them as unit quaternions.
///
/// A matrix printed with seven digits is no quaternion, and the way from a matrix to a quaternion
/// and back loses the last bits: a clip that is to give the same outputs needs the numbers
/// themselves. Other readers use the messages, which differ by parts in ten million at most.
struct ExactTransforms: Sendable {
  /// The name of the MCAP metadata record.
  static let metadataName = "swiftlet.exact"
  /// Further from the message than this is another transform, and the message counts.
  private static let tolerance = 1e-4

  private(set) var texts: [String: String] = [:]

  init() {}
  init(in stores: [any MessageStore]) {
    for case let reader as MCAPReader in stores {
      for record in reader.metadata where record.name == Self.metadataName {
        texts.merge(record.metadata) { first, _ in first }
      }
    }
  }

  private static func key(_ message: TransformMessage) -> String {
    "\(message.header.frameID)>\(message.childFrameID)@\(message.header.stampNanoseconds)"
  }

  mutating func add(_ transform: RigidTransform, of message: TransformMessage) {
    texts[Self.key(message)] = transform.rowMajor4x4.prefix(12).map {
      String($0.bitPattern, radix: 16)
    }.joined(separator: " ")
  }

  /// The exact transform of a message; nil where there is none, or one that is not the message's.
  func transform(of message: TransformMessage) -> RigidTransform? {
    guard !texts.isEmpty, let text = texts[Self.key(message)] else { return nil }
    let numbers = text.split(separator: " ").compactMap { UInt64($0, radix: 16) }
      .map { Double(bitPattern: $0) }
    guard numbers.count == 12, numbers.allSatisfy(\.isFinite) else { return nil }
    let exact = RigidTransform(rowMajor3x4: numbers)
    let approximate = RigidTransform(
      rotation: message.rotation.normalized, translation: message.translation)
    let differences = zip(exact.rowMajor4x4, approximate.rowMajor4x4).map { abs($0 - $1) }
    return differences.allSatisfy { $0 <= Self.tolerance } ? exact : nil
  }
}

import Swiftlet

/// Repeats part of a run without a clock: the same frames, the same stages left out, and the digest
/// of the last frame's outputs.
struct FrameReplay {
  let makeProcessor: () throws -> any FrameProcessor
  /// Of each frame in the recording that a deadline cut short, how many stages ran.
  var completedStages: [Int: Int] = [:]

  /// The digest of frame `last`, replayed from `first` on by a new processor; nil when that frame
  /// cannot be read or processed.
  func digest(of source: any FrameSource, from first: Int, to last: Int) throws -> UInt64? {
    let processor = try makeProcessor()
    let digest = OutputDigest()
    for index in first...last {
      guard let owner = try? source.frame(at: index) else {
        if index == last { return nil }
        continue
      }
      var frame = owner.sensorFrame
      if index == first { frame.resetsHistory = true }
      let count = completedStages[index] ?? processor.stages.count
      do {
        for stage in 0..<count { try processor.run(stage: stage, on: &frame) }
      } catch {
        if index == last { return nil }
      }
      withExtendedLifetime(owner) {}
    }
    unsafe processor.forEachOutput { name, bytes in unsafe digest.add(name: name, bytes: bytes) }
    return digest.endFrame()
  }

  /// The latest frame from which replaying gives frame `last` the same outputs; nil when not even
  /// the whole recording does.
  ///
  /// Every answer is tried, none is inferred: history reaches back as far as it does.
  func latestStart(of source: any FrameSource, for last: Int, digest: UInt64) throws -> Int? {
    var count = 1
    var tooLate = last + 1
    while true {
      let start = max(0, last - count + 1)
      if try self.digest(of: source, from: start, to: last) == digest {
        var found = start
        // What lies between is not known yet.
        while tooLate - found > 1 {
          let middle = (found + tooLate) / 2
          if try self.digest(of: source, from: middle, to: last) == digest {
            found = middle
          } else {
            tooLate = middle
          }
        }
        return found
      }
      guard start > 0 else { return nil }
      tooLate = start
      count *= 2
    }
  }
}

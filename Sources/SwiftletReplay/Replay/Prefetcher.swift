import Foundation

/// Reads ahead on a thread of its own, a bounded number of frames, and never while a frame is
/// timed: reading happens only between `openGate` and `closeGate`.
final class Prefetcher: @unchecked Sendable {
  // Everything below is guarded by `condition`.
  private let condition = NSCondition()
  private var queue: [LoopedFrame] = []
  private var isGateOpen = true
  private var isReading = false
  private var isAtEnd = false
  private var isStopped = false

  private let reader: LoopingReader
  private let readAhead: Int

  /// - Parameter readAhead: frames held decoded at most, 1 or more.
  init(reader: LoopingReader, readAhead: Int) {
    precondition(readAhead >= 1, "reading ahead takes at least 1 frame, not \(readAhead)")
    self.reader = reader
    self.readAhead = readAhead
    let thread = Thread { [self] in readLoop() }
    thread.name = "swiftlet-read"
    thread.stackSize = 8 << 20
    thread.start()
  }

  /// Waits until as many frames as may be held are read, or all there are.
  func fill() {
    condition.lock()
    defer { condition.unlock() }
    while queue.count < readAhead, !isAtEnd, !isStopped { condition.wait() }
  }

  /// The next frame, waiting for it if need be; nil at the end. Leaves the gate open.
  func take() -> LoopedFrame? {
    condition.lock()
    defer { condition.unlock() }
    isGateOpen = true
    condition.broadcast()
    while queue.isEmpty, !isAtEnd, !isStopped { condition.wait() }
    guard !queue.isEmpty else { return nil }
    let frame = queue.removeFirst()
    condition.broadcast()
    return frame
  }

  /// Returns once nothing is being read and nothing will be until `openGate` or `take`.
  func closeGate() {
    condition.lock()
    isGateOpen = false
    while isReading { condition.wait() }
    condition.unlock()
  }

  func openGate() {
    condition.lock()
    isGateOpen = true
    condition.broadcast()
    condition.unlock()
  }

  /// Ends the reading thread; frames not taken are dropped.
  func stop() {
    condition.lock()
    isStopped = true
    condition.broadcast()
    condition.unlock()
  }

  private func readLoop() {
    HostControls.makeOrdinary(cpus: HostControls.processCPUs)
    while waitForWork() {
      let frame = reader.next()
      condition.lock()
      isReading = false
      if let frame { queue.append(frame) } else { isAtEnd = true }
      condition.broadcast()
      condition.unlock()
      if frame == nil { return }
    }
  }

  /// True when a frame may be read now, false when reading has ended.
  private func waitForWork() -> Bool {
    condition.lock()
    defer { condition.unlock() }
    while !isStopped, !isGateOpen || queue.count >= readAhead { condition.wait() }
    isReading = !isStopped
    return !isStopped
  }
}

import Foundation
import Swiftlet
import Synchronization

/// New weights for a running pipeline: read and packed by a thread of their own while frames are
/// processed, adopted between two frames.
public final class WeightsSwap: Sendable {
  /// Which file, and before which frame.
  public struct Request: Sendable, Equatable {
    public var path: String
    public var frame: Int

    public init(path: String, frame: Int) {
      self.path = path
      self.frame = frame
    }

    /// `FILE@FRAME`; nil for anything else.
    public init?(_ text: String) {
      guard let at = text.lastIndex(of: "@"), at > text.startIndex,
        let frame = Int(text[text.index(after: at)...]), frame >= 0
      else { return nil }
      self.init(path: String(text[..<at]), frame: frame)
    }
  }

  private struct Prepared {
    var weights: PreparedWeights?
    var milliseconds = 0.0
  }

  public let request: Request
  /// File and hash.
  public let name: String
  private let prepared = Mutex(Prepared())
  private let isReady = DispatchSemaphore(value: 0)

  /// Checks the file at once, so that a wrong one fails before the first frame, and starts packing.
  ///
  /// - Throws: `WeightsError` or `ConfigurationError` for a file that does not fit the pipeline.
  init(_ request: Request, pipeline: FramePipeline) throws {
    self.request = request
    let (configuration, threads) = (pipeline.configuration, pipeline.pool.threadCount)
    let (weights, hash) = try PipelineLoader.read(request.path, configuration)
    name = "\(request.path) (\(hash))"
    _ = try PreparedWeights(weights, configuration: configuration, maximumThreads: threads)
    Thread.detachNewThread { [self] in
      let start = MonotonicClock().nowNanoseconds
      // The same file was read and packed a moment ago; should it fail now, the old weights stay.
      let next = try? PreparedWeights(
        try PipelineLoader.read(request.path, configuration).weights,
        configuration: configuration, maximumThreads: threads)
      let elapsed = Double(MonotonicClock().nowNanoseconds - start) / 1e6
      prepared.withLock { $0 = Prepared(weights: next, milliseconds: elapsed) }
      isReady.signal()
    }
  }

  /// Waits for the packing thread; outside the timed stages.
  func wait() {
    isReady.wait()
    isReady.signal()
  }

  /// The packed weights, nil while they are being made. Allocates nothing.
  func take() -> PreparedWeights? { prepared.withLock { $0.weights } }
  var preparationMilliseconds: Double { prepared.withLock { $0.milliseconds } }
}

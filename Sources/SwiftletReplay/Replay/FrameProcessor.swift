import Swiftlet

/// A named step of a frame.
public struct ReplayStage: Sendable, Equatable {
  public var name: String
  /// False for steps that a vehicle runs elsewhere (an encoder on an accelerator): timed and
  /// printed, outside the budget.
  public var isInBudget: Bool

  public init(name: String, isInBudget: Bool = true) {
    self.name = name
    self.isInBudget = isInBudget
  }
}

/// What a report says about the computation that was timed.
public struct ProcessorDescription: Sendable, Equatable {
  /// reference or simd.
  public var engine: String
  /// The instruction set, or scalar.
  public var instructionSet: String
  public var threadCount: Int
  /// Where camera features came from: `recording`, or the built-in encoder's name.
  public var encoder: String
  /// `default weights`, or the file's name and hash.
  public var weights: String
  public var configurationHash: String
  public var rigHash: String

  public init(
    engine: String, instructionSet: String, threadCount: Int, encoder: String, weights: String,
    configurationHash: String, rigHash: String = ""
  ) {
    self.engine = engine
    self.instructionSet = instructionSet
    self.threadCount = threadCount
    self.encoder = encoder
    self.weights = weights
    self.configurationHash = configurationHash
    self.rigHash = rigHash
  }
}

/// The pipeline as the replay sees it: stages called in order, with a clock between them.
///
/// One instance is used by one thread at a time. Nothing may allocate after the first frame.
public protocol FrameProcessor: AnyObject {
  /// In the order of the calls; those outside the budget come first.
  var stages: [ReplayStage] { get }
  var processorDescription: ProcessorDescription { get }
  /// Runs stage `index` on `frame`; the stages of one frame follow each other. A stage outside the
  /// budget may add to the frame what a vehicle's network would have delivered with it.
  func run(stage index: Int, on frame: inout SensorFrame) throws
  /// Forgets every earlier frame: results afterwards equal those of a new processor.
  func reset()
  /// Calls `body` with the name and the little-endian bytes of every output of the last frame, in
  /// an order that never changes.
  @unsafe func forEachOutput(_ body: (String, UnsafeRawBufferPointer) -> Void)
  /// Observations about the last frame (stable codes), for the report.
  func takeWarnings() -> [ReplayWarning]
}

extension FrameProcessor {
  public func takeWarnings() -> [ReplayWarning] { [] }
}

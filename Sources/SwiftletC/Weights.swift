import CSwiftlet
import Swiftlet

/// Weights packed for pipelines of one configuration; after a swap, those that were replaced.
@safe
final class WeightsHandle: Handle {
  private let configuration: PipelineConfiguration
  private let threadCount: Int
  private var prepared: PreparedWeights

  /// Reads nothing of the pipeline but what it was made with, so it may be inside a call.
  init(_ bytes: [UInt8], for pipeline: PipelineHandle) throws(Failure) {
    configuration = pipeline.options.configuration
    threadCount = pipeline.pipeline.pool.threadCount
    let weights: PipelineWeights
    do throws(WeightsError) {
      weights = try PipelineWeights(try SafeTensors(bytes: bytes), configuration: configuration)
    } catch { throw Failure(error) }
    do throws(ConfigurationError) { prepared = try pipeline.pipeline.prepare(weights) } catch {
      throw Failure(error)
    }
  }

  /// Puts the weights into `pipeline` and keeps those that were there. Allocates nothing.
  func swap(into pipeline: PipelineHandle) throws(Failure) {
    let threads = pipeline.pipeline.pool.threadCount
    guard configuration == pipeline.options.configuration, threadCount >= threads else {
      throw Failure(
        Int(SWIFTLET_ERROR_WEIGHTS),
        "weights: expected ones made for this pipeline's configuration and \(threads) threads, found others; make them with swiftlet_weights_create of this pipeline")
    }
    prepared = pipeline.pipeline.adopt(prepared)
  }
}

@c @implementation
public func swiftlet_weights_create(
  _ pipeline: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ size: Int,
  _ weights: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe create(at: weights, error) { () throws(Failure) in
    guard let raw = unsafe pipeline else { throw Failure.null("pipeline") }
    let handle = unsafe Unmanaged<PipelineHandle>.fromOpaque(UnsafeRawPointer(raw))
      .takeUnretainedValue()
    guard let base = unsafe bytes else { throw Failure.null("bytes") }
    guard size >= 0, size <= handle.options.maximumBytes else {
      throw Failure(
        Int(SWIFTLET_ERROR_TOO_LARGE),
        "size: expected at most \(handle.options.maximumBytes) bytes, found \(UInt(bitPattern: size)); raise maximum_bytes")
    }
    return try WeightsHandle(unsafe SwiftletC.bytes(base, size), for: handle)
  }
}

@c @implementation
public func swiftlet_weights_destroy(_ weights: OpaquePointer!) -> swiftlet_status {
  unsafe destroy(weights, WeightsHandle.self)
}

@c @implementation
public func swiftlet_pipeline_swap_weights(
  _ pipeline: OpaquePointer!, _ weights: OpaquePointer!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    unsafe try inside(weights, WeightsHandle.self) { (weights) throws(Failure) in
      try weights.swap(into: handle)
    }
  }
}

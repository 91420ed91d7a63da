import CSwiftlet
import Swiftlet

@c @implementation
public func swiftlet_pipeline_save(
  _ pipeline: OpaquePointer!, _ buffer: UnsafeMutableRawPointer!, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    unsafe try copy(handle.pipeline.savedState().serialized(), to: buffer, capacity, size)
  }
}

@c @implementation
public func swiftlet_pipeline_load(
  _ pipeline: OpaquePointer!, _ bytes: UnsafeRawPointer!, _ size: Int,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    guard let base = unsafe bytes else { throw Failure.null("bytes") }
    guard handle.hasRig else { throw .state("a rig", "swiftlet_pipeline_set_rig") }
    guard size >= 0 else {
      throw Failure(Int(SWIFTLET_ERROR_FORMAT), "size: expected the state's bytes, found \(size)")
    }
    do {
      try handle.pipeline.restore(SafeTensors(bytes: unsafe SwiftletC.bytes(base, size)))
    } catch {
      throw Failure(Int(SWIFTLET_ERROR_FORMAT), "\(error)")
    }
    handle.noteLoadedState()
  }
}

import CSwiftlet
import Swiftlet

@c @implementation
public func swiftlet_pipeline_create(
  _ options: UnsafePointer<swiftlet_options>!, _ pipeline: UnsafeMutablePointer<OpaquePointer?>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe create(at: pipeline, error) { () throws(Failure) in
    try PipelineHandle(unsafe try Options(options))
  }
}

@c @implementation
public func swiftlet_pipeline_destroy(_ pipeline: OpaquePointer!) -> swiftlet_status {
  unsafe destroy(pipeline, PipelineHandle.self)
}

@c @implementation
public func swiftlet_pipeline_set_rig(
  _ pipeline: OpaquePointer!, _ rig: UnsafePointer<swiftlet_rig>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    try handle.setRig(unsafe try Rig(rig))
  }
}

@c @implementation
public func swiftlet_pipeline_process(
  _ pipeline: OpaquePointer!, _ frame: UnsafePointer<swiftlet_frame>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    unsafe try handle.process(structure(frame, "frame"))
  }
}

@c @implementation
public func swiftlet_pipeline_project(
  _ pipeline: OpaquePointer!, _ frame: UnsafePointer<swiftlet_frame>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    unsafe try handle.project(structure(frame, "frame"))
  }
}

@c @implementation
public func swiftlet_pipeline_update(
  _ pipeline: OpaquePointer!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    try handle.update()
  }
}

@c @implementation
public func swiftlet_pipeline_fuse(
  _ pipeline: OpaquePointer!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    try handle.fuse()
  }
}

@c @implementation
public func swiftlet_pipeline_reset(
  _ pipeline: OpaquePointer!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in handle.reset() }
}

@c @implementation
public func swiftlet_pipeline_configuration(
  _ pipeline: OpaquePointer!, _ buffer: UnsafeMutablePointer<CChar>!, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(pipeline, PipelineHandle.self, error) { (handle) throws(Failure) in
    unsafe try copy(
      Array(handle.pipeline.configuration.commentedJSON.utf8), to: buffer, capacity, size)
  }
}

/// Copies bytes to a caller's buffer and writes their number, whether they fit or not.
func copy(
  _ bytes: [UInt8], to buffer: UnsafeMutableRawPointer?, _ capacity: Int,
  _ size: UnsafeMutablePointer<Int>?
) throws(Failure) {
  guard let size = unsafe size else { throw Failure.null("size") }
  unsafe size.pointee = bytes.count
  guard let buffer = unsafe buffer, capacity >= bytes.count || capacity < 0 else {
    throw Failure(
      Int(SWIFTLET_ERROR_BUFFER),
      "buffer: expected room for \(bytes.count) bytes, found \(max(capacity, 0)); hand over a larger one")
  }
  unsafe UnsafeMutableRawBufferPointer(start: buffer, count: bytes.count).copyBytes(from: bytes)
}

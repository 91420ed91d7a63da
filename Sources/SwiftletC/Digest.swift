import CSwiftlet
import Swiftlet

/// XXH3 over frames and over their digests.
@safe
final class DigestHandle: Handle {
  private let frame: OpaquePointer
  private let run: OpaquePointer

  override init() {
    guard let frame = unsafe swl_digest_state_create(), let run = unsafe swl_digest_state_create()
    else { fatalError("cannot allocate two XXH3 states") }
    unsafe self.frame = frame
    unsafe self.run = run
  }
  deinit {
    unsafe swl_digest_state_free(frame)
    unsafe swl_digest_state_free(run)
  }

  func add(_ pipeline: FramePipeline) -> UInt64 {
    unsafe swl_digest_state_reset(frame)
    unsafe pipeline.forEachOutput { name, bytes in
      unsafe swl_digest_state_add(frame, name.utf8Start, name.utf8CodeUnitCount)
      var count = UInt64(bytes.count).littleEndian
      unsafe swl_digest_state_add(frame, &count, 8)
      unsafe swl_digest_state_add(frame, bytes.baseAddress, bytes.count)
    }
    let digest = unsafe swl_digest_state_value(frame)
    var value = digest.littleEndian
    unsafe swl_digest_state_add(run, &value, 8)
    return digest
  }

  var value: UInt64 { unsafe swl_digest_state_value(run) }
}

@c @implementation
public func swiftlet_digest_create(
  _ digest: UnsafeMutablePointer<OpaquePointer?>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe create(at: digest, error) { () throws(Failure) in DigestHandle() }
}

@c @implementation
public func swiftlet_digest_destroy(_ digest: OpaquePointer!) -> swiftlet_status {
  unsafe destroy(digest, DigestHandle.self)
}

@c @implementation
public func swiftlet_digest_add(
  _ digest: OpaquePointer!, _ pipeline: OpaquePointer!,
  _ frame_digest: UnsafeMutablePointer<UInt64>!, _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(digest, DigestHandle.self, error) { (sum) throws(Failure) in
    unsafe try inside(pipeline, PipelineHandle.self) { (handle) throws(Failure) in
      try handle.needResults()
      let value = sum.add(handle.pipeline)
      if let place = unsafe frame_digest { unsafe place.pointee = value }
    }
  }
}

@c @implementation
public func swiftlet_digest_value(
  _ digest: OpaquePointer!, _ run_digest: UnsafeMutablePointer<UInt64>!,
  _ error: UnsafeMutablePointer<swiftlet_error>!
) -> swiftlet_status {
  unsafe call(digest, DigestHandle.self, error) { (sum) throws(Failure) in
    guard let place = unsafe run_digest else { throw Failure.null("run_digest") }
    unsafe place.pointee = sum.value
  }
}

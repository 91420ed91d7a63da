import CSwiftlet
import Synchronization

/// What stands behind an opaque pointer: an object with a door that lets one call in at a time.
class Handle {
  private let isBusy = Atomic<Bool>(false)

  final func enter() -> Bool { !isBusy.exchange(true, ordering: .acquiring) }
  final func leave() { isBusy.store(false, ordering: .releasing) }
}

/// Runs `body` with the object behind `raw`, alone, and reports how it went.
func call<H: Handle>(
  _ raw: OpaquePointer?, _ type: H.Type, _ error: UnsafeMutablePointer<swiftlet_error>?,
  _ body: (H) throws(Failure) -> Void
) -> swiftlet_status {
  unsafe outcome(error) { () throws(Failure) in try unsafe inside(raw, type, body) }
}

/// Runs `body` with the object behind `raw`, alone.
func inside<H: Handle>(
  _ raw: OpaquePointer?, _: H.Type, _ body: (H) throws(Failure) -> Void
) throws(Failure) {
  guard let raw = unsafe raw else { throw Failure.null("handle") }
  let handle = unsafe Unmanaged<H>.fromOpaque(UnsafeRawPointer(raw)).takeUnretainedValue()
  guard handle.enter() else { throw Failure.busy }
  defer { handle.leave() }
  try body(handle)
}

extension Failure {
  static var busy: Failure {
    Failure(
      Int(SWIFTLET_ERROR_BUSY),
      "handle: expected one call at a time, found another thread inside; use a handle a thread")
  }
}

/// Hands an object over to the caller.
func give(_ handle: Handle, to place: UnsafeMutablePointer<OpaquePointer?>) {
  unsafe place.pointee = unsafe OpaquePointer(Unmanaged.passRetained(handle).toOpaque())
}

/// Makes a handle where the caller wants it; NULL there when that fails.
func create(
  at place: UnsafeMutablePointer<OpaquePointer?>?, _ error: UnsafeMutablePointer<swiftlet_error>?,
  _ make: () throws(Failure) -> Handle
) -> swiftlet_status {
  unsafe outcome(error) { () throws(Failure) in
    guard let place = unsafe place else { throw Failure.null("result") }
    unsafe place.pointee = nil
    unsafe give(try make(), to: place)
  }
}

/// Frees the object behind `raw` unless a call is inside.
func destroy<H: Handle>(_ raw: OpaquePointer?, _: H.Type) -> swiftlet_status {
  guard let raw = unsafe raw else { return swiftlet_status(SWIFTLET_OK) }
  let owner = unsafe Unmanaged<H>.fromOpaque(UnsafeRawPointer(raw))
  guard unsafe owner.takeUnretainedValue().enter() else {
    return swiftlet_status(SWIFTLET_ERROR_BUSY)
  }
  unsafe owner.release()
  return swiftlet_status(SWIFTLET_OK)
}

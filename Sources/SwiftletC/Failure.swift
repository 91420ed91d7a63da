import CSwiftlet
import Swiftlet

/// What a call reports: a status and one line that says what to do.
struct Failure: Error {
  var status: swiftlet_status
  var message: String

  init(_ status: Int, _ message: String) {
    self.status = swiftlet_status(status)
    self.message = message
  }
  init(_ error: ConfigurationError) {
    self.init(
      Int(error.field == "isa" ? SWIFTLET_ERROR_UNSUPPORTED : SWIFTLET_ERROR_CONFIGURATION),
      error.description)
  }
  init(_ error: WeightsError) { self.init(Int(SWIFTLET_ERROR_WEIGHTS), error.description) }
  init(_ error: CalibrationError) { self.init(Int(SWIFTLET_ERROR_CALIBRATION), error.description) }
  init(_ error: InputError) { self.init(Int(SWIFTLET_ERROR_INPUT), error.description) }

  static func null(_ name: String) -> Failure {
    Failure(Int(SWIFTLET_ERROR_NULL), "\(name): expected a pointer, found NULL; hand one over")
  }
  static func input(_ what: String, expected: String, found: String, _ remedy: String) -> Failure {
    Failure(
      Int(SWIFTLET_ERROR_INPUT), "\(what): expected \(expected), found \(found); \(remedy)")
  }
}

/// Writes an outcome to the caller's structure; nothing where there is none.
func note(_ failure: Failure?, in error: UnsafeMutablePointer<swiftlet_error>?) {
  guard let error = unsafe error else { return }
  unsafe error.pointee.status = failure?.status ?? 0
  unsafe withUnsafeMutableBytes(of: &error.pointee.message) { buffer in
    guard var text = failure?.message else {
      unsafe buffer[0] = 0
      return
    }
    text.withUTF8 { utf8 in
      var count = min(utf8.count, buffer.count - 1)
      // Never cut inside a character.
      while count > 0, count < utf8.count, unsafe utf8[count] & 0xc0 == 0x80 { count -= 1 }
      for index in 0..<count { unsafe buffer[index] = utf8[index] }
      unsafe buffer[count] = 0
    }
  }
}

/// Runs `body` and turns what it throws into a status.
func outcome(
  _ report: UnsafeMutablePointer<swiftlet_error>?, _ body: () throws(Failure) -> Void
) -> swiftlet_status {
  do throws(Failure) {
    try body()
    unsafe note(nil, in: report)
    return swiftlet_status(SWIFTLET_OK)
  } catch {
    unsafe note(error, in: report)
    return error.status
  }
}

/// A literal as C has it: NUL-terminated, in static memory.
func cString(_ literal: StaticString) -> UnsafePointer<CChar> {
  unsafe UnsafeRawPointer(literal.utf8Start).assumingMemoryBound(to: CChar.self)
}

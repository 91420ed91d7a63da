#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Frames of several replays, one after the other: a replay that takes turns says when it is ready for
/// a frame and measures it when it is told to, so that nothing of the others runs meanwhile and a
/// drifting host meets all of them alike (see `ABRunner`).
///
/// Ready is one byte, `>`, on standard output; a turn is any byte on standard input.
public enum FrameTurns {
  static let ready = UInt8(ascii: ">")

  /// Says that the next frame is ready and waits until it may be measured; false once nobody gives
  /// turns any more.
  public static func wait() -> Bool {
    var byte = ready
    guard unsafe write(STDOUT_FILENO, &byte, 1) == 1 else { return false }
    var count = -1
    repeat {
      count = unsafe read(STDIN_FILENO, &byte, 1)
    } while count < 0 && errno == EINTR && !Interruption.isRequested
    return count == 1
  }
}

import Glibc
import Synchronization

private let requested = Atomic<Bool>(false)

/// SIGINT as a request: the replay finishes the frame at hand, keeps what it has and marks it.
public enum Interruption {
  /// From now on SIGINT only sets `isRequested`; a second one ends the process as usual.
  public static func install() {
    requested.store(false, ordering: .relaxed)
    signal(SIGINT) { _ in
      requested.store(true, ordering: .relaxed)
      signal(SIGINT, SIG_DFL)
    }
  }

  public static var isRequested: Bool { requested.load(ordering: .relaxed) }
}

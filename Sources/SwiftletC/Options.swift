import CSwiftlet
import CThreadShims
import Swiftlet

/// What a caller asked for, checked.
struct Options {
  /// The most points a voxel window takes from one scan.
  static let mostPoints = 300_000

  var configuration = PipelineConfiguration()
  var weights: PipelineWeights?
  var engine = Engine.best
  var threadCount = 1
  var priority: Int32 = 0
  var cpus: [Int] = []
  var spinNanoseconds: Int64 = -1
  var maximumPoints = 1 << 18
  var maximumBytes = 2 << 30
  var locksMemory = false
  var encodesImages = false

  init(_ pointer: UnsafePointer<swiftlet_options>?) throws(Failure) {
    guard unsafe pointer != nil else { return }
    let o: swiftlet_options = unsafe try structure(pointer, "options")
    unsafe try readThreads(o)
    unsafe try readLimits(o)
    if let text = unsafe o.configuration {
      try Self.check(unsafe o.configuration_size, "configuration_size", most: 1 << 24)
      do throws(ConfigurationError) {
        configuration = try PipelineConfiguration(
          json: unsafe bytes(text, o.configuration_size))
      } catch { throw Failure(error) }
    }
    if let data = unsafe o.weights {
      try Self.check(unsafe o.weights_size, "weights_size", most: maximumBytes)
      do throws(WeightsError) {
        weights = try PipelineWeights(
          try SafeTensors(bytes: unsafe bytes(data, o.weights_size)), configuration: configuration)
      } catch { throw Failure(error) }
    }
    if let name = unsafe o.engine { try readEngine(unsafe text(name)) }
  }

  private mutating func readEngine(_ name: String) throws(Failure) {
    if name == "reference" {
      engine = .reference
      return
    }
    do throws(ConfigurationError) { engine = .simd(try InstructionSet.named(name)) } catch {
      throw Failure(error)
    }
  }

  private mutating func readThreads(_ o: swiftlet_options) throws(Failure) {
    let threads = unsafe o.thread_count
    guard (1...256).contains(threads) else {
      throw .setting("thread_count", "1 to 256", "\(threads)")
    }
    threadCount = Int(threads)
    priority = unsafe o.realtime_priority
    guard (0...99).contains(priority) else {
      throw .setting("realtime_priority", "0 (none) or 1 to 99", "\(priority)")
    }
    spinNanoseconds = unsafe o.spin_ns
    guard let list = unsafe o.cpus else { return }
    let count = unsafe Int(o.cpu_count)
    guard count <= 256 else { throw .setting("cpu_count", "0 to 256", "\(count)") }
    for index in 0..<count {
      let cpu = unsafe list[index]
      guard swl_cpu_is_available(cpu) else {
        throw .setting("cpus[\(index)]", "a CPU this process may run on", "\(cpu)")
      }
      cpus.append(Int(cpu))
    }
  }

  private mutating func readLimits(_ o: swiftlet_options) throws(Failure) {
    let known = UInt32(SWIFTLET_LOCK_MEMORY) | UInt32(SWIFTLET_BUILT_IN_ENCODER)
    guard unsafe o.flags & ~known == 0 else {
      throw .setting("flags", "a combination of \(known)", "\(unsafe o.flags)")
    }
    locksMemory = unsafe o.flags & UInt32(SWIFTLET_LOCK_MEMORY) != 0
    encodesImages = unsafe o.flags & UInt32(SWIFTLET_BUILT_IN_ENCODER) != 0
    if unsafe o.maximum_points != 0 { maximumPoints = unsafe o.maximum_points }
    try Self.check(maximumPoints, "maximum_points", most: Self.mostPoints)
    if unsafe o.maximum_bytes != 0 { maximumBytes = unsafe o.maximum_bytes }
    // A size_t beyond Int.max is no limit.
    if maximumBytes < 0 { maximumBytes = .max }
  }

  /// Sizes come as size_t and are negative here where they are absurd.
  private static func check(_ size: Int, _ field: String, most: Int) throws(Failure) {
    guard size >= 0, size <= most else {
      throw .setting(field, "at most \(most)", "\(UInt(bitPattern: size))")
    }
  }

  /// A pool with the threads, CPUs and priority asked for.
  func makePool() throws(Failure) -> WorkerPool {
    guard let pool = WorkerPool(startingThreads: threadCount, cpus: cpus) else {
      throw Failure(
        Int(SWIFTLET_ERROR_SYSTEM),
        "thread_count: expected \(threadCount) threads, found that the system refuses them; ask for fewer")
    }
    if spinNanoseconds >= 0 { pool.setSpin(nanoseconds: spinNanoseconds) }
    let refused = priority > 0 ? pool.setPriority(priority) : 0
    guard refused == 0 else {
      throw Failure(
        Int(SWIFTLET_ERROR_SYSTEM),
        "realtime_priority: expected SCHED_FIFO \(priority), found errno \(refused); allow it (ulimit -r, CAP_SYS_NICE) or leave it 0")
    }
    return pool
  }

  /// Locks what the process has mapped now, where that was asked for.
  func lockMemory() throws(Failure) {
    guard locksMemory else { return }
    let refused = swl_lock_present_memory()
    guard refused == 0 else {
      throw Failure(
        Int(SWIFTLET_ERROR_SYSTEM),
        "SWIFTLET_LOCK_MEMORY: expected locked memory, found errno \(refused); raise the limit (ulimit -l) or leave the flag out")
    }
  }

  /// Throws unless buffers of `byteCount` stay within the limit.
  func checkMemory(_ byteCount: Int, _ what: String) throws(Failure) {
    guard byteCount <= maximumBytes else {
      throw Failure(
        Int(SWIFTLET_ERROR_TOO_LARGE),
        "\(what): expected at most \(maximumBytes) bytes, found \(byteCount); make it smaller or raise maximum_bytes")
    }
  }
}

extension Failure {
  static func setting(_ field: String, _ expected: String, _ found: String) -> Failure {
    Failure(
      Int(SWIFTLET_ERROR_CONFIGURATION),
      "options.\(field): expected \(expected), found \(found); choose a value in this range")
  }
}

/// A copy of the caller's bytes.
func bytes(_ base: UnsafeRawPointer, _ count: Int) -> [UInt8] {
  unsafe [UInt8](UnsafeRawBufferPointer(start: base, count: count))
}

/// A copy of the caller's NUL-terminated text, at most 4 KB of it.
func text(_ base: UnsafePointer<CChar>) -> String {
  var count = 0
  while count < 4096, unsafe base[count] != 0 { count += 1 }
  return unsafe String(decoding: UnsafeRawBufferPointer(start: base, count: count), as: UTF8.self)
}

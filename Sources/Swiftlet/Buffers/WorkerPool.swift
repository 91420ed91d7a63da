import CThreadShims

/// Work that splits into parts by output: part `part` of `parts` writes what no other part writes.
///
/// A job is a struct of pointers and integers. What a part computes must not depend on `parts`, so
/// that every thread count gives the same bits.
public protocol PartitionedJob: BitwiseCopyable {
  func run(part: Int, of parts: Int)
}

extension PartitionedJob {
  @inline(never)
  fileprivate static func invoke(_ job: UnsafeRawPointer, _ part: Int, _ parts: Int) {
    unsafe job.assumingMemoryBound(to: Self.self).pointee.run(part: part, of: parts)
  }
}

/// The metatype is an existential of two words, so that handing a job over allocates nothing (a
/// closure would allocate twice).
@unsafe private struct JobContext {
  var type: any PartitionedJob.Type
  var job: UnsafeRawPointer
}

/// A fork-join pool: the caller's thread is part 0, the others spin between the stages of a frame
/// and sleep between frames. Belongs to one pipeline, or is handed in; one caller at a time.
@safe
public final class WorkerPool: @unchecked Sendable {
  private let pool: OpaquePointer
  /// Threads that share the work, the caller's included.
  public let threadCount: Int

  /// - Parameters:
  ///   - threadCount: 1 or more; 1 starts no thread.
  ///   - cpus: the CPU of each part; empty pins nothing. The caller's thread is never pinned.
  public init(threadCount: Int, cpus: [Int] = []) {
    precondition(threadCount >= 1, "a pool needs at least 1 thread, not \(threadCount)")
    self.threadCount = threadCount
    let cpuIndices = cpus.map(Int32.init)
    guard
      let pool = unsafe swl_pool_create(Int32(threadCount), cpuIndices, Int32(cpuIndices.count))
    else { fatalError("cannot start \(threadCount) threads") }
    unsafe self.pool = pool
  }

  /// The same where the system may refuse: nil when threads or memory cannot be had.
  public init?(startingThreads threadCount: Int, cpus: [Int] = []) {
    precondition(threadCount >= 1, "a pool needs at least 1 thread, not \(threadCount)")
    let cpuIndices = cpus.map(Int32.init)
    guard
      let pool = unsafe swl_pool_create(Int32(threadCount), cpuIndices, Int32(cpuIndices.count))
    else { return nil }
    self.threadCount = threadCount
    unsafe self.pool = pool
  }

  deinit { unsafe swl_pool_destroy(pool) }

  /// Runs the started threads with SCHED_FIFO at `priority` (1...99); the caller's thread stays as
  /// it is. Returns the system's error number, 0 when it agreed.
  public func setPriority(_ priority: Int32) -> Int32 {
    unsafe swl_pool_set_priority(pool, priority)
  }

  /// Runs every part of `job` and returns when all are done. Allocates nothing.
  public func run<Job: PartitionedJob>(_ job: Job) {
    unsafe withUnsafePointer(to: job) { jobPointer in
      var context = unsafe JobContext(type: Job.self, job: UnsafeRawPointer(jobPointer))
      unsafe withUnsafePointer(to: &context) { contextPointer in
        unsafe swl_pool_run(
          pool,
          { raw, part, parts in
            let context = unsafe raw.assumingMemoryBound(to: JobContext.self).pointee
            unsafe context.type.invoke(context.job, Int(part), Int(parts))
          }, contextPointer)
      }
    }
  }

  /// How long a worker spins for the next job before it sleeps (default 50 µs).
  public func setSpin(nanoseconds: Int64) { unsafe swl_pool_set_spin_nanoseconds(pool, nanoseconds) }
}

/// Part `part` of `parts` of `0..<count`, in blocks of `grain`. Parts differ by at most one block.
@inlinable
public func partition(_ count: Int, part: Int, of parts: Int, grain: Int = 1) -> Range<Int> {
  let blocks = (count + grain - 1) / grain
  let lower = min(count, blocks * part / parts * grain)
  let upper = min(count, blocks * (part + 1) / parts * grain)
  return lower..<upper
}

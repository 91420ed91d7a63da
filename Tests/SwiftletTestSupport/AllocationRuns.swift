#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whether tests that count allocations and page faults run. The counters see the whole process, so
/// these tests need it for themselves and a release build: `./test` runs them without parallelism
/// and sets `SWIFTLET_COUNT_ALLOCATIONS`.
public let countsAllocations = getenv("SWIFTLET_COUNT_ALLOCATIONS") != nil

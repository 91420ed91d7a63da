// A fork-join worker pool that allocates nothing per call, and the Linux calls around it.
#ifndef SWIFTLET_CTHREADSHIMS_H
#define SWIFTLET_CTHREADSHIMS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct swl_pool swl_pool;

/// Runs once per part: `part` of `parts`, with the caller's context.
typedef void (*swl_pool_function)(const void *_Nonnull context, int32_t part, int32_t parts);

/// A pool in which the caller's thread is part 0 and `thread_count - 1` threads wait for work.
/// `cpus` pins part i to cpus[i] when `cpu_count` > 0 (the caller's thread is not pinned).
/// NULL when threads or memory cannot be had.
swl_pool *_Nullable swl_pool_create(int32_t thread_count, const int32_t *_Nullable cpus,
                                    int32_t cpu_count);
void swl_pool_destroy(swl_pool *_Nonnull pool);
int32_t swl_pool_thread_count(const swl_pool *_Nonnull pool);

/// Calls `function` for every part in parallel and returns when all are done. Not reentrant; one
/// caller at a time.
void swl_pool_run(swl_pool *_Nonnull pool, swl_pool_function _Nonnull function,
                  const void *_Nonnull context);

/// Workers spin this long for the next job before they sleep. A sleeping worker costs about 10 µs
/// to wake, a spinning one 0.5 µs.
void swl_pool_set_spin_nanoseconds(swl_pool *_Nonnull pool, int64_t nanoseconds);

/// Runs the pool's own threads with SCHED_FIFO at `priority`; 0, or the errno of the first refusal.
int32_t swl_pool_set_priority(swl_pool *_Nonnull pool, int32_t priority);

/// Whether this process may run on a CPU.
bool swl_cpu_is_available(int32_t cpu);
/// mlockall(MCL_CURRENT): 0, or errno.
int32_t swl_lock_present_memory(void);

/// CLOCK_MONOTONIC, and this thread's CPU time.
int64_t swl_monotonic_nanoseconds(void);
int64_t swl_thread_cpu_nanoseconds(void);
/// Page faults (minor + major) and involuntary context switches of this process so far.
int64_t swl_process_page_faults(void);
int64_t swl_process_involuntary_switches(void);

/// Host controls; each returns 0 or an errno, and concerns the calling thread (threads made later
/// inherit CPUs and priority).
int32_t swl_pin_this_thread(const int32_t *_Nonnull cpus, int32_t count);
/// Writes the CPUs this thread may run on; returns how many.
int32_t swl_this_thread_cpus(int32_t *_Nonnull cpus, int32_t capacity);
/// SCHED_FIFO at 1…99; 0 goes back to the normal policy.
int32_t swl_set_fifo_priority(int32_t priority);
/// Locks all memory of the process, present and future.
int32_t swl_lock_memory(void);

/// Under callgrind with --collect-atstart=no: starts or stops counting; nothing elsewhere.
void swl_callgrind_toggle_collect(void);

#endif

// Counts the calls of malloc, calloc, realloc, aligned_alloc, posix_memalign and memalign.
// Linking this target interposes them, so only executables and tests may depend on it.
#ifndef SWIFTLET_CALLOCATIONCOUNTER_H
#define SWIFTLET_CALLOCATIONCOUNTER_H
#include <stdint.h>

/// Allocations of every thread of the process since the counter was last started.
void allocation_counter_start(void);
int64_t allocation_counter_stop(void);
#endif

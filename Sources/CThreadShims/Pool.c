#define _GNU_SOURCE
#include "CThreadShims.h"

#include <errno.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define CACHE_LINE 64

// One cache line per word that two threads write, so that a spinning worker disturbs nobody.
typedef struct {
  _Alignas(CACHE_LINE) _Atomic uint32_t value;
} padded_word;

typedef struct {
  swl_pool *pool;
  int32_t part;
  int32_t cpu;  // -1: not pinned
} worker_argument;

struct swl_pool {
  padded_word generation;  // odd bits are not special: it just counts jobs
  padded_word pending;     // workers that have not finished the current job
  padded_word sleepers;
  swl_pool_function function;
  const void *context;
  _Atomic int64_t spin_nanoseconds;
  _Atomic bool stopping;
  int32_t thread_count;
  pthread_t *threads;
  worker_argument *arguments;
};

static inline void cpu_pause(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

static void futex_wait(_Atomic uint32_t *word, uint32_t expected) {
  syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}
static void futex_wake_all(_Atomic uint32_t *word) {
  syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL, NULL, 0);
}

int64_t swl_monotonic_nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
int64_t swl_thread_cpu_nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}
int64_t swl_process_page_faults(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_minflt + usage.ru_majflt;
}
int64_t swl_process_involuntary_switches(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return usage.ru_nivcsw;
}

// Waits until generation differs from `seen`: spins for the pool's time, then sleeps.
static uint32_t wait_for_job(swl_pool *pool, uint32_t seen) {
  int64_t limit = 0;
  for (;;) {
    for (int i = 0; i < 256; i++) {
      uint32_t now = atomic_load_explicit(&pool->generation.value, memory_order_acquire);
      if (now != seen) return now;
      cpu_pause();
    }
    int64_t clock = swl_monotonic_nanoseconds();
    if (limit == 0) limit = clock + atomic_load(&pool->spin_nanoseconds);
    if (clock < limit) continue;
    atomic_fetch_add(&pool->sleepers.value, 1);
    while (atomic_load(&pool->generation.value) == seen) futex_wait(&pool->generation.value, seen);
    atomic_fetch_sub(&pool->sleepers.value, 1);
  }
}

static void *worker_main(void *raw) {
  worker_argument *argument = raw;
  swl_pool *pool = argument->pool;
  if (argument->cpu >= 0) {
    cpu_set_t set;
    CPU_ZERO(&set);
    CPU_SET(argument->cpu, &set);
    pthread_setaffinity_np(pthread_self(), sizeof set, &set);
  }
  uint32_t seen = 0;
  for (;;) {
    seen = wait_for_job(pool, seen);
    if (atomic_load(&pool->stopping)) return NULL;
    pool->function(pool->context, argument->part, pool->thread_count);
    atomic_fetch_sub_explicit(&pool->pending.value, 1, memory_order_release);
  }
}

static void stop_threads(swl_pool *pool, int32_t started) {
  atomic_store(&pool->stopping, true);
  atomic_fetch_add(&pool->generation.value, 1);
  futex_wake_all(&pool->generation.value);
  for (int32_t i = 0; i < started; i++) pthread_join(pool->threads[i], NULL);
}

static void release_pool(swl_pool *pool) {
  free(pool->threads);
  free(pool->arguments);
  free(pool);
}

swl_pool *swl_pool_create(int32_t thread_count, const int32_t *cpus, int32_t cpu_count) {
  swl_pool *pool = aligned_alloc(CACHE_LINE, (sizeof(swl_pool) + CACHE_LINE - 1) & -CACHE_LINE);
  if (!pool) return NULL;
  *pool = (swl_pool){.thread_count = thread_count < 1 ? 1 : thread_count};
  pool->spin_nanoseconds = 50000;
  int32_t workers = pool->thread_count - 1;
  pool->threads = calloc((size_t)workers + 1, sizeof *pool->threads);
  pool->arguments = calloc((size_t)workers + 1, sizeof *pool->arguments);
  if (!pool->threads || !pool->arguments) {
    release_pool(pool);
    return NULL;
  }
  for (int32_t i = 0; i < workers; i++) {
    int32_t part = i + 1;
    pool->arguments[i] = (worker_argument){pool, part, part < cpu_count ? cpus[part] : -1};
    if (pthread_create(&pool->threads[i], NULL, worker_main, &pool->arguments[i]) != 0) {
      stop_threads(pool, i);
      release_pool(pool);
      return NULL;
    }
  }
  return pool;
}

void swl_pool_destroy(swl_pool *pool) {
  stop_threads(pool, pool->thread_count - 1);
  release_pool(pool);
}

int32_t swl_pool_thread_count(const swl_pool *pool) { return pool->thread_count; }

void swl_pool_set_spin_nanoseconds(swl_pool *pool, int64_t nanoseconds) {
  atomic_store(&pool->spin_nanoseconds, nanoseconds);
}

int32_t swl_pool_set_priority(swl_pool *pool, int32_t priority) {
  struct sched_param parameter = {.sched_priority = priority};
  for (int32_t i = 0; i < pool->thread_count - 1; i++) {
    int refused = pthread_setschedparam(pool->threads[i], SCHED_FIFO, &parameter);
    if (refused) return refused;
  }
  return 0;
}

bool swl_cpu_is_available(int32_t cpu) {
  cpu_set_t set;
  if (cpu < 0 || cpu >= CPU_SETSIZE || sched_getaffinity(0, sizeof set, &set) != 0) return false;
  return CPU_ISSET(cpu, &set);
}

int32_t swl_lock_present_memory(void) { return mlockall(MCL_CURRENT) == 0 ? 0 : errno; }

void swl_pool_run(swl_pool *pool, swl_pool_function function, const void *context) {
  int32_t workers = pool->thread_count - 1;
  if (workers == 0) {
    function(context, 0, 1);
    return;
  }
  pool->function = function;
  pool->context = context;
  atomic_store_explicit(&pool->pending.value, (uint32_t)workers, memory_order_relaxed);
  atomic_fetch_add(&pool->generation.value, 1);
  if (atomic_load(&pool->sleepers.value) > 0) futex_wake_all(&pool->generation.value);
  function(context, 0, pool->thread_count);
  // The caller always spins, politely: on a host with fewer CPUs than threads it must give way.
  for (int spins = 0; atomic_load_explicit(&pool->pending.value, memory_order_acquire) != 0;) {
    cpu_pause();
    if (++spins == 4096) {
      spins = 0;
      sched_yield();
    }
  }
}

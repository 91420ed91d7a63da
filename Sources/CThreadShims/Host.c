#define _GNU_SOURCE
#include "CThreadShims.h"

#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <sys/mman.h>

int32_t swl_pin_this_thread(const int32_t *cpus, int32_t count) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int32_t i = 0; i < count; i++) {
    if (cpus[i] < 0 || cpus[i] >= CPU_SETSIZE) return EINVAL;
    CPU_SET(cpus[i], &set);
  }
  return pthread_setaffinity_np(pthread_self(), sizeof set, &set);
}

int32_t swl_this_thread_cpus(int32_t *cpus, int32_t capacity) {
  cpu_set_t set;
  if (pthread_getaffinity_np(pthread_self(), sizeof set, &set) != 0) return 0;
  int32_t count = 0;
  for (int32_t cpu = 0; cpu < CPU_SETSIZE && count < capacity; cpu++) {
    if (CPU_ISSET(cpu, &set)) cpus[count++] = cpu;
  }
  return count;
}

int32_t swl_set_fifo_priority(int32_t priority) {
  struct sched_param parameter = {.sched_priority = priority};
  return pthread_setschedparam(pthread_self(), priority > 0 ? SCHED_FIFO : SCHED_OTHER, &parameter);
}

int32_t swl_lock_memory(void) { return mlockall(MCL_CURRENT | MCL_FUTURE) == 0 ? 0 : errno; }

// Valgrind's client request on x86-64: a sequence of rotations that leaves every register as it was
// on a real processor and is recognised by valgrind's translator (valgrind.h, callgrind.h).
void swl_callgrind_toggle_collect(void) {
#if defined(__x86_64__)
  volatile uint64_t request[6] = {0x43540002u, 0, 0, 0, 0, 0};  // 'C' 'T', TOGGLE_COLLECT
  uint64_t result = 0;
  __asm__ volatile(
      "rolq $3, %%rdi; rolq $13, %%rdi; rolq $61, %%rdi; rolq $51, %%rdi; xchgq %%rbx, %%rbx"
      : "=d"(result)
      : "a"(&request[0]), "0"(result)
      : "cc", "memory");
#endif
}

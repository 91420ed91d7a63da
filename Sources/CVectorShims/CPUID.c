#include "CVectorShims.h"

#if defined(__x86_64__)
#include <cpuid.h>
#include <sys/syscall.h>
#include <unistd.h>

bool swl_cpu_is_x86_64(void) { return true; }
bool swl_cpu_has_v2(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v2");
}
bool swl_cpu_has_v3(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v3");
}
bool swl_cpu_has_v4_vnni(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("x86-64-v4") && __builtin_cpu_supports("avx512vnni");
}
bool swl_cpu_has_avx512_bf16(void) {
  return swl_cpu_has_v4_vnni() && __builtin_cpu_supports("avx512bf16");
}
bool swl_cpu_has_amx(void) {
  // Leaf 7: AMX-BF16 (EDX 22), AMX-TILE (24), AMX-INT8 (25). Linux hands out the tile state on
  // request: ARCH_REQ_XCOMP_PERM (0x1023) for feature 18.
  unsigned a, b, c, d;
  if (!swl_cpu_has_v4_vnni() || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) return false;
  const unsigned needed = (1u << 22) | (1u << 24) | (1u << 25);
  return (d & needed) == needed && syscall(SYS_arch_prctl, 0x1023, 18) == 0;
}
#else
bool swl_cpu_is_x86_64(void) { return false; }
bool swl_cpu_has_v2(void) { return false; }
bool swl_cpu_has_v3(void) { return false; }
bool swl_cpu_has_v4_vnni(void) { return false; }
bool swl_cpu_has_avx512_bf16(void) { return false; }
bool swl_cpu_has_amx(void) { return false; }
#endif

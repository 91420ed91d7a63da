// Vector primitives that Swift's SIMD types lack or compile into per-lane loops, and CPUID.
//
// Everything is `static inline` and always inlined, so that each kernel module gets its own copy
// compiled with its own -march flags and no symbol is shared between instruction sets.
// x86 intrinsics appear only inside `#if`; the generic branches are what Arm compiles (NEON comes
// from clang's vector types) and what -DSWIFTLET_PORTABLE_SHIMS=1 tests on x86.
#ifndef SWIFTLET_CVECTORSHIMS_H
#define SWIFTLET_CVECTORSHIMS_H

#include <stdbool.h>
#include <stdint.h>

#if defined(__x86_64__) && !defined(SWIFTLET_PORTABLE_SHIMS)
#define SWL_X86 1
#include <immintrin.h>
#else
#define SWL_X86 0
#endif

// Nothing of this is ever called: how a call would pass a wide vector does not matter.
#pragma clang diagnostic ignored "-Wpsabi"

#define SWL_INLINE static inline __attribute__((always_inline, unused))

typedef float swl_f32x16 __attribute__((ext_vector_type(16)));
typedef float swl_f32x8 __attribute__((ext_vector_type(8)));
typedef int32_t swl_i32x16 __attribute__((ext_vector_type(16)));
typedef uint32_t swl_u32x16 __attribute__((ext_vector_type(16)));
typedef int8_t swl_i8x64 __attribute__((ext_vector_type(64)));
typedef uint8_t swl_u8x64 __attribute__((ext_vector_type(64)));
typedef int16_t swl_i16x32 __attribute__((ext_vector_type(32)));
typedef int8_t swl_i8x16 __attribute__((ext_vector_type(16)));
typedef uint8_t swl_u8x16 __attribute__((ext_vector_type(16)));
typedef uint16_t swl_u16x16 __attribute__((ext_vector_type(16)));

// MARK: loads and stores (unaligned; one move each)

SWL_INLINE swl_f32x16 swl_load_f32x16(const float *_Nonnull p) {
  swl_f32x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_store_f32x16(float *_Nonnull p, swl_f32x16 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE swl_i32x16 swl_load_i32x16(const int32_t *_Nonnull p) {
  swl_i32x16 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_store_i32x16(int32_t *_Nonnull p, swl_i32x16 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE swl_i8x64 swl_load_i8x64(const int8_t *_Nonnull p) {
  swl_i8x64 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_store_i8x64(int8_t *_Nonnull p, swl_i8x64 v) { __builtin_memcpy(p, &v, sizeof v); }

/// The first `count` (0...16) floats at `p`, the rest zero. Reads nothing past `p + count`.
SWL_INLINE swl_f32x16 swl_load_f32x16_partial(const float *_Nonnull p, int64_t count) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_f32x16)_mm512_maskz_loadu_ps((__mmask16)((1u << count) - 1u), p);
#elif SWL_X86 && defined(__AVX2__)
  const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  const __m256i lo = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), lanes);
  const __m256i hi = _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count - 8), lanes);
  swl_f32x8 first = (swl_f32x8)_mm256_maskload_ps(p, lo);
  swl_f32x8 second = (swl_f32x8)_mm256_maskload_ps(p + 8, hi);
  return __builtin_shufflevector(
      first, second, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  swl_f32x16 v = 0;
  for (int64_t i = 0; i < count; i++) v[i] = p[i];
  return v;
#endif
}
SWL_INLINE void swl_store_f32x16_partial(float *_Nonnull p, swl_f32x16 v, int64_t count) {
#if SWL_X86 && defined(__AVX512F__)
  _mm512_mask_storeu_ps(p, (__mmask16)((1u << count) - 1u), (__m512)v);
#else
  // By powers of two: masked stores of 256 bits are microcode on some CPUs, a loop is as slow.
  typedef float f32x4 __attribute__((ext_vector_type(4)));
  typedef float f32x2 __attribute__((ext_vector_type(2)));
  if (count >= 16) {
    swl_store_f32x16(p, v);
    return;
  }
  swl_f32x8 eight = v.lo;
  if (count & 8) {
    __builtin_memcpy(p, &eight, sizeof eight);
    p += 8;
    eight = v.hi;
  }
  f32x4 four = eight.lo;
  if (count & 4) {
    __builtin_memcpy(p, &four, sizeof four);
    p += 4;
    four = eight.hi;
  }
  f32x2 two = four.lo;
  if (count & 2) {
    __builtin_memcpy(p, &two, sizeof two);
    p += 2;
    two = four.hi;
  }
  if (count & 1) p[0] = two.x;
#endif
}

// MARK: arithmetic

/// a * b + c. Fused where the target has fused multiply-add, two roundings elsewhere.
SWL_INLINE swl_f32x16 swl_fma_f32x16(swl_f32x16 a, swl_f32x16 b, swl_f32x16 c) {
#if (SWL_X86 && defined(__FMA__)) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
  return __builtin_elementwise_fma(a, b, c);
#else
#pragma clang fp contract(off)
  return a * b + c;
#endif
}
SWL_INLINE float swl_fma_f32(float a, float b, float c) {
#if (SWL_X86 && defined(__FMA__)) || defined(__ARM_FEATURE_FMA) || defined(__aarch64__)
  return __builtin_fmaf(a, b, c);
#else
#pragma clang fp contract(off)
  return a * b + c;
#endif
}
/// Lane-wise maximum and minimum; a NaN in `a` yields `b`, as the x86 instruction does.
SWL_INLINE swl_f32x16 swl_max_f32x16(swl_f32x16 a, swl_f32x16 b) { return a > b ? a : b; }
SWL_INLINE swl_f32x16 swl_min_f32x16(swl_f32x16 a, swl_f32x16 b) { return a < b ? a : b; }
SWL_INLINE swl_f32x16 swl_sqrt_f32x16(swl_f32x16 a) { return __builtin_elementwise_sqrt(a); }
SWL_INLINE swl_f32x16 swl_abs_f32x16(swl_f32x16 a) { return __builtin_elementwise_abs(a); }
SWL_INLINE swl_f32x16 swl_floor_f32x16(swl_f32x16 a) { return __builtin_elementwise_floor(a); }
/// Round half to even.
SWL_INLINE swl_f32x16 swl_round_even_f32x16(swl_f32x16 a) {
  return __builtin_elementwise_roundeven(a);
}
/// Truncation toward zero. Lanes outside Int32 give INT32_MIN on x86 and are unspecified elsewhere:
/// clamp first.
SWL_INLINE swl_i32x16 swl_trunc_i32x16(swl_f32x16 a) {
  return __builtin_convertvector(a, swl_i32x16);
}
SWL_INLINE swl_f32x16 swl_f32x16_from_i32x16(swl_i32x16 a) {
  return __builtin_convertvector(a, swl_f32x16);
}
SWL_INLINE swl_i32x16 swl_min_i32x16(swl_i32x16 a, swl_i32x16 b) {
  return __builtin_elementwise_min(a, b);
}
SWL_INLINE swl_i32x16 swl_max_i32x16(swl_i32x16 a, swl_i32x16 b) {
  return __builtin_elementwise_max(a, b);
}
SWL_INLINE swl_i32x16 swl_bits_f32x16(swl_f32x16 a) { return (swl_i32x16)a; }
SWL_INLINE swl_f32x16 swl_f32x16_from_bits(swl_i32x16 a) { return (swl_f32x16)a; }

// MARK: compare and select (a mask lane is all ones or all zeros)

SWL_INLINE swl_i32x16 swl_less_f32x16(swl_f32x16 a, swl_f32x16 b) { return a < b; }
SWL_INLINE swl_i32x16 swl_less_equal_f32x16(swl_f32x16 a, swl_f32x16 b) { return a <= b; }
SWL_INLINE swl_i32x16 swl_equal_i32x16(swl_i32x16 a, swl_i32x16 b) { return a == b; }
SWL_INLINE swl_i32x16 swl_greater_i32x16(swl_i32x16 a, swl_i32x16 b) { return a > b; }
SWL_INLINE swl_f32x16 swl_select_f32x16(swl_i32x16 mask, swl_f32x16 a, swl_f32x16 b) {
  return mask ? a : b;
}
SWL_INLINE swl_i32x16 swl_select_i32x16(swl_i32x16 mask, swl_i32x16 a, swl_i32x16 b) {
  return mask ? a : b;
}
/// Bit i is lane i's sign bit.
SWL_INLINE uint32_t swl_mask_bits_i32x16(swl_i32x16 mask) {
#if SWL_X86 && defined(__AVX512F__)
  return _mm512_movepi32_mask((__m512i)mask);
#elif SWL_X86 && defined(__AVX2__)
  // Of combined masks the loop below becomes sixteen extracts.
  __m256 low, high;
  __builtin_memcpy(&low, &mask, 32);
  __builtin_memcpy(&high, (const char *)&mask + 32, 32);
  return (uint32_t)_mm256_movemask_ps(low) | (uint32_t)_mm256_movemask_ps(high) << 8;
#elif SWL_X86
  uint32_t bits = 0;
  for (int i = 0; i < 4; i++) {
    __m128 part;
    __builtin_memcpy(&part, (const char *)&mask + 16 * i, 16);
    bits |= (uint32_t)_mm_movemask_ps(part) << (4 * i);
  }
  return bits;
#else
  uint32_t bits = 0;
  for (int i = 0; i < 16; i++) bits |= (uint32_t)(mask[i] < 0) << i;
  return bits;
#endif
}

// MARK: gather

/// base[index[i]] for each lane. Every index must be valid.
SWL_INLINE swl_f32x16 swl_gather_f32x16(const float *_Nonnull base, swl_i32x16 index) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_f32x16)_mm512_i32gather_ps((__m512i)index, base, 4);
#else
  swl_f32x16 v;
  for (int i = 0; i < 16; i++) v[i] = base[index[i]];
  return v;
#endif
}

// MARK: horizontal sums, in one fixed order (pairs 8 apart, then 4, 2, 1) on every target

SWL_INLINE float swl_sum_f32x16(swl_f32x16 v) {
#pragma clang fp contract(off) reassociate(off)
  swl_f32x8 a = v.lo + v.hi;
  float __attribute__((ext_vector_type(4))) b = a.lo + a.hi;
  float __attribute__((ext_vector_type(2))) c = b.lo + b.hi;
  return c.x + c.y;
}
SWL_INLINE float swl_max_lane_f32x16(swl_f32x16 v) {
  swl_f32x8 a = v.lo > v.hi ? v.lo : v.hi;
  float __attribute__((ext_vector_type(4))) b = a.lo > a.hi ? a.lo : a.hi;
  float __attribute__((ext_vector_type(2))) c = b.lo > b.hi ? b.lo : b.hi;
  return c.x > c.y ? c.x : c.y;
}

// MARK: bytes, 64 at a time

SWL_INLINE swl_i8x64 swl_adds_i8x64(swl_i8x64 a, swl_i8x64 b) {
  return __builtin_elementwise_add_sat(a, b);
}
SWL_INLINE swl_i8x64 swl_max_i8x64(swl_i8x64 a, swl_i8x64 b) {
  return __builtin_elementwise_max(a, b);
}
SWL_INLINE swl_i8x64 swl_min_i8x64(swl_i8x64 a, swl_i8x64 b) {
  return __builtin_elementwise_min(a, b);
}
/// Lane i is -1 where bit i of `bits` is set, else 0.
SWL_INLINE swl_i8x64 swl_lanes_from_bits_i8x64(uint64_t bits) {
#if SWL_X86 && defined(__AVX512BW__)
  return (swl_i8x64)_mm512_movm_epi8((__mmask64)bits);
#else
  typedef bool mask64 __attribute__((ext_vector_type(64)));
  mask64 m;
  __builtin_memcpy(&m, &bits, sizeof bits);
  return (swl_i8x64)0 - __builtin_convertvector(m, swl_i8x64);
#endif
}
SWL_INLINE swl_i8x64 swl_equal_i8x64(swl_i8x64 a, swl_i8x64 b) { return (swl_i8x64)(a == b); }
SWL_INLINE swl_i8x64 swl_greater_equal_i8x64(swl_i8x64 a, swl_i8x64 b) {
  return (swl_i8x64)(a >= b);
}
SWL_INLINE swl_i8x64 swl_select_i8x64(swl_i8x64 mask, swl_i8x64 a, swl_i8x64 b) {
  return (a & mask) | (b & ~mask);
}
/// Bit i is the sign bit of byte lane i.
SWL_INLINE uint64_t swl_mask_bits_i8x64(swl_i8x64 mask) {
#if SWL_X86 && defined(__AVX512BW__)
  return _mm512_movepi8_mask((__m512i)mask);
#elif SWL_X86
  uint64_t bits = 0;
  for (int i = 0; i < 4; i++) {
    __m128i part;
    __builtin_memcpy(&part, (const char *)&mask + 16 * i, 16);
    bits |= (uint64_t)(uint16_t)_mm_movemask_epi8(part) << (16 * i);
  }
  return bits;
#else
  uint64_t bits = 0;
  for (int i = 0; i < 64; i++) bits |= (uint64_t)(mask[i] < 0) << i;
  return bits;
#endif
}

// MARK: half precision

SWL_INLINE float swl_f32_from_half_bits(uint16_t h) {
  __fp16 v;
  __builtin_memcpy(&v, &h, sizeof h);
  return (float)v;
}
/// Sixteen IEEE halves widened to float.
SWL_INLINE swl_f32x16 swl_load_half_f32x16(const uint16_t *_Nonnull p) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_f32x16)_mm512_cvtph_ps(_mm256_loadu_si256((const __m256i *)(const void *)p));
#elif SWL_X86 && defined(__F16C__)
  __m256 lo = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)p));
  __m256 hi = _mm256_cvtph_ps(_mm_loadu_si128((const __m128i *)(const void *)(p + 8)));
  swl_f32x16 v;
  __builtin_memcpy(&v, &lo, sizeof lo);
  __builtin_memcpy((char *)&v + 32, &hi, sizeof hi);
  return v;
#else
  // Multiply by 2^112 after moving the exponent: exact for normals and subnormals.
  swl_u16x16 h;
  __builtin_memcpy(&h, p, sizeof h);
  swl_u32x16 w = __builtin_convertvector(h, swl_u32x16);
  swl_u32x16 sign = (w & 0x8000u) << 16;
  swl_u32x16 magnitude = (w & 0x7fffu) << 13;
  swl_u32x16 special = (swl_u32x16)((w & 0x7c00u) == 0x7c00u) & 0x7f800000u;
  swl_f32x16 scaled = (swl_f32x16)magnitude * 0x1p112f;
  return (swl_f32x16)((swl_u32x16)scaled | special | sign);
#endif
}
/// Sixteen bfloat16 values widened to float.
SWL_INLINE swl_f32x16 swl_load_bfloat_f32x16(const uint16_t *_Nonnull p) {
  swl_u16x16 h;
  __builtin_memcpy(&h, p, sizeof h);
  return (swl_f32x16)(__builtin_convertvector(h, swl_u32x16) << 16);
}

// MARK: prefetch

SWL_INLINE void swl_prefetch(const void *_Nonnull p) { __builtin_prefetch(p, 0, 3); }

#include "FusionShims.h"
#include "MetricsShims.h"
#include "OccupancyShims.h"
#include "ProjectionShims.h"

// MARK: which instruction sets this CPU has (defined in CPUID.c)

/// True when the CPU and the operating system support x86-64-v2 / v3 / v4 plus VNNI / AMX tiles.
/// Always false on other architectures.
bool swl_cpu_has_v2(void);
bool swl_cpu_has_v3(void);
bool swl_cpu_has_v4_vnni(void);
bool swl_cpu_has_amx(void);
/// True when the AVX-512 set above is there and AVX-512 BF16 too.
bool swl_cpu_has_avx512_bf16(void);
/// True on x86-64, where the baseline, avx2 and avx512 kernel builds differ.
bool swl_cpu_is_x86_64(void);

#endif

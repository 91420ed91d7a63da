// Vector primitives of the metrics: eight doubles or 64-bit integers at a time for ray walks, 64
// unsigned bytes at a time for label comparisons. Included by CVectorShims.h.
#ifndef SWIFTLET_METRICSSHIMS_H
#define SWIFTLET_METRICSSHIMS_H

typedef double swl_f64x8 __attribute__((ext_vector_type(8)));
typedef int64_t swl_i64x8 __attribute__((ext_vector_type(8)));

/// Eight floats at `p`, widened exactly.
SWL_INLINE swl_f64x8 swl_walk_load_f32_as_f64x8(const float *_Nonnull p) {
  swl_f32x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return __builtin_convertvector(v, swl_f64x8);
}
SWL_INLINE swl_f64x8 swl_walk_sqrt_f64x8(swl_f64x8 a) { return __builtin_elementwise_sqrt(a); }
/// Truncation toward zero; lanes must fit Int64.
SWL_INLINE swl_i64x8 swl_walk_trunc_i64x8(swl_f64x8 a) { return __builtin_convertvector(a, swl_i64x8); }
SWL_INLINE swl_f64x8 swl_walk_f64x8_from_i64x8(swl_i64x8 a) {
  return __builtin_convertvector(a, swl_f64x8);
}
/// A mask lane is all ones or all zeros; a NaN compares false.
SWL_INLINE swl_i64x8 swl_walk_less_f64x8(swl_f64x8 a, swl_f64x8 b) { return a < b; }
SWL_INLINE swl_i64x8 swl_walk_equal_f64x8(swl_f64x8 a, swl_f64x8 b) { return a == b; }
SWL_INLINE swl_i64x8 swl_walk_equal_i64x8(swl_i64x8 a, swl_i64x8 b) { return a == b; }
SWL_INLINE swl_i64x8 swl_walk_less_i64x8(swl_i64x8 a, swl_i64x8 b) { return a < b; }
SWL_INLINE swl_f64x8 swl_walk_select_f64x8(swl_i64x8 mask, swl_f64x8 a, swl_f64x8 b) {
  return mask ? a : b;
}
/// Whether any lane's sign bit is set.
SWL_INLINE bool swl_walk_any_i64x8(swl_i64x8 mask) {
#if SWL_X86 && defined(__AVX512DQ__)
  return _mm512_movepi64_mask((__m512i)mask) != 0;
#elif SWL_X86 && defined(__AVX__)
  __m256d low, high;
  __builtin_memcpy(&low, &mask, sizeof low);
  __builtin_memcpy(&high, (const char *)&mask + sizeof low, sizeof high);
  return _mm256_movemask_pd(low) != 0 || _mm256_movemask_pd(high) != 0;
#else
  return __builtin_reduce_or(mask) < 0;
#endif
}
/// The byte base[index[i]] of each lane, zero-extended. Eight loads: the gather instruction, which
/// has no byte form and reads eight bytes a lane, was slower.
SWL_INLINE swl_i64x8 swl_walk_gather_u8_i64x8(const uint8_t *_Nonnull base, swl_i64x8 index) {
  swl_i64x8 v;
  for (int i = 0; i < 8; i++) v[i] = base[index[i]];
  return v;
}

// MARK: unsigned bytes

SWL_INLINE swl_u8x64 swl_load_u8x64(const uint8_t *_Nonnull p) {
  swl_u8x64 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE swl_u8x64 swl_splat_u8x64(uint8_t a) { return (swl_u8x64)a; }
/// Bit i is lane i of a mask of bytes 0 or 255. Without a move-mask instruction eight bytes keep one
/// bit each and a multiplication adds them up; a loop over lanes is several times slower.
SWL_INLINE uint64_t swl_metrics_mask_bits(swl_i8x64 mask) {
#if SWL_X86
  return swl_mask_bits_i8x64(mask);
#else
  uint64_t words[8], bits = 0;
  __builtin_memcpy(words, &mask, sizeof words);
  for (int i = 0; i < 8; i++)
    bits |= ((words[i] & 0x8040201008040201u) * 0x0101010101010101u >> 56) << (8 * i);
  return bits;
#endif
}
/// Bit i is set where lane i of `a` equals `b`'s.
SWL_INLINE uint64_t swl_equal_bits_u8x64(swl_u8x64 a, swl_u8x64 b) {
  return swl_metrics_mask_bits((swl_i8x64)(a == b));
}
/// Bit i is set where lane i of `a` is below `b`'s, unsigned.
SWL_INLINE uint64_t swl_less_bits_u8x64(swl_u8x64 a, swl_u8x64 b) {
  return swl_metrics_mask_bits((swl_i8x64)(a < b));
}
/// Sixteen bytes: 0 where the byte at `source` equals `free`, else 1.
SWL_INLINE void swl_store_occupied_u8x16(
    uint8_t *_Nonnull destination, const uint8_t *_Nonnull source, uint8_t free_label) {
  swl_u8x16 v;
  __builtin_memcpy(&v, source, sizeof v);
  v = (swl_u8x16)(v != (swl_u8x16)free_label) & (uint8_t)1;
  __builtin_memcpy(destination, &v, sizeof v);
}

#endif

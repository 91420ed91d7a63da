// Vector primitives used by the Fusion kernels only. Included by CVectorShims.h.
#ifndef SWIFTLET_FUSIONSHIMS_H
#define SWIFTLET_FUSIONSHIMS_H

// MARK: shape of the matrix tile, chosen per register file. The order of every sum is the same for
// all of them, so only fused multiply-add can change a bit.

/// Rows that one call of the widest matrix tile computes: as many accumulators as the registers
/// hold beside one row of weights (32 of 512 bits, 16 of 256, 32 of 128, 16 of 128).
SWL_INLINE int64_t swl_tile_rows(void) {
#if SWL_X86 && defined(__AVX512F__)
  return 12;
#elif SWL_X86 && defined(__AVX2__)
  return 6;
#elif defined(__aarch64__)
  return 4;
#else
  return 2;
#endif
}

/// Sums of the lanes of four vectors, each in swl_sum_f32x16's order (8 apart, 4, 2, 1), to out[0...3].
SWL_INLINE void swl_sum4_f32x16(
    swl_f32x16 a, swl_f32x16 b, swl_f32x16 c, swl_f32x16 d, float *_Nonnull out) {
#pragma clang fp contract(off) reassociate(off)
  typedef float f32x4 __attribute__((ext_vector_type(4)));
  swl_f32x8 a8 = a.lo + a.hi, b8 = b.lo + b.hi, c8 = c.lo + c.hi, d8 = d.lo + d.hi;
  f32x4 a4 = a8.lo + a8.hi, b4 = b8.lo + b8.hi, c4 = c8.lo + c8.hi, d4 = d8.lo + d8.hi;
  f32x4 ab02 = __builtin_shufflevector(a4, b4, 0, 4, 1, 5) + __builtin_shufflevector(a4, b4, 2, 6, 3, 7);
  f32x4 cd02 = __builtin_shufflevector(c4, d4, 0, 4, 1, 5) + __builtin_shufflevector(c4, d4, 2, 6, 3, 7);
  f32x4 sums = __builtin_shufflevector(ab02, cd02, 0, 1, 4, 5) +
               __builtin_shufflevector(ab02, cd02, 2, 3, 6, 7);
  __builtin_memcpy(out, &sums, sizeof sums);
}

/// Lane i is -1 where i < count, else 0.
SWL_INLINE swl_i32x16 swl_first_lanes_i32x16(int32_t count) {
  const swl_i32x16 lanes = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
  return lanes < (swl_i32x16)count;
}
/// Lane i is -1 where byte i at `p` is not zero. Reads `count` (1...16) bytes; the rest is -1.
SWL_INLINE swl_i32x16 swl_nonzero_bytes_i32x16(const uint8_t *_Nonnull p, int64_t count) {
  swl_u8x16 bytes = (swl_u8x16)1;
  if (count >= 16) {
    __builtin_memcpy(&bytes, p, 16);
  } else {
    for (int64_t i = 0; i < count; i++) bytes[i] = p[i];
  }
  return __builtin_convertvector(bytes, swl_i32x16) != 0;
}

#endif

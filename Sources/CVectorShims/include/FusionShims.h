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

// MARK: taps of deformable attention

/// Lanes 0, 2, 4 … and 1, 3, 5 … of `lo` followed by `hi`.
SWL_INLINE swl_f32x16 swl_even_f32x16(swl_f32x16 lo, swl_f32x16 hi) {
  return __builtin_shufflevector(
      lo, hi, 0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
}
SWL_INLINE swl_f32x16 swl_odd_f32x16(swl_f32x16 lo, swl_f32x16 hi) {
  return __builtin_shufflevector(
      lo, hi, 1, 3, 5, 7, 9, 11, 13, 15, 17, 19, 21, 23, 25, 27, 29, 31);
}

/// Lane i takes lane i xor 1, 2, 4 or 8.
SWL_INLINE swl_f32x16 swl_exchange1_f32x16(swl_f32x16 v) {
  return __builtin_shufflevector(v, v, 1, 0, 3, 2, 5, 4, 7, 6, 9, 8, 11, 10, 13, 12, 15, 14);
}
SWL_INLINE swl_f32x16 swl_exchange2_f32x16(swl_f32x16 v) {
  return __builtin_shufflevector(v, v, 2, 3, 0, 1, 6, 7, 4, 5, 10, 11, 8, 9, 14, 15, 12, 13);
}
SWL_INLINE swl_f32x16 swl_exchange4_f32x16(swl_f32x16 v) {
  return __builtin_shufflevector(v, v, 4, 5, 6, 7, 0, 1, 2, 3, 12, 13, 14, 15, 8, 9, 10, 11);
}
SWL_INLINE swl_f32x16 swl_exchange8_f32x16(swl_f32x16 v) {
  return __builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15, 0, 1, 2, 3, 4, 5, 6, 7);
}

/// table[index[i]] for indices 0...15.
SWL_INLINE swl_f32x16 swl_permute_f32x16(swl_f32x16 table, swl_i32x16 index) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_f32x16)_mm512_permutexvar_ps((__m512i)index, (__m512)table);
#elif SWL_X86 && defined(__AVX2__)
  // Both halves of the table are permuted by the low three bits; the fourth, in the sign, chooses.
  typedef int32_t half __attribute__((ext_vector_type(8)));
  half places[2] = {index.lo, index.hi};
  swl_f32x8 found[2];
  for (int i = 0; i < 2; i++) {
    __m256i place = (__m256i)places[i];
    found[i] = (swl_f32x8)_mm256_blendv_ps(
        _mm256_permutevar8x32_ps((__m256)table.lo, place),
        _mm256_permutevar8x32_ps((__m256)table.hi, place),
        (__m256)_mm256_slli_epi32(place, 28));
  }
  return __builtin_shufflevector(
      found[0], found[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  swl_f32x16 v;
  for (int i = 0; i < 16; i++) v[i] = table[index[i]];
  return v;
#endif
}

#if SWL_X86 && defined(__AVX2__) && !defined(__AVX512F__)
// The places of the set bits of a byte, in order, a byte each: computed by the preprocessor.
#define SWL_PLACE(m, i) \
  ((m) >> (i) & 1 ? (uint64_t)(i) << 8 * __builtin_popcount((m) & ((1 << (i)) - 1)) : 0)
#define SWL_PLACES(m) \
  SWL_PLACE(m, 0) | SWL_PLACE(m, 1) | SWL_PLACE(m, 2) | SWL_PLACE(m, 3) | SWL_PLACE(m, 4) | \
      SWL_PLACE(m, 5) | SWL_PLACE(m, 6) | SWL_PLACE(m, 7)
#define SWL_PLACES4(m) SWL_PLACES(m), SWL_PLACES(m + 1), SWL_PLACES(m + 2), SWL_PLACES(m + 3)
#define SWL_PLACES16(m) SWL_PLACES4(m), SWL_PLACES4(m + 4), SWL_PLACES4(m + 8), SWL_PLACES4(m + 12)
#define SWL_PLACES64(m) SWL_PLACES16(m), SWL_PLACES16(m + 16), SWL_PLACES16(m + 32), SWL_PLACES16(m + 48)
SWL_INLINE int64_t swl_compress_halves(void *_Nonnull p, __m256i lo, __m256i hi, uint32_t mask) {
  static const uint64_t places[256] = {
      SWL_PLACES64(0), SWL_PLACES64(64), SWL_PLACES64(128), SWL_PLACES64(192)};
  __m256i first = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)&places[mask & 255]));
  __m256i second = _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)&places[mask >> 8 & 255]));
  int64_t n = __builtin_popcount(mask & 255);
  _mm256_storeu_si256((__m256i *)p, _mm256_permutevar8x32_epi32(lo, first));
  _mm256_storeu_si256((__m256i *)((char *)p + 4 * n), _mm256_permutevar8x32_epi32(hi, second));
  return n + __builtin_popcount(mask >> 8 & 255);
}
#undef SWL_PLACES64
#undef SWL_PLACES16
#undef SWL_PLACES4
#undef SWL_PLACES
#undef SWL_PLACE
#endif

/// The lanes whose bit is set in `mask`, in order, to p[0...]; up to 16 lanes are written. Returns
/// their number. (In a register first: a compressing store to memory is slow on some CPUs.)
SWL_INLINE int64_t swl_compress_f32x16(float *_Nonnull p, swl_f32x16 v, uint32_t mask) {
#if SWL_X86 && defined(__AVX512F__)
  swl_store_f32x16(p, (swl_f32x16)_mm512_maskz_compress_ps((__mmask16)mask, (__m512)v));
  return __builtin_popcount(mask);
#elif SWL_X86 && defined(__AVX2__)
  return swl_compress_halves(p, (__m256i)v.lo, (__m256i)v.hi, mask);
#else
  int64_t n = 0;
  while (mask) {
    p[n++] = v[__builtin_ctz(mask)];
    mask &= mask - 1;
  }
  return n;
#endif
}
SWL_INLINE int64_t swl_compress_i32x16(int32_t *_Nonnull p, swl_i32x16 v, uint32_t mask) {
#if SWL_X86 && defined(__AVX512F__)
  swl_store_i32x16(p, (swl_i32x16)_mm512_maskz_compress_epi32((__mmask16)mask, (__m512i)v));
  return __builtin_popcount(mask);
#elif SWL_X86 && defined(__AVX2__)
  return swl_compress_halves(p, (__m256i)v.lo, (__m256i)v.hi, mask);
#else
  int64_t n = 0;
  while (mask) {
    p[n++] = v[__builtin_ctz(mask)];
    mask &= mask - 1;
  }
  return n;
#endif
}

// MARK: narrow formats

/// IEEE half bits, round to nearest even, subnormals kept, overflow to infinity, NaN to a quiet NaN.
SWL_INLINE swl_i32x16 swl_half_bits_from_f32x16(swl_f32x16 v) {
  swl_u32x16 bits = (swl_u32x16)v;
  swl_u32x16 magnitude = bits & 0x7fffffffu;
  // Adding 0.5 puts the half's last subnormal bit into the float's last bit: the addition rounds.
  swl_u32x16 small = (swl_u32x16)((swl_f32x16)magnitude + 0.5f) - 0x3f000000u;
  swl_u32x16 normal = (magnitude + 0xc8000fffu + ((magnitude >> 13) & 1u)) >> 13;
  swl_u32x16 half = (swl_u32x16)(magnitude < 0x38800000u) & small;
  half |= (swl_u32x16)(magnitude >= 0x38800000u) & normal;
  swl_u32x16 large = (swl_u32x16)(magnitude >= 0x477ff000u);
  swl_u32x16 nan = (swl_u32x16)(magnitude > 0x7f800000u);
  half = (half & ~large) | (large & 0x7c00u) | (nan & 0x0200u);
  return (swl_i32x16)(half | ((bits >> 16) & 0x8000u));
}
/// bfloat16 bits, round to nearest even, NaN to a quiet NaN.
SWL_INLINE swl_i32x16 swl_bfloat_bits_from_f32x16(swl_f32x16 v) {
  swl_u32x16 bits = (swl_u32x16)v;
  swl_u32x16 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  swl_u32x16 nan = (swl_u32x16)((bits & 0x7fffffffu) > 0x7f800000u);
  return (swl_i32x16)((rounded & ~nan) | (nan & ((bits >> 16) | 0x40u)));
}
/// The low 16 bits of each lane.
SWL_INLINE void swl_store_low_u16x16(uint16_t *_Nonnull p, swl_i32x16 v) {
  swl_u16x16 narrow = __builtin_convertvector((swl_u32x16)v & 0xffffu, swl_u16x16);
  __builtin_memcpy(p, &narrow, sizeof narrow);
}
// MARK: products of narrow formats

/// bfloat16 bits as a dense layer takes them: round to nearest even, NaN to a quiet NaN, magnitudes
/// below the normals to a signed zero (the CPUs' own dot product reads them as zero).
SWL_INLINE swl_i32x16 swl_dense_bfloat_bits_f32x16(swl_f32x16 v) {
  swl_u32x16 bits = (swl_u32x16)v;
  swl_u32x16 isNormal = (swl_u32x16)((bits & 0x7f800000u) != 0);
  return swl_bfloat_bits_from_f32x16((swl_f32x16)(bits & (isNormal | 0x80000000u)));
}
/// acc + second(a) · second(b), then + first(a) · first(b), over pairs of bfloat16 (first: low half),
/// each sum rounded once. A product of two bfloat16 is exact in float.
SWL_INLINE swl_f32x16 swl_dot_bfloat_f32x16(swl_f32x16 acc, swl_i32x16 a, swl_i32x16 b) {
#if SWL_X86 && defined(__AVX512BF16__)
  return (swl_f32x16)_mm512_dpbf16_ps((__m512)acc, (__m512bh)a, (__m512bh)b);
#else
  swl_f32x16 second = swl_fma_f32x16(
      (swl_f32x16)(a & (int32_t)0xffff0000), (swl_f32x16)(b & (int32_t)0xffff0000), acc);
  return swl_fma_f32x16((swl_f32x16)(a << 16), (swl_f32x16)(b << 16), second);
#endif
}
/// acc[i] + Σ over the two signed 16-bit halves of lane i of a · b. Exact for what dense layers multiply:
/// bytes, whose products and their sums in pairs fit.
SWL_INLINE swl_i32x16 swl_dot_i16_i32x16(swl_i32x16 acc, swl_i32x16 a, swl_i32x16 b) {
#if SWL_X86 && defined(__AVX2__)
  typedef int32_t half __attribute__((ext_vector_type(8)));
  half lo = (half)_mm256_madd_epi16((__m256i)a.lo, (__m256i)b.lo);
  half hi = (half)_mm256_madd_epi16((__m256i)a.hi, (__m256i)b.hi);
  return acc + __builtin_shufflevector(
      lo, hi, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  return acc + ((a << 16) >> 16) * ((b << 16) >> 16) + (a >> 16) * (b >> 16);
#endif
}
/// a[0], b[0], a[1], b[1], … to p[0...31].
SWL_INLINE void swl_store_pairs_i32x16(int32_t *_Nonnull p, swl_i32x16 a, swl_i32x16 b) {
  swl_store_i32x16(p, __builtin_shufflevector(
      a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23));
  swl_store_i32x16(p + 16, __builtin_shufflevector(
      a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31));
}
/// Bytes 0 and 2 (even), or 1 and 3, of each lane as two 16-bit numbers, without and with sign.
SWL_INLINE swl_i32x16 swl_even_bytes_i32x16(swl_i32x16 a) { return a & 0x00ff00ff; }
SWL_INLINE swl_i32x16 swl_odd_bytes_i32x16(swl_i32x16 a) {
  return (swl_i32x16)((swl_u32x16)a >> 8) & 0x00ff00ff;
}
SWL_INLINE swl_i32x16 swl_odd_signed_bytes_i32x16(swl_i32x16 a) {
  swl_i16x32 halves;
  __builtin_memcpy(&halves, &a, sizeof a);
  halves = halves >> 8;
  __builtin_memcpy(&a, &halves, sizeof a);
  return a;
}
SWL_INLINE swl_i32x16 swl_even_signed_bytes_i32x16(swl_i32x16 a) {
  swl_i16x32 halves;
  __builtin_memcpy(&halves, &a, sizeof a);
  halves = (halves << 8) >> 8;
  __builtin_memcpy(&a, &halves, sizeof a);
  return a;
}
/// The low 8 bits of each lane.
SWL_INLINE void swl_store_low_u8x16(uint8_t *_Nonnull p, swl_i32x16 v) {
  swl_u8x16 narrow = __builtin_convertvector((swl_u32x16)v & 0xffu, swl_u8x16);
  __builtin_memcpy(p, &narrow, sizeof narrow);
}
/// acc[i] + Σ over the four bytes of lane i of a (unsigned) · b (signed). Exact: no step saturates.
SWL_INLINE swl_i32x16 swl_dot_u8i8_i32x16(swl_i32x16 acc, swl_i32x16 a, swl_i32x16 b) {
#if SWL_X86 && defined(__AVX512VNNI__)
  return (swl_i32x16)_mm512_dpbusd_epi32((__m512i)acc, (__m512i)a, (__m512i)b);
#elif SWL_X86 && defined(__AVX2__)
  // Even and odd bytes widened to 16 bits, whose products and their sums in pairs fit.
  typedef int32_t half __attribute__((ext_vector_type(8)));
  const __m256i low = _mm256_set1_epi16(0xff);
  half r[2] = {acc.lo, acc.hi}, x[2] = {a.lo, a.hi}, y[2] = {b.lo, b.hi};
  for (int i = 0; i < 2; i++) {
    __m256i u = (__m256i)x[i], s = (__m256i)y[i];
    __m256i even = _mm256_madd_epi16(
        _mm256_and_si256(u, low), _mm256_srai_epi16(_mm256_slli_epi16(s, 8), 8));
    __m256i odd = _mm256_madd_epi16(_mm256_srli_epi16(u, 8), _mm256_srai_epi16(s, 8));
    r[i] = (half)_mm256_add_epi32((__m256i)r[i], _mm256_add_epi32(even, odd));
  }
  return __builtin_shufflevector(
      r[0], r[1], 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
#else
  swl_i32x16 even = (a & 0xff) * ((b << 24) >> 24) + ((a >> 16) & 0xff) * ((b << 8) >> 24);
  swl_i32x16 odd = ((a >> 8) & 0xff) * ((b << 16) >> 24) + ((int32_t)0xff & (a >> 24)) * (b >> 24);
  return acc + (even + odd);
#endif
}

#endif

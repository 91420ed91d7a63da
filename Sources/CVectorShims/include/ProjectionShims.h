// Vector primitives used by the Projection kernels, and by exp in Math/. Included by
// CVectorShims.h.
#ifndef SWIFTLET_PROJECTIONSHIMS_H
#define SWIFTLET_PROJECTIONSHIMS_H

/// a * 2^n for |n| <= 252, rounded once even where the result is subnormal: the first factor never
/// leaves the normal range, so only the second multiplication rounds (as the one x86 instruction).
SWL_INLINE swl_f32x16 swl_scale_f32x16(swl_f32x16 a, swl_i32x16 n) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_f32x16)_mm512_scalef_ps((__m512)a, _mm512_cvtepi32_ps((__m512i)n));
#else
  swl_i32x16 half = n >> 1;
  swl_f32x16 first = (swl_f32x16)((half + 127) << 23);
  swl_f32x16 second = (swl_f32x16)((n - half + 127) << 23);
  return a * first * second;
#endif
}

typedef double swl_f64x8 __attribute__((ext_vector_type(8)));
typedef int64_t swl_i64x8 __attribute__((ext_vector_type(8)));

SWL_INLINE swl_f64x8 swl_load_f64x8(const double *_Nonnull p) {
  swl_f64x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_store_f64x8(double *_Nonnull p, swl_f64x8 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE swl_f64x8 swl_sqrt_f64x8(swl_f64x8 a) { return __builtin_elementwise_sqrt(a); }
SWL_INLINE swl_f64x8 swl_abs_f64x8(swl_f64x8 a) { return __builtin_elementwise_abs(a); }
SWL_INLINE swl_i64x8 swl_less_f64x8(swl_f64x8 a, swl_f64x8 b) { return a < b; }
SWL_INLINE swl_f64x8 swl_select_f64x8(swl_i64x8 mask, swl_f64x8 a, swl_f64x8 b) {
  return mask ? a : b;
}
typedef double swl_f64x4 __attribute__((ext_vector_type(4)));
SWL_INLINE swl_f64x4 swl_load_f64x4(const double *_Nonnull p) {
  swl_f64x4 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_store_f64x4(double *_Nonnull p, swl_f64x4 v) { __builtin_memcpy(p, &v, sizeof v); }
/// Eight doubles rounded once to float and stored.
SWL_INLINE void swl_store_narrowed_f64x8(float *_Nonnull p, swl_f64x8 v) {
  swl_f32x8 narrow = __builtin_convertvector(v, swl_f32x8);
  __builtin_memcpy(p, &narrow, sizeof narrow);
}
SWL_INLINE swl_i32x16 swl_and_i32x16(swl_i32x16 a, swl_i32x16 b) { return a & b; }
SWL_INLINE swl_i32x16 swl_multiply_i32x16(swl_i32x16 a, swl_i32x16 b) { return a * b; }

/// `to[j][i] = from[i][j]` for a tile of 16 by 16 floats, rows `from_stride` and `to_stride` apart.
/// Interleaving rows i and i + 8 four times is a transposition.
SWL_INLINE void swl_transpose_f32_16x16(const float *_Nonnull from, int64_t from_stride,
                                        float *_Nonnull to, int64_t to_stride) {
  swl_f32x16 a[16], b[16];
  for (int i = 0; i < 16; i++) __builtin_memcpy(&a[i], from + i * from_stride, sizeof a[i]);
#pragma clang loop unroll(full)
  for (int round = 0; round < 4; round++) {
#pragma clang loop unroll(full)
    for (int i = 0; i < 8; i++) {
      b[2 * i] = __builtin_shufflevector(a[i], a[i + 8], 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21,
                                         6, 22, 7, 23);
      b[2 * i + 1] = __builtin_shufflevector(a[i], a[i + 8], 8, 24, 9, 25, 10, 26, 11, 27, 12, 28,
                                             13, 29, 14, 30, 15, 31);
    }
#pragma clang loop unroll(full)
    for (int i = 0; i < 16; i++) a[i] = b[i];
  }
  for (int i = 0; i < 16; i++) __builtin_memcpy(to + i * to_stride, &a[i], sizeof a[i]);
}

/// Byte offset of the pixel packed as x + 65536 y, three bytes a pixel.
SWL_INLINE swl_i32x16 swl_pixel_offset_i32x16(swl_i32x16 pixel, int32_t stride) {
  return (pixel & 0xffff) * 3 + (pixel >> 16) * stride;
}
/// Four bytes at base + offset[i], unaligned. Every offset must be valid.
SWL_INLINE swl_i32x16 swl_gather_bytes_i32x16(const uint8_t *_Nonnull base, swl_i32x16 offset) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_i32x16)_mm512_i32gather_epi32((__m512i)offset, base, 1);
#else
  swl_i32x16 v;
  for (int i = 0; i < 16; i++) {
    int32_t word;
    __builtin_memcpy(&word, base + offset[i], sizeof word);
    v[i] = word;
  }
  return v;
#endif
}
/// The byte at `shift` of each word as float.
SWL_INLINE swl_f32x16 swl_byte_f32x16(swl_i32x16 words, int32_t shift) {
  return __builtin_convertvector((words >> shift) & 255, swl_f32x16);
}
/// Three vectors as triples a b c.
SWL_INLINE void swl_store_interleaved_f32x16(float *_Nonnull p, swl_f32x16 a, swl_f32x16 b,
                                             swl_f32x16 c) {
  swl_f32x16 ab0 = __builtin_shufflevector(a, b, 0, 16, 0, 1, 17, 0, 2, 18, 0, 3, 19, 0, 4, 20, 0, 5);
  swl_f32x16 abc0 = __builtin_shufflevector(ab0, c, 0, 1, 16, 3, 4, 17, 6, 7, 18, 9, 10, 19, 12, 13, 20, 15);
  swl_f32x16 ab1 = __builtin_shufflevector(a, b, 21, 0, 6, 22, 0, 7, 23, 0, 8, 24, 0, 9, 25, 0, 10, 26);
  swl_f32x16 abc1 = __builtin_shufflevector(ab1, c, 0, 21, 2, 3, 22, 5, 6, 23, 8, 9, 24, 11, 12, 25, 14, 15);
  swl_f32x16 ab2 = __builtin_shufflevector(a, b, 0, 11, 27, 0, 12, 28, 0, 13, 29, 0, 14, 30, 0, 15, 31, 0);
  swl_f32x16 abc2 = __builtin_shufflevector(ab2, c, 26, 1, 2, 27, 4, 5, 28, 7, 8, 29, 10, 11, 30, 13, 14, 31);
  __builtin_memcpy(p + 0, &abc0, sizeof abc0);
  __builtin_memcpy(p + 16, &abc1, sizeof abc1);
  __builtin_memcpy(p + 32, &abc2, sizeof abc2);
}
/// Four taps: left and right of the upper and of the lower row.
SWL_INLINE swl_f32x16 swl_bilinear_f32x16(swl_f32x16 up0, swl_f32x16 up1, swl_f32x16 down0,
                                          swl_f32x16 down1, swl_f32x16 fx, swl_f32x16 fy) {
#pragma clang fp contract(off)
  swl_f32x16 top = up0 + fx * (up1 - up0);
  swl_f32x16 bottom = down0 + fx * (down1 - down0);
  return top + fy * (bottom - top);
}

/// The first `count` (0...16) halves at `p` widened, the rest zero. Reads nothing past `p + count`.
SWL_INLINE swl_f32x16 swl_load_half_f32x16_partial(const uint16_t *_Nonnull p, int64_t count) {
  uint16_t whole[16] = {0};
  for (int64_t i = 0; i < count; i++) whole[i] = p[i];
  return swl_load_half_f32x16(whole);
}
/// The same for bfloat16.
SWL_INLINE swl_f32x16 swl_load_bfloat_f32x16_partial(const uint16_t *_Nonnull p, int64_t count) {
  uint16_t whole[16] = {0};
  for (int64_t i = 0; i < count; i++) whole[i] = p[i];
  return swl_load_bfloat_f32x16(whole);
}

/// Stores past the caches; `p` must be a multiple of 64 bytes. For results larger than the caches:
/// a usual store would read every line first. Follow the last one by `swl_stream_fence`.
SWL_INLINE void swl_stream_f32x16(float *_Nonnull p, swl_f32x16 v) {
  __builtin_nontemporal_store(v, (swl_f32x16 *)p);
}
/// Makes streamed stores visible to other threads in order.
SWL_INLINE void swl_stream_fence(void) {
#if SWL_X86
  _mm_sfence();
#else
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
#endif
}

#endif

// Vector primitives used by the Occupancy kernels only. Included by CVectorShims.h.
#ifndef SWIFTLET_OCCUPANCYSHIMS_H
#define SWIFTLET_OCCUPANCYSHIMS_H

typedef double swl_f64x8 __attribute__((ext_vector_type(8)));
typedef int64_t swl_i64x8 __attribute__((ext_vector_type(8)));
typedef uint64_t swl_u64x8 __attribute__((ext_vector_type(8)));
typedef int32_t swl_i32x8 __attribute__((ext_vector_type(8)));

// MARK: loads, stores and conversions, 8 lanes

SWL_INLINE swl_f32x8 swl_ray_load_f32x8(const float *_Nonnull p) {
  swl_f32x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_ray_store_f32x8(float *_Nonnull p, swl_f32x8 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE void swl_ray_store_i32x8(int32_t *_Nonnull p, swl_i32x8 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE void swl_ray_store_i64x8(int64_t *_Nonnull p, swl_i64x8 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE swl_i64x8 swl_ray_load_i64x8(const int64_t *_Nonnull p) {
  swl_i64x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE swl_u64x8 swl_ray_load_u64x8(const uint64_t *_Nonnull p) {
  swl_u64x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_ray_store_u64x8(uint64_t *_Nonnull p, swl_u64x8 v) { __builtin_memcpy(p, &v, sizeof v); }
/// Exact.
SWL_INLINE swl_f64x8 swl_ray_f64x8_from_f32x8(swl_f32x8 v) { return __builtin_convertvector(v, swl_f64x8); }
/// Rounds to nearest even.
SWL_INLINE swl_f32x8 swl_ray_f32x8_from_f64x8(swl_f64x8 v) { return __builtin_convertvector(v, swl_f32x8); }
SWL_INLINE swl_f64x8 swl_ray_f64x8_from_i32x8(swl_i32x8 v) { return __builtin_convertvector(v, swl_f64x8); }
SWL_INLINE swl_i64x8 swl_ray_i64x8_from_i32x8(swl_i32x8 v) { return __builtin_convertvector(v, swl_i64x8); }
/// Truncates; lanes must lie inside Int32.
SWL_INLINE swl_i32x8 swl_ray_i32x8_from_f64x8(swl_f64x8 v) { return __builtin_convertvector(v, swl_i32x8); }

// MARK: arithmetic, 8 lanes. Nothing here is ever fused: rays must be the same everywhere.

SWL_INLINE swl_f64x8 swl_ray_floor_f64x8(swl_f64x8 v) { return __builtin_elementwise_floor(v); }
SWL_INLINE swl_f64x8 swl_ray_sqrt_f64x8(swl_f64x8 v) { return __builtin_elementwise_sqrt(v); }
SWL_INLINE swl_f64x8 swl_ray_abs_f64x8(swl_f64x8 v) { return __builtin_elementwise_abs(v); }
SWL_INLINE swl_f64x8 swl_ray_min_f64x8(swl_f64x8 a, swl_f64x8 b) { return a < b ? a : b; }
SWL_INLINE swl_f64x8 swl_ray_max_f64x8(swl_f64x8 a, swl_f64x8 b) { return a > b ? a : b; }
SWL_INLINE swl_i64x8 swl_ray_less_f64x8(swl_f64x8 a, swl_f64x8 b) { return a < b; }
SWL_INLINE swl_i64x8 swl_ray_less_equal_f64x8(swl_f64x8 a, swl_f64x8 b) { return a <= b; }
SWL_INLINE swl_i64x8 swl_ray_equal_i64x8(swl_i64x8 a, swl_i64x8 b) { return a == b; }
SWL_INLINE swl_i32x8 swl_ray_less_f32x8(swl_f32x8 a, swl_f32x8 b) { return a < b; }
SWL_INLINE swl_i64x8 swl_ray_mask64_from_mask32(swl_i32x8 m) { return __builtin_convertvector(m, swl_i64x8); }
SWL_INLINE swl_f64x8 swl_ray_select_f64x8(swl_i64x8 m, swl_f64x8 a, swl_f64x8 b) { return m ? a : b; }
SWL_INLINE swl_i64x8 swl_ray_select_i64x8(swl_i64x8 m, swl_i64x8 a, swl_i64x8 b) { return m ? a : b; }
SWL_INLINE swl_f32x8 swl_ray_select_f32x8(swl_i32x8 m, swl_f32x8 a, swl_f32x8 b) { return m ? a : b; }
/// Bit i is lane i's sign bit.
SWL_INLINE uint32_t swl_ray_mask_bits_i64x8(swl_i64x8 mask) {
#if SWL_X86 && defined(__AVX512DQ__)
  return _mm512_movepi64_mask((__m512i)mask);
#else
  uint32_t bits = 0;
  for (int i = 0; i < 8; i++) bits |= (uint32_t)(mask[i] < 0) << i;
  return bits;
#endif
}
SWL_INLINE uint64_t swl_ray_or_lanes_u64x8(swl_u64x8 v) { return __builtin_reduce_or(v); }

// MARK: a column of 64 voxels

/// Lane i of the 16 lanes from `first` on is -1 where bit `first + i` of `bits` is set.
SWL_INLINE swl_i32x16 swl_ray_lanes_from_bits_i32x16(uint32_t bits) {
#if SWL_X86 && defined(__AVX512DQ__)
  return (swl_i32x16)_mm512_movm_epi32((__mmask16)bits);
#else
  const swl_i32x16 weights = {1,   2,   4,    8,    16,   32,   64,    128,
                              256, 512, 1024, 2048, 4096, 8192, 16384, 32768};
  return ((swl_i32x16)(int32_t)bits & weights) != 0;
#endif
}

// MARK: 32 int16 lanes: squared distances, 32767 = farther than asked for

SWL_INLINE swl_i16x32 swl_field_load_i16x32(const int16_t *_Nonnull p) {
  swl_i16x32 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE void swl_field_store_i16x32(int16_t *_Nonnull p, swl_i16x32 v) { __builtin_memcpy(p, &v, sizeof v); }
SWL_INLINE swl_i16x32 swl_field_splat_i16x32(int16_t v) { return (swl_i16x32)v; }
SWL_INLINE swl_i16x32 swl_field_adds_i16x32(swl_i16x32 a, swl_i16x32 b) {
  return __builtin_elementwise_add_sat(a, b);
}
SWL_INLINE swl_i16x32 swl_field_min_i16x32(swl_i16x32 a, swl_i16x32 b) {
  return __builtin_elementwise_min(a, b);
}
/// Lanes must lie in -181 ... 181.
SWL_INLINE swl_i16x32 swl_field_square_i16x32(swl_i16x32 a) { return a * a; }
/// `far` where `a` exceeds `limit`.
SWL_INLINE swl_i16x32 swl_field_cut_i16x32(swl_i16x32 a, swl_i16x32 limit, swl_i16x32 far) {
  return a > limit ? far : a;
}
/// Lane i is 0 where bit i of `bits` is set, else `far`.
SWL_INLINE swl_i16x32 swl_field_from_bits_i16x32(uint32_t bits, int16_t far) {
#if SWL_X86 && defined(__AVX512BW__)
  return (swl_i16x32)_mm512_maskz_set1_epi16((__mmask32)~bits, far);
#else
  swl_i16x32 v;
  for (int i = 0; i < 32; i++) v[i] = (bits >> i) & 1 ? 0 : far;
  return v;
#endif
}

// MARK: 32 int16 lanes: exact log-odds

SWL_INLINE swl_i16x32 swl_exact_max_i16x32(swl_i16x32 a, swl_i16x32 b) {
  return __builtin_elementwise_max(a, b);
}
SWL_INLINE swl_i16x32 swl_exact_equal_i16x32(swl_i16x32 a, swl_i16x32 b) { return (swl_i16x32)(a == b); }
SWL_INLINE swl_i16x32 swl_exact_at_least_i16x32(swl_i16x32 a, swl_i16x32 b) { return (swl_i16x32)(a >= b); }
SWL_INLINE swl_i16x32 swl_exact_select_i16x32(swl_i16x32 mask, swl_i16x32 a, swl_i16x32 b) {
  return (a & mask) | (b & ~mask);
}
/// Lane i is -1 where bit i of `bits` is set.
SWL_INLINE swl_i16x32 swl_exact_lanes_from_bits_i16x32(uint32_t bits) {
#if SWL_X86 && defined(__AVX512BW__)
  return (swl_i16x32)_mm512_movm_epi16((__mmask32)bits);
#else
  typedef int16_t half __attribute__((ext_vector_type(16)));
  const half weights = {1,   2,   4,    8,    16,   32,   64,    128,
                        256, 512, 1024, 2048, 4096, 8192, 16384, -32768};
  half low = ((half)(int16_t)bits & weights) != 0;
  half high = ((half)(int16_t)(bits >> 16) & weights) != 0;
  return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18,
                                 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31);
#endif
}
/// Bit i is lane i's sign bit.
SWL_INLINE uint32_t swl_exact_bits_i16x32(swl_i16x32 mask) {
#if SWL_X86 && defined(__AVX512BW__)
  return _mm512_movepi16_mask((__m512i)mask);
#else
  uint32_t bits = 0;
  for (int i = 0; i < 32; i++) bits |= (uint32_t)(mask[i] < 0) << i;
  return bits;
#endif
}
/// Stores `v` · scale, rounded to even and held to -127 ... 127, in the bytes whose lane of `mask` is
/// set.
SWL_INLINE void swl_exact_store_bytes(int8_t *_Nonnull p, swl_i16x32 v, float scale, swl_i16x32 mask) {
  for (int i = 0; i < 32; i++) {
    float scaled = __builtin_rintf((float)v[i] * scale);
    scaled = scaled < -127 ? -127 : scaled > 127 ? 127 : scaled;
    p[i] = mask[i] ? (int8_t)scaled : p[i];
  }
}

// MARK: int8 pairs: the max / min pyramid

/// Lane i is the larger (smaller) of bytes 2i and 2i + 1 of `a`.
SWL_INLINE void swl_pyramid_store_pair_max(int8_t *_Nonnull p, swl_i8x64 a) {
  swl_i16x32 v = (swl_i16x32)a;
  swl_i16x32 low = (v << 8) >> 8, high = v >> 8;
  swl_i16x32 m = low > high ? low : high;
  typedef int8_t bytes32 __attribute__((ext_vector_type(32)));
  bytes32 r = __builtin_convertvector(m, bytes32);
  __builtin_memcpy(p, &r, sizeof r);
}
SWL_INLINE void swl_pyramid_store_pair_min(int8_t *_Nonnull p, swl_i8x64 a) {
  swl_i16x32 v = (swl_i16x32)a;
  swl_i16x32 low = (v << 8) >> 8, high = v >> 8;
  swl_i16x32 m = low < high ? low : high;
  typedef int8_t bytes32 __attribute__((ext_vector_type(32)));
  bytes32 r = __builtin_convertvector(m, bytes32);
  __builtin_memcpy(p, &r, sizeof r);
}

SWL_INLINE swl_f32x8 swl_ray_min_f32x8(swl_f32x8 a, swl_f32x8 b) { return a < b ? a : b; }
SWL_INLINE swl_f32x8 swl_ray_max_f32x8(swl_f32x8 a, swl_f32x8 b) { return a > b ? a : b; }
SWL_INLINE swl_f32x8 swl_ray_clamp_f32x8(swl_f32x8 v, float low, float high) {
  swl_f32x8 l = low, h = high;
  swl_f32x8 raised = v > l ? v : l;
  return raised < h ? raised : h;
}
SWL_INLINE swl_i32x8 swl_ray_floor_i32x8(swl_f32x8 v) {
  return __builtin_convertvector(__builtin_elementwise_floor(v), swl_i32x8);
}
SWL_INLINE swl_i32x8 swl_ray_load_i32x8(const int32_t *_Nonnull p) {
  swl_i32x8 v;
  __builtin_memcpy(&v, p, sizeof v);
  return v;
}
SWL_INLINE swl_i32x8 swl_ray_min_i32x8(swl_i32x8 a, swl_i32x8 b) { return a < b ? a : b; }
SWL_INLINE swl_i32x8 swl_ray_max_i32x8(swl_i32x8 a, swl_i32x8 b) { return a > b ? a : b; }
SWL_INLINE swl_i32x8 swl_ray_equal_i32x8(swl_i32x8 a, swl_i32x8 b) { return a == b; }
SWL_INLINE swl_i32x8 swl_ray_less_i32x8(swl_i32x8 a, swl_i32x8 b) { return a < b; }
SWL_INLINE swl_i32x8 swl_ray_select_i32x8(swl_i32x8 m, swl_i32x8 a, swl_i32x8 b) { return m ? a : b; }
SWL_INLINE swl_i32x8 swl_ray_less_equal_f32x8(swl_f32x8 a, swl_f32x8 b) { return a <= b; }
SWL_INLINE swl_f32x8 swl_ray_abs_f32x8(swl_f32x8 v) { return __builtin_elementwise_abs(v); }
SWL_INLINE swl_f32x8 swl_ray_floor_f32x8(swl_f32x8 v) { return __builtin_elementwise_floor(v); }
SWL_INLINE swl_f32x8 swl_ray_f32x8_from_i32x8(swl_i32x8 v) { return __builtin_convertvector(v, swl_f32x8); }
SWL_INLINE swl_i32x8 swl_ray_trunc_i32x8(swl_f32x8 v) { return __builtin_convertvector(v, swl_i32x8); }
SWL_INLINE swl_i32x8 swl_ray_shift_left_i32x8(swl_i32x8 v, int32_t count) { return v << count; }
SWL_INLINE swl_i32x8 swl_ray_shift_right_i32x8(swl_i32x8 v, int32_t count) { return v >> count; }
/// Writes those of four words that are more than `floor`, and the same of `others`, one behind the
/// other; whatever else into words 0 ... 3 of `kept` and `along`. Returns how many.
SWL_INLINE int64_t swl_ray_list_i32x4(
    const int32_t *_Nonnull words, const int32_t *_Nonnull others, int32_t floor,
    int32_t *_Nonnull kept, int32_t *_Nonnull along) {
#if SWL_X86
  // Byte i of row m says which byte comes i-th where the bits of m are the words to keep.
#define SWL_WORD(i) 4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3
#define SWL_ROW(a, b, c, d) {SWL_WORD(a), SWL_WORD(b), SWL_WORD(c), SWL_WORD(d)}
  static const uint8_t rows[16][16] __attribute__((aligned(16))) = {
      SWL_ROW(0, 0, 0, 0), SWL_ROW(0, 0, 0, 0), SWL_ROW(1, 0, 0, 0), SWL_ROW(0, 1, 0, 0),
      SWL_ROW(2, 0, 0, 0), SWL_ROW(0, 2, 0, 0), SWL_ROW(1, 2, 0, 0), SWL_ROW(0, 1, 2, 0),
      SWL_ROW(3, 0, 0, 0), SWL_ROW(0, 3, 0, 0), SWL_ROW(1, 3, 0, 0), SWL_ROW(0, 1, 3, 0),
      SWL_ROW(2, 3, 0, 0), SWL_ROW(0, 2, 3, 0), SWL_ROW(1, 2, 3, 0), SWL_ROW(0, 1, 2, 3)};
#undef SWL_ROW
#undef SWL_WORD
  __m128i four = _mm_loadu_si128((const __m128i *)words);
  __m128i same = _mm_loadu_si128((const __m128i *)others);
  int bits = _mm_movemask_ps((__m128)_mm_cmpgt_epi32(four, _mm_set1_epi32(floor)));
  __m128i row = _mm_load_si128((const __m128i *)rows[bits]);
  _mm_storeu_si128((__m128i *)kept, _mm_shuffle_epi8(four, row));
  _mm_storeu_si128((__m128i *)along, _mm_shuffle_epi8(same, row));
  return __builtin_popcount((unsigned)bits);
#else
  int64_t count = 0;
  for (int i = 0; i < 4; i++) {
    kept[count] = words[i];
    along[count] = others[i];
    count += words[i] > floor;
  }
  return count;
#endif
}
SWL_INLINE int32_t swl_ray_max_lane_i32x8(swl_i32x8 v) { return __builtin_reduce_max(v); }
/// The same mask, kept in whole lanes: across branches clang would pack it and unpack it again.
SWL_INLINE swl_i32x8 swl_ray_whole_i32x8(swl_i32x8 mask) {
#if SWL_X86 && defined(__AVX2__) && !defined(__AVX512F__)
  __asm__("" : "+x"(mask));
#endif
  return mask;
}
/// Whether any lane of a mask is set.
SWL_INLINE bool swl_ray_any_i32x8(swl_i32x8 mask) { return __builtin_reduce_or(mask) != 0; }

// MARK: sixteen rays at once

/// Splits 16 records of x, y, z and one more float into planes: out holds x, then y, then z.
SWL_INLINE void swl_ray_split_points(const void *_Nonnull p, float *_Nonnull out) {
  swl_f32x16 a, b, c, d;
  __builtin_memcpy(&a, p, 64);
  __builtin_memcpy(&b, (const char *)p + 64, 64);
  __builtin_memcpy(&c, (const char *)p + 128, 64);
  __builtin_memcpy(&d, (const char *)p + 192, 64);
  swl_f32x16 ab = __builtin_shufflevector(a, b, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
  swl_f32x16 cd = __builtin_shufflevector(c, d, 0, 4, 8, 12, 16, 20, 24, 28, 1, 5, 9, 13, 17, 21, 25, 29);
  swl_f32x16 az = __builtin_shufflevector(a, b, 2, 6, 10, 14, 18, 22, 26, 30, 2, 6, 10, 14, 18, 22, 26, 30);
  swl_f32x16 cz = __builtin_shufflevector(c, d, 2, 6, 10, 14, 18, 22, 26, 30, 2, 6, 10, 14, 18, 22, 26, 30);
  swl_f32x16 x = __builtin_shufflevector(ab, cd, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  swl_f32x16 y = __builtin_shufflevector(ab, cd, 8, 9, 10, 11, 12, 13, 14, 15, 24, 25, 26, 27, 28, 29, 30, 31);
  swl_f32x16 z = __builtin_shufflevector(az, cz, 0, 1, 2, 3, 4, 5, 6, 7, 16, 17, 18, 19, 20, 21, 22, 23);
  __builtin_memcpy(out, &x, 64);
  __builtin_memcpy(out + 16, &y, 64);
  __builtin_memcpy(out + 32, &z, 64);
}
/// Lanes 0 ... 7 and 8 ... 15 in float64, exact.
SWL_INLINE swl_f64x8 swl_ray_low_f64x8(swl_f32x16 v) {
  return __builtin_convertvector(__builtin_shufflevector(v, v, 0, 1, 2, 3, 4, 5, 6, 7), swl_f64x8);
}
SWL_INLINE swl_f64x8 swl_ray_high_f64x8(swl_f32x16 v) {
  return __builtin_convertvector(__builtin_shufflevector(v, v, 8, 9, 10, 11, 12, 13, 14, 15), swl_f64x8);
}
/// Both halves rounded to float32, to nearest even.
SWL_INLINE swl_f32x16 swl_ray_join_f32x16(swl_f64x8 low, swl_f64x8 high) {
  swl_f32x8 a = __builtin_convertvector(low, swl_f32x8);
  swl_f32x8 b = __builtin_convertvector(high, swl_f32x8);
  return __builtin_shufflevector(a, b, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
/// floor(v), held to -100,000 ... 100,000; NaN gives the lower end.
SWL_INLINE swl_i32x16 swl_ray_key_i32x16(swl_f64x8 low, swl_f64x8 high) {
  const swl_f64x8 least = -100000, most = 100000;
  swl_f64x8 a = __builtin_elementwise_floor(low);
  swl_f64x8 b = __builtin_elementwise_floor(high);
  a = a > least ? a : least;
  b = b > least ? b : least;
  a = a < most ? a : most;
  b = b < most ? b : most;
  swl_i32x8 c = __builtin_convertvector(a, swl_i32x8);
  swl_i32x8 d = __builtin_convertvector(b, swl_i32x8);
  return __builtin_shufflevector(c, d, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
}
/// floor(v); lanes must lie inside Int32.
SWL_INLINE swl_i32x16 swl_ray_floor_i32x16(swl_f32x16 v) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_i32x16)_mm512_cvt_roundps_epi32((__m512)v, _MM_FROUND_TO_NEG_INF | _MM_FROUND_NO_EXC);
#else
  return __builtin_convertvector(__builtin_elementwise_floor(v), swl_i32x16);
#endif
}
SWL_INLINE swl_i32x16 swl_ray_shift_left_i32x16(swl_i32x16 v, int32_t count) { return v << count; }
SWL_INLINE swl_i32x16 swl_ray_shift_right_i32x16(swl_i32x16 v, int32_t count) { return v >> count; }
SWL_INLINE int32_t swl_ray_max_lane_i32x16(swl_i32x16 v) { return __builtin_reduce_max(v); }
SWL_INLINE int32_t swl_ray_min_lane_i32x16(swl_i32x16 v) { return __builtin_reduce_min(v); }
/// Lane i is the bits `lower ..< above`; lanes are not negative and lower is at most above. All bits
/// from z up, none where z is 64 or more, are one variable shift where the instruction set defines
/// long shifts.
SWL_INLINE swl_u64x8 swl_ray_runs_u64x8(swl_i32x8 lower, swl_i32x8 above) {
#if SWL_X86 && defined(__AVX512F__)
#define SWL_UP(v) _mm512_sllv_epi64(_mm512_set1_epi64(-1), _mm512_cvtepu32_epi64((__m256i)(v)))
  return (swl_u64x8)_mm512_xor_si512(SWL_UP(lower), SWL_UP(above));
#undef SWL_UP
#elif SWL_X86 && defined(__AVX2__)
  const __m256i ones = _mm256_set1_epi64x(-1);
#define SWL_UP(v, ...) \
  _mm256_sllv_epi64(ones, _mm256_cvtepu32_epi64((__m128i)__builtin_shufflevector(v, v, __VA_ARGS__)))
#define SWL_RUN(...) _mm256_xor_si256(SWL_UP(lower, __VA_ARGS__), SWL_UP(above, __VA_ARGS__))
  __m256i first = SWL_RUN(0, 1, 2, 3), second = SWL_RUN(4, 5, 6, 7);
#undef SWL_RUN
#undef SWL_UP
  typedef long long swl_quarter __attribute__((ext_vector_type(4)));
  return (swl_u64x8)__builtin_shufflevector((swl_quarter)first, (swl_quarter)second, 0, 1, 2, 3, 4, 5, 6, 7);
#else
  const swl_i32x8 top = 63;
  const swl_u64x8 all = ~(swl_u64x8)0;
#define SWL_UP(v) \
  ((all << (swl_u64x8)__builtin_convertvector(v < top ? v : top, swl_i64x8)) & \
   (swl_u64x8)__builtin_convertvector((swl_i32x8)(v <= top), swl_i64x8))
  return SWL_UP(lower) ^ SWL_UP(above);
#undef SWL_UP
#endif
}

// MARK: sixteen rays through columns of 32 voxels

/// Directions nearer to zero than a billionth become that: no axis is ever without a crossing.
SWL_INLINE swl_f32x16 swl_view_away_from_zero(swl_f32x16 d) {
  const swl_f32x16 least = 1e-9f;
  swl_f32x16 size = d < 0 ? -d : d;
  return size < least ? least : d;
}
/// The bits `low ... high` of each lane; 0 <= low <= high < 32.
SWL_INLINE swl_u32x16 swl_view_run_u32x16(swl_i32x16 low, swl_i32x16 high) {
  const swl_u32x16 all = ~(swl_u32x16)0;
  return (all << (swl_u32x16)low) & (all >> (swl_u32x16)(31 - high));
}
/// The bits of `run` up to and including the first of `hit`: from below where `up`, else from above.
SWL_INLINE swl_u32x16 swl_view_until_hit_u32x16(swl_u32x16 run, swl_u32x16 hit, swl_i32x16 up) {
  const swl_u32x16 none = 0;
  swl_u32x16 lowest = hit & (none - hit);
  swl_u32x16 smeared = hit | (hit >> 1);
  smeared |= smeared >> 2;
  smeared |= smeared >> 4;
  smeared |= smeared >> 8;
  smeared |= smeared >> 16;
  swl_u32x16 highest = smeared ^ (smeared >> 1);
  swl_u32x16 below = lowest | (lowest - 1), above = none - highest;
  swl_u32x16 kept = up ? below : above;
  return hit == none ? run : run & kept;
}
SWL_INLINE swl_i32x16 swl_view_is_zero_u32x16(swl_u32x16 v) { return v == 0; }
SWL_INLINE void swl_view_store_u32x16(uint32_t *_Nonnull p, swl_u32x16 v) { __builtin_memcpy(p, &v, sizeof v); }
/// base[index[i]] for each lane. Every index must be valid.
SWL_INLINE swl_u32x16 swl_view_gather_u32x16(const uint32_t *_Nonnull base, swl_i32x16 index) {
#if SWL_X86 && defined(__AVX512F__)
  return (swl_u32x16)_mm512_i32gather_epi32((__m512i)index, base, 4);
#else
  swl_u32x16 v;
  for (int i = 0; i < 16; i++) v[i] = base[index[i]];
  return v;
#endif
}

#endif

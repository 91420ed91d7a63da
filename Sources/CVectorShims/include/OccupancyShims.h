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
/// The union, over live lanes, of the bits `lower ... upper` that lie in 0 ... 63.
SWL_INLINE uint64_t swl_ray_or_runs_u64x8(swl_i32x8 lower, swl_i32x8 upper, swl_i64x8 live) {
  const swl_i32x8 zero = 0, top = 63;
  swl_i32x8 inside = (upper >= zero) & (lower <= top);
  swl_i32x8 low = lower > zero ? lower : zero;
  swl_i32x8 high = upper < top ? upper : top;
  // Shift counts stay in 0 ... 63 also in lanes that are not inside.
  low = low < top ? low : top;
  high = high > zero ? high : zero;
  swl_u64x8 up = ~(swl_u64x8)0 << __builtin_convertvector(low, swl_u64x8);
  swl_u64x8 down = ~(swl_u64x8)0 >> __builtin_convertvector(top - high, swl_u64x8);
  swl_u64x8 keep = (swl_u64x8)(live & __builtin_convertvector(inside, swl_i64x8));
  return __builtin_reduce_or(up & down & keep);
}

#endif

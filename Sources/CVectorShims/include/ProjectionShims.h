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

#endif

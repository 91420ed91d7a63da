import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

extension TensorView {
  /// How many elements are NaN or infinite, whatever the strides. Allocates nothing.
  ///
  /// A tensor that fills its memory in any order of its axes is read as one run; of others each row,
  /// or where rows have gaps each element.
  public func notFiniteCount(engine: Engine) -> Int {
    guard elementType != .uint8, elementCount > 0 else { return 0 }
    if isDense { return unsafe count(baseAddress, elementCount, engine) }
    var total = 0
    for plane in 0..<shape.0 {
      for row in 0..<shape.1 {
        let first = unsafe baseAddress
          + (plane * strides.0 + row * strides.1) * elementType.byteCount
        if strides.2 == 1 {
          unsafe total += count(first, shape.2, engine)
        } else {
          for index in 0..<shape.2 {
            unsafe total += count(first + index * strides.2 * elementType.byteCount, 1, engine)
          }
        }
      }
    }
    return total
  }

  /// The strides are those of a gapless tensor in some order of its axes.
  private var isDense: Bool {
    let (a, b, c) = shape
    let (x, y, z) = strides
    return (z == 1 && (y == c && x == b * c || x == c && y == a * c))
      || (y == 1 && (z == b && x == c * b || x == b && z == a * b))
      || (x == 1 && (y == a && z == b * a || z == a && y == c * a))
  }

  @unsafe
  private func count(_ base: UnsafeRawPointer, _ count: Int, _ engine: Engine) -> Int {
    if elementType == .float32 {
      let values = unsafe base.assumingMemoryBound(to: Float.self)
      switch engine {
      case .reference: return (0..<count).count { unsafe !values[$0].isFinite }
      case .simd(.portable): return unsafe SwiftletKernelsPortable.countNotFinite(values, count)
      case .simd(.baseline): return unsafe SwiftletKernels.countNotFinite(values, count)
      case .simd(.avx2): return unsafe SwiftletKernelsAVX2.countNotFinite(values, count)
      case .simd(.avx512): return unsafe SwiftletKernelsAVX512.countNotFinite(values, count)
      }
    }
    let values = unsafe base.assumingMemoryBound(to: UInt16.self)
    let exponent: UInt16 = elementType == .float16 ? 0x7c00 : 0x7f80
    switch engine {
    case .reference: return (0..<count).count { unsafe values[$0] & exponent == exponent }
    case .simd(.portable):
      return unsafe SwiftletKernelsPortable.countNotFiniteHalf(values, count, exponent)
    case .simd(.baseline): return unsafe SwiftletKernels.countNotFiniteHalf(values, count, exponent)
    case .simd(.avx2): return unsafe SwiftletKernelsAVX2.countNotFiniteHalf(values, count, exponent)
    case .simd(.avx512):
      return unsafe SwiftletKernelsAVX512.countNotFiniteHalf(values, count, exponent)
    }
  }
}

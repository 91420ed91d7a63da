import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// Exact widening of half-precision tensors to float32.
public enum Widening {
  /// IEEE half bit patterns to float32, `output[i] = Float(half bits input[i])`. Allocates nothing.
  ///
  /// - Precondition: `output.count >= input.count`.
  public static func half(
    _ input: UnsafeBufferPointer<UInt16>, to output: UnsafeMutableBufferPointer<Float>,
    engine: Engine
  ) {
    precondition(
      output.count >= input.count, "\(input.count) halves do not fit \(output.count) floats")
    guard let source = input.baseAddress, let target = output.baseAddress else { return }
    switch engine {
    case .reference:
      for index in 0..<input.count {
        unsafe output[index] = halfReference(input[index])
      }
    case .simd(.portable): unsafe SwiftletKernelsPortable.widenHalf(source, target, input.count)
    case .simd(.baseline): unsafe SwiftletKernels.widenHalf(source, target, input.count)
    case .simd(.avx2): unsafe SwiftletKernelsAVX2.widenHalf(source, target, input.count)
    case .simd(.avx512): unsafe SwiftletKernelsAVX512.widenHalf(source, target, input.count)
    }
  }

  /// bfloat16 bit patterns to float32. Allocates nothing.
  ///
  /// - Precondition: `output.count >= input.count`.
  public static func bfloat(
    _ input: UnsafeBufferPointer<UInt16>, to output: UnsafeMutableBufferPointer<Float>,
    engine: Engine
  ) {
    precondition(
      output.count >= input.count, "\(input.count) bfloats do not fit \(output.count) floats")
    guard let source = input.baseAddress, let target = output.baseAddress else { return }
    switch engine {
    case .reference:
      for index in 0..<input.count {
        unsafe output[index] = Float(bitPattern: UInt32(input[index]) << 16)
      }
    case .simd(.portable): unsafe SwiftletKernelsPortable.widenBFloat(source, target, input.count)
    case .simd(.baseline): unsafe SwiftletKernels.widenBFloat(source, target, input.count)
    case .simd(.avx2): unsafe SwiftletKernelsAVX2.widenBFloat(source, target, input.count)
    case .simd(.avx512): unsafe SwiftletKernelsAVX512.widenBFloat(source, target, input.count)
    }
  }

  /// Sign, exponent and mantissa by IEEE 754-2008 binary16; kept free of Swift's Float16, which
  /// x86 macOS lacks.
  public static func halfReference(_ bits: UInt16) -> Float {
    let sign: Float = bits & 0x8000 == 0 ? 1 : -1
    let exponent = Int(bits >> 10) & 31
    let mantissa = Float(bits & 0x3ff)
    switch exponent {
    case 0: return sign * mantissa * 0x1p-24
    case 31: return mantissa == 0 ? sign * .infinity : .nan
    default: return sign * (1 + mantissa * 0x1p-10) * Float(sign: .plus, exponent: exponent - 15, significand: 1)
    }
  }
}

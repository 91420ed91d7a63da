import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

/// float32 to half and bfloat16 bits: round to nearest even, subnormals kept, overflow to infinity,
/// NaN to a quiet NaN.
public enum Narrowing: Int, Sendable, BitwiseCopyable {
  case half = 0
  case bfloat = 1

  /// output[i] = bits of input[i]. Allocates nothing.
  ///
  /// - Precondition: `output.count >= input.count`.
  public func apply(
    _ input: AlignedBuffer<Float>, into output: AlignedBuffer<UInt16>, engine: Engine
  ) {
    precondition(output.count >= input.count, "\(input.count) values into \(output.count)")
    guard case .simd(let set) = engine else {
      for index in 0..<input.count { output[index] = reference(input[index]) }
      return
    }
    let run =
      switch set {
      case .portable: unsafe SwiftletKernelsPortable.narrowFloats
      case .baseline: unsafe SwiftletKernels.narrowFloats
      case .avx2: unsafe SwiftletKernelsAVX2.narrowFloats
      case .avx512: unsafe SwiftletKernelsAVX512.narrowFloats
      }
    unsafe run(input.pointer, output.pointer, input.count, rawValue)
  }

  /// By the definition: the magnitude in units of the format's last place at its exponent, rounded
  /// half to even in float64, which holds every such quotient exactly.
  func reference(_ value: Float) -> UInt16 {
    let (mantissaBits, lowestExponent, limit) =
      self == .half ? (10, -14, 0x7c00) : (7, -126, 0x7f80)
    let sign: UInt16 = value.sign == .minus ? 0x8000 : 0
    if value.isNaN { return sign | UInt16(limit) | UInt16(1 << (mantissaBits - 1)) }
    if value.isInfinite { return sign | UInt16(limit) }
    if value == 0 { return sign }
    let exponent = max(Int(value.exponent), lowestExponent)
    let unit = Double(sign: .plus, exponent: exponent - mantissaBits, significand: 1)
    let units = Int((Double(value.magnitude) / unit).rounded(.toNearestOrEven))
    // A subnormal counts from 0; a normal's leading 1 is the exponent field's first step.
    let bits = units + (exponent - lowestExponent) << mantissaBits
    return sign | UInt16(min(bits, limit))
  }
}

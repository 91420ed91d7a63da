import SwiftletKernels
import SwiftletKernelsAVX2
import SwiftletKernelsAVX512
import SwiftletKernelsPortable

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Activation {
  /// output[i] = activation(input[i]); may run in place. Allocates nothing.
  ///
  /// - Precondition: `output.count >= input.count`.
  public func apply(
    _ input: AlignedBuffer<Float>, into output: AlignedBuffer<Float>, engine: Engine
  ) {
    precondition(output.count >= input.count, "\(input.count) values into \(output.count)")
    unsafe activate(input.pointer, output.pointer, input.count, self, engine)
  }
}

/// In place.
@unsafe func activateRow(
  _ row: UnsafeMutablePointer<Float>, count: Int, _ activation: Activation, _ engine: Engine
) {
  unsafe activate(row, row, count, activation, engine)
}

@unsafe private func activate(
  _ input: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ count: Int,
  _ activation: Activation, _ engine: Engine
) {
  guard case .simd(let set) = engine else {
    for index in 0..<count { unsafe output[index] = activateReference(input[index], activation) }
    return
  }
  let kind = activation.rawValue
  switch set {
  case .portable: unsafe SwiftletKernelsPortable.activate(input, output, count, kind)
  case .baseline: unsafe SwiftletKernels.activate(input, output, count, kind)
  case .avx2: unsafe SwiftletKernelsAVX2.activate(input, output, count, kind)
  case .avx512: unsafe SwiftletKernelsAVX512.activate(input, output, count, kind)
  }
}

/// The definitions, in float64, rounded once.
func activateReference(_ value: Float, _ activation: Activation) -> Float {
  let x = Double(value)
  switch activation {
  case .none: return value
  case .relu: return value > 0 || value.isNaN ? value : 0
  case .geluErf: return Float(x / 2 * (1 + erf(x / 2.0.squareRoot())))
  case .geluTanh:
    return Float(x / 2 * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x))))
  }
}

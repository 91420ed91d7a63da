#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The exponential that depth softmax and attention use.
public enum Exponential {
  /// e^x of every value: the C library's in the reference, within 2 units in the last place of it
  /// in the kernels. Allocates its result; for tests and tools.
  public static func values(of input: [Float], engine: Engine) -> [Float] {
    switch engine {
    case .reference: return input.map { expf($0) }
    case .simd(let set):
      return unsafe filled(input.count) { output in
        unsafe ProjectionKernels.exponentials(set, input, output, input.count)
      }
    }
  }
}

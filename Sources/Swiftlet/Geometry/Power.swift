#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// base^exponent in float64, by the C library.
func power(_ base: Double, _ exponent: Double) -> Double { pow(base, exponent) }

import CVectorShims

/// How many of `count` float32 values are NaN or infinite.
@inline(never)
public func countNotFinite(_ values: UnsafePointer<Float>, _ count: Int) -> Int {
  let limit = SIMD16<Float>(repeating: .greatestFiniteMagnitude)
  // Lanes of a comparison are 0 or -1: adding them up counts the finite values downwards.
  var finite = SIMD16<Int32>(repeating: 0)
  var index = 0
  while index &+ 16 <= count {
    finite = finite &+ swl_less_equal_f32x16(swl_abs_f32x16(swl_load_f32x16(values + index)), limit)
    index &+= 16
  }
  var lane = 0
  var total = index
  while lane < 16 {
    total &+= Int(finite[lane])
    lane &+= 1
  }
  while index < count {
    total &+= abs(values[index]) <= .greatestFiniteMagnitude ? 0 : 1
    index &+= 1
  }
  return total
}

/// How many of `count` half-precision bit patterns have every bit of `exponent` set: NaN or infinite.
/// `exponent` is 0x7c00 for IEEE half and 0x7f80 for bfloat16.
@inline(never)
public func countNotFiniteHalf(
  _ values: UnsafePointer<UInt16>, _ count: Int, _ exponent: UInt16
) -> Int {
  var total = 0
  var index = 0
  while index < count {
    total &+= values[index] & exponent == exponent ? 1 : 0
    index &+= 1
  }
  return total
}

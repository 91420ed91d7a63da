import CVectorShims

/// Widens `count` IEEE half values to float. Exact, subnormals included.
@inline(never)
public func widenHalf(
  _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<Float>, _ count: Int
) {
  let body = count & ~15
  var index = 0
  while index < body {
    swl_store_f32x16(destination + index, swl_load_half_f32x16(source + index))
    index &+= 16
  }
  while index < count {
    destination[index] = swl_f32_from_half_bits(source[index])
    index &+= 1
  }
}

/// Widens `count` bfloat16 values to float. Exact.
@inline(never)
public func widenBFloat(
  _ source: UnsafePointer<UInt16>, _ destination: UnsafeMutablePointer<Float>, _ count: Int
) {
  let body = count & ~15
  var index = 0
  while index < body {
    swl_store_f32x16(destination + index, swl_load_bfloat_f32x16(source + index))
    index &+= 16
  }
  while index < count {
    destination[index] = Float(bitPattern: UInt32(source[index]) << 16)
    index &+= 1
  }
}

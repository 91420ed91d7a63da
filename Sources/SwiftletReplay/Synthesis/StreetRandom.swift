/// Random numbers that depend on names, not on the order in which they are drawn: every building,
/// car and LiDAR return has its own generator made from the drive's seed and its own indices. That
/// is what makes the first frames of a long drive equal a short drive's.
struct StreetRandom {
  private var state: UInt64

  /// A generator for the thing that `names` identify.
  init(seed: UInt64, _ names: Int...) {
    var mixed = StreetRandom.mix(seed &+ 0x9e37_79b9_7f4a_7c15)
    for name in names {
      mixed = StreetRandom.mix(mixed ^ UInt64(bitPattern: Int64(name)) &* 0xd6e8_feb8_6659_fd93)
    }
    state = mixed
  }

  /// SplitMix64's finaliser: every output bit depends on every input bit.
  @inline(__always)
  static func mix(_ value: UInt64) -> UInt64 {
    var z = value &+ 0x9e37_79b9_7f4a_7c15
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    return StreetRandom.mix(state)
  }
  /// Uniform in 0..<1 with 24 bits.
  mutating func unit() -> Float { Float(next() >> 40) * 0x1p-24 }
  /// Uniform in `low`..<`high`.
  mutating func uniform(_ low: Float, _ high: Float) -> Float { low + (high - low) * unit() }
  /// True with this probability.
  mutating func chance(_ probability: Float) -> Bool { unit() < probability }
  /// One of `count` choices.
  mutating func choice(_ count: Int) -> Int { Int(next() % UInt64(count)) }
  /// A standard normal value: the sum of twelve uniforms less 6, bounded by ±6 and free of libm, so
  /// that drives are the same on every platform.
  mutating func normal() -> Float {
    var sum: Float = 0
    for _ in 0..<12 { sum += unit() }
    return sum - 6
  }
}

/// A cheap hash of integer cell coordinates in 0..<1, for textures.
@inline(__always)
func cellNoise(_ x: Int32, _ y: Int32, _ seed: UInt32) -> Float {
  var h = UInt32(bitPattern: x) &* 0x85eb_ca6b ^ UInt32(bitPattern: y) &* 0xc2b2_ae35 ^ seed
  h = (h ^ (h >> 15)) &* 0x2c1b_3c6d
  h = (h ^ (h >> 12)) &* 0x297a_2d39
  return Float((h ^ (h >> 15)) >> 8) * 0x1p-24
}

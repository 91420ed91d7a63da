import CVectorShims

/// Floats that one head's packed maps need: per level (height + 2) rows of width + 1 tokens and one
/// more, each of `padded` floats.
@inline(never)
public func deformablePackedCount(_ height: Int, _ width: Int, _ padded: Int) -> Int {
  ((height &+ 2) &* (width &+ 1) &+ 1) &* padded
}

/// One head of a value map [token][head][channel] to a map of its own with a border of zeros: level
/// by level [height + 2][width + 1][padded], token (y, x) at row y + 1, column x + 1. The column of
/// zeros in front of a row is also the one behind the row before, so that every tap of a sample
/// that touches its level may be read, and what lies outside adds nothing.
///
/// In the source a head's tokens are `tokenStride` floats apart, which puts them in a few sets of
/// the cache; here they are neighbours. `levels`: [level][first token, height, width, first packed
/// float]. Borders are never written: they stay as the caller made them (zero).
@inline(never)
public func packHead(
  _ values: UnsafePointer<Float>, _ tokenStride: Int, _ channels: Int, _ padded: Int,
  _ levels: UnsafePointer<Int32>, _ levelCount: Int, _ packed: UnsafeMutablePointer<Float>
) {
  var level = 0
  while level < levelCount {
    let entry = levels + 4 &* level
    let height = Int(entry[1])
    let width = Int(entry[2])
    var source = values + Int(entry[0]) &* tokenStride
    var row = 0
    while row < height {
      var target = packed + Int(entry[3]) + ((row &+ 1) &* (width &+ 1) &+ 1) &* padded
      var column = 0
      while column < width {
        copyChannels(source, channels, target)
        source += tokenStride
        target += padded
        column &+= 1
      }
      row &+= 1
    }
    level &+= 1
  }
}

/// Whole vectors, zeros behind the last channel.
@inline(__always)
func copyChannels(
  _ source: UnsafePointer<Float>, _ channels: Int, _ target: UnsafeMutablePointer<Float>
) {
  var channel = 0
  while channel < channels {
    let value = loadOr(source + channel, channels &- channel, SIMD16(repeating: 0))
    swl_store_f32x16(target + channel, value)
    channel &+= 16
  }
}

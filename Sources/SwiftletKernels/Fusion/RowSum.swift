import CVectorShims

/// Rows `rowLower ..< rowUpper`: output[row] = before[row] beside first[row] + second[row]; without
/// `before` the sum alone.
@inline(never)
public func sumRows(
  _ before: UnsafePointer<Float>?, _ first: UnsafePointer<Float>, _ second: UnsafePointer<Float>,
  _ rowLower: Int, _ rowUpper: Int, _ channels: Int, _ output: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var row = rowLower
  while row < rowUpper {
    let place = row &* channels
    var target = output + place
    if let before {
      target = target + place
      var channel = 0
      while channel < channels {
        let rest = channels &- channel
        storeSome(target + channel, loadOr(before + place + channel, rest, zero), rest)
        channel &+= 16
      }
      target = target + channels
    }
    var channel = 0
    while channel < channels {
      let rest = channels &- channel
      let sum = loadOr(first + place + channel, rest, zero) + loadOr(second + place + channel, rest, zero)
      storeSome(target + channel, sum, rest)
      channel &+= 16
    }
    row &+= 1
  }
}

/// Rows `rowLower ..< rowUpper`: with indices output[row] = source[indices[row] - 1], or `other` where
/// the index is 0; without them output[row] = source[row] + other.
@inline(never)
public func gatherRows(
  _ source: UnsafePointer<Float>, _ indices: UnsafePointer<Float>?,
  _ other: UnsafePointer<Float>, _ rowLower: Int, _ rowUpper: Int, _ channels: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var row = rowLower
  while row < rowUpper {
    let target = output + row &* channels
    var first = source + row &* channels
    var adds = true
    if let indices {
      let from = Int(indices[row])
      first = from > 0 ? source + (from &- 1) &* channels : other
      adds = false
    }
    var channel = 0
    while channel < channels {
      let rest = channels &- channel
      var value = loadOr(first + channel, rest, zero)
      if adds { value = value + loadOr(other + channel, rest, zero) }
      storeSome(target + channel, value, rest)
      channel &+= 16
    }
    row &+= 1
  }
}

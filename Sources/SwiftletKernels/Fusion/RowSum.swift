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

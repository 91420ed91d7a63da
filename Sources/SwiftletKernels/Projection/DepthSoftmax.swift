import CVectorShims

/// Softmax over `bins` logits of each pixel in `begin..<end`, planes `planeStride` apart (layout
/// [bin][pixel]). The maximum is subtracted first. `output` may be `logits`.
///
/// Sixteen pixels at a time: their column of bins stays in the first-level cache over the three
/// passes, and no horizontal reduction is needed.
@inline(never)
public func softmaxOverBins(
  _ logits: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ bins: Int,
  _ planeStride: Int, _ begin: Int, _ end: Int
) {
  var pixel = begin
  while pixel &+ 16 <= end {
    var highest = swl_load_f32x16(logits + pixel)
    var bin = 1
    while bin < bins {
      highest = swl_max_f32x16(swl_load_f32x16(logits + (bin &* planeStride &+ pixel)), highest)
      bin &+= 1
    }
    var sum = SIMD16<Float>(repeating: 0)
    bin = 0
    while bin < bins {
      let offset = bin &* planeStride &+ pixel
      let value = exponential(swl_load_f32x16(logits + offset) - highest)
      swl_store_f32x16(output + offset, value)
      sum = sum + value
      bin &+= 1
    }
    let scale = SIMD16<Float>(repeating: 1) / sum
    bin = 0
    while bin < bins {
      let offset = bin &* planeStride &+ pixel
      swl_store_f32x16(output + offset, swl_load_f32x16(output + offset) * scale)
      bin &+= 1
    }
    pixel &+= 16
  }
  if pixel < end { softmaxTail(logits, output, bins, planeStride, pixel, Int64(end &- pixel)) }
}

/// The same on the last, partial group of pixels.
@inline(__always)
private func softmaxTail(
  _ logits: UnsafePointer<Float>, _ output: UnsafeMutablePointer<Float>, _ bins: Int,
  _ planeStride: Int, _ pixel: Int, _ rest: Int64
) {
  var highest = swl_load_f32x16_partial(logits + pixel, rest)
  var bin = 1
  while bin < bins {
    let value = swl_load_f32x16_partial(logits + (bin &* planeStride &+ pixel), rest)
    highest = swl_max_f32x16(value, highest)
    bin &+= 1
  }
  var sum = SIMD16<Float>(repeating: 0)
  bin = 0
  while bin < bins {
    let offset = bin &* planeStride &+ pixel
    let value = exponential(swl_load_f32x16_partial(logits + offset, rest) - highest)
    swl_store_f32x16_partial(output + offset, value, rest)
    sum = sum + value
    bin &+= 1
  }
  let scale = SIMD16<Float>(repeating: 1) / sum
  bin = 0
  while bin < bins {
    let offset = bin &* planeStride &+ pixel
    let value = swl_load_f32x16_partial(output + offset, rest)
    swl_store_f32x16_partial(output + offset, value * scale, rest)
    bin &+= 1
  }
}

/// Channels-first planes to channels-last rows for pixels `begin..<end`:
/// `output[pixel * outputStride + channel] = planes[channel * planeStride + pixel]`.
@inline(never)
public func channelsLast(
  _ planes: UnsafePointer<Float>, _ planeStride: Int, _ channels: Int, _ begin: Int, _ end: Int,
  _ output: UnsafeMutablePointer<Float>, _ outputStride: Int
) {
  var pixel = begin
  while pixel < end {
    let pixels = end &- pixel < 16 ? end &- pixel : 16
    var channel = 0
    while pixels == 16 && channel &+ 16 <= channels {
      swl_transpose_f32_16x16(
        planes + (channel &* planeStride &+ pixel), Int64(planeStride),
        output + (pixel &* outputStride &+ channel), Int64(outputStride))
      channel &+= 16
    }
    while channel < channels {
      var lane = 0
      while lane < pixels {
        output[(pixel &+ lane) &* outputStride &+ channel] =
          planes[channel &* planeStride &+ pixel &+ lane]
        lane &+= 1
      }
      channel &+= 1
    }
    pixel &+= pixels
  }
}

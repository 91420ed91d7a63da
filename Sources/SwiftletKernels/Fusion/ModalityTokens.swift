import CVectorShims

// The steps of `fuseBlock` between its matrix products. Cell i of the block is cell cells[i] of the
// maps; bit m of masks[i] says that modality m is valid there. An invalid token is never read: it
// may hold anything, NaN included.

/// query[i] = mean of the valid tokens + query embedding.
@inline(never)
func meanTokens(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int,
  _ cells: UnsafePointer<Int32>, _ masks: UnsafePointer<Int32>, _ count: Int, _ channels: Int,
  _ padded: Int, _ embedding: UnsafePointer<Float>, _ query: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var i = 0
  while i < count {
    let offset = Int(cells[i]) &* channels
    let mask = Int(masks[i])
    let share = SIMD16<Float>(repeating: 1 / Float(mask.nonzeroBitCount))
    var channel = 0
    while channel < channels {
      var sum = zero
      var modality = 0
      while modality < modalities {
        if (mask &>> modality) & 1 != 0 {
          sum = sum + loadOr(features[modality]! + offset + channel, channels &- channel, zero)
        }
        modality &+= 1
      }
      let value = swl_fma_f32x16(sum, share, swl_load_f32x16(embedding + channel))
      swl_store_f32x16(query + i &* padded + channel, value)
      channel &+= 16
    }
    i &+= 1
  }
}

/// logits[m][i][h] = folded[i][h] · (token m + its embedding); -∞ for invalid modalities.
@inline(never)
func tokenLogits(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int,
  _ cells: UnsafePointer<Int32>, _ masks: UnsafePointer<Int32>, _ count: Int, _ channels: Int,
  _ padded: Int, _ lanes: Int, _ embedding: UnsafePointer<Float>, _ folded: UnsafePointer<Float>,
  _ logits: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < count {
    let offset = Int(cells[i]) &* channels
    let mask = Int(masks[i])
    var modality = 0
    while modality < modalities {
      let target = logits + (modality &* fusionBlockCells &+ i) &* lanes
      let isValid = (mask &>> modality) & 1 != 0
      var head = 0
      while head < lanes {
        if isValid {
          fourDots(
            features[modality]! + offset, embedding + modality &* padded,
            folded + (i &* lanes &+ head) &* padded, padded, channels, target + head)
        } else {
          target[head] = -.infinity
          target[head &+ 1] = -.infinity
          target[head &+ 2] = -.infinity
          target[head &+ 3] = -.infinity
        }
        head &+= 4
      }
      modality &+= 1
    }
    i &+= 1
  }
}

/// Dot products of one token with four heads' folded queries. Four accumulators hide the latency.
@inline(__always)
func fourDots(
  _ token: UnsafePointer<Float>, _ embedding: UnsafePointer<Float>,
  _ folded: UnsafePointer<Float>, _ padded: Int, _ channels: Int,
  _ output: UnsafeMutablePointer<Float>
) {
  let zero = SIMD16<Float>(repeating: 0)
  var s0 = zero
  var s1 = zero
  var s2 = zero
  var s3 = zero
  let f1 = folded + padded
  let f2 = f1 + padded
  let f3 = f2 + padded
  var channel = 0
  while channel < channels {
    let key =
      loadOr(token + channel, channels &- channel, zero) + swl_load_f32x16(embedding + channel)
    s0 = swl_fma_f32x16(key, swl_load_f32x16(folded + channel), s0)
    s1 = swl_fma_f32x16(key, swl_load_f32x16(f1 + channel), s1)
    s2 = swl_fma_f32x16(key, swl_load_f32x16(f2 + channel), s2)
    s3 = swl_fma_f32x16(key, swl_load_f32x16(f3 + channel), s3)
    channel &+= 16
  }
  swl_sum4_f32x16(s0, s1, s2, s3, output)
}

/// In place, for all cells and heads of the block in lanes: logits become e^(logit - largest), and
/// their sums go to `sums`. The division is left for after the value projection.
@inline(never)
func softmaxOverModalities(
  _ logits: UnsafeMutablePointer<Float>, _ modalities: Int, _ lanes: Int,
  _ sums: UnsafeMutablePointer<Float>
) {
  let stride = fusionBlockCells &* lanes
  var index = 0
  while index < stride {
    var largest = swl_load_f32x16(logits + index)
    var modality = 1
    while modality < modalities {
      largest = swl_max_f32x16(largest, swl_load_f32x16(logits + modality &* stride + index))
      modality &+= 1
    }
    var sum = SIMD16<Float>(repeating: 0)
    modality = 0
    while modality < modalities {
      let place = logits + modality &* stride + index
      let value = exponential(swl_load_f32x16(place) - largest)
      swl_store_f32x16(place, value)
      sum = sum + value
      modality &+= 1
    }
    swl_store_f32x16(sums + index, sum)
    index &+= 16
  }
}

/// mixed[i][h] = Σ over valid m of e[m][i][h] · token m, in ascending m.
///
/// Four heads at a time, so that a token is loaded once for all of them; heads beyond the last have
/// room in `mixed` (`lanes` is a multiple of four) and are never read.
@inline(never)
func mixTokens(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int,
  _ cells: UnsafePointer<Int32>, _ masks: UnsafePointer<Int32>, _ count: Int, _ channels: Int,
  _ padded: Int, _ lanes: Int, _ exponentials: UnsafePointer<Float>,
  _ mixed: UnsafeMutablePointer<Float>
) {
  let stride = fusionBlockCells &* lanes
  var i = 0
  while i < count {
    let offset = Int(cells[i]) &* channels
    let mask = Int(masks[i])
    var head = 0
    while head < lanes {
      let shares = exponentials + i &* lanes + head
      var target = mixed + (i &* lanes &+ head) &* padded
      var channel = 0
      while channel < channels {
        mixFour(
          features, modalities, mask, offset &+ channel, channels &- channel, shares, stride,
          target, padded)
        target += 16
        channel &+= 16
      }
      head &+= 4
    }
    i &+= 1
  }
}

/// Sixteen channels of four heads' mixtures.
@inline(__always)
func mixFour(
  _ features: UnsafePointer<UnsafePointer<Float>?>, _ modalities: Int, _ mask: Int, _ offset: Int,
  _ rest: Int, _ shares: UnsafePointer<Float>, _ stride: Int,
  _ target: UnsafeMutablePointer<Float>, _ padded: Int
) {
  let zero = SIMD16<Float>(repeating: 0)
  var s0 = zero
  var s1 = zero
  var s2 = zero
  var s3 = zero
  var modality = 0
  while modality < modalities {
    if (mask &>> modality) & 1 != 0 {
      let token = loadOr(features[modality]! + offset, rest, zero)
      let share = shares + modality &* stride
      s0 = swl_fma_f32x16(SIMD16(repeating: share[0]), token, s0)
      s1 = swl_fma_f32x16(SIMD16(repeating: share[1]), token, s1)
      s2 = swl_fma_f32x16(SIMD16(repeating: share[2]), token, s2)
      s3 = swl_fma_f32x16(SIMD16(repeating: share[3]), token, s3)
    }
    modality &+= 1
  }
  swl_store_f32x16(target, s0)
  swl_store_f32x16(target + padded, s1)
  swl_store_f32x16(target + 2 &* padded, s2)
  swl_store_f32x16(target + 3 &* padded, s3)
}

/// value[i][h] = value[i][h] / sums[i][h] + bias[h].
@inline(never)
func normalizeValues(
  _ value: UnsafeMutablePointer<Float>, _ count: Int, _ heads: Int, _ headPadded: Int,
  _ sums: UnsafePointer<Float>, _ lanes: Int, _ bias: UnsafePointer<Float>
) {
  var i = 0
  while i < count {
    var head = 0
    while head < heads {
      let sum = SIMD16<Float>(repeating: sums[i &* lanes &+ head])
      var column = 0
      while column < headPadded {
        let place = value + (i &* heads &+ head) &* headPadded + column
        let b = swl_load_f32x16(bias + head &* headPadded + column)
        swl_store_f32x16(place, swl_load_f32x16(place) / sum + b)
        column &+= 16
      }
      head &+= 1
    }
    i &+= 1
  }
}

/// Rows of the block to their cells.
@inline(never)
func scatterRows(
  _ rows: UnsafePointer<Float>, _ stride: Int, _ cells: UnsafePointer<Int32>, _ count: Int,
  _ channels: Int, _ output: UnsafeMutablePointer<Float>
) {
  var i = 0
  while i < count {
    let target = output + Int(cells[i]) &* channels
    var channel = 0
    while channel < channels {
      storeSome(target + channel, swl_load_f32x16(rows + i &* stride + channel), channels &- channel)
      channel &+= 16
    }
    i &+= 1
  }
}

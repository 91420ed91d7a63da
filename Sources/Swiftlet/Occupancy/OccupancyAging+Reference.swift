extension OccupancyGrid {
  private func steps(_ then: Int, _ now: Int, _ rate: Int64) -> Int {
    min(127, max(0, (now * Int(rate)) >> 16 - (then * Int(rate)) >> 16))
  }

  /// One column tick by tick, voxel by voxel: decay, then promotion where it is due.
  func decayReference(_ column: Int, _ aging: OccupancyAging) {
    let last = Int(aging.ticks[column])
    aging.ticks[column] = aging.now
    let lines = column * configuration.wordCount..<(column + 1) * configuration.wordCount
    let holds = lines.contains { known[$0] | aging.dynamic[$0] | aging.candidate[$0] != 0 }
    guard last < Int(aging.now), holds else { return }
    for then in last..<Int(aging.now) {
      decayReference(column, aging, then)
      guard (then + 1) % Int(aging.rates[3]) == 0 else { continue }
      for line in lines {
        aging.dynamic[line] &= known[line] & ~aging.candidate[line]
        aging.candidate[line] = aging.dynamic[line]
      }
    }
  }

  /// From one tick to the next.
  private func decayReference(_ column: Int, _ aging: OccupancyAging, _ then: Int) {
    let fall = steps(then, then + 1, aging.rates[0])
    let rise = steps(then, then + 1, aging.rates[1])
    let fade = steps(then, then + 1, aging.rates[2])
    guard fall + rise + fade > 0 else { return }
    let threshold = Int(byteModel.threshold)
    for word in 0..<configuration.wordCount {
      let line = column * configuration.wordCount + word
      for bit in 0..<64 {
        let value = Int(lines[line * 64 + bit])
        if value == -128 { continue }
        var next = -128
        if value >= threshold {
          let lowered = value - (aging.dynamic[line] >> UInt64(bit) & 1 == 1 ? fade : fall)
          if lowered >= threshold { next = lowered }
        } else if value + rise < threshold {
          next = value + rise
        }
        lines[line * 64 + bit] = Int8(next)
      }
    }
    rebuildPlanes(column: column)
  }

  func ageReference(_ aging: OccupancyAging) {
    let words = configuration.wordCount
    for y in 0..<configuration.cellCountY {
      for x in 0..<configuration.cellCountX {
        let evidence = (y * configuration.cellCountX + x) * words
        let line = lineIndex(x: x, y: y)
        let isTouched = (0..<words).contains { windowHits[evidence + $0] | freeBits(evidence + $0) != 0 }
        guard isTouched else { continue }
        decayReference(line / words, aging)
        for word in 0..<words {
          for bit in 0..<64 where heightMasks[word] >> UInt64(bit) & 1 == 1 {
            markReference(evidence + word, line + word, bit, aging)
          }
          aging.candidate[line + word] &= aging.dynamic[line + word]
          aging.moving[evidence + word] = 0
        }
      }
    }
  }

  private func freeBits(_ at: Int) -> UInt64 {
    (0..<freeParts).reduce(0) { $0 | windowFree[at + $1 * freeStride] }
  }

  private func markReference(_ at: Int, _ line: Int, _ bit: Int, _ aging: OccupancyAging) {
    let one = UInt64(1) << UInt64(bit)
    let isHit = windowHits[at] & one != 0
    let isMiss = freeBits(at) & one != 0 && !isHit
    // A line without evidence of its own keeps its marks.
    let mask = heightMasks[at % configuration.wordCount]
    guard (windowHits[at] | freeBits(at)) & mask != 0 else { return }
    let value = lines[line * 64 + bit]
    let isKnown = value != -128
    let isOccupied = isKnown && value >= byteModel.threshold
    let moves = isKnown && aging.dynamic[line] & one != 0
    let isLongFree = isKnown && value <= aging.levels[2]
    let isLongOccupied = isKnown && value >= aging.levels[3] && !moves
    let wasSolid = isKnown && aging.solid[line] & one != 0 || isLongOccupied
    let hasLeft = isMiss && moves && isOccupied
    let isThere = isHit && (moves || isLongFree || aging.moving[at] & one != 0)
    let isBelow = max(-128, Int(value) + Int(byteModel.miss)) < Int(byteModel.threshold)
    let turns = isMiss && isOccupied && (isBelow || hasLeft)
    if hasLeft { lines[line * 64 + bit] = min(value, byteModel.threshold - 1) }
    if isThere { lines[line * 64 + bit] = aging.levels[4] }
    let wasVanished = isKnown && aging.vanished[line] & one != 0
    set(aging.vanished, line, one, (wasVanished || turns && wasSolid) && !isHit)
    set(aging.solid, line, one, wasSolid && !turns)
    set(aging.dynamic, line, one, moves && !isMiss || isThere)
  }

  private func set(_ plane: AlignedBuffer<UInt64>, _ line: Int, _ one: UInt64, _ value: Bool) {
    plane[line] = value ? plane[line] | one : plane[line] & ~one
  }
}

extension OccupancyGrid {
  /// The definition of carving by fans, one voxel run at a time: what `traceRays`, `sortBeams`,
  /// `holdBackBeams`, `mergeFans` and `carveFans` compute together.
  func collectByFansReference(
    count: Int, origin: SIMD3<Float>, carver: FanCarver, _ limit: CarvingLimit
  ) -> ScanSummary {
    carver.place(world: origin, range: rangeMeters, window: window, configuration: configuration)
    var rays: [(bin: Int, beam: Int32)] = []
    let summary = forEachRayReference(count: count, origin: origin) { _, ray, last in
      if ray.isHit { mark(last, windowHits) }
      if let beam = carver.beam(ray.end - origin) { rays.append(beam) }
    }
    let isCast = VoxelKey(origin, inverseVoxelSize: 1 / configuration.voxelSizeMeters) != nil
    var levels = [carver.heldBack(carver.fans(rays))]
    for _ in 1..<carver.levelCount {
      let finer = levels[levels.count - 1]
      levels.append(
        stride(from: 0, to: finer.count, by: 2).map { zip(finer[$0], finer[$0 + 1]).map(max) })
    }
    carver.pairs.zero()
    for fans in levels where fans.count == FanCarver.countedFans {
      for fan in stride(from: 0, to: fans.count, by: 2) {
        for (a, b) in zip(fans[fan], fans[fan + 1]) {
          carver.pairs[0] += a > 0 && b > 0 ? 1 : 0
          carver.pairs[1] += a > 0 || b > 0 ? 1 : 0
        }
      }
    }
    carver.chooseSpacing()
    carvedBatches = limit.forEachBatch { batch, batchCount in
      for (level, fans) in levels.enumerated() {
        let isDealt = FanCarver.isDealt(fans.count, batchCount: batchCount)
        for fan in fans.indices where isCast && (isDealt ? fan % batchCount : 0) == batch {
          let row = carver.rows(ofLevel: level).lowerBound + fan
          for beam in fans[fan] where beam > 0 { carve(beam, row: row, carver) }
        }
      }
    }
    return summary
  }

  /// Clears the columns that one beam of a fan crosses between the fan's begin and end.
  private func carve(_ beam: Int32, row: Int, _ carver: FanCarver) {
    let line = (0..<7).map { carver.lines[carver.firstLine + 8 * row + $0] }
    let origin = SIMD3(carver.origin[0], carver.origin[1], carver.origin[2])
    let range = Float(beam >> 16) * (1 / carver.setup[8])
    let rise = Float(beam & 0xffff) * (1 / 32767.5) - 1
    let slope = rise / max(1 - abs(rise), 1 / 1024)
    var x = Int((origin.x + line[0] * line[4]).rounded(.down))
    var y = Int((origin.y + line[1] * line[4]).rounded(.down))
    var enter = line[4]
    while enter < line[5], enter < range {
      let exitX = (Float(line[0] > 0 ? x + 1 : x) - origin.x) * line[2]
      let exitY = (Float(line[1] > 0 ? y + 1 : y) - origin.y) * line[3]
      let leave = min(exitX, exitY)
      let isInside =
        x >= 0 && x < configuration.cellCountX && y >= 0 && y < configuration.cellCountY
      if isInside && leave - enter >= line[6] {
        for word in 0..<configuration.wordCount {
          let height = origin.z - Float(64 * word)
          let a = Int((slope * enter + height).rounded(.down))
          let b = Int((slope * min(leave, range) + height).rounded(.down))
          for z in max(0, min(a, b))..<max(0, min(64, max(a, b) + 1), min(a, b))
          where 64 * word + z < configuration.cellCountZ {
            windowFree[(y * configuration.cellCountX + x) * configuration.wordCount + word] |=
              1 << UInt64(z)
          }
        }
      }
      if exitX < exitY { x += line[0] > 0 ? 1 : -1 } else { y += line[1] > 0 ? 1 : -1 }
      enter = leave
    }
  }
}

extension FanCarver {
  /// The direction bin and the beam of a ray from the sensor to `away`; nil where it clears nothing.
  func beam(_ away: SIMD3<Float>) -> (bin: Int, beam: Int32)? {
    let run = (away.x * away.x + away.y * away.y).squareRoot()
    let range = (run * setup[3] - setup[7]) * setup[8]
    guard range >= 1 else { return nil }
    let rise = away.z / (abs(away.z) + run)
    let elevation = Int32((rise + 1) * 32767.5)
    let quotient = away.y / (abs(away.x) + abs(away.y))
    let angle = away.x < 0 ? 2 - quotient : quotient
    let bin = min(Int((angle + 1) * setup[9]), binCount - 1)
    return (bin, Int32(min(range, 32767)) << 16 | elevation)
  }

  /// [bin][slot], the longest beam of each elevation, 0 where there is none.
  func fans(_ rays: [(bin: Int, beam: Int32)]) -> [[Int32]] {
    let elevations = rays.map { Int($0.beam & 0xffff) }
    spreadSlots(lowest: elevations.min() ?? 65535, highest: elevations.max() ?? 0)
    var fans = [[Int32]](
      repeating: Array(repeating: 0, count: Self.slotCount), count: binCount)
    for ray in rays {
      let place = max((Float(ray.beam & 0xffff) - origin[4]) * origin[5], 0)
      let slot = min(max(Int(place), 1), Self.slotCount - 2)
      fans[ray.bin][slot] = max(fans[ray.bin][slot], ray.beam)
    }
    return fans
  }

  /// Beams as far as their neighbours let them come to the surface they end on.
  func heldBack(_ fans: [[Int32]]) -> [[Int32]] {
    guard settings.holdBack != nil else { return fans }
    return fans.indices.map { fan in
      let filled = filled(fans, fan)
      return fans[fan].indices.map { slot in
        let beam = fans[fan][slot]
        guard range(beam) > 0 else { return beam }
        var cut = holdBack[5]
        for side in [-1, 1] {
          cut = max(cut, verticalCut(filled, slot, side))
          cut = max(cut, besideCut(fans, fan, slot, side))
        }
        let held = max(range(beam) - cut, 0) * holdBack[1]
        return Int32(held) << 16 | beam & 0xffff
      }
    }
  }

  private func range(_ beam: Int32) -> Float { Float(beam >> 16) * holdBack[0] }
  private func slope(_ beam: Int32) -> Float {
    let rise = Float(beam & 0xffff) * (1 / 32767.5) - 1
    return rise / max(1 - abs(rise), 1 / 1024)
  }

  private func height(_ beam: Int32) -> Float { slope(beam) * range(beam) + holdBack[8] }

  /// A fan, with beams of the nearest two on either side where it has none.
  private func filled(_ fans: [[Int32]], _ fan: Int) -> [Int32] {
    fans[fan].indices.map { slot in
      [0, 1, -1, 2, -2].lazy.map { fans[(fan + $0 + fans.count) % fans.count][slot] }
        .first { self.range($0) > 0 } ?? 0
    }
  }

  private func verticalCut(_ fan: [Int32], _ slot: Int, _ side: Int) -> Float {
    let beam = fan[slot]
    let places = (1...8).map { slot + side * $0 }
    let nearest = places.filter { fan.indices.contains($0) && range(fan[$0]) > 0 }.prefix(2)
    var cut: Float = 0
    for near in nearest.map({ fan[$0] }) {
      let gap = abs(slope(near) - slope(beam)) * range(near)
      let lead = range(beam) - range(near)
      if lead > 0, lead <= gap * holdBack[3] {
        let rise = abs(height(beam) - height(near))
        cut = max(
          cut,
          rise <= lead * holdBack[7]
            ? cutAlong(near, beam, upright: side < 0 ? 1 : -1)
            : lead * min(1, holdBack[2] / gap))
      }
      guard gap < holdBack[2] else { break }
    }
    return cut
  }

  private func besideCut(_ fans: [[Int32]], _ fan: Int, _ slot: Int, _ side: Int) -> Float {
    let range = range(fans[fan][slot])
    let turn = holdBack[4] / lines[8 * fan + 4]
    var cut: Float = 0
    for away in [1, 2, 4, 8] {
      let beside = fans[(fan + side * away + fans.count) % fans.count]
      let place = [slot, slot + 1, slot - 1].first { self.range(beside[$0]) > 0 }
      guard let place else { continue }
      let near = self.range(beside[place])
      let turns = turn * Float(away)
      let share = holdBack[2] / turns
      guard away <= 2 || near < 2 * share else { continue }
      if range <= near * (1 + turns * holdBack[9]) {
        cut = max(cut, (range - near) * min(1, 1 / near * share))
      }
    }
    return cut
  }

  /// The part of `beam` behind where it enters the layer of the level surface that ends `near` too.
  private func cutAlong(_ near: Int32, _ beam: Int32, upright: Float) -> Float {
    guard slope(beam) * upright < 0 else { return 0 }
    let margin = abs(slope(beam)) * holdBack[10] + holdBack[6]
    let from = height(near) * upright + margin
    let to = height(beam) * upright + margin
    let (fromLayer, toLayer) = (from.rounded(.down), to.rounded(.down))
    let upper = max(fromLayer, toLayer)
    func enters(_ layer: Float) -> Float {
      ((layer + 1) - holdBack[8] * upright) * (1 / (slope(beam) * upright))
    }
    var end = enters(upper)
    if fromLayer != toLayer {
      let crosses = range(near) + (upper - from) / (to - from) * (range(beam) - range(near))
      if fromLayer < toLayer {
        end = max(end, crosses)
      } else if !(end < crosses) {
        end = enters(toLayer)
      }
    }
    return range(beam) - max(min(end, range(beam)), 0)
  }
}

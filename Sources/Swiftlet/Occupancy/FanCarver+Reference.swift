extension OccupancyGrid {
  /// The definition of carving by fans, one voxel run at a time: what `traceRays`, `sortBeams`,
  /// `mergeFans`, `listBeams` and `carveFans` compute together.
  func collectByFansReference(
    count: Int, origin: SIMD3<Float>, carver: FanCarver
  ) -> ScanSummary {
    carver.place(world: origin, window: window, configuration: configuration)
    var rays: [(bin: Int, beam: Int32)] = []
    let summary = forEachRayReference(count: count, origin: origin) { ray, last in
      if ray.isHit { mark(last, windowHits) }
      if let beam = carver.beam(ray.end - origin) { rays.append(beam) }
    }
    guard VoxelKey(origin, inverseVoxelSize: 1 / configuration.voxelSizeMeters) != nil else {
      return summary
    }
    var fans = carver.fans(rays)
    for level in 0..<carver.levelCount {
      let first = carver.rows(ofLevel: level).lowerBound
      for fan in fans.indices {
        for beam in fans[fan] where beam > 0 { carve(beam, row: first + fan, carver) }
      }
      fans = stride(from: 0, to: fans.count, by: 2).map { zip(fans[$0], fans[$0 + 1]).map(max) }
    }
    return summary
  }

  /// Clears the columns that one beam of a fan crosses between the fan's begin and end.
  private func carve(_ beam: Int32, row: Int, _ carver: FanCarver) {
    let line = (0..<6).map { carver.lines[8 * row + $0] }
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
      if x >= 0, x < configuration.cellCountX, y >= 0, y < configuration.cellCountY {
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
      let slot = min(Int(place), Self.slotCount - 1)
      fans[ray.bin][slot] = max(fans[ray.bin][slot], ray.beam)
    }
    return fans
  }
}

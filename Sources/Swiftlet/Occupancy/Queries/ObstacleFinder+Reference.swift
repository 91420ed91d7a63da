extension ObstacleFinder {
  /// Flood fill from voxel to voxel, groups in order of their first column.
  func findReference(_ layer: ObstacleLayer) -> Int {
    func isSet(_ v: SIMD3<Int>) -> Bool {
      guard (0..<3).allSatisfy({ v[$0] >= 0 && v[$0] < cells[$0] }) else { return false }
      return layer.bits[(v.y * cells.x + v.x) * words + v.z / 64] >> UInt64(v.z % 64) & 1 == 1
    }
    isTruncated = runCount(layer) > runCapacity
    if isTruncated { return 0 }
    var seen = Set<SIMD3<Int>>()
    var groups = 0
    for y in 0..<cells.y {
      for x in 0..<cells.x {
        for z in 0..<cells.z where isSet(SIMD3(x, y, z)) && !seen.contains(SIMD3(x, y, z)) {
          var members = [SIMD3(x, y, z)]
          seen.insert(members[0])
          var next = 0
          while next < members.count {
            let here = members[next]
            next += 1
            for offset in 0..<27 {
              let near = here &+ SIMD3(offset % 3 - 1, offset / 3 % 3 - 1, offset / 9 - 1)
              if isSet(near), seen.insert(near).inserted { members.append(near) }
            }
          }
          groups += 1
          guard groups <= capacity else {
            isTruncated = true
            continue
          }
          measure(members, group: groups - 1)
          guard members.count >= minimumVoxelCount else { continue }
          obstacles[count] = obstacle(groups - 1, layer)
          count += 1
        }
      }
    }
    return count
  }

  /// Runs begin where a bit is set and the one below is not.
  private func runCount(_ layer: ObstacleLayer) -> Int {
    var count = 0
    for column in 0..<cells.x * cells.y {
      var below: UInt64 = 0
      for word in 0..<words {
        let bits = layer.bits[column * words + word]
        count += (bits & ~(bits << 1 | below)).nonzeroBitCount
        below = bits >> 63
      }
    }
    return count
  }

  /// The same sums as the kernel's; integers, so their order does not matter.
  private func measure(_ members: [SIMD3<Int>], group: Int) {
    let base = 16 * group
    for index in 0..<16 { sums[base + index] = 0 }
    for axis in 0..<3 {
      sums[base + 7 + axis] = Double(members.map { $0[axis] }.min() ?? 0)
      sums[base + 10 + axis] = Double(members.map { $0[axis] }.max() ?? 0)
    }
    for voxel in members {
      let p = SIMD3<Double>(voxel)
      sums[base] += 1
      for axis in 0..<3 { sums[base + 1 + axis] += p[axis] }
      sums[base + 4] += p.x * p.x
      sums[base + 5] += p.y * p.y
      sums[base + 6] += p.x * p.y
    }
    findAxis(group)
    let (c, s) = (axes[2 * group], axes[2 * group + 1])
    for voxel in members {
      let along = c * Double(voxel.x) + s * Double(voxel.y)
      let across = c * Double(voxel.y) - s * Double(voxel.x)
      extents[4 * group] = min(extents[4 * group], along)
      extents[4 * group + 1] = max(extents[4 * group + 1], along)
      extents[4 * group + 2] = min(extents[4 * group + 2], across)
      extents[4 * group + 3] = max(extents[4 * group + 3], across)
    }
  }
}

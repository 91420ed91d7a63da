import Swiftlet

/// A dense voxel window being filled with what noise-free rays see and what geometry there is.
struct GroundTruthGrid {
  static let passed: UInt8 = 1
  static let hit: UInt8 = 2
  static let geometry: UInt8 = 4
  static let seenByCamera: UInt8 = 8

  let voxelSize: Float
  let counts: SIMD3<Int32>
  /// Window coordinates (origin at the window's lower corner, axes of the grid) from the snapshot's.
  let windowFromSnapshot: RigidTransform
  /// Flags, [x][y][z].
  private(set) var flags: [UInt8]

  init(voxelSize: Float, counts: SIMD3<Int32>, windowFromSnapshot: RigidTransform) {
    self.voxelSize = voxelSize
    self.counts = counts
    self.windowFromSnapshot = windowFromSnapshot
    flags = [UInt8](
      repeating: 0, count: Int(counts.x) * Int(counts.y) * Int(counts.z))
  }

  func place(_ cell: SIMD3<Int32>) -> Int {
    (Int(cell.x) * Int(counts.y) + Int(cell.y)) * Int(counts.z) + Int(cell.z)
  }
  func contains(_ cell: SIMD3<Int32>) -> Bool {
    cell.x >= 0 && cell.y >= 0 && cell.z >= 0 && cell.x < counts.x && cell.y < counts.y
      && cell.z < counts.z
  }
  private func window(_ point: SIMD3<Float>) -> SIMD3<Float> {
    SIMD3<Float>(windowFromSnapshot * SIMD3<Double>(point))
  }

  /// Marks what a beam passes and, where it ends on a surface, the voxel a millimetre inside it.
  mutating func cast(_ beam: LidarSweep.Beam, isCamera: Bool) {
    let start = window(beam.origin) / voxelSize
    let surface = window(beam.end) / voxelSize
    let length = ((surface - start) * (surface - start)).sum().squareRoot()
    guard length > 1e-4 else { return }
    let direction = (surface - start) / length
    let inside = surface + direction * (0.001 / voxelSize)
    let endCell = SIMD3<Int32>(inside.rounded(.down))
    let endsHere = beam.hits && contains(endCell)
    walk(from: start, direction: direction, length: length, stopAt: endCell, isCamera: isCamera)
    guard endsHere else { return }
    flags[place(endCell)] |= isCamera ? Self.seenByCamera : Self.hit
  }

  /// Amanatides and Woo's traversal of the part of the ray inside the window.
  private mutating func walk(
    from start: SIMD3<Float>, direction: SIMD3<Float>, length: Float, stopAt end: SIMD3<Int32>,
    isCamera: Bool
  ) {
    let inverse = safeInverse(direction)
    let toLow = -start * inverse
    let toHigh = (SIMD3<Float>(counts) - start) * inverse
    let t = max(0, laneMin(toLow, toHigh).max())
    let leave = min(length, laneMax(toLow, toHigh).min())
    guard t < leave else { return }
    let entry = start + direction * (t + 1e-5)
    let cell = SIMD3<Int32>(entry.rounded(.down)).clamped(
      lowerBound: .zero, upperBound: counts &- 1)
    var x = Walker(0, start, direction, inverse, cell, counts)
    var y = Walker(1, start, direction, inverse, cell, counts)
    var z = Walker(2, start, direction, inverse, cell, counts)
    let strideX = Int(counts.y) * Int(counts.z)
    let strideY = Int(counts.z)
    var here = place(cell)
    let target = contains(end) ? place(end) : -1
    let mark = isCamera ? Self.seenByCamera : Self.passed
    unsafe flags.withUnsafeMutableBufferPointer { flags in
      var t = t
      while t < leave && here != target {
        unsafe flags[here] |= mark
        if x.next <= y.next && x.next <= z.next {
          t = x.next
          guard x.advance() else { return }
          here &+= x.step &* strideX
        } else if y.next <= z.next {
          t = y.next
          guard y.advance() else { return }
          here &+= y.step &* strideY
        } else {
          t = z.next
          guard z.advance() else { return }
          here &+= z.step
        }
      }
    }
  }

  /// One axis of the traversal.
  private struct Walker {
    var next: Float
    let delta: Float
    let step: Int
    /// Steps left inside the window.
    private var remaining: Int32

    init(
      _ axis: Int, _ start: SIMD3<Float>, _ direction: SIMD3<Float>, _ inverse: SIMD3<Float>,
      _ cell: SIMD3<Int32>, _ counts: SIMD3<Int32>
    ) {
      let isForward = direction[axis] >= 0
      step = isForward ? 1 : -1
      delta = abs(inverse[axis])
      next = (Float(cell[axis] + (isForward ? 1 : 0)) - start[axis]) * inverse[axis]
      remaining = isForward ? counts[axis] - 1 - cell[axis] : cell[axis]
    }
    /// False where the step leaves the window.
    @inline(__always)
    mutating func advance() -> Bool {
      next += delta
      remaining &-= 1
      return remaining >= 0
    }
  }

  /// Marks every voxel that may touch the ground or a primitive's box. Conservative (separating
  /// axes of faces only, round shapes by their boxes): what is left unmarked is surely empty.
  mutating func markGeometry(_ primitives: [ScenePrimitive], times: [Float]) {
    markGround()
    for primitive in primitives {
      for time in primitive.velocity == .zero ? [0] : times {
        mark(primitive, time: time)
      }
    }
  }

  private mutating func markGround() {
    let snapshotFromWindow = windowFromSnapshot.inverse
    let up = SIMD3<Float>(snapshotFromWindow.rotation.row2)
    let base = Float(snapshotFromWindow.translation.z)
    let reach = voxelSize / 2 * (abs(up.x) + abs(up.y) + abs(up.z)) + 1e-4
    for x in 0..<counts.x {
      for y in 0..<counts.y {
        for z in 0..<counts.z {
          let center = (SIMD3<Float>(SIMD3(x, y, z)) + 0.5) * voxelSize
          if abs((up * center).sum() + base) <= reach {
            flags[place(SIMD3(x, y, z))] |= Self.geometry
          }
        }
      }
    }
  }

  private mutating func mark(_ primitive: ScenePrimitive, time: Float) {
    let rotation = windowFromSnapshot.rotation
    func axis(_ local: SIMD3<Float>) -> SIMD3<Float> {
      SIMD3<Float>(rotation * SIMD3<Double>(primitive.rotatedOut(local)))
    }
    let axes = [axis(SIMD3(1, 0, 0)), axis(SIMD3(0, 1, 0)), axis(SIMD3(0, 0, 1))]
    var half = primitive.half
    if primitive.shape == .cylinder { half.y = half.x }
    if primitive.shape == .taperedBox {
      half.x = max(half.x, abs(primitive.topShift) + half.x * primitive.taper.x)
    }
    let center = window(primitive.center + primitive.velocity * time)
    var reach = SIMD3<Float>(repeating: 1e-3)
    for i in 0..<3 {
      reach += SIMD3(abs(axes[i].x), abs(axes[i].y), abs(axes[i].z)) * half[i]
    }
    let low = SIMD3<Int32>(
      (((center - reach) / voxelSize).rounded(.down)).clamped(
        lowerBound: SIMD3(repeating: -1), upperBound: SIMD3<Float>(counts)))
    let high = SIMD3<Int32>(
      (((center + reach) / voxelSize).rounded(.down)).clamped(
        lowerBound: SIMD3(repeating: -1), upperBound: SIMD3<Float>(counts)))
    let first = low.clamped(lowerBound: .zero, upperBound: counts)
    let last = high.clamped(lowerBound: SIMD3(repeating: -1), upperBound: counts &- 1)
    guard first.x <= last.x, first.y <= last.y, first.z <= last.z else { return }
    let (a, b, c) = (axes[0], axes[1], axes[2])
    let edge = voxelSize / 2
    let limitA = half.x + edge * (abs(a.x) + abs(a.y) + abs(a.z)) + 1e-3
    let limitB = half.y + edge * (abs(b.x) + abs(b.y) + abs(b.z)) + 1e-3
    let limitC = half.z + edge * (abs(c.x) + abs(c.y) + abs(c.z)) + 1e-3
    for x in first.x...last.x {
      for y in first.y...last.y {
        for z in first.z...last.z {
          let d = (SIMD3<Float>(SIMD3(x, y, z)) + 0.5) * voxelSize - center
          if abs((d * a).sum()) <= limitA && abs((d * b).sum()) <= limitB
            && abs((d * c).sum()) <= limitC
          {
            flags[place(SIMD3(x, y, z))] |= Self.geometry
          }
        }
      }
    }
  }

  /// The state of every voxel, `GroundTruthState` raw values, [x][y][z].
  func states() -> [UInt8] {
    flags.map { flag in
      if flag & Self.hit != 0 { return GroundTruthState.occupied.rawValue }
      if flag & Self.passed == 0 { return GroundTruthState.unseen.rawValue }
      return flag & Self.geometry != 0
        ? GroundTruthState.touched.rawValue : GroundTruthState.free.rawValue
    }
  }
}

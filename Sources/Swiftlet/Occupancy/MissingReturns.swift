#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Finds the rays of a spinning LiDAR that came back without a return, from the cloud of those that
/// did: where a ring of firings shows elsewhere in the scan, a gap of three azimuth columns or more
/// is rays into nothing. Scalar; a few milliseconds a scan. All buffers are made in `init`.
///
/// Open sky is one reason for a gap; black paint, glass and things nearer than the sensor can see are
/// others, which is why a map that clears along these rays should do so up to a short range only.
@safe
public final class MissingReturns {
  static let columnCount = 1024
  /// Elevation rows from -45 to 45 degrees.
  static let rowCount = 256
  /// A row is a ring when it shows in this share of the columns.
  static let ringShare = 0.25
  /// How far along its ray a missing return is placed, metres: beyond any range.
  static let distanceMeters = 1e5

  private let seen = AlignedBuffer<UInt8>(count: rowCount * columnCount)
  private let elevations = AlignedBuffer<Double>(count: rowCount)
  private let counts = AlignedBuffer<Int>(count: rowCount)
  private let rays: AlignedBuffer<Float>
  public let capacity: Int

  /// - Parameter capacity: rays of one scan at most.
  public init(capacity: Int) {
    self.capacity = capacity
    rays = AlignedBuffer(count: 4 * max(1, capacity))
  }

  /// The missing rays of a scan as far points in the scan's own axes, x y z 0 each; valid until the
  /// next call.
  ///
  /// - Parameter points: in LiDAR axes, z along the axis of rotation.
  public func find(in points: PointCloudView) -> PointCloudView {
    seen.zero()
    elevations.zero()
    counts.zero()
    for index in 0..<points.count { note(points, index) }
    var count = 0
    for row in 0..<Self.rowCount where isRing(row) {
      let elevation = elevations[row] / Double(counts[row])
      for column in 0..<Self.columnCount where count < capacity && isGap(row, column) {
        add(elevation, column, at: count)
        count += 1
      }
    }
    return unsafe PointCloudView(
      base: UnsafeRawPointer(rays.pointer), count: count, byteStride: 16)
  }

  private func note(_ points: PointCloudView, _ index: Int) {
    let x = unsafe Double(points.value(index, points.xByteOffset))
    let y = unsafe Double(points.value(index, points.yByteOffset))
    let z = unsafe Double(points.value(index, points.zByteOffset))
    let run = (x * x + y * y).squareRoot()
    guard run > 0, run.isFinite, z.isFinite else { return }
    let elevation = atan2(z, run)
    let level = (elevation / (.pi / 2) + 0.5) * Double(Self.rowCount)
    guard level >= 0, level < Double(Self.rowCount) else { return }
    let turn = (atan2(y, x) / (2 * .pi) + 0.5) * Double(Self.columnCount)
    let row = Int(level)
    seen[row * Self.columnCount + min(Int(turn), Self.columnCount - 1)] = 1
    elevations[row] += elevation
    counts[row] += 1
  }

  private func isRing(_ row: Int) -> Bool {
    guard counts[row] > 0 else { return false }
    let columns = (0..<Self.columnCount).reduce(0) { $0 + Int(seen[row * Self.columnCount + $1]) }
    return Double(columns) >= Self.ringShare * Double(Self.columnCount)
  }

  /// Nothing in the column and its neighbours, in this row and, because a ring may lie on the border
  /// of two, the rows beside it.
  private func isGap(_ row: Int, _ column: Int) -> Bool {
    for besideRow in max(0, row - 1)...min(Self.rowCount - 1, row + 1) {
      for side in -1...1 {
        let beside = (column + side) & (Self.columnCount - 1)
        if seen[besideRow * Self.columnCount + beside] != 0 { return false }
      }
    }
    return true
  }

  private func add(_ elevation: Double, _ column: Int, at index: Int) {
    let turn = ((Double(column) + 0.5) / Double(Self.columnCount) - 0.5) * 2 * .pi
    rays[4 * index] = Float(cos(elevation) * cos(turn) * Self.distanceMeters)
    rays[4 * index + 1] = Float(cos(elevation) * sin(turn) * Self.distanceMeters)
    rays[4 * index + 2] = Float(sin(elevation) * Self.distanceMeters)
    rays[4 * index + 3] = 0
  }
}

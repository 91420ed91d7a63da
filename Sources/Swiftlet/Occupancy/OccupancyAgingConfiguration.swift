/// How a window forgets, and what it calls moving.
///
/// Regions are of three classes: occupied, free, and dynamic (hit where space was long free, or said
/// to move by the input). Dynamic voxels follow the scan at hand: one hit makes them occupied up to
/// the clamp, one ray that passes makes them free. Each class loses its evidence evenly, in its own
/// time from the clamp to unknown.
public struct OccupancyAgingConfiguration: Sendable, Equatable {
  /// From the clamp to unknown, seconds; 0 keeps for ever. What moves: half a second is about how
  /// long a car takes to drive its own length, so that what fades behind its front is the car.
  public var occupiedSeconds = 0.0
  public var freeSeconds = 0.0
  public var dynamicSeconds = 0.5
  /// Decay happens at multiples of this time.
  public var tickMilliseconds = 50
  /// Long free: at or below this share of the lower clamp; long occupied: of the upper one.
  public var longFreeShare = 0.8
  public var longOccupiedShare = 0.95
  /// A dynamic voxel hit throughout one to two of these times is a fixture: something parked.
  public var fixtureSeconds = 5.0
  /// Input that moves faster marks its voxels as dynamic.
  public var movingMetersPerSecond = 0.5
  /// Whether the input's velocities are kept per voxel (two bytes each).
  public var keepsFlow = false
  /// Columns brought up to date a fold besides those with evidence, as a share of the window.
  public var sweptShare = 1.0 / 16

  public init() {}

  /// - Throws: `ConfigurationError` for times below 0 or shares outside 0...1.
  public func validate() throws(ConfigurationError) {
    let times = [occupiedSeconds, freeSeconds, dynamicSeconds]
    let shares = [longFreeShare, longOccupiedShare, sweptShare]
    let isGood =
      times.allSatisfy { $0 >= 0 && $0 < 1e6 } && shares.allSatisfy { $0 >= 0 && $0 <= 1 }
      && (1...10_000).contains(tickMilliseconds) && movingMetersPerSecond > 0
      && fixtureSeconds > 0 && fixtureSeconds < 1e5
    guard isGood else {
      throw ConfigurationError(
        field: "occupancy.aging",
        expected: "times of 0 to 1e6 s, shares in 0...1, ticks of 1 to 10,000 ms, a speed above 0",
        found: "\(self)", remedy: "use the defaults as a start")
    }
  }
}

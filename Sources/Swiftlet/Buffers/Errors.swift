/// A setting that cannot be used, with what would be.
public struct ConfigurationError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The setting's path, `occupancy.voxel_size_meters`.
  public var field: String
  public var expected: String
  public var found: String
  /// One imperative: what to do.
  public var remedy: String

  public init(field: String, expected: String, found: String, remedy: String) {
    self.field = field
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }
  public var description: String {
    "configuration \(field): expected \(expected), found \(found); \(remedy)"
  }
}

/// A calibration that describes no camera or no rigid transform.
public struct CalibrationError: Error, Sendable, Equatable, CustomStringConvertible {
  public var sensor: String
  public var expected: String
  public var found: String
  public var remedy: String

  public init(sensor: String, expected: String, found: String, remedy: String) {
    self.sensor = sensor
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }
  public var description: String {
    "calibration of \(sensor): expected \(expected), found \(found); \(remedy)"
  }
}

/// A weights file with a missing, extra, misshapen or damaged tensor.
public struct WeightsError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The tensor, or the part of the file (`header`).
  public var tensor: String
  public var expected: String
  public var found: String
  public var remedy: String

  public init(tensor: String, expected: String, found: String, remedy: String) {
    self.tensor = tensor
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }
  public var description: String {
    "weights \(tensor): expected \(expected), found \(found); \(remedy)"
  }
}

/// An input to a compute call that cannot be used.
public struct InputError: Error, Sendable, Equatable, CustomStringConvertible {
  /// The input, `camera CAM_FRONT features`.
  public var input: String
  public var expected: String
  public var found: String
  public var remedy: String

  public init(input: String, expected: String, found: String, remedy: String) {
    self.input = input
    self.expected = expected
    self.found = found
    self.remedy = remedy
  }
  public var description: String {
    "\(input): expected \(expected), found \(found); \(remedy)"
  }
}

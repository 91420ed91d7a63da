import Swiftlet

extension FaultPlan {
  /// Fails when a fault could never happen to this rig: on a sensor that is not there, on a camera
  /// where only LiDARs have it, on one sensor where the whole frame has it. A misspelt name would
  /// otherwise look like a pipeline that shrugs the fault off.
  public func check(sensors: [SensorDescription]) throws(ConfigurationError) {
    for fault in faults { try fault.check(sensors) }
  }
}

extension Fault {
  /// Whose fault a kind is; nil: any sensor's.
  private enum Bearer {
    case frame
    case sensor(SensorDescription.Kind)
  }

  private var bearer: Bearer? {
    switch kind {
    case .reorder, .pose: .frame
    case .focal: .sensor(.camera)
    case .sector: .sensor(.lidar)
    case .drop, .late, .duplicate, .freeze, .corrupt, .clockjump, .rotate: nil
    }
  }

  fileprivate func check(_ sensors: [SensorDescription]) throws(ConfigurationError) {
    switch bearer {
    case .frame:
      guard target != "*" else { return }
      throw error(
        "\(kind.rawValue):*@…: it happens to the whole frame", remedy: "write * for \(target)")
    case .sensor(let wanted): try check(sensors.filter { $0.kind == wanted }, "\(wanted.rawValue)s")
    case nil: try check(sensors, "sensors")
    }
  }

  private func check(
    _ able: [SensorDescription], _ noun: String
  ) throws(ConfigurationError) {
    if target == "*" ? !able.isEmpty : able.contains(where: { $0.name == target }) { return }
    let names = able.map(\.name).joined(separator: ", ")
    throw error(
      able.isEmpty ? "a recording with \(noun)" : "one of the recording's \(noun): \(names)",
      remedy: able.isEmpty ? "leave this fault out" : "write one of these names, or * for all")
  }

  private func error(_ expected: String, remedy: String) -> ConfigurationError {
    ConfigurationError(
      field: "--inject", expected: expected, found: "\(kind.rawValue):\(target)", remedy: remedy)
  }
}

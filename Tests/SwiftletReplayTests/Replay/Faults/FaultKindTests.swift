import Swiftlet
import SwiftletReplay
import Testing

/// Every kind of fault on every sensor it can happen to: it does what it says, to that sensor, in
/// its frames, says so in each of them, and leaves everything else alone.
@Suite struct FaultKindTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var kind: Fault.Kind
    /// nil: the whole frame.
    var sensor: String?
    var value: String
    /// What changes of the sensor, or of the frame where there is none, in `FrameText`'s words.
    var changes: Set<String>
    /// What changes of every sensor where the whole frame suffers.
    var changesOfAll: Set<String> = []

    var testDescription: String { "\(kind.rawValue):\(sensor ?? "*")" }
    var text: String { "\(kind.rawValue):\(sensor ?? "*")@\(value)" }
  }

  static let cases = [
    Case(kind: .drop, sensor: "CAM", value: "1", changes: ["valid"]),
    Case(kind: .drop, sensor: "LIDAR", value: "1", changes: ["valid"]),
    Case(
      kind: .late, sensor: "CAM", value: "100ms", changes: ["time", "age", "at", "pixels"]),
    Case(
      kind: .late, sensor: "LIDAR", value: "100ms", changes: ["time", "age", "in", "points"]),
    Case(
      kind: .duplicate, sensor: "CAM", value: "1", changes: ["time", "age", "at", "pixels"]),
    Case(
      kind: .duplicate, sensor: "LIDAR", value: "1", changes: ["time", "age", "in", "points"]),
    Case(kind: .freeze, sensor: "CAM", value: "1", changes: ["pixels"]),
    Case(kind: .freeze, sensor: "LIDAR", value: "1", changes: ["points"]),
    Case(kind: .corrupt, sensor: "CAM", value: "1", changes: ["pixels"]),
    Case(kind: .corrupt, sensor: "LIDAR", value: "1", changes: ["points"]),
    Case(kind: .clockjump, sensor: "CAM", value: "40ms", changes: ["time", "age"]),
    Case(kind: .clockjump, sensor: "LIDAR", value: "40ms", changes: ["time", "age"]),
    Case(kind: .rotate, sensor: "CAM", value: "2deg", changes: ["mount", "at"]),
    Case(kind: .rotate, sensor: "LIDAR", value: "2deg", changes: ["mount", "in"]),
    Case(kind: .focal, sensor: "CAM", value: "0.8", changes: ["focal"]),
    Case(kind: .sector, sensor: "LIDAR", value: "90deg", changes: ["points"]),
    Case(kind: .clockjump, value: "2s", changes: ["time"], changesOfAll: ["time"]),
    Case(kind: .pose, value: "5m", changes: ["pose"], changesOfAll: ["in"]),
    Case(
      kind: .reorder, value: "1", changes: ["time", "pose"],
      changesOfAll: ["time", "pixels", "points", "in"]),
  ]

  @Test func `every kind is here, on cameras and on LiDARs`() {
    #expect(Set(Self.cases.map(\.kind)) == Set(Fault.Kind.allCases))
  }

  /// First words of what differs.
  private func changes(_ a: [String], _ b: [String]) -> Set<String> {
    Set(zip(a, b).filter { $0 != $1 }.map { String($1.prefix { $0 != " " }) })
  }

  @Test(arguments: cases)
  func `a fault does what it says, in its frames, to its sensor, and says so`(c: Case) throws {
    let source = RigSource()
    let faulty = FaultySource(source, plan: try FaultPlan("\(c.text)#7-8"))
    // A reordered frame's partner is the one behind it, and both change.
    for index in 5..<12 {
      let isIn = (7...8).contains(index)
      let owner = try faulty.frame(at: index)
      let (was, now) = (FrameText(try source.frame(at: index)), FrameText(owner))
      let notes = owner.warnings.filter { $0.code.hasPrefix("injected-") }
      #expect(notes.map(\.code) == (isIn ? ["injected-\(c.kind.rawValue)"] : []), "frame \(index)")
      #expect(notes.allSatisfy { $0.sensor == c.sensor && $0.frame == index && !$0.isDamage })
      let ofFrame = changes(was.frame, now.frame)
      #expect(ofFrame == (isIn && c.sensor == nil ? c.changes : []), "frame \(index)")
      for (name, before) in was.sensors {
        let ofSensor = changes(before, try #require(now.sensors[name]))
        let wanted = c.sensor == nil ? c.changesOfAll : name == c.sensor ? c.changes : []
        let expected = isIn ? wanted : []
        // The camera has no points and the LiDAR no pixels.
        let able = before.map { String($0.prefix { $0 != " " }) }
        #expect(ofSensor == expected.intersection(able), "\(name) in frame \(index)")
      }
    }
  }

  @Test(arguments: cases)
  func `a fault of probability 0 never happens, and one of 0.3 in about that share`(
    c: Case
  ) throws {
    let hasAmount = ![.drop, .duplicate, .freeze, .reorder, .corrupt].contains(c.kind)
    func count(_ probability: String) throws -> Int {
      let value = hasAmount ? "\(c.value)@\(probability)" : probability
      let plan = try FaultPlan("\(c.kind.rawValue):\(c.sensor ?? "*")@\(value)#0-199", seed: 3)
      let faulty = FaultySource(RigSource(), plan: plan)
      return try (0..<200).count { index in
        try faulty.frame(at: index).warnings.contains { $0.code.hasPrefix("injected-") }
      }
    }
    #expect(try count("0") == 0)
    // 200 draws of 0.3: 60 ± 4 standard deviations of 6.5; a swap shows in both of its frames.
    let third = try count("0.3")
    #expect(c.kind == .reorder ? (60...140).contains(third) : (34...86).contains(third), "\(third)")
  }

  @Test func `samples that are too old or from the future are masked, and that is said`() throws {
    for (text, word) in [
      ("late:CAM@150ms", "200.0 ms old"), ("late:LIDAR@150ms", "200.0 ms old"),
      ("clockjump:CAM@2s", "2000.0 ms in the future"),
      ("clockjump:LIDAR@2s", "2000.0 ms in the future"),
    ] {
      let source = FaultySource(RigSource(), plan: try FaultPlan("\(text)#7-7"))
      let frame = try source.frame(at: 7)
      let name = text.contains("CAM") ? "CAM" : "LIDAR"
      let missing = frame.warnings.filter { $0.code == ReplayWarning.sensorMissing }
      #expect(missing.map(\.sensor) == [name])
      #expect(missing.first?.message.contains(word) == true, "\(missing)")
      #expect(frame.sensorFrame.cameras[0].isValid == (name != "CAM"))
      #expect(frame.sensorFrame.lidars[0].isValid == (name != "LIDAR"))
      let after = try source.frame(at: 8).sensorFrame
      #expect(after.cameras[0].isValid && after.lidars[0].isValid)
    }
  }

  @Test func `history is reset where time or place jumps, on the way in and out`() throws {
    for (text, codes) in [
      ("pose:*@500m#7-7", [7: "pose-jump", 8: "pose-jump"]),
      ("clockjump:*@2s#7-8", [7: "timestamp-gap", 9: "timestamp-order"]),
      ("reorder:*@1#7-7", [8: "timestamp-order"]), ("pose:*@5m#7-7", [:]), ("drop:*@1#7-8", [:]),
    ] {
      let source = FaultySource(RigSource(), plan: try FaultPlan(text))
      for index in 1..<15 {
        let frame = try source.frame(at: index)
        let found = frame.warnings.map(\.code).filter { !$0.hasPrefix("injected-") }
        #expect(found == [codes[index]].compactMap(\.self), "\(text), frame \(index)")
        #expect(frame.sensorFrame.resetsHistory == (codes[index] != nil), "\(text), frame \(index)")
      }
    }
  }

  @Test func `a sensor that is not there, or cannot have the fault, is refused by name`() throws {
    let ofAll = ["drop:*@1", "focal:*@0.9", "sector:*@90deg"]
    for text in Self.cases.map(\.text) + ofAll { try FaultPlan(text).check(sensors: RigSource.sensors) }
    for (text, part) in [
      ("drop:CAM_FORNT@1", "CAM, LIDAR"), ("focal:LIDAR@0.9", "cameras: CAM"),
      ("sector:CAM@90deg", "lidars: LIDAR"), ("pose:CAM@5m", "the whole frame"),
      ("reorder:LIDAR@1", "the whole frame"), ("drop:CAM@1,late:LIDER@50ms", "CAM, LIDAR"),
    ] {
      #expect {
        try FaultPlan(text).check(sensors: RigSource.sensors)
      } throws: {
        "\($0)".contains(part)
      }
    }
    let camerasOnly = Array(RigSource.sensors.prefix(1))
    #expect(throws: ConfigurationError.self) {
      try FaultPlan("sector:*@90deg").check(sensors: camerasOnly)
    }
  }
}

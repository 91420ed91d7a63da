import Swiftlet
import SwiftletReplay
import Testing

@Suite struct FaultPlanTests {
  @Test func `a plan names kind, sensor, amount and probability`() throws {
    let plan = try FaultPlan(
      "drop:CAM_FRONT@0.05,late:LIDAR_TOP@50ms,clockjump:*@2s@0.5,rotate:CAM_BACK@2deg,pose:*@5m")
    #expect(plan.faults.map(\.kind) == [.drop, .late, .clockjump, .rotate, .pose])
    #expect(plan.faults.map(\.target) == ["CAM_FRONT", "LIDAR_TOP", "*", "CAM_BACK", "*"])
    #expect(plan.faults.map(\.amount) == [0, 0.05, 2, 2, 5])
    #expect(plan.faults.map(\.probability) == [0.05, 1, 0.5, 1, 1])
  }

  @Test(arguments: [
    "", "drop", "drop:CAM", "drop:CAM@2", "drop:CAM@0.1@0.2", "late:CAM@50", "late:CAM@xms",
    "explode:CAM@1", "rotate:CAM@2deg@nan", "pose:*@infm",
  ])
  func `what cannot be meant is an error that shows how to write it`(text: String) {
    #expect(throws: ConfigurationError.self) { try FaultPlan(text) }
  }
}

import Foundation
import Swiftlet
import SwiftletReplay
import Testing

@Suite struct FaultySourceTests {
  private func frames(_ plan: String, seed: UInt64 = 1, count: Int = 200) throws
    -> [any ReplayFrame]
  {
    let source = FaultySource(RigSource(), plan: try FaultPlan(plan, seed: seed))
    return try (0..<count).map { try source.frame(at: $0) }
  }
  private func codes(_ frame: any ReplayFrame) -> [String] { frame.warnings.map(\.code) }

  @Test func `drop masks the sensor in about that share of frames and says so`() throws {
    let frames = try frames("drop:CAM@0.2")
    let dropped = frames.filter { !$0.sensorFrame.cameras[0].isValid }
    // 200 draws of 0.2: 40 ± 4 standard deviations of 5.7.
    #expect((17...63).contains(dropped.count))
    #expect(dropped.allSatisfy { codes($0) == ["injected-drop"] && $0.warnings[0].sensor == "CAM" })
    #expect(frames.allSatisfy { $0.sensorFrame.lidars[0].isValid })
  }

  @Test func `the same seed gives the same faults in any order, another seed others`() throws {
    let source = FaultySource(RigSource(), plan: try FaultPlan("drop:*@0.3", seed: 5))
    let forward = try (0..<50).map { try source.frame(at: $0).sensorFrame.cameras[0].isValid }
    let backward = try (0..<50).reversed().map {
      try source.frame(at: $0).sensorFrame.cameras[0].isValid
    }
    #expect(forward == backward.reversed())
    let other = try frames("drop:*@0.3", seed: 6, count: 50)
    #expect(other.map { $0.sensorFrame.cameras[0].isValid } != forward)
  }

  @Test func `late delivers the older sample where it was, and too late means missing`() throws {
    let late = try frames("late:LIDAR@100ms", count: 5)
    #expect(!late[0].sensorFrame.lidars[0].isValid)
    let lidar = late[3].sensorFrame.lidars[0]
    #expect(lidar.isValid)
    #expect(lidar.ageNanoseconds == 100_000_000)
    #expect(lidar.worldFromLidar.translation.x == 2)
    let tooLate = try frames("late:LIDAR@150ms", count: 5)
    #expect(!tooLate[3].sensorFrame.lidars[0].isValid)
    #expect(codes(tooLate[3]) == ["injected-late", "sensor-missing"])
  }

  @Test func `a late camera keeps its place in the world`() throws {
    let camera = try frames("late:CAM@100ms", count: 5)[3].sensorFrame.cameras[0]
    // Taken 1 m further back than the ego is now.
    #expect(camera.keyEgoFromCamera.translation.x == -1)
    #expect(camera.ageNanoseconds == 100_000_000)
  }

  @Test func `a frozen sensor claims to be fresh, a duplicated one does not`() throws {
    let frozen = try frames("freeze:LIDAR@1", count: 3)[2].sensorFrame.lidars[0]
    #expect(frozen.ageNanoseconds == 0)
    #expect(frozen.worldFromLidar.translation.x == 2)
    let again = try frames("duplicate:LIDAR@1", count: 3)[2].sensorFrame.lidars[0]
    #expect(again.ageNanoseconds == 100_000_000)
    #expect(again.worldFromLidar.translation.x == 1)
  }

  @Test func `reordered frames change places, none is lost, and history is reset`() throws {
    let frames = try frames("reorder:*@0.2")
    let times = frames.map(\.sensorFrame.timestampNanoseconds)
    #expect(times != times.sorted())
    #expect(times.sorted() == (0..<200).map { Int64($0) * 100_000_000 })
    for index in 1..<200 where times[index] < times[index - 1] {
      #expect(frames[index].sensorFrame.resetsHistory)
      #expect(codes(frames[index]).contains("timestamp-order"))
    }
  }

  @Test func `corrupt keeps sizes, changes the lower half only, and leaves the recording alone`()
    throws
  {
    let source = RigSource()
    let faulty = FaultySource(source, plan: try FaultPlan("corrupt:*@1"))
    let frame = try faulty.frame(at: 0)
    let image = try #require(frame.sensorFrame.cameras[0].image)
    let bytes = (0..<48).map { unsafe image.baseAddress[$0] }
    #expect(bytes.prefix(24).allSatisfy { $0 == 77 })
    #expect(!bytes.suffix(24).allSatisfy { $0 == 77 })
    #expect(frame.sensorFrame.lidars[0].points.count == 360)
    let untouched = try source.frame(at: 0)
    let original = try #require(untouched.sensorFrame.cameras[0].image)
    #expect((0..<48).allSatisfy { unsafe original.baseAddress[$0] == 77 })
    withExtendedLifetime((frame, untouched)) {}
  }

  @Test func `a sector of 90 degrees takes a quarter of the ring`() throws {
    let points = try frames("sector:LIDAR@90deg", count: 1)[0].sensorFrame.lidars[0].points
    #expect((268...271).contains(points.count))
    #expect(points.intensityByteOffset == 12)
  }

  @Test func `a clock jump of everything resets history once, of one sensor makes it missing`()
    throws
  {
    let all = try frames("clockjump:*@2s")
    #expect(all[99].sensorFrame.timestampNanoseconds == 9_900_000_000)
    #expect(all[100].sensorFrame.timestampNanoseconds == 12_000_000_000)
    #expect(all.filter(\.sensorFrame.resetsHistory).count == 2)
    #expect(all[100].sensorFrame.cameras[0].isValid)
    let one = try frames("clockjump:CAM@2s")
    #expect(one[99].sensorFrame.cameras[0].isValid)
    #expect(!one[100].sensorFrame.cameras[0].isValid)
    #expect(one[100].sensorFrame.lidars[0].isValid)
  }

  @Test func `a bad pose resets history on its way in and out`() throws {
    let frames = try frames("pose:*@500m@0.05")
    let bad = frames.indices.filter { codes(frames[$0]).contains("injected-pose") }
    #expect(!bad.isEmpty)
    for index in bad where index + 1 < 200 && index > 0 {
      #expect(frames[index].sensorFrame.resetsHistory)
      #expect(frames[index + 1].sensorFrame.resetsHistory)
    }
  }

  @Test func `rotate turns the mount and focal scales the lens`() throws {
    let camera = try frames("rotate:CAM@90deg,focal:CAM@0.5", count: 1)[0].sensorFrame.cameras[0]
    // Forward (z) turned about down (y) by 90° is right (x).
    let forward = camera.keyEgoFromCamera.rotation * SIMD3<Double>(0, 0, 1)
    #expect(abs(forward.x - 1) < 1e-12 && abs(forward.z) < 1e-12)
    #expect(camera.intrinsics.focalX == 50 && camera.intrinsics.focalY == 50)
  }
}

import Swiftlet
import Testing

@testable import SwiftletReplay

@Suite struct TransformTreeTests {
  static func transform(
    _ parent: String, _ child: String, _ x: Double, yaw: Double = 0, stamp: Int64 = 0
  ) -> TransformMessage {
    TransformMessage(
      header: MessageHeader(stampNanoseconds: stamp, frameID: parent), childFrameID: child,
      translation: SIMD3(x, 0, 0), rotation: Quaternion(axis: SIMD3(0, 0, 1), radians: yaw))
  }

  static func tree(_ entries: [(TransformMessage, Bool)]) -> TransformTree {
    var tree = TransformTree()
    for (message, isStatic) in entries {
      tree.add(
        message, time: message.header.stampNanoseconds, isStatic: isStatic, source: "/tf")
    }
    tree.sort()
    return tree
  }

  @Test func `a chain of a moving and a fixed frame is interpolated to the time asked for`() throws {
    let tree = Self.tree([
      (Self.transform("base_link", "/lidar", 2), true),
      (Self.transform("odom", "base_link", 0, stamp: 0), false),
      (Self.transform("odom", "base_link", 10, yaw: .pi / 2, stamp: 1_000), false),
    ])
    let half = try #require(tree.lookup("lidar", in: "odom", at: 500))
    // At 5 m and 45°, the LiDAR 2 m ahead.
    #expect(abs(half.translation.x - (5 + 2 * 0.5.squareRoot())) < 1e-12)
    #expect(abs(half.translation.y - 2 * 0.5.squareRoot()) < 1e-12)
    #expect(tree.lookup("lidar", in: "odom", at: 200_000_000_000) == nil)
    #expect(tree.lookup("odom", in: "lidar", at: 500) == nil)
    #expect(tree.isStatic("lidar", below: "base_link") && !tree.isStatic("lidar", below: "odom"))
    #expect(tree.chain("lidar") == ["lidar", "base_link", "odom"])
  }

  @Test func `two moving edges give a pose wherever both are known`() throws {
    let tree = Self.tree([
      (Self.transform("map", "odom", 100, stamp: 50), false),
      (Self.transform("map", "odom", 200, stamp: 250), false),
      (Self.transform("odom", "base_link", 0, stamp: 0), false),
      (Self.transform("odom", "base_link", 30, stamp: 300), false),
    ])
    let track = try #require(tree.track("base_link", in: "map", over: 0...300))
    #expect(track.timestamps == [50, 250])
    #expect(abs(track.poses[0].translation.x - 105) < 1e-9)
    #expect(abs(track.poses[1].translation.x - 225) < 1e-9)
  }

  @Test func `loops, second parents and broken rotations are left out and named`() {
    var broken = Self.transform("a", "d", 1)
    broken.rotation = Quaternion(w: 0, x: 0, y: 0, z: 0)
    var infinite = Self.transform("a", "e", 1)
    infinite.translation.x = .infinity
    let tree = Self.tree([
      (Self.transform("a", "b", 1), true), (Self.transform("b", "a", 1), true),
      (Self.transform("c", "b", 1), true), (broken, true), (infinite, true),
      (Self.transform("f", "f", 1), true),
    ])
    #expect(tree.chain("a") == nil && tree.lookup("a", in: "x", at: 0) == nil)
    #expect(tree.edges["d"] == nil && tree.edges["e"] == nil && tree.edges["f"] == nil)
    #expect(tree.warnings.count == 4)
  }
}

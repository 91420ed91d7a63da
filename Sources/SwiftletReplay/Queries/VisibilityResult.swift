import Foundation
import Swiftlet

/// What LiDARs and cameras can tell about every cell of the volume after a frame.
public struct VisibilityResult {
  /// Name and `Visibility` raw values, [x][y][z]: the LiDARs together, then each camera.
  public let sensors: [(name: String, states: [UInt8])]
  public let lidarMask: [UInt8]
  public let cameraMask: [UInt8]
  public let occupied: [UInt8]
  let configuration: VisibilityConfiguration
  let worldFromEgo: RigidTransform
  let frameCount: Int

  public init(_ map: VisibilityMap, worldFromEgo: RigidTransform, frameCount: Int) {
    configuration = map.configuration
    self.worldFromEgo = worldFromEgo
    self.frameCount = frameCount
    let bytes = AlignedBuffer<UInt8>(count: map.configuration.cellCount)
    map.copyLidarStates(into: bytes)
    var sensors = [(name: "LiDAR", states: bytes.array)]
    for index in map.cameras.indices {
      map.copyStates(ofCamera: index, into: bytes)
      sensors.append((map.cameras[index].name, bytes.array))
    }
    self.sensors = sensors
    map.copyLidarMask(into: bytes)
    lidarMask = bytes.array
    map.copyCameraMask(into: bytes)
    cameraMask = bytes.array
    map.copyOccupied(into: bytes)
    occupied = bytes.array
  }

  private func counts(_ states: [UInt8]) -> [Int] {
    var counts = [0, 0, 0]
    for state in states { counts[Int(state)] += 1 }
    return counts
  }
  private func total(_ mask: [UInt8]) -> Int { mask.reduce(0) { $0 + Int($1) } }

  public var table: String {
    var lines = ["sensor                visible  occluded  out of view   cells"]
    for sensor in sensors {
      let n = counts(sensor.states)
      let name = sensor.name.padding(toLength: 18, withPad: " ", startingAt: 0)
      lines.append(
        name + padded("\(n[2])", 11) + padded("\(n[1])", 10) + padded("\(n[0])", 13))
    }
    let all = lidarMask.count
    func share(_ count: Int) -> String { fixed(100 * Double(count) / Double(all), 1) }
    lines.append(
      "mask_lidar \(total(lidarMask)) cells (\(share(total(lidarMask))) %), mask_camera "
        + "\(total(cameraMask)) (\(share(total(cameraMask))) %), occupied \(total(occupied)) of "
        + "\(all), after \(frameCount) frames")
    return lines.joined(separator: "\n")
  }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1), "frames": .integer(Int64(frameCount)),
      "cells": .integer(Int64(lidarMask.count)), "mask_lidar": .integer(Int64(total(lidarMask))),
      "mask_camera": .integer(Int64(total(cameraMask))),
      "occupied": .integer(Int64(total(occupied))),
      "sensors": .array(
        sensors.map { sensor in
          let n = counts(sensor.states)
          return .object([
            "name": .string(sensor.name), "visible": .integer(Int64(n[2])),
            "occluded": .integer(Int64(n[1])), "out_of_view": .integer(Int64(n[0])),
          ])
        }),
    ])
  }

  /// Occ3D's names; [x, y, z] as its files have it.
  public var safeTensors: SafeTensors {
    let n = configuration.cellCounts
    let shape = [n.x, n.y, n.z]
    return SafeTensors(
      tensors: [
        "mask_lidar": HostTensor(lidarMask, shape: shape),
        "mask_camera": HostTensor(cameraMask, shape: shape),
        "occupied": HostTensor(occupied, shape: shape),
        "states": HostTensor(sensors.flatMap(\.states), shape: [sensors.count] + shape),
      ],
      metadata: [
        "format": "swiftlet visibility, version 1",
        "sensors": sensors.map(\.name).joined(separator: ","),
      ])
  }

  /// The slice at a height, ego forward up: occupied, seen by LiDAR and a camera, by one of them,
  /// hidden, out of every view.
  public func picture(heightMeters: Double) throws -> [UInt8] {
    let both = PictureColor(210, 240, 215)
    let lidar = PictureColor(150, 195, 235)
    let camera = PictureColor(240, 225, 150)
    let hidden = PictureColor(120, 120, 130)
    let outside = PictureColor(40, 40, 46)
    let solid = PictureColor(200, 40, 40)
    var picture = MapPicture(
      title: "Visibility at \(fixed(heightMeters, 1)) m", worldFromEgo: worldFromEgo,
      reachMeters: 40)
    picture.legend = [
      ("occupied", solid), ("LiDAR and camera", both), ("LiDAR", lidar), ("camera", camera),
      ("hidden", hidden), ("out of view", outside),
    ]
    let egoFromWorld = worldFromEgo.inverse
    let c = configuration
    let image = picture.draw { place in
      var inEgo = egoFromWorld * place
      inEgo.z = heightMeters
      let p = ((inEgo - c.lowerMeters) / c.cellSizeMeters).rounded(.down)
      guard p.x >= 0, p.y >= 0, p.z >= 0, p.x < Double(c.cellCounts.x), p.y < Double(c.cellCounts.y),
        p.z < Double(c.cellCounts.z)
      else { return outside }
      let index = (Int(p.x) * c.cellCounts.y + Int(p.y)) * c.cellCounts.z + Int(p.z)
      if occupied[index] == 1 { return solid }
      let byLidar = sensors[0].states[index]
      let byCamera = sensors.dropFirst().reduce(UInt8(0)) { max($0, $1.states[index]) }
      if byLidar == 2 { return byCamera == 2 ? both : lidar }
      if byCamera == 2 { return camera }
      return max(byLidar, byCamera) == 1 ? hidden : outside
    }
    return try PNGCodec.encode(image)
  }
}

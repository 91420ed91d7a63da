import Swiftlet

/// A cost map and answers from it.
public struct CostMapResult {
  let map: CostMap
  let window: QueryWindow
  let places: [(given: SIMD2<Double>, world: SIMD2<Double>)]

  public init(
    map: CostMap, window: QueryWindow, places: [(SIMD2<Double>, SIMD2<Double>)]
  ) {
    self.map = map
    self.window = window
    self.places = places.map { (given: $0.0, world: $0.1) }
  }

  private func count(_ range: ClosedRange<Int8>) -> Int {
    map.costs.array.count { range.contains($0) }
  }
  private var counts: [(name: String, count: Int)] {
    [
      ("unknown", count(-1 ... -1)), ("free", count(0...0)), ("near", count(1...98)),
      ("inscribed", count(99...99)), ("obstacle", count(100...100)),
    ]
  }

  public var safeTensors: SafeTensors {
    let bytes = map.costs.array.map { UInt8(bitPattern: $0) }
    return SafeTensors(
      tensors: [
        "data": HostTensor(elementType: .int8, shape: [map.rows, map.columns], bytes: bytes)
      ],
      metadata: [
        "format": "swiftlet cost map, version 1", "resolution": "\(map.resolutionMeters)",
        "origin_x": "\(map.lowerMeters.x)", "origin_y": "\(map.lowerMeters.y)",
      ])
  }

  static func color(_ cost: Int8) -> PictureColor {
    switch cost {
    case -1: OccupancyPicture.unknown
    case 0: OccupancyPicture.free
    case 100: PictureColor(20, 12, 40)
    case 99: PictureColor(214, 60, 80)
    default: ColorMap.turbo.color(0.15 + 0.7 * Float(cost) / 98)
    }
  }

  public func picture() throws -> [UInt8] {
    var picture = MapPicture(title: "Cost map", worldFromEgo: window.worldFromEgo)
    picture.legend = [
      ("unknown", Self.color(-1)), ("free", Self.color(0)), ("near", Self.color(40)),
      ("inscribed", Self.color(99)), ("obstacle", Self.color(100)),
    ]
    return try PNGCodec.encode(picture.draw { Self.color(map.cost(at: SIMD2($0.x, $0.y))) })
  }

  public var table: String {
    var lines = [
      "\(map.columns) x \(map.rows) cells of \(map.resolutionMeters) m, origin "
        + "\(fixed(map.lowerMeters.x)), \(fixed(map.lowerMeters.y)) in world"
    ]
    lines.append(counts.map { "\($0.name) \($0.count)" }.joined(separator: ", "))
    for place in places {
      lines.append(
        "\(fixed(place.given.x)), \(fixed(place.given.y)): \(map.cost(at: place.world))")
    }
    return lines.joined(separator: "\n")
  }

  public var json: JSONValue {
    .object([
      "schema_version": .integer(1),
      "info": .object([
        "resolution": .number(map.resolutionMeters), "width": .integer(Int64(map.columns)),
        "height": .integer(Int64(map.rows)),
        "origin": .array([.number(map.lowerMeters.x), .number(map.lowerMeters.y), .number(0)]),
      ]),
      "cells": .object(
        Dictionary(
          uniqueKeysWithValues: counts.map { ($0.name, JSONValue.integer(Int64($0.count))) })),
      "places": .array(
        places.map {
          .object([
            "at": .array([.number($0.given.x), .number($0.given.y)]),
            "cost": .integer(Int64(map.cost(at: $0.world))),
          ])
        }),
    ])
  }
}

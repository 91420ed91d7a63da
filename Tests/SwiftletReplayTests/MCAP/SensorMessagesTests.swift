import Swiftlet
import SwiftletTestSupport
import Testing

@testable import SwiftletReplay

/// CDR and protobuf messages made by hand, byte for byte.
@Suite struct SensorMessagesTests {
  /// Writes CDR in either byte order, so that reading it back proves alignment and order.
  struct Writer {
    var bytes: [UInt8]
    let isBigEndian: Bool
    init(isBigEndian: Bool) {
      self.isBigEndian = isBigEndian
      bytes = [0, isBigEndian ? 0 : 1, 0, 0]
    }
    mutating func put<V: FixedWidthInteger>(_ value: V) {
      while (bytes.count - 4) % (V.bitWidth / 8) != 0 { bytes.append(0xee) }
      let ordered = isBigEndian ? value.bigEndian : value.littleEndian
      withUnsafeBytes(of: ordered) { bytes.append(contentsOf: $0) }
    }
    mutating func put(_ value: Double) { put(value.bitPattern) }
    mutating func put(_ text: String) {
      put(UInt32(text.utf8.count + 1))
      bytes += Array(text.utf8) + [0]
    }
    mutating func header(_ seconds: Int32, _ nanoseconds: UInt32, _ frame: String) {
      put(seconds)
      put(nanoseconds)
      put(frame)
    }
  }

  @Test(arguments: [false, true])
  func `a transform is read in both byte orders, behind text of every length`(big: Bool) throws {
    for frame in ["", "a", "ab", "abc", "abcd", "odom"] {
      var writer = Writer(isBigEndian: big)
      writer.put(UInt32(1))
      writer.header(-1, 500_000_000, frame)
      writer.put("child")
      for number in 1...7 { writer.put(Double(number)) }
      let list = try TransformListMessage(cdr: writer.bytes[...])
      let expected = TransformMessage(
        header: MessageHeader(stampNanoseconds: -500_000_000, frameID: frame),
        childFrameID: "child", translation: SIMD3(1, 2, 3),
        rotation: Quaternion(w: 7, x: 4, y: 5, z: 6))
      #expect(list.transforms == [expected])
      // Every shorter message is an error with a place, never a trap.
      for count in 0..<writer.bytes.count {
        #expect(throws: FieldError.self) {
          _ = try TransformListMessage(cdr: writer.bytes[..<count])
        }
      }
    }
  }

  @Test func `a count that the bytes cannot hold is an error before anything is allocated`() {
    var writer = Writer(isBigEndian: false)
    writer.put(UInt32.max)
    #expect {
      _ = try TransformListMessage(cdr: writer.bytes[...])
    } throws: {
      ($0 as? FieldError)?.expected.contains("4294967295 transforms") == true
    }
  }

  @Test func `encodings other than plain CDR are named`() {
    #expect {
      _ = try MessageHeader(cdr: [0, 3, 0, 0, 1, 2, 3, 4])
    } throws: {
      ($0 as? FieldError)?.found == "00 03"
    }
  }

  /// A cloud whose points are known: x = n, y = −2n, z = n/4, intensity = n mod 200.
  static func cloud(
    order: [String], types: [PointFieldType], padding: Int, rows: Int, columns: Int,
    rowPadding: Int, isBigEndian: Bool
  ) -> PointCloudMessage {
    var fields: [PointField] = []
    var stride = padding
    for (name, type) in zip(order, types) {
      fields.append(PointField(name: name, byteOffset: stride, datatype: type.rawValue))
      stride += type.byteCount + padding
    }
    let rowStride = stride * columns + rowPadding
    // The last row's padding may be left out.
    var data = [UInt8](repeating: 0xab, count: rowStride * (rows - 1) + stride * columns)
    for row in 0..<rows {
      for column in 0..<columns {
        let n = Double(row * columns + column)
        let values = [
          "x": n, "y": -2 * n, "z": n / 4, "intensity": Double(Int(n) % 200), "ring": 3,
        ]
        for (field, type) in zip(fields, types) {
          let at = row * rowStride + column * stride + field.byteOffset
          let value = values[field.name] ?? 99
          var bytes: [UInt8]
          switch type {
          case .float32: bytes = withUnsafeBytes(of: Float(value).bitPattern.littleEndian) { Array($0) }
          case .float64: bytes = withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) }
          case .uint8: bytes = [UInt8(value)]
          case .int8: bytes = [UInt8(bitPattern: Int8(value))]
          case .uint16: bytes = withUnsafeBytes(of: UInt16(value).littleEndian) { Array($0) }
          case .int16: bytes = withUnsafeBytes(of: Int16(value).littleEndian) { Array($0) }
          case .uint32: bytes = withUnsafeBytes(of: UInt32(value).littleEndian) { Array($0) }
          case .int32: bytes = withUnsafeBytes(of: Int32(value).littleEndian) { Array($0) }
          }
          if isBigEndian { bytes.reverse() }
          data.replaceSubrange(at..<at + bytes.count, with: bytes)
        }
      }
    }
    return PointCloudMessage(
      header: MessageHeader(stampNanoseconds: 0, frameID: "lidar"), height: rows, width: columns,
      fields: fields, isBigEndian: isBigEndian, pointByteStride: stride, rowByteStride: rowStride,
      data: data[...], isDense: true)
  }

  @Test(arguments: [false, true])
  func `clouds of every order, type, padding and byte order give the same points`(
    big: Bool
  ) throws {
    let expected = (0..<24).flatMap { number -> [Float] in
      let n = Float(number)
      return [n, -2 * n, n / 4, n]
    }
    let real: [PointFieldType] = [.float32, .float64]
    let whole: [PointFieldType] = [.uint8, .int16, .uint16, .int32, .uint32, .float32, .float64]
    let orders = [["x", "y", "z", "intensity"], ["intensity", "z", "ring", "y", "x"]]
    for x in real {
      for (order, intensity) in orders.flatMap({ order in whole.map { (order, $0) } }) {
        for (padding, rowPadding, rows) in [(0, 0, 1), (3, 0, 2), (1, 5, 4), (0, 16, 24)] {
          let types = order.map { name -> PointFieldType in
            name == "intensity" ? intensity : name == "ring" ? .uint16 : x
          }
          let cloud = Self.cloud(
            order: order, types: types, padding: padding, rows: rows, columns: 24 / rows,
            rowPadding: rowPadding, isBigEndian: big)
          let scan = try LidarScan(cloud)
          #expect(scan.values == expected)
        }
      }
    }
  }

  @Test func `integer coordinates, absent intensity and points that are not finite`() throws {
    var cloud = Self.cloud(
      order: ["x", "y", "z"], types: [.int16, .int32, .float32], padding: 0, rows: 2, columns: 3,
      rowPadding: 0, isBigEndian: false)
    cloud.data.replaceSubrange(6..<10, with: [0, 0, 0xc0, 0x7f])
    cloud.isDense = false
    let scan = try LidarScan(cloud)
    #expect(scan.count == 5 && scan.notFiniteCount == 1)
    #expect(Array(scan.values[0..<4]) == [1, -2, 0.25, 0])
  }

  @Test func `a cloud whose fields or points leave its bytes is an error that says which`() throws {
    let good = Self.cloud(
      order: ["x", "y", "z", "intensity"], types: [.float32, .float32, .float32, .float32],
      padding: 0, rows: 2, columns: 4, rowPadding: 0, isBigEndian: false)
    var broken: [(String, PointCloudMessage)] = []
    func add(_ text: String, _ change: (inout PointCloudMessage) -> Void) {
      var cloud = good
      change(&cloud)
      broken.append((text, cloud))
    }
    add("8×4 points") { $0.height = 8 }
    add("points of 16") { $0.width = Int(UInt32.max) }
    add("points") { $0.rowByteStride = Int(UInt32.max) }
    add("a row step of at least") { $0.rowByteStride = 10 }
    add("fields inside the point step") { $0.fields[2].byteOffset = 14 }
    add("fields inside the point step") { $0.pointByteStride = 0 }
    add("a field x") { $0.fields.removeFirst() }
    add("a field y") { $0.fields[1].datatype = 9 }
    for (text, cloud) in broken {
      #expect {
        _ = try LidarScan(cloud)
      } throws: {
        ($0 as? FieldError)?.expected.contains(text) == true
      }
    }
    var noIntensity = good
    noIntensity.fields[3].byteOffset = 14
    let scan = try LidarScan(noIntensity)
    #expect(scan.count == 8 && scan.problem != nil && scan.values[7] == 0)
    var empty = good
    (empty.width, empty.data) = (0, [])
    let emptyScan = try LidarScan(empty)
    #expect(emptyScan.count == 0)
  }

  @Test func `mutated messages of every kind never trap`() throws {
    var generator = SeededGenerator(seed: 99)
    var writer = Writer(isBigEndian: false)
    writer.header(5, 6, "lidar")
    for value: UInt32 in [1, 3, 1] { writer.put(value) }
    writer.put("x")
    writer.put(UInt32(0))
    writer.put(UInt8(7))
    writer.put(UInt32(1))
    writer.put(UInt8(0))
    for value: UInt32 in [4, 12, 12] { writer.put(value) }
    writer.bytes += [UInt8](repeating: 1, count: 13)
    let protobuf: [UInt8] = [
      0x0a, 4, 8, 1, 0x10, 2, 0x12, 1, 0x61, 0x25, 4, 0, 0, 0, 0x2a, 5, 0x0a, 1, 0x78, 0x18, 7, 0x32,
      4, 1, 2, 3, 4,
    ]
    for _ in 0..<3_000 {
      for original in [writer.bytes, protobuf] {
        var bytes = original
        MCAPMutationTests.mutate(&bytes, &generator)
        _ = try? PointCloudMessage(cdr: bytes[...]).scanned()
        _ = try? PointCloudMessage(protobuf: bytes[...]).scanned()
        _ = try? RGBImage(RawImageMessage(cdr: bytes[...]))
        _ = try? RGBImage(RawImageMessage(protobuf: bytes[...]))
        _ = try? CameraInfoMessage(cdr: bytes[...])
        _ = try? CameraInfoMessage(protobuf: bytes[...])
        _ = try? TransformListMessage(protobuf: bytes[...])
        _ = try? OccupancyGridMessage(cdr: bytes[...])
        _ = try? InertialMessage(cdr: bytes[...])
        _ = try? PoseMessage(odometry: bytes[...])
        _ = try? PoseMessage(protobuf: bytes[...])
        _ = try? CompressedImageMessage(protobuf: bytes[...])
      }
    }
  }
}

extension PointCloudMessage {
  fileprivate func scanned() throws -> LidarScan { try LidarScan(self) }
}

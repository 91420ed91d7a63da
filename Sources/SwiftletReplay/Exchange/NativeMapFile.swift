import Swiftlet

/// `.swlmap`, version 1, little-endian:
///
///     8 bytes   "SWLMAP", 13, 10 (line-end conversion damages it visibly)
///     uint32    version, 1
///     uint32    size of this header, 48
///     float64   voxel size, metres
///     uint64    voxel count n
///     float32   log-odds from which a voxel is occupied
///     uint32    0, reserved
///     uint32    CRC-32 (zlib) of everything after the header
///     uint32    CRC-32 of the 44 bytes before
///     int32     n × 3 keys, ascending by x, y, z
///     float32   n log-odds
enum NativeMapFile {
  static let magic: [UInt8] = Array("SWLMAP".utf8) + [13, 10]
  static let version: UInt32 = 1
  static let headerSize = 48

  static func serialize(_ map: VoxelMap) -> [UInt8] {
    var payload: [UInt8] = []
    payload.reserveCapacity(map.count * 16)
    for key in map.keys {
      payload.append(littleEndian: key.x)
      payload.append(littleEndian: key.y)
      payload.append(littleEndian: key.z)
    }
    for value in map.logOdds { payload.append(bitsOf: value) }
    var bytes = magic
    bytes.reserveCapacity(headerSize + payload.count)
    bytes.append(littleEndian: version)
    bytes.append(littleEndian: UInt32(headerSize))
    bytes.append(bitsOf: map.voxelSizeMeters)
    bytes.append(littleEndian: UInt64(map.count))
    bytes.append(bitsOf: map.occupiedThreshold)
    bytes.append(littleEndian: UInt32(0))
    bytes.append(littleEndian: ZlibCodec.checksum(payload))
    bytes.append(littleEndian: ZlibCodec.checksum(bytes))
    return bytes + payload
  }

  static func parse(_ bytes: [UInt8], file: String) throws(ExchangeError) -> VoxelMap {
    var cursor = ByteCursor(bytes, file: file)
    guard try Array(cursor.take(8, "a .swlmap header")) == magic else {
      throw ExchangeError(
        file: file, byteOffset: 0, expected: "SWLMAP", found: ImageCodec.hexadecimal(bytes.prefix(8)),
        remedy: "give a .swlmap file, copied in binary")
    }
    let version = try cursor.integer(UInt32.self, "a version")
    guard version == Self.version else {
      throw ExchangeError(
        file: file, byteOffset: 8, expected: "version 1", found: "version \(version)",
        remedy: "read it with a newer release")
    }
    let size = try cursor.integer(UInt32.self, "a header size")
    let voxelSize = try cursor.double("a voxel size")
    let count = try cursor.integer(UInt64.self, "a voxel count")
    let threshold = try cursor.float("a threshold")
    _ = try cursor.integer(UInt32.self, "a header")
    let payloadChecksum = try cursor.integer(UInt32.self, "a checksum")
    let headerChecksum = try cursor.integer(UInt32.self, "a checksum")
    try check("header", headerChecksum, bytes.prefix(headerSize - 4), file)
    guard size == headerSize, count <= UInt64(cursor.remaining / 16),
      Int(count) * 16 == cursor.remaining
    else {
      throw ExchangeError(
        file: file, byteOffset: headerSize, expected: "16 bytes for each of \(count) voxels",
        found: "\(cursor.remaining)", remedy: "copy the file again")
    }
    try check("voxels", payloadChecksum, bytes[headerSize...], file)
    var keys: [VoxelKey] = []
    keys.reserveCapacity(Int(count))
    for _ in 0..<count {
      let x = try cursor.integer(Int32.self, "a key")
      let y = try cursor.integer(Int32.self, "a key")
      keys.append(VoxelKey(x: x, y: y, z: try cursor.integer(Int32.self, "a key")))
    }
    var logOdds: [Float] = []
    logOdds.reserveCapacity(Int(count))
    for _ in 0..<count { logOdds.append(try cursor.float("log-odds")) }
    return try VoxelMap(
      file: file, voxelSizeMeters: voxelSize, keys: keys, logOdds: logOdds,
      occupiedThreshold: threshold)
  }

  private static func check(
    _ part: String, _ expected: UInt32, _ bytes: ArraySlice<UInt8>, _ file: String
  ) throws(ExchangeError) {
    let found = ZlibCodec.checksum(bytes)
    guard found == expected else {
      throw ExchangeError(
        file: "\(file) \(part)", expected: "CRC-32 \(String(expected, radix: 16))",
        found: String(found, radix: 16), remedy: "copy the file again: it is damaged")
    }
  }
}

import Swiftlet

/// The `.safetensors` of `swiftlet map`: `keys` int32 [N, 3], `log_odds` float32 [N] and metadata
/// `voxel_size_meters`.
enum SafeTensorsMap {
  static func serialize(_ map: VoxelMap) -> [UInt8] {
    SafeTensors(
      tensors: [
        "keys": HostTensor(map.keys.flatMap { [$0.x, $0.y, $0.z] }, shape: [map.count, 3]),
        "log_odds": HostTensor(map.logOdds, shape: [map.count]),
      ],
      metadata: [
        "format": "swiftlet occupancy map, version 1",
        "voxel_size_meters": "\(map.voxelSizeMeters)",
        "occupied_threshold": "\(map.occupiedThreshold)",
      ]
    ).serialized()
  }

  static func parse(_ bytes: [UInt8], file: String) throws(ExchangeError) -> VoxelMap {
    let tensors: SafeTensors
    do throws(WeightsError) {
      tensors = try SafeTensors(bytes: bytes)
    } catch {
      throw ExchangeError(
        file: "\(file) \(error.tensor)", expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
    guard let keys = tensors.tensors["keys"]?.int32s(), let values = tensors.tensors["log_odds"]?.floats(),
      keys.count == 3 * values.count
    else {
      throw ExchangeError(
        file: file, expected: "keys int32 [N, 3] and log_odds float32 [N]",
        found: tensors.tensors.isEmpty
          ? "no tensors"
          : tensors.tensors.sorted { $0.key < $1.key }
            .map { "\($0.key) \($0.value.elementType) \($0.value.shape)" }.joined(separator: ", "),
        remedy: "give a file that swiftlet map wrote")
    }
    guard let text = tensors.metadata["voxel_size_meters"], let voxelSize = Double(text) else {
      throw ExchangeError(
        file: file, expected: "metadata voxel_size_meters", found: "none",
        remedy: "give a file that swiftlet map wrote")
    }
    return try VoxelMap(
      file: file, voxelSizeMeters: voxelSize,
      keys: values.indices.map {
        VoxelKey(x: keys[3 * $0], y: keys[3 * $0 + 1], z: keys[3 * $0 + 2])
      }, logOdds: values,
      occupiedThreshold: tensors.metadata["occupied_threshold"].flatMap { Float($0) } ?? 0)
  }
}

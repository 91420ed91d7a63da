import Foundation
import Swiftlet

/// One sample of an occupancy set: labels [x][y][z] and what may come with them.
public struct OccupancyLabels: Sendable, Equatable {
  /// Voxels along x, y, z.
  public var sizes: SIMD3<Int>
  public var labels: [UInt8]
  /// 1 where a LiDAR ray passed or ended, and where a camera sees; nil when the file has none.
  public var lidarMask: [UInt8]?
  public var cameraMask: [UInt8]?
  /// [x][y][z][2], m/s.
  public var flow: [Float]?
  /// Sensor origins of RayIoU in the grid's frame, metres.
  public var originsMeters: [SIMD3<Float>]?

  public init(sizes: SIMD3<Int>, labels: [UInt8]) {
    self.sizes = sizes
    self.labels = labels
  }

  /// What a file may be called that can hold labels.
  public static let fileExtensions = ["npz", "npy", "safetensors"]

  /// Reads an Occ3D `labels.npz`, a `.npy` or a `.safetensors`.
  ///
  /// Labels are the array `semantics`, `labels`, `pred`, `occ`, `arr_0` or the only one with three
  /// dimensions, of any integer type with values 0...255; masks are `mask_camera` and `mask_lidar`,
  /// the flow `flow`, origins `origins` or `lidar_origins`.
  ///
  /// - Throws: `ExchangeError` naming the file, the array, what was expected and found.
  public static func read(_ path: String) throws(ExchangeError) -> OccupancyLabels {
    let bytes: [UInt8]
    do throws(RecordingError) {
      bytes = try RecordingFile.read(path)
    } catch {
      throw ExchangeError(error)
    }
    let arrays = try arrays(bytes, path)
    guard let name = labelName(in: arrays), let tensor = arrays[name] else {
      throw ExchangeError(
        file: path, expected: "an array semantics, labels, pred, occ or arr_0 of three dimensions",
        found: arrays.isEmpty
          ? "no arrays"
          : arrays.sorted { $0.key < $1.key }.map { "\($0.key) \($0.value.shape)" }
            .joined(separator: ", "),
        remedy: "save the labels as semantics [x, y, z] uint8")
    }
    let shape = tensor.shape.count == 4 && tensor.shape[0] == 1 ? Array(tensor.shape[1...]) : tensor.shape
    var result = OccupancyLabels(
      sizes: SIMD3(shape[0], shape[1], shape[2]), labels: try byteValues(tensor, name, path))
    result.cameraMask = try mask("mask_camera", arrays, result, path)
    result.lidarMask = try mask("mask_lidar", arrays, result, path)
    result.flow = try flow(arrays, result, path)
    result.originsMeters = try origins(arrays, path)
    return result
  }

  private static func arrays(
    _ bytes: [UInt8], _ path: String
  ) throws(ExchangeError) -> [String: HostTensor] {
    switch path.split(separator: ".").last?.lowercased() {
    case "npz":
      let archive = try ZipArchive(bytes, file: path)
      var arrays: [String: HostTensor] = [:]
      for entry in archive.entries where entry.name.hasSuffix(".npy") {
        let contents = try archive.contents(of: entry)
        arrays[String(entry.name.dropLast(4))] = try array(contents, "\(path) \(entry.name)")
      }
      return arrays
    case "npy": return ["semantics": try array(bytes, path)]
    case "safetensors":
      do throws(WeightsError) {
        return try SafeTensors(bytes: bytes).tensors
      } catch {
        throw ExchangeError(
          file: "\(path) \(error.tensor)", expected: error.expected, found: error.found,
          remedy: error.remedy)
      }
    default:
      throw ExchangeError(
        file: path, expected: "a file .npz, .npy or .safetensors", found: "another extension",
        remedy: "convert the labels to one of these")
    }
  }

  private static func array(_ bytes: [UInt8], _ file: String) throws(ExchangeError) -> HostTensor {
    do throws(RecordingError) {
      return try NumpyArray.parse(bytes, file: file)
    } catch {
      throw ExchangeError(error)
    }
  }

  private static func labelName(in arrays: [String: HostTensor]) -> String? {
    func isGrid(_ tensor: HostTensor) -> Bool {
      let shape = tensor.shape.count == 4 && tensor.shape[0] == 1 ? Array(tensor.shape[1...]) : tensor.shape
      return shape.count == 3 && !shape.contains(0)
    }
    let named = ["semantics", "labels", "pred", "occ", "arr_0"].first { arrays[$0].map(isGrid) ?? false }
    if let named { return named }
    let others = arrays.filter { isGrid($0.value) && !$0.key.hasPrefix("mask") }
    return others.count == 1 ? others.first?.key : nil
  }

  /// Any integer type; a value outside a byte is an error that says where.
  private static func byteValues(
    _ tensor: HostTensor, _ name: String, _ file: String
  ) throws(ExchangeError) -> [UInt8] {
    if let bytes = tensor.uint8s() { return bytes }
    let wide: [Int64]? =
      tensor.int64s() ?? tensor.int32s()?.map(Int64.init) ?? tensor.int8s()?.map(Int64.init)
      ?? tensor.uint16s()?.map(Int64.init)
    guard let wide else {
      throw ExchangeError(
        file: "\(file) \(name)", expected: "uint8 (or int8, uint16, int32, int64)",
        found: "\(tensor.elementType)", remedy: "save labels, not scores, as uint8")
    }
    if let wrong = wide.firstIndex(where: { !(0...255).contains($0) }) {
      throw ExchangeError(
        file: "\(file) \(name)", expected: "labels 0 to 255", found: "\(wide[wrong]) at \(wrong)",
        remedy: "map the labels to 0...254, 255 for ignored voxels")
    }
    return wide.map { UInt8($0) }
  }

  private static func mask(
    _ name: String, _ arrays: [String: HostTensor], _ labels: OccupancyLabels, _ file: String
  ) throws(ExchangeError) -> [UInt8]? {
    guard let tensor = arrays[name] else { return nil }
    let values = try byteValues(tensor, name, file)
    guard values.count == labels.labels.count else {
      throw ExchangeError(
        file: "\(file) \(name)", expected: "\(labels.labels.count) voxels as the labels",
        found: "shape \(tensor.shape)", remedy: "save the mask of the same grid")
    }
    return values
  }

  private static func flow(
    _ arrays: [String: HostTensor], _ labels: OccupancyLabels, _ file: String
  ) throws(ExchangeError) -> [Float]? {
    guard let tensor = arrays["flow"] else { return nil }
    guard let values = tensor.floats() ?? tensor.doubles()?.map({ Float($0) }),
      values.count == 2 * labels.labels.count
    else {
      throw ExchangeError(
        file: "\(file) flow", expected: "floating-point [x, y, z, 2] of the labels' grid",
        found: "\(tensor.elementType) \(tensor.shape)", remedy: "save vx and vy a voxel in m/s")
    }
    return values
  }

  private static func origins(
    _ arrays: [String: HostTensor], _ file: String
  ) throws(ExchangeError) -> [SIMD3<Float>]? {
    guard let tensor = arrays["origins"] ?? arrays["lidar_origins"] else { return nil }
    guard let values = tensor.floats() ?? tensor.doubles()?.map({ Float($0) }),
      values.count % 3 == 0, tensor.shape.last == 3, !values.isEmpty
    else {
      throw ExchangeError(
        file: "\(file) origins", expected: "floating-point [n, 3]",
        found: "\(tensor.elementType) \(tensor.shape)", remedy: "save x, y, z in metres an origin")
    }
    return stride(from: 0, to: values.count, by: 3).map {
      SIMD3(values[$0], values[$0 + 1], values[$0 + 2])
    }
  }
}

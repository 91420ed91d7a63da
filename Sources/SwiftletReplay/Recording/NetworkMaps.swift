import Swiftlet

extension BEVMapInput.Kind {
  /// The folder under `network_outputs`.
  var folderName: String {
    switch self {
    case .radar: "RADAR_BEV"
    case .mapPrior: "MAP_PRIOR"
    }
  }
}

/// Bird's-eye-view maps that other networks made, recorded beside the frames.
///
///     <recording>/network_outputs/RADAR_BEV/<nanoseconds>.safetensors
///     <recording>/network_outputs/MAP_PRIOR/<nanoseconds>.safetensors
///
/// The file's name is the map's time; it is moved to the frame by the ego poses of both times. `bev`
/// [y][x][channel], float32, float16 or bfloat16, lies on the grid of `pipeline.json` in ego axes;
/// `validity` [y][x], uint8, is 0 where the map knows nothing (without it every cell counts). A frame
/// takes the map nearest to it, a radar's no older than the maximum age.
struct NetworkMaps: Sendable {
  let kind: BEVMapInput.Kind
  let folder: String
  /// By time.
  let samples: [IndexedSample]

  /// Every kind that has a folder with maps.
  static func open(root: String?) -> [NetworkMaps] {
    guard let root else { return [] }
    return BEVMapInput.Kind.allCases.compactMap { kind in
      let folder = "\(root)/\(NetworkOutputs.folderName)/\(kind.folderName)"
      let samples = RecordingFile.names(in: folder).compactMap { name -> IndexedSample? in
        guard name.hasSuffix(".safetensors"), let time = Int64(RecordingFile.stem(name)),
          RecordingTime.isPlausible(time)
        else { return nil }
        return IndexedSample(
          timestampNanoseconds: time, file: "\(folder)/\(name)", outputName: String(time))
      }
      guard !samples.isEmpty else { return nil }
      return NetworkMaps(
        kind: kind, folder: folder,
        samples: samples.sorted { $0.timestampNanoseconds < $1.timestampNanoseconds })
    }
  }

  /// Map `number` as the pipeline takes it; `storage` keeps its memory.
  func load(
    _ number: Int, ageNanoseconds: Int64, worldFromEgo: RigidTransform,
    storage: inout [any AnyObject & Sendable]
  ) throws(RecordingError) -> BEVMapInput {
    let file = samples[number].file
    let bytes = try RecordingFile.read(file)
    let content: SafeTensors
    do throws(WeightsError) {
      content = try SafeTensors(bytes: bytes)
    } catch {
      throw RecordingError(
        file: file, record: error.tensor, expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
    var buffers: [AlignedBuffer<UInt8>] = []
    guard let bev = content.tensors["bev"] else {
      throw RecordingError(
        file: file, record: "bev", expected: "a tensor bev [y][x][channel]",
        found: content.tensors.keys.sorted().joined(separator: " "), remedy: "rename the tensor")
    }
    let features = try NetworkOutputs.view(bev, "bev", file, &buffers)
    var validity: TensorView?
    if let tensor = content.tensors["validity"] {
      guard let bytes = tensor.uint8s(), tensor.shape == [features.shape.0, features.shape.1] else {
        throw RecordingError(
          file: file, record: "validity",
          expected: "U8 of shape [\(features.shape.0), \(features.shape.1)]",
          found: "\(tensor.elementType.rawValue) of shape \(tensor.shape)",
          remedy: "export it with the map")
      }
      let buffer = AlignedBuffer(bytes)
      buffers.append(buffer)
      validity = unsafe TensorView(
        base: UnsafeRawPointer(buffer.pointer), elementType: .uint8,
        shape: (1, features.shape.0, features.shape.1))
    }
    storage += buffers
    return BEVMapInput(
      kind: kind, name: kind.folderName, ageNanoseconds: ageNanoseconds, features: features,
      validity: validity, worldFromEgo: worldFromEgo)
  }
}

import Swiftlet

/// A camera network's results recorded beside the frames.
///
///     <recording>/network_outputs/<CAMERA>/<sample>.safetensors
///
/// `<sample>` is the image's file name without extensions, or its timestamp in nanoseconds. The
/// tensors, float32, float16 or bfloat16:
///
/// - `features` [y][x][channel] (metadata `features_layout` = `cyx` for [channel][y][x]);
/// - `depth` [bin][y][x], a distribution, or `depth_logits` [bin][y][x], before the softmax.
///
/// Metadata, all optional: `network_width`, `network_height` (pixels the network saw) and
/// `augmentation`, six numbers `a00 a01 a10 a11 tx ty` that map raw pixels to those. NumPy users put
/// `<sample>.features.npy` and `<sample>.depth.npy` or `<sample>.depth_logits.npy` in the same
/// place. `network_outputs/network.json` may give the same three values for every camera. Without
/// any of them BEVDet's test-time preparation is assumed: width 704, bottom 256 rows.
struct NetworkOutputs: Sendable {
  static let folderName = "network_outputs"

  let folder: String
  private let defaults: Preparation

  struct Preparation: Sendable, Equatable {
    var width: Int?
    var height: Int?
    var augmentation: ImageAugmentation?
    var featuresLayout: String?
  }

  /// One camera's tensors and what its images went through.
  struct Output: Sendable {
    var features: TensorView?
    var depth: TensorView?
    var depthIsLogits = false
    var preparation = Preparation()
    var storage: [AlignedBuffer<UInt8>] = []
  }

  /// Nil where the recording has no such folder.
  init?(root: String?) throws(RecordingError) {
    guard let root, RecordingFile.isFolder("\(root)/\(Self.folderName)") else { return nil }
    folder = "\(root)/\(Self.folderName)"
    let file = "\(folder)/network.json"
    defaults = RecordingFile.exists(file) ? try Self.readDefaults(file) : Preparation()
  }

  /// Tensors of one camera's sample; nil where no file is there.
  func load(camera: String, sample: IndexedSample) throws(RecordingError) -> Output? {
    for name in [sample.outputName, String(sample.timestampNanoseconds)] {
      let base = "\(folder)/\(camera)/\(name)"
      if RecordingFile.exists(base + ".safetensors") { return try loadSafeTensors(base) }
      if let output = try loadNumpy(base) { return output }
    }
    return nil
  }

  private func loadSafeTensors(_ base: String) throws(RecordingError) -> Output {
    let file = base + ".safetensors"
    let bytes = try RecordingFile.read(file)
    let content: SafeTensors
    do throws(WeightsError) {
      content = try SafeTensors(bytes: bytes)
    } catch {
      throw RecordingError(
        file: file, record: error.tensor, expected: error.expected, found: error.found,
        remedy: error.remedy)
    }
    var preparation = defaults
    try preparation.merge(content.metadata, file: file)
    return try output(content.tensors, preparation, file)
  }

  private func loadNumpy(_ base: String) throws(RecordingError) -> Output? {
    var tensors: [String: HostTensor] = [:]
    for name in ["features", "depth", "depth_logits"] {
      let file = "\(base).\(name).npy"
      guard RecordingFile.exists(file) else { continue }
      tensors[name] = try NumpyArray.parse(try RecordingFile.read(file), file: file)
    }
    return tensors.isEmpty ? nil : try output(tensors, defaults, base)
  }

  private func output(
    _ tensors: [String: HostTensor], _ preparation: Preparation, _ file: String
  ) throws(RecordingError) -> Output {
    var output = Output(preparation: preparation)
    if let features = tensors["features"] {
      var view = try Self.view(features, "features", file, &output.storage)
      if preparation.featuresLayout == "cyx" {
        let (channels, rows, columns) = view.shape
        view = unsafe TensorView(
          base: view.baseAddress, elementType: view.elementType, shape: (rows, columns, channels),
          strides: (columns, 1, rows * columns))
      }
      output.features = view
    }
    if let depth = tensors["depth"] ?? tensors["depth_logits"] {
      output.depthIsLogits = tensors["depth"] == nil
      output.depth = try Self.view(depth, "depth", file, &output.storage)
    }
    guard output.features != nil || output.depth != nil else {
      throw RecordingError(
        file: file, expected: "a tensor features, depth or depth_logits",
        found: tensors.keys.sorted().joined(separator: " "), remedy: "rename the tensors")
    }
    if let features = output.features, let depth = output.depth {
      guard features.shape.0 == depth.shape.1, features.shape.1 == depth.shape.2 else {
        throw RecordingError(
          file: file, expected: "depth of the features' \(features.shape.0)×\(features.shape.1)",
          found: "\(depth.shape.1)×\(depth.shape.2)", remedy: "export both at one stride")
      }
    }
    return output
  }

  /// A view of a three-dimensional tensor (a leading 1 is dropped) in memory that `storage` owns.
  static func view(
    _ tensor: HostTensor, _ name: String, _ file: String, _ storage: inout [AlignedBuffer<UInt8>]
  ) throws(RecordingError) -> TensorView {
    var shape = tensor.shape
    if shape.count == 4, shape[0] == 1 { shape.removeFirst() }
    guard shape.count == 3, shape.allSatisfy({ $0 > 0 }) else {
      throw RecordingError(
        file: file, record: name, expected: "three sizes above 0", found: "shape \(tensor.shape)",
        remedy: "export features as [y][x][channel] and depth as [bin][y][x]")
    }
    let types: [SafeTensorType: ElementType] = [
      .float32: .float32, .float16: .float16, .bfloat16: .bfloat16,
    ]
    guard let type = types[tensor.elementType] else {
      throw RecordingError(
        file: file, record: name, expected: "F32, F16 or BF16", found: tensor.elementType.rawValue,
        remedy: "convert the tensor before saving it")
    }
    let buffer = AlignedBuffer(tensor.bytes)
    storage.append(buffer)
    return unsafe TensorView(
      base: UnsafeRawPointer(buffer.pointer), elementType: type,
      shape: (shape[0], shape[1], shape[2]))
  }

  private static func readDefaults(_ file: String) throws(RecordingError) -> Preparation {
    let bytes = try RecordingFile.read(file)
    let value: JSONValue
    do throws(JSONError) {
      value = try JSONReader.parse(bytes)
    } catch {
      throw RecordingError(
        file: file, byteOffset: error.byteOffset, expected: error.expected, found: error.found,
        remedy: "correct the file")
    }
    var texts: [String: String] = [:]
    for (key, member) in value.objectValue ?? [:] {
      if let numbers = member.doublesValue {
        texts[key] = numbers.map { "\($0)" }.joined(separator: " ")
      } else {
        texts[key] = member.stringValue ?? member.text
      }
    }
    var preparation = Preparation()
    try preparation.merge(texts, file: file)
    return preparation
  }
}

extension NetworkOutputs.Preparation {
  fileprivate mutating func merge(
    _ metadata: [String: String], file: String
  ) throws(RecordingError) {
    func positive(_ key: String) throws(RecordingError) -> Int? {
      guard let text = metadata[key] else { return nil }
      guard let value = Int(text), (1...65_535).contains(value) else {
        throw RecordingError(
          file: file, record: key, expected: "pixels from 1 to 65535", found: text,
          remedy: "correct the metadata")
      }
      return value
    }
    width = try positive("network_width") ?? width
    height = try positive("network_height") ?? height
    featuresLayout = metadata["features_layout"] ?? featuresLayout
    guard let text = metadata["augmentation"] else { return }
    let values = text.split { " ,[]".contains($0) }.compactMap { Double($0) }
    guard values.count == 6, values.allSatisfy(\.isFinite) else {
      throw RecordingError(
        file: file, record: "augmentation", expected: "six numbers a00 a01 a10 a11 tx ty",
        found: text, remedy: "correct the metadata")
    }
    augmentation = ImageAugmentation(
      a00: values[0], a01: values[1], a10: values[2], a11: values[3], tx: values[4], ty: values[5])
  }
}

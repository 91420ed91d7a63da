/// Scales of int8 layers' inputs by layer name, in a weights file: tensor `encoder.input_scales.`
/// and the name a `CalibratedLayers` gives the layer, of shape [1].
public enum InputScales {
  public static let prefix = "encoder.input_scales."

  /// The names of an encoder's dense layers, as `BEVFormerEncoder.denseLayers` has them.
  public static func layerNames(layers: Int) -> [String] {
    (0..<layers).flatMap { layer in
      [
        "tsa.value_proj", "tsa.sampling", "tsa.output_proj", "tsa.sampling_previous",
        "sca.value_proj", "sca.sampling", "sca.output_proj", "ffn.0", "ffn.1",
      ].map { "layers.\(layer).\($0)" }
    }
  }

  /// The scales that a file holds; nil for one that holds none.
  ///
  /// - Throws: `WeightsError` naming a tensor that is misshapen or not a positive finite number.
  public static func read(_ file: SafeTensors) throws(WeightsError) -> [String: Float]? {
    var scales: [String: Float] = [:]
    for name in file.tensors.keys.sorted() where name.hasPrefix(prefix) {
      let value = try WeightsReader(file).floats(name, shape: [1])[0]
      guard value > 0 else {
        throw WeightsError(
          tensor: name, expected: "a positive scale", found: "\(value)",
          remedy: "calibrate again and write the scales with it")
      }
      scales[String(name.dropFirst(prefix.count))] = value
    }
    return scales.isEmpty ? nil : scales
  }

  /// `file` with these scales instead of those it had.
  public static func adding(_ scales: [String: Float], to file: SafeTensors) -> SafeTensors {
    var tensors = file.tensors.filter { !$0.key.hasPrefix(prefix) }
    for (name, scale) in scales { tensors[prefix + name] = HostTensor([scale], shape: [1]) }
    return SafeTensors(tensors: tensors, metadata: file.metadata)
  }
}

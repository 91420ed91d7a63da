/// Reads named float tensors of a weights file, each checked before it is used.
public struct WeightsReader {
  private let file: SafeTensors
  /// What stands before every name, `encoder.layers.0.`; errors name the whole tensor.
  private let prefix: String

  public init(_ file: SafeTensors, prefix: String = "") {
    self.file = file
    self.prefix = prefix
  }

  /// The values of float32, half or bfloat16 tensor `name`.
  ///
  /// - Throws: `WeightsError` when it is missing, of another shape or type, or not finite.
  public func floats(_ name: String, shape: [Int]) throws(WeightsError) -> [Float] {
    let name = prefix + name
    guard let tensor = file.tensors[name] else {
      throw WeightsError(
        tensor: name, expected: "a tensor of shape \(shape)", found: "no such tensor",
        remedy: "export it under this name")
    }
    guard tensor.shape == shape else {
      throw WeightsError(
        tensor: name, expected: "shape \(shape)", found: "shape \(tensor.shape)",
        remedy: "use weights of this configuration, or change the configuration")
    }
    guard let values = tensor.floats() else {
      throw WeightsError(
        tensor: name, expected: "F32, F16 or BF16", found: tensor.elementType.rawValue,
        remedy: "convert it to a floating type")
    }
    if let index = values.firstIndex(where: { !$0.isFinite }) {
      throw WeightsError(
        tensor: name, expected: "finite values", found: "\(values[index]) at index \(index)",
        remedy: "export the weights again")
    }
    return values
  }
}

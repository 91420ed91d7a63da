/// Which tensors a weights file must have, with their shapes; says everything that does not fit.
public struct WeightsLayout: Sendable {
  public struct Tensor: Sendable, Equatable {
    public var name: String
    public var shape: [Int]

    public init(_ name: String, _ shape: [Int]) {
      self.name = name
      self.shape = shape
    }
  }

  public var tensors: [Tensor]
  /// Tensors that may be left out; there, they have these shapes.
  public var optionalTensors: [Tensor]
  /// A tensor with one of these prefixes that is not listed is an error; others are left alone.
  public var ownedPrefixes: [String]

  public init(
    tensors: [Tensor], optionalTensors: [Tensor] = [], ownedPrefixes: [String]
  ) {
    self.tensors = tensors
    self.optionalTensors = optionalTensors
    self.ownedPrefixes = ownedPrefixes
  }

  /// What a pipeline of this configuration reads; `PipelineWeights` has the table.
  public static func pipeline(
    _ configuration: PipelineConfiguration, modalities: Int
  ) -> WeightsLayout {
    let channels = configuration.channelCount
    var tensors = FusionWeights.shapes(channels: channels, modalities: modalities)
      .map { Tensor($0.name, $0.shape) }
    var prefixes = ["fusion."]
    if configuration.fusion.neighborPointCount > 0 {
      tensors += DeformableWeights.shapes(configuration.neighborShape)
        .map { Tensor("neighbors." + $0.name, $0.shape) }
      prefixes.append("neighbors.")
    }
    let heads = configuration.heads
    var experts: [Tensor] = []
    for (name, outputs) in [
      ("occupancy", heads.occupancyClassCount * heads.occupancyHeightCount),
      ("semantic", heads.semanticClassCount),
    ] where outputs > 0 {
      tensors += head("heads.\(name).", outputs, channels)
      prefixes.append("heads.\(name).")
      for expert in HeadWeights.experts {
        experts += head("experts.\(expert).\(name).", outputs, channels)
        prefixes.append("experts.\(expert).\(name).")
      }
    }
    return WeightsLayout(
      tensors: tensors, optionalTensors: experts, ownedPrefixes: prefixes)
  }

  private static func head(_ prefix: String, _ outputs: Int, _ channels: Int) -> [Tensor] {
    [Tensor(prefix + "weight", [outputs, channels]), Tensor(prefix + "bias", [outputs])]
  }

  /// Everything in `file` that does not fit: missing, misshapen, of no floating type, not finite,
  /// then unknown tensors under an owned prefix.
  public func problems(of file: SafeTensors) -> [WeightsError] {
    var problems: [WeightsError] = []
    let present = optionalTensors.filter { file.tensors[$0.name] != nil }
    for tensor in tensors + present {
      do throws(WeightsError) {
        _ = try WeightsReader(file).floats(tensor.name, shape: tensor.shape)
      } catch {
        problems.append(error)
      }
    }
    let known = Set((tensors + optionalTensors).map(\.name))
    for name in file.tensors.keys.sorted()
    where !known.contains(name) && ownedPrefixes.contains(where: name.hasPrefix) {
      problems.append(
        WeightsError(
          tensor: name, expected: "no such tensor in this layout",
          found: "shape \(file.tensors[name]?.shape ?? [])", remedy: "remove it or rename it"))
    }
    return problems
  }
}

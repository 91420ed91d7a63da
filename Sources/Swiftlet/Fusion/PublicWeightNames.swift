/// Names of tensors in the state dicts of BEVFormer, UniAD and FB-OCC (all mmdet3d), and where they
/// go in a file of ours. `SensorFusion` has the table.
public enum PublicWeightNames {
  /// What may stand before an encoder's own names.
  private static let prefixes = [
    "module.", "model.", "img_view_transformer.", "pts_bbox_head.", "backward_projection.",
  ]
  /// Inside a layer; the first match counts.
  private static let layerParts: [(theirs: String, ours: String)] = [
    ("attentions.1.deformable_attention.", "spatial."),
    ("attentions.1.", "spatial."),
    ("attentions.0.", "temporal."),
    ("ffns.0.layers.0.0.", "ffn0."),
    ("ffns.0.layers.1.", "ffn1."),
    ("norms.0.", "norm0."), ("norms.1.", "norm1."), ("norms.2.", "norm2."),
  ]
  /// Outside the layers.
  private static let others: [(theirs: String, ours: String)] = [
    ("bev_embedding.weight", "bev_embedding"),
    ("positional_encoding.row_embed.weight", "position.row"),
    ("positional_encoding.col_embed.weight", "position.column"),
    ("transformer.level_embeds", "level_embeds"),
    ("transformer.cams_embeds", "cams_embeds"),
    ("transformer.can_bus_mlp.0.", "can_bus.0."),
    ("transformer.can_bus_mlp.2.", "can_bus.2."),
    ("transformer.can_bus_mlp.norm.", "can_bus.norm."),
  ]

  /// `encoder.layers.3.spatial.value_proj.weight` for
  /// `pts_bbox_head.transformer.encoder.layers.3.attentions.1.deformable_attention.value_proj.weight`;
  /// a name of ours as it is; nil for a tensor that belongs to no encoder (backbone, decoder, heads).
  public static func ours(_ name: String) -> String? {
    var rest = Substring(name)
    while let prefix = prefixes.first(where: { rest.hasPrefix($0) }) {
      rest = rest.dropFirst(prefix.count)
    }
    if let pair = others.first(where: { rest == $0.theirs || prefixed(rest, $0.theirs) }) {
      return pair.ours + rest.dropFirst(pair.theirs.count)
    }
    if rest.hasPrefix(InputScales.prefix) { return String(rest) }
    if rest.hasPrefix("transformer.") { rest = rest.dropFirst("transformer.".count) }
    guard rest.hasPrefix("encoder.layers.") else { return nil }
    let layer = rest.dropFirst("encoder.layers.".count).prefix { $0 != "." }
    guard Int(layer) != nil else { return nil }
    let head = "encoder.layers.\(layer)."
    let part = rest.dropFirst(head.count)
    if isOurs(part) { return head + part }
    guard let pair = layerParts.first(where: { part.hasPrefix($0.theirs) }) else { return nil }
    return head + pair.ours + part.dropFirst(pair.theirs.count)
  }

  private static func prefixed(_ name: Substring, _ theirs: String) -> Bool {
    theirs.hasSuffix(".") && name.hasPrefix(theirs)
  }
  private static func isOurs(_ part: Substring) -> Bool {
    layerParts.contains { part.hasPrefix($0.ours) }
  }

  /// The file with every tensor that has a place under our name; `dropped` lists the others.
  ///
  /// - Throws: `WeightsError` when two tensors would get one name.
  public static func convert(
    _ file: SafeTensors
  ) throws(WeightsError) -> (file: SafeTensors, dropped: [String]) {
    var tensors: [String: HostTensor] = [:]
    var source: [String: String] = [:]
    var dropped: [String] = []
    for name in file.tensors.keys.sorted() {
      guard let tensor = file.tensors[name] else { continue }
      guard let target = ours(name) else {
        dropped.append(name)
        continue
      }
      if let first = source[target] {
        throw WeightsError(
          tensor: name, expected: "one tensor for \(target)", found: "\(first) as well",
          remedy: "keep the tensors of one model only")
      }
      tensors[target] = tensor
      source[target] = name
    }
    let metadata = ["swiftlet_weights_version": "\(PipelineWeights.version)"]
    return (SafeTensors(tensors: tensors, metadata: metadata), dropped)
  }
}

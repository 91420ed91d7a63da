import Swiftlet
import SwiftletTestSupport
import Testing

@Suite struct PublicWeightNamesTests {
  @Test(arguments: [
    ("pts_bbox_head.transformer.encoder.layers.0.attentions.0.sampling_offsets.weight",
      "encoder.layers.0.temporal.sampling_offsets.weight"),
    ("model.pts_bbox_head.transformer.encoder.layers.5.attentions.0.output_proj.bias",
      "encoder.layers.5.temporal.output_proj.bias"),
    ("module.pts_bbox_head.transformer.encoder.layers.2.attentions.1.deformable_attention.value_proj.weight",
      "encoder.layers.2.spatial.value_proj.weight"),
    ("pts_bbox_head.transformer.encoder.layers.2.attentions.1.output_proj.weight",
      "encoder.layers.2.spatial.output_proj.weight"),
    ("backward_projection.transformer.encoder.layers.0.attentions.1.deformable_attention.attention_weights.bias",
      "encoder.layers.0.spatial.attention_weights.bias"),
    ("backward_projection.transformer.encoder.layers.0.ffns.0.layers.0.0.weight",
      "encoder.layers.0.ffn0.weight"),
    ("transformer.encoder.layers.1.ffns.0.layers.1.bias", "encoder.layers.1.ffn1.bias"),
    ("encoder.layers.11.norms.2.weight", "encoder.layers.11.norm2.weight"),
    ("encoder.layers.11.norm2.weight", "encoder.layers.11.norm2.weight"),
    ("pts_bbox_head.bev_embedding.weight", "bev_embedding"),
    ("pts_bbox_head.positional_encoding.row_embed.weight", "position.row"),
    ("pts_bbox_head.transformer.cams_embeds", "cams_embeds"),
    ("pts_bbox_head.transformer.can_bus_mlp.2.bias", "can_bus.2.bias"),
    ("pts_bbox_head.transformer.can_bus_mlp.norm.weight", "can_bus.norm.weight"),
  ])
  func `public names have their place`(theirs: String, ours: String) {
    #expect(PublicWeightNames.ours(theirs) == ours)
  }

  @Test(arguments: [
    "img_backbone.conv1.weight", "pts_bbox_head.transformer.decoder.layers.0.norms.0.weight",
    "pts_bbox_head.cls_branches.0.0.weight", "encoder.layers.x.norms.0.weight",
    "encoder.layers.0.attentions.2.value_proj.weight", "", "encoder.layers.",
  ])
  func `tensors of other parts have none`(name: String) {
    #expect(PublicWeightNames.ours(name) == nil)
  }

  @Test func `two models in one file are an error, not a mixture`() {
    let tensor = HostTensor([Float(1)], shape: [1])
    let file = SafeTensors(tensors: [
      "module.encoder.layers.0.norms.0.bias": tensor, "encoder.layers.0.norm0.bias": tensor,
    ])
    #expect(throws: WeightsError.self) { try PublicWeightNames.convert(file) }
  }

  private func encoder(layers: Int) -> SafeTensors {
    var generator = SeededGenerator(seed: 1)
    var tensors: [String: HostTensor] = [:]
    for layer in 0..<layers {
      let head = "pts_bbox_head.transformer.encoder.layers.\(layer)."
      func add(_ name: String, _ rows: Int, _ columns: Int) {
        tensors[head + name + ".weight"] = HostTensor(
          generator.floats(rows * columns), shape: [rows, columns])
        tensors[head + name + ".bias"] = HostTensor(generator.floats(rows), shape: [rows])
      }
      add("attentions.0.value_proj", 8, 8)
      add("attentions.0.sampling_offsets", 32, 16)
      add("attentions.0.attention_weights", 16, 16)
      add("attentions.0.output_proj", 8, 8)
      add("attentions.1.deformable_attention.value_proj", 8, 8)
      add("attentions.1.deformable_attention.sampling_offsets", 32, 8)
      add("attentions.1.deformable_attention.attention_weights", 16, 8)
      add("attentions.1.output_proj", 8, 8)
      add("ffns.0.layers.0.0", 24, 8)
      add("ffns.0.layers.1", 8, 24)
      for norm in 0..<3 {
        tensors["\(head)norms.\(norm).weight"] = HostTensor(generator.floats(8), shape: [8])
        tensors["\(head)norms.\(norm).bias"] = HostTensor(generator.floats(8), shape: [8])
      }
    }
    return SafeTensors(tensors: tensors)
  }

  private var shapes: (temporal: DeformableShape, spatial: DeformableShape) {
    (
      TemporalSelfAttention.shape(channels: 8, heads: 2, points: 4, width: 5, height: 4),
      DeformableShape(
        channels: 8, heads: 2, levels: FeatureLevel.pyramid([(3, 4), (2, 2)]), points: 4,
        anchors: 4, maps: 3, queryCount: 20)
    )
  }

  @Test func `an encoder's sizes come from its tensors, and each layer loads`() throws {
    let file = encoder(layers: 2)
    let shape = try EncoderWeightsShape(file)
    #expect(shape.layers == 2 && shape.channels == 8 && shape.hidden == 24)
    #expect(shape.spatialSamples == 16 && shape.temporalSamples == 16)
    #expect(shape.temporalInputs == 16)
    let converted = try PublicWeightNames.convert(file).file
    #expect(shape.layout.problems(of: converted).isEmpty)
    let layer = try BEVFormerLayerWeights(
      file, layer: 1, temporal: shapes.temporal, spatial: shapes.spatial, hidden: 24)
    let name = "pts_bbox_head.transformer.encoder.layers.1.attentions.1.deformable_attention"
    #expect(layer.spatial.offsetWeight == file.tensors[name + ".sampling_offsets.weight"]?.floats())
    #expect(layer.norms.count == 3 && layer.feedForward.bias0.count == 24)
  }

  @Test func `everything that does not fit is listed at once, with both shapes`() throws {
    var file = try PublicWeightNames.convert(encoder(layers: 2)).file
    let layout = try EncoderWeightsShape(file).layout
    file.tensors["encoder.layers.1.ffn1.bias"] = nil
    file.tensors["encoder.layers.1.norm0.weight"] = HostTensor([1, 2] as [Float], shape: [2])
    file.tensors["encoder.layers.0.gamma"] = HostTensor([1] as [Float], shape: [1])
    var values = try #require(file.tensors["encoder.layers.0.ffn0.bias"]?.floats())
    values[3] = .nan
    file.tensors["encoder.layers.0.ffn0.bias"] = HostTensor(values, shape: [24])
    let problems = layout.problems(of: file)
    #expect(problems.map(\.tensor) == [
      "encoder.layers.0.ffn0.bias", "encoder.layers.1.ffn1.bias", "encoder.layers.1.norm0.weight",
      "encoder.layers.0.gamma",
    ])
    #expect(problems[2].expected == "shape [8]" && problems[2].found == "shape [2]")
    #expect(problems[0].found == "nan at index 3")
  }

  @Test func `a file without an encoder says so`() {
    #expect(throws: WeightsError.self) {
      try EncoderWeightsShape(SafeTensors(tensors: ["a": HostTensor([1] as [Float], shape: [1])]))
    }
  }
}

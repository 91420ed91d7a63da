"""Groups 6 and 8 in part: BEVFormer's rotation and shift, its prelude, and encoders of several layers."""
import numpy as np

from layers import anchors, applied, cross_attention, drawn, parameters, self_attention
from operators import dense, layer_norm
from sampling import nearest


def rotate_source(t, attributes):
    """Source pixels [H*W, 2] as (row, column), not yet rounded."""
    height, width, center = attributes["bev_h"], attributes["bev_w"], attributes["rotate_center"]
    angle = np.deg2rad(float(t["in.can_bus"][-1]))
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    x, y = columns.ravel() + 0.5 - center[0], rows.ravel() + 0.5 - center[1]
    return np.stack([np.sin(angle) * x + np.cos(angle) * y + center[1] - 0.5,
                     np.cos(angle) * x - np.sin(angle) * y + center[0] - 0.5], -1)


def rotate_shift(t, attributes):
    height, width = attributes["bev_h"], attributes["bev_w"]
    bus, (cell_y, cell_x) = t["in.can_bus"].astype(float), attributes["grid_length_y_x"]
    maps = t["in.prev_bev"].reshape(height, width, -1)
    length, angle = np.hypot(bus[0], bus[1]), bus[-2] - np.arctan2(bus[1], bus[0])
    return {"out.rotated": nearest(maps, rotate_source(t, attributes)),
            "out.shift": np.array([length * np.sin(angle) / cell_x / width, length * np.cos(angle) / cell_y / height])}


def prelude(t, attributes):
    x = t["in.can_bus"][None]
    for layer in ("mlp0", "mlp1"):
        x = np.maximum(dense(x, t[f"param.{layer}.weight"], t[f"param.{layer}.bias"]), 0)
    query = t["in.embedding"] + layer_norm(x, t["param.norm.weight"], t["param.norm.bias"])
    tokens = []
    for level, embedding in enumerate(t["in.level_embeds"].astype(float)):
        maps = t[f"in.level{level}"].astype(float)
        maps = maps.reshape(*maps.shape[:2], -1).transpose(0, 2, 1)
        tokens.append(maps + t["in.cams_embeds"][:, None] + embedding)
    return {"out.bev_query": query, "out.tokens": np.concatenate(tokens, 1)}


def encoder(t, attributes):
    """Also a layer alone, whose parameters have no `layerK.`"""
    bev, heads = (attributes["bev_h"], attributes["bev_w"]), attributes["heads"]
    named = {key: value.astype(float) for key, value in t.items() if key.startswith("param.")}
    shapes = [tuple(size) for size in t["in.spatial_shapes"].tolist()]
    mask, position, depth = anchors(t["in.lidar2img"].astype(float), t["in.pc_range"].astype(float),
                                    t["in.image_hw"], t["in.anchor_z"].astype(float), bev)
    query, pos, previous, features = (t[f"in.{key}"].astype(float) for key in ("bev_query", "pos", "prev_bev", "feat"))

    def layers(has_history):
        x = query
        for number in range(attributes["layers"]):
            at = f"layer{number}." if f"param.layer{number}.norm0.weight" in t else ""
            maps, moved = ((previous, query), t["in.shift"].astype(float)) if has_history else ((x, x), 0)
            norm = lambda value, n: layer_norm(value, named[f"param.{at}norm{n}.weight"], named[f"param.{at}norm{n}.bias"])
            x = norm(self_attention(named, at + "tsa.", x, pos, maps, moved, bev, heads, attributes["points_self"]), 0)
            x = norm(cross_attention(named, at + "sca.", x, features, shapes, mask, position, heads,
                                     attributes["points_cross"]), 1)
            x = norm(x + applied(named, at, "ffn1", np.maximum(applied(named, at, "ffn0", x), 0)), 2)
        return x

    near = depth[..., None] <= 0.5
    return {"out.mask": mask.astype(np.uint8), "out.ref_cam": np.where(near, 0, position),
            "out.with_history": layers(True), "out.no_history": layers(False)}


DEFINITIONS = {"bevformer_rotate_shift": rotate_shift, "bevformer_can_bus_and_embeddings": prelude,
               "bevformer_encoder": encoder, "bevformer_encoder_layer": encoder}


def add_rotations(writer, count):
    for n in range(count * 2):
        height, width, channels = (writer.integer(1, m) for m in (60, 60, 40))
        bus = writer.normal(18)
        bus[:2] *= writer.integer(0, 2)
        bus[-1] = writer.random.choice([0, 90, -180, *writer.random.uniform(-60, 60, 3)])
        attributes = dict(bev_h=height, bev_w=width, grid_length_y_x=[writer.integer(1, 20) / 8, writer.integer(1, 20) / 8],
                          rotate_center=[100, 100] if n % 2 else [width / 2, height / 2], angle_degrees=float(bus[-1]))
        inputs = {"in.prev_bev": writer.normal(height * width, channels), "in.can_bus": bus}
        source = rotate_source(inputs, attributes)
        tie = np.abs(source - np.floor(source) - 0.5).min(-1) < 2e-4
        inputs["aux.fragile"] = tie.astype(np.uint8)
        writer.add("bevformer_rotate_shift", 6, f"rotate_{n}_{height}x{width}", inputs, rotate_shift(inputs, attributes),
                   attributes, skip={"out.rotated": "aux.fragile"}, exact=("out.rotated",), tolerance=1e-6)


def add_preludes(writer, count):
    for n in range(count):
        cameras, levels, channels, hidden, queries = (writer.integer(1, m) for m in (12, 4, 96, 60, 30))
        inputs = {"in.can_bus": writer.normal(18), "in.embedding": writer.normal(queries, channels),
                  "in.cams_embeds": writer.normal(cameras, channels), "in.level_embeds": writer.normal(levels, channels)}
        for level in range(levels):
            inputs[f"in.level{level}"] = writer.normal(cameras, channels, writer.integer(1, 7), writer.integer(1, 9))
        for name, shape in (("mlp0", (hidden, 18)), ("mlp1", (channels, hidden))):
            inputs[f"param.{name}.weight"] = writer.normal(*shape, scale=0.4)
            inputs[f"param.{name}.bias"] = writer.normal(shape[0])
        inputs["param.norm.weight"], inputs["param.norm.bias"] = writer.normal(channels), writer.normal(channels)
        writer.add("bevformer_can_bus_and_embeddings", 8, f"prelude_{n}", inputs, prelude(inputs, {}),
                   dict(C=channels), tolerance=1e-5)


def layer_parameters(writer, prefix, channels, heads, levels, cross_points, self_points, hidden,
                     parts=(("tsa.", 2), ("sca.", 1))):
    """`parts`: how the two attentions are called and how many maps each samples."""
    (own, queues), (cross, _) = parts
    named = {**parameters(writer, prefix + own, channels, heads, self_points, queues=queues),
             **parameters(writer, prefix + cross, channels, heads, cross_points, levels)}
    for norm in range(3):
        for part in ("weight", "bias"):
            named[f"param.{prefix}norm{norm}.{part}"] = writer.normal(channels)
    for name, shape in (("ffn0", (hidden, channels)), ("ffn1", (channels, hidden))):
        named[f"param.{prefix}{name}.weight"], named[f"param.{prefix}{name}.bias"] = writer.normal(*shape, scale=0.2), writer.normal(shape[0])
    return named


def add_encoders(writer, count):
    for n in range(count):
        heads, layers = writer.integer(1, 4), writer.integer(2, 4)
        channels = heads * writer.integer(2, 16)
        s, _, _, inputs, _ = drawn(writer, channels)
        sizes = dict(cross_points=s["depth"] * writer.integer(1, 3), self_points=writer.integer(1, 5), hidden=writer.integer(3, 90))
        for layer in range(layers):
            inputs.update(layer_parameters(writer, f"layer{layer}.", channels, heads, s["levels"], **sizes))
        queries = s["bev"][0] * s["bev"][1]
        for name in ("bev_query", "pos", "prev_bev"):
            inputs[f"in.{name}"] = writer.normal(queries, channels)
        inputs["in.shift"] = writer.uniform(2, low=-0.1, high=0.1)
        attributes = dict(bev_h=s["bev"][0], bev_w=s["bev"][1], heads=heads, points_cross=sizes["cross_points"],
                          points_self=sizes["self_points"], anchors=s["depth"], levels=s["levels"], C=channels,
                          ffn=sizes["hidden"], layers=layers, cameras=s["cameras"])
        writer.add("bevformer_encoder", 8, f"encoder_{n}_{layers}x{s['cameras']}cam", inputs, encoder(inputs, attributes),
                   attributes, skip={"out.ref_cam": "aux.ref_cam_near"}, tolerance=5e-4)


def add_all(writer, count):
    add_rotations(writer, count)
    add_preludes(writer, count)
    add_encoders(writer, count)

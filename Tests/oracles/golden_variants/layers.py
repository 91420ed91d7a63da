"""Groups 8 and 9 in part: BEVFormer's self and cross attention and a whole encoder layer."""
import numpy as np

from operators import deformable, dense, layer_norm
from rig import ring
from sampling import softmax


def parameters(writer, prefix, width, heads, points, levels=1, queues=1):
    rows = heads * queues * levels * points
    query = width * queues
    shapes = {"value_proj": (width, width), "output_proj": (width, width),
              "sampling_offsets": (rows * 2, query), "attention_weights": (rows, query)}
    named = {}
    for layer, shape in shapes.items():
        named[f"param.{prefix}{layer}.weight"] = writer.normal(*shape, scale=0.5 / np.sqrt(shape[1]))
        named[f"param.{prefix}{layer}.bias"] = writer.normal(shape[0], scale=2.0 if "offsets" in layer else 0.2)
    return named


def applied(named, prefix, layer, x):
    return dense(x, named[f"param.{prefix}{layer}.weight"], named[f"param.{prefix}{layer}.bias"])


def references(height, width):
    rows, columns = np.meshgrid(np.arange(height), np.arange(width), indexing="ij")
    return np.stack([(columns + 0.5) / width, (rows + 0.5) / height], -1).reshape(-1, 2)


def self_attention(named, prefix, query, pos, maps, shift, bev, heads, points):
    """Two value maps (history, current); `shift` moves the references of the first only."""
    height, width = bev
    queries, channels = query.shape
    joined = np.concatenate([maps[0], query + pos], -1)
    offsets = applied(named, prefix, "sampling_offsets", joined).reshape(queries, heads, 2, points, 2)
    weights = softmax(applied(named, prefix, "attention_weights", joined).reshape(queries, heads, 2, points))
    outputs = []
    for queue in range(2):
        value = applied(named, prefix, "value_proj", maps[queue]).reshape(queries, heads, -1)
        at = references(height, width) + (shift if queue == 0 else 0)
        locations = at[:, None, None, None] + (offsets[:, :, queue] / [width, height])[:, :, None]
        outputs.append(deformable(value, [bev], locations, weights[:, :, queue][:, :, None]))
    return applied(named, prefix, "output_proj", (outputs[0] + outputs[1]) / 2) + query


def anchors(matrix, box, image, heights, bev):
    """Visible mask [N, Q, D] and positions u/W, v/H [N, Q, D, 2]."""
    flat = references(*bev)
    grid = np.concatenate([np.repeat(flat[:, None], len(heights), 1),
                           np.broadcast_to(heights[None, :, None], (len(flat), len(heights), 1))], -1)
    world = grid * (box[3:] - box[:3]) + box[:3]
    seen = np.einsum("nij,qdj->nqdi", matrix, np.concatenate([world, np.ones(world.shape[:-1] + (1,))], -1))
    position = seen[..., :2] / np.maximum(seen[..., 2:3], 1e-5) / np.array([image[1], image[0]])
    inside = (seen[..., 2] > 1e-5) & ((position > 0) & (position < 1)).all(-1)
    return inside, position, seen[..., 2]


def cross_attention(named, prefix, query, features, shapes, mask, position, heads, points):
    queries, channels = query.shape
    levels = len(shapes)
    offsets = applied(named, prefix, "sampling_offsets", query).reshape(queries, heads, levels, points, 2)
    weights = softmax(applied(named, prefix, "attention_weights", query).reshape(queries, heads, -1)).reshape(
        queries, heads, levels, points)
    sizes = np.array([[w, h] for h, w in shapes], float)
    total, count = np.zeros((queries, channels)), np.zeros(queries)
    for camera in range(len(features)):
        active = mask[camera].any(-1)
        at = position[camera][:, np.arange(points) % position.shape[2]]
        locations = at[:, None, None] + offsets / sizes[None, None, :, None]
        value = applied(named, prefix, "value_proj", features[camera]).reshape(-1, heads, channels // heads)
        total[active] += deformable(value, shapes, locations[active], weights[active])
        count += active
    return applied(named, prefix, "output_proj", total / np.maximum(count, 1)[:, None]) + query


def scene(writer, channels):
    cameras, depth, levels = writer.integer(1, 12), writer.integer(1, 4), writer.integer(1, 3)
    bev, image = (writer.integer(2, 10), writer.integer(2, 10)), (90, 160)
    matrix = np.tile(np.eye(4), (cameras, 1, 1))
    for n, (k, r, t) in enumerate(ring(cameras, image[1], image[0])):
        matrix[n, :3] = k @ np.c_[r, t]
    shapes = [(writer.integer(1, 9), writer.integer(1, 12)) for _ in range(levels)]
    tokens = sum(a * b for a, b in shapes)
    return dict(cameras=cameras, depth=depth, levels=levels, bev=bev, image=image, shapes=shapes,
                matrix=matrix.astype(np.float32), box=np.array([-11, -9, -2, 11, 9, 3], np.float32),
                heights=((np.arange(depth) + 0.5) / depth).astype(np.float32),
                features=writer.normal(cameras, tokens, channels))


def scene_inputs(s, mask, position, seen_depth):
    # A border anchor may fall to either side in float32: such scenes are drawn again.
    safe = np.abs(np.stack([position, position - 1])).min() > 1e-5 and np.abs(seen_depth).min() > 1e-3
    inputs = {"in.lidar2img": s["matrix"], "in.pc_range": s["box"], "in.image_hw": np.array(s["image"], np.int32),
              "in.anchor_z": s["heights"], "in.feat": s["features"],
              "in.spatial_shapes": np.array(s["shapes"], np.int32),
              "aux.ref_cam_near": (seen_depth <= 0.5).astype(np.uint8)}
    outputs = {"out.mask": mask.astype(np.uint8), "out.ref_cam": position}
    return safe, inputs, outputs


def drawn(writer, channels):
    while True:
        s = scene(writer, channels)
        mask, position, seen_depth = anchors(s["matrix"].astype(float), s["box"].astype(float), s["image"],
                                             s["heights"].astype(float), s["bev"])
        safe, inputs, outputs = scene_inputs(s, mask, position, seen_depth)
        if safe:
            # Positions beside the camera are ill-conditioned; the comparison leaves them out.
            outputs["out.ref_cam"] = np.where(seen_depth[..., None] <= 0.5, 0, position)
            return s, mask, position, inputs, outputs


def add_self_attention(writer, count):
    for n in range(count):
        heads, points, bev = writer.integer(1, 8), writer.integer(1, 6), (writer.integer(1, 12), writer.integer(1, 12))
        channels = heads * writer.integer(1, 20)
        queries = bev[0] * bev[1]
        query, pos, previous, first = (writer.normal(queries, channels) for _ in range(4))
        shift = writer.uniform(2, low=-0.1, high=0.1)
        named = parameters(writer, "", channels, heads, points, queues=2)
        x = [a.astype(float) for a in (query, pos, previous, first)]
        writer.add("bevformer_temporal_self_attention", 8, f"tsa_{n}_{heads}x{channels}",
                   {"in.query": query, "in.pos": pos, "in.prev_bev": previous, "in.encoder_input": first,
                    "in.shift": shift, **named},
                   {"out.with_history": self_attention(named, "", x[0], x[1], (x[2], x[3]), shift, bev, heads, points),
                    "out.no_history": self_attention(named, "", x[0], x[1], (x[0], x[0]), 0, bev, heads, points)},
                   dict(bev_h=bev[0], bev_w=bev[1], heads=heads, points=points, C=channels), tolerance=5e-5)


def add_cross_attention(writer, count):
    for n in range(count):
        heads = writer.integer(1, 8)
        channels = heads * writer.integer(1, 20)
        s, mask, position, inputs, outputs = drawn(writer, channels)
        points = s["depth"] * writer.integer(1, 4)
        named = parameters(writer, "", channels, heads, points, s["levels"])
        query = writer.normal(s["bev"][0] * s["bev"][1], channels)
        outputs["out.out"] = cross_attention(named, "", query.astype(float), s["features"].astype(float), s["shapes"],
                                             mask, position, heads, points)
        writer.add("bevformer_spatial_cross_attention", 8, f"sca_{n}_{s['cameras']}cam",
                   {**inputs, "in.query": query, **named}, outputs,
                   dict(bev_h=s["bev"][0], bev_w=s["bev"][1], heads=heads, points=points, anchors=s["depth"],
                        levels=s["levels"], C=channels, cameras=s["cameras"]),
                   skip={"out.ref_cam": "aux.ref_cam_near"}, tolerance=2e-4)


def add_layers(writer, count):
    for n in range(count):
        heads = writer.integer(1, 4)
        channels = heads * writer.integer(2, 16)
        s, mask, position, inputs, outputs = drawn(writer, channels)
        cross_points, self_points, hidden = s["depth"] * writer.integer(1, 3), writer.integer(1, 5), writer.integer(3, 90)
        named = {**parameters(writer, "tsa.", channels, heads, self_points, queues=2),
                 **parameters(writer, "sca.", channels, heads, cross_points, s["levels"])}
        for norm in range(3):
            named[f"param.norm{norm}.weight"], named[f"param.norm{norm}.bias"] = writer.normal(channels), writer.normal(channels)
        named["param.ffn0.weight"], named["param.ffn0.bias"] = writer.normal(hidden, channels, scale=0.2), writer.normal(hidden)
        named["param.ffn1.weight"], named["param.ffn1.bias"] = writer.normal(channels, hidden, scale=0.2), writer.normal(channels)
        queries = s["bev"][0] * s["bev"][1]
        query, pos, previous = (writer.normal(queries, channels) for _ in range(3))
        shift = writer.uniform(2, low=-0.1, high=0.1)

        def layer(maps, moved):
            x = self_attention(named, "tsa.", query.astype(float), pos.astype(float), maps, moved, s["bev"], heads, self_points)
            x = layer_norm(x, named["param.norm0.weight"], named["param.norm0.bias"])
            x = cross_attention(named, "sca.", x, s["features"].astype(float), s["shapes"], mask, position, heads, cross_points)
            x = layer_norm(x, named["param.norm1.weight"], named["param.norm1.bias"])
            x = x + applied(named, "", "ffn1", np.maximum(applied(named, "", "ffn0", x), 0))
            return layer_norm(x, named["param.norm2.weight"], named["param.norm2.bias"])

        q, p = query.astype(float), previous.astype(float)
        outputs.update({"out.with_history": layer((p, q), shift), "out.no_history": layer((q, q), 0)})
        writer.add("bevformer_encoder_layer", 8, f"layer_{n}_{s['cameras']}cam",
                   {**inputs, "in.bev_query": query, "in.pos": pos, "in.prev_bev": previous, "in.shift": shift, **named},
                   outputs, dict(bev_h=s["bev"][0], bev_w=s["bev"][1], heads=heads, points_cross=cross_points,
                                 points_self=self_points, anchors=s["depth"], levels=s["levels"], C=channels,
                                 ffn=hidden, layers=1, cameras=s["cameras"]),
                   skip={"out.ref_cam": "aux.ref_cam_near"}, tolerance=5e-4)


def add_all(writer, count):
    add_self_attention(writer, count)
    add_cross_attention(writer, count)
    add_layers(writer, count)

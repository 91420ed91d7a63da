"""Group 9: FB-OCC's backward projection with depth-aware attention (the GPU path's definition)."""
import numpy as np

from encoders import layer_parameters
from layers import applied, references
from operators import deformable, layer_norm
from rig import ring
from sampling import linear, softmax


def seen_anchors(t, bev, count):
    """Camera depth [N, Q, D], u/W and v/H [N, Q, D, 2], visible [N, Q, D]."""
    (x0, _, dx), (y0, _, dy), (z0, z1, _) = (t[f"in.{axis}_bounds"].astype(float) for axis in "xyz")
    rows, columns = (a.ravel() for a in np.meshgrid(np.arange(bev[0]), np.arange(bev[1]), indexing="ij"))
    heights = z0 + (np.arange(count) + 0.5) * (z1 - z0) / count
    ego = np.stack(np.broadcast_arrays((x0 + (columns + 0.5) * dx)[:, None], (y0 + (rows + 0.5) * dy)[:, None], heights), -1)
    ego = ego @ np.linalg.inv(t["in.bda"].astype(float)).T
    depth, position = [], []
    for n in range(len(t["in.feat"])):
        r, k, a = (t[f"in.{key}"][n].astype(float) for key in ("rot", "intrin", "post_rot"))
        seen = (ego - t["in.trans"][n].astype(float)) @ np.linalg.inv(r @ np.linalg.inv(k)).T
        flat = np.concatenate([seen[..., :2] / np.maximum(seen[..., 2:], 1e-5), seen[..., 2:]], -1)
        moved = flat @ a.T + t["in.post_trans"][n].astype(float)
        depth.append(seen[..., 2])
        position.append(moved[..., :2] / t["in.image_hw"][::-1].astype(float))
    depth, position = np.array(depth), np.array(position)
    return depth, position, (depth > 1e-5) & ((position > 1e-5) & (position < 1 - 1e-5)).all(-1)


def depth_weights(t, attributes, depth, position):
    """The bin of every anchor and the predicted distribution there."""
    bins = attributes["depth_bins"]
    chosen = np.clip(np.floor((depth - attributes["depth_start"]) / attributes["depth_step"]), 0, bins - 1).astype(np.int32)
    height, width = t["in.depth"].shape[2:]
    at = np.clip(position, -1e6, 1e6) * [width, height] - 0.5
    weights = np.empty(depth.shape)
    for n in range(len(depth)):
        for b in np.unique(chosen[n]):
            weights[n][chosen[n] == b] = linear(t["in.depth"][n, b].astype(float)[..., None], at[n][chosen[n] == b][:, ::-1])[:, 0]
    return chosen, weights


def self_attention(named, query, pos, bev, heads, points):
    queries, channels = query.shape
    offsets = applied(named, "self.", "sampling_offsets", query + pos).reshape(queries, heads, 1, points, 2)
    weights = softmax(applied(named, "self.", "attention_weights", query + pos).reshape(queries, heads, 1, points))
    locations = references(*bev)[:, None, None, None] + offsets / [bev[1], bev[0]]
    value = applied(named, "self.", "value_proj", query).reshape(queries, heads, -1)
    return applied(named, "self.", "output_proj", deformable(value, [bev], locations, weights)) + query


def cross_attention(t, named, query, pos, seen, weight, attributes):
    heads, points, (queries, channels) = attributes["heads"], attributes["points_cross"], query.shape
    shape = tuple(t["in.feat_hw"].tolist())
    offsets = applied(named, "cross.", "sampling_offsets", query + pos).reshape(queries, heads, 1, points, 2)
    attention = softmax(applied(named, "cross.", "attention_weights", query + pos).reshape(queries, heads, 1, points))
    _, position, mask = seen
    of_anchor = np.arange(points) % mask.shape[2]
    total, count = np.zeros((queries, channels)), np.zeros(queries)
    for n in range(len(mask)):
        active = mask[n].any(-1)
        locations = position[n][:, of_anchor][:, None, None] + offsets / [shape[1], shape[0]]
        weights = attention * weight[n][:, of_anchor][:, None, None]
        value = applied(named, "cross.", "value_proj", t["in.feat"][n].astype(float)).reshape(shape[0] * shape[1], heads, -1)
        total[active] += deformable(value, [shape], locations[active], weights[active])
        count += active
    return applied(named, "cross.", "output_proj", total / np.maximum(count, 1)[:, None]) + query


def backward(t, attributes):
    bev, heads = (attributes["bev_h"], attributes["bev_w"]), attributes["heads"]
    named = {key: value.astype(float) for key, value in t.items() if key.startswith("param.")}
    seen = seen_anchors(t, bev, attributes["anchors"])
    depth, position, mask = seen
    chosen, weight = depth_weights(t, attributes, depth, position)
    pos, voxels = t["in.pos"].astype(float), t["in.voxels"].astype(float)
    norm = lambda x, n: layer_norm(x, named[f"param.norm{n}.weight"], named[f"param.norm{n}.bias"])
    x = t["in.bev_embedding"].astype(float) + voxels.mean(0)
    x = norm(self_attention(named, x, pos, bev, heads, attributes["points_self"]), 0)
    crossed = cross_attention(t, named, x, pos, seen, weight, attributes)
    x = norm(crossed, 1)
    x = norm(x + applied(named, "", "ffn1", np.maximum(applied(named, "", "ffn0", x), 0)), 2)
    return {"out.mask": mask.astype(np.uint8), "out.ref_cam": np.where(depth[..., None] <= 0.5, 0, position),
            "out.depth_cam": depth, "out.depth_bin": chosen, "out.depth_weight": weight, "out.cross_attention": crossed,
            "out.bev": x, "out.voxels": voxels + x}


DEFINITIONS = {"fbocc_backward_projection": backward}


def drawn(writer):
    """A rig, a grid and a distribution."""
    cameras, count, bins, slabs = (writer.integer(*m) for m in ((1, 12), (1, 5), (2, 40), (1, 5)))
    bev, feature = (writer.integer(1, 10), writer.integer(1, 12)), (writer.integer(1, 7), writer.integer(1, 12))
    image = (writer.integer(60, 300), writer.integer(90, 800))
    rig = ring(cameras, image[1], image[0])
    stacked = lambda part: np.stack([part(*r) for r in rig]).astype(np.float32)
    turn, zoom = writer.random.uniform(-0.1, 0.1), writer.random.uniform(0.8, 1.2)
    post = zoom * np.array([[np.cos(turn), np.sin(turn), 0], [-np.sin(turn), np.cos(turn), 0], [0, 0, 1 / zoom]])
    around = writer.random.uniform(-0.4, 0.4)
    bda = np.array([[np.cos(around), -np.sin(around), 0], [np.sin(around), np.cos(around), 0], [0, 0, 1]])
    bda = bda @ np.diag([writer.random.choice([-1, 1]), writer.random.choice([-1, 1]), 1])
    logits = writer.normal(cameras, bins, *feature, scale=2)
    x, y = 0.8 + writer.integer(0, 12) / 8, 0.7 + writer.integer(0, 12) / 8
    inputs = {"in.intrin": stacked(lambda k, r, s: k), "in.rot": stacked(lambda k, r, s: r.T),
              "in.trans": stacked(lambda k, r, s: -r.T @ s), "in.post_rot": np.tile(post.astype(np.float32), (cameras, 1, 1)),
              "in.post_trans": np.tile(np.array([3, -2, 0], np.float32), (cameras, 1)), "in.bda": bda.astype(np.float32),
              "in.x_bounds": np.array([-bev[1] * x / 2, bev[1] * x / 2, x], np.float32),
              "in.y_bounds": np.array([-bev[0] * y / 2, bev[0] * y / 2, y], np.float32),
              "in.z_bounds": np.array([-1, 3, 4 / count], np.float32), "in.image_hw": np.array(image, np.int32),
              "in.feat_hw": np.array(feature, np.int32), "in.depth": softmax(logits.astype(float), 1).astype(np.float32)}
    attributes = dict(bev_h=bev[0], bev_w=bev[1], anchors=count, depth_bins=bins, cameras=cameras, voxel_z=slabs,
                      depth_start=float(writer.integer(1, 4)), depth_step=writer.integer(1, 16) / 4)
    return inputs, attributes


def is_settled(inputs, attributes):
    """No anchor so near an image border, the camera plane or a bin's edge that float32 decides."""
    inputs["in.feat"] = np.empty((attributes["cameras"], 0))
    depth, position, mask = seen_anchors(inputs, (attributes["bev_h"], attributes["bev_w"]), attributes["anchors"])
    bin_of = (depth - attributes["depth_start"]) / attributes["depth_step"]
    inside = mask.any(-1, keepdims=True) & (bin_of > -0.5) & (bin_of < attributes["depth_bins"] + 0.5)
    return (np.abs(np.stack([position, position - 1])).min() > 3e-5 and np.abs(depth).min() > 1e-3
            and np.abs(bin_of - np.rint(bin_of))[inside].min(initial=1) > 1e-4)


def add_all(writer, count):
    for n in range(count):
        inputs, attributes = drawn(writer)
        while not is_settled(inputs, attributes):
            inputs, attributes = drawn(writer)
        heads, hidden, self_points = (writer.integer(1, m) for m in (8, 90, 6))
        channels, cross_points = heads * writer.integer(1, 16), attributes["anchors"] * writer.integer(1, 3)
        queries, feature = attributes["bev_h"] * attributes["bev_w"], int(np.prod(inputs["in.feat_hw"]))
        attributes.update(heads=heads, C=channels, ffn=hidden, points_self=self_points, points_cross=cross_points)
        inputs.update({"in.feat": writer.normal(attributes["cameras"], feature, channels),
                       "in.voxels": writer.normal(attributes["voxel_z"], queries, channels),
                       "in.bev_embedding": writer.normal(queries, channels), "in.pos": writer.normal(queries, channels)})
        named = layer_parameters(writer, "", channels, heads, 1, cross_points, self_points, hidden, parts=(("self.", 1), ("cross.", 1)))
        inputs.update(named)
        depth, _, mask = seen_anchors(inputs, (attributes["bev_h"], attributes["bev_w"]), attributes["anchors"])
        inputs["aux.ref_cam_near"] = (depth <= 0.5).astype(np.uint8)
        inputs["aux.inactive"] = (~mask.any(-1)).astype(np.uint8)
        writer.add("fbocc_backward_projection", 9, f"fbocc_{n}_{attributes['cameras']}cam", inputs, backward(inputs, attributes),
                   attributes, skip={"out.ref_cam": "aux.ref_cam_near", "out.depth_bin": "aux.inactive",
                                     "out.depth_weight": "aux.inactive"}, tolerance=2e-4)

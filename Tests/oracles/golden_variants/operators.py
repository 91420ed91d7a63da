"""Groups 3, 6, 7 and 10: softmax split, grid_sample, deformable attention, dense layers."""
import math

import numpy as np

from sampling import linear, nearest, softmax


def gelu(x):
    return x / 2 * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def dense(x, weight, bias):
    return x.astype(float) @ weight.T.astype(float) + bias


def layer_norm(x, weight, bias):
    x = x.astype(float)
    return (x - x.mean(-1, keepdims=True)) / np.sqrt(x.var(-1, keepdims=True) + 1e-5) * weight + bias


def deformable(value, shapes, locations, weights):
    """`value` [S, M, c], `locations` [Q, M, L, P, 2] in [0, 1] x, y, `weights` [Q, M, L, P] → [Q, M c]."""
    tokens, heads, width = value.shape
    result, first = np.zeros((locations.shape[0], heads, width)), 0
    for level, (height, columns) in enumerate(shapes):
        maps = value[first:first + height * columns].astype(float).reshape(height, columns, heads, width)
        first += height * columns
        for head in range(heads):
            xy = np.clip(locations[:, head, level].astype(float), -1e6, 1e6)
            pixel = np.stack([xy[..., 1] * height - 0.5, xy[..., 0] * columns - 0.5], -1)
            sample = linear(maps[:, :, head], pixel)
            result[:, head] += np.einsum("qpc,qp->qc", sample, weights[:, head, level].astype(float))
    return result.reshape(len(result), heads * width)


def add_dense(writer, count):
    sizes = [(1, 1, 1), (3, 1, 7), (1, 600, 1)] + [
        tuple(writer.integer(1, n) for n in (150, 300, 200)) for _ in range(count)]
    for n, (rows, depth, columns) in enumerate(sizes):
        x, w, b = writer.normal(rows, depth), writer.normal(columns, depth), writer.normal(columns)
        writer.add("linear", 10, f"linear_{n}_{rows}x{depth}x{columns}",
                   {"in.x": x, "param.weight": w, "param.bias": b}, {"out.y": dense(x, w, b)},
                   # Terms may cancel: rounding follows their magnitudes, not the sum's.
                   absolute=2.0 ** -22 * float(dense(np.abs(x), np.abs(w), np.abs(b)).max()))
    for n in range(count):
        rows, width, hidden = (writer.integer(1, m) for m in (90, 150, 320))
        x = writer.normal(rows, width)
        w0, b0 = writer.normal(hidden, width, scale=0.2), writer.normal(hidden)
        w1, b1 = writer.normal(width, hidden, scale=0.2), writer.normal(width)
        inner = dense(x, w0, b0)
        writer.add("feed_forward", 10, f"ffn_{n}_{rows}x{width}x{hidden}",
                   {"in.x": x, "param.ffn0.weight": w0, "param.ffn0.bias": b0, "param.ffn1.weight": w1,
                    "param.ffn1.bias": b1},
                   {"out.relu": x + dense(np.maximum(inner, 0), w1, b1), "out.gelu": x + dense(gelu(inner), w1, b1)})
    inputs, outputs = {}, {}
    for name in ("rows", "offset", "rows256"):
        x = writer.normal(writer.integer(1, 40), writer.integer(1, 300)) + np.float32(1000 * (name == "offset"))
        g, b = writer.normal(x.shape[1]), writer.normal(x.shape[1])
        inputs.update({f"in.{name}": x, f"param.{name}.weight": g, f"param.{name}.bias": b})
        outputs[f"out.{name}"] = layer_norm(x, g, b)
    writer.add("layer_norm", 10, "layer_norm", inputs, outputs, tolerance=1e-4)
    x = np.concatenate([writer.normal(500, scale=3), np.array([0, 50, -50, 1e4, -1e4, 1e-30], np.float32)])
    tanh = x.astype(float) / 2 * (1 + np.tanh(math.sqrt(2 / math.pi) * (x.astype(float) + 0.044715 * x.astype(float) ** 3)))
    writer.add("gelu", 10, "gelu", {"in.x": x}, {"out.erf": gelu(x.astype(float)), "out.tanh": tanh,
                                                "out.relu": np.maximum(x, 0)}, absolute=1e-6, exact=("out.relu",))


def add_attention(writer, count):
    for n in range(count):
        heads, queries, keys, width, value_width = (writer.integer(1, m) for m in (8, 80, 400, 96, 70))
        q, k, v = writer.normal(heads, queries, width), writer.normal(heads, keys, width), writer.normal(
            heads, keys, value_width)
        scale = 1 / math.sqrt(width)
        logits = np.einsum("hqd,hkd->hqk", q.astype(float), k.astype(float)) * scale
        inputs = {"in.q": q, "in.k": k, "in.v": v}
        if n % 2:
            mask = (writer.random.random((queries, keys)) < 0.4).astype(np.uint8)
            mask[0] = 1
            inputs["in.mask"] = mask
            logits = np.where(mask[None] > 0, -np.inf, logits)
        writer.add("scaled_dot_product_attention", 10, f"sdpa_{n}_{heads}x{queries}x{keys}x{width}", inputs,
                   {"out.out": softmax(logits) @ v.astype(float)}, dict(heads=heads, scale=scale))
        embed = heads * writer.integer(1, 24)
        queries, keys = min(queries, 60), min(keys, 90)
        query, key, value = writer.normal(1, queries, embed), writer.normal(1, keys, embed), writer.normal(1, keys, embed)
        w, b = writer.normal(3 * embed, embed, scale=0.2), writer.normal(3 * embed)
        wo, bo = writer.normal(embed, embed, scale=0.2), writer.normal(embed)
        padding = (writer.random.random((1, keys)) < 0.3).astype(np.uint8)
        padding[0, 0] = 0
        parts = [dense(x[0], w[i * embed:(i + 1) * embed], b[i * embed:(i + 1) * embed]).reshape(
            len(x[0]), heads, -1).transpose(1, 0, 2) for i, x in enumerate((query, key, value))]
        logits = parts[0] @ parts[1].transpose(0, 2, 1) / math.sqrt(embed // heads)
        weights = softmax(np.where(padding[0] > 0, -np.inf, logits))
        joined = (weights @ parts[2]).transpose(1, 0, 2).reshape(queries, embed)
        writer.add("multi_head_attention", 10, f"mha_{n}_{heads}x{embed}",
                   {"in.query": query, "in.key": key, "in.value": value, "in.key_padding_mask": padding,
                    "param.in_proj.weight": w, "param.in_proj.bias": b, "param.out_proj.weight": wo,
                    "param.out_proj.bias": bo}, {"out.out": dense(joined, wo, bo)[None]},
                   dict(embed=embed, heads=heads))


def add_deformable(writer, count):
    for n in range(count):
        heads, width, levels, points = (writer.integer(1, m) for m in (9, 40, 5, 9))
        shapes = [(writer.integer(1, 20), writer.integer(1, 30)) for _ in range(levels)]
        tokens, queries = sum(a * b for a, b in shapes), writer.integer(1, 60)
        value = writer.normal(tokens, heads, width)
        locations = writer.uniform(queries, heads, levels, points, 2, low=-0.2, high=1.2)
        locations[0] = 1e10
        weights = writer.uniform(queries, heads, levels, points)
        start = np.cumsum([0] + [a * b for a, b in shapes])[:-1].astype(np.int32)
        writer.add("multi_scale_deformable_attention", 7, f"msda_{n}_{heads}x{width}_{levels}level",
                   {"in.value": value, "in.spatial_shapes": np.array(shapes, np.int32), "in.level_start": start,
                    "in.locations": locations, "in.weights": weights},
                   {"out.out": deformable(value, shapes, locations, weights)},
                   dict(heads=heads, channels_per_head=width, levels=levels, points=points))


def add_sampling(writer, count):
    for n in range(count):
        for axes in (2, 3):
            batch, channels = writer.integer(1, 3), writer.integer(1, 40)
            size = [writer.integer(1, 17) for _ in range(axes)]
            target = [writer.integer(1, 9) for _ in range(axes)]
            x = writer.normal(batch, channels, *size)
            grid = writer.uniform(batch, *target, axes, low=-1.3, high=1.3)
            inputs, outputs = {"in.x": x, "in.grid": grid}, {}
            for name, corners in (("centers", False), ("corners", True)):
                sizes = np.array(size[::-1], float)
                g = grid.astype(float)
                pixel = ((g + 1) / 2 * (sizes - 1) if corners else ((g + 1) * sizes - 1) / 2)[..., ::-1]
                tie = (np.abs(pixel - np.floor(pixel) - 0.5) < 1e-4).any(-1)
                for kind, sampler in (("linear", linear), ("nearest", nearest)):
                    outputs[f"out.{kind}_{name}"] = np.stack(
                        [np.moveaxis(sampler(np.moveaxis(x[b].astype(float), 0, -1), pixel[b]), -1, 0)
                         for b in range(batch)])
                inputs[f"aux.tie_{name}"] = tie.astype(np.uint8)
                inputs[f"aux.tie_full_{name}"] = np.broadcast_to(
                    tie[:, None], outputs[f"out.linear_{name}"].shape).astype(np.uint8)
            writer.add(f"grid_sample_{axes}d", 6, f"gridsample{axes}d_{n}", inputs, outputs,
                       skip={f"out.nearest_{m}": f"aux.tie_full_{m}" for m in ("centers", "corners")},
                       exact=("out.nearest_centers", "out.nearest_corners"))
        cameras, bins, channels, extra = (writer.integer(*m) for m in ((1, 12), (1, 118), (1, 90), (0, 3)))
        h, w = writer.integer(1, 6), writer.integer(1, 9)
        conv = writer.normal(cameras, bins + channels + extra, h, w, scale=8)
        writer.add("depth_softmax_context_split", 3, f"depthsplit_{n}_{bins}+{channels}", {"in.conv": conv},
                   {"out.depth": softmax(conv[:, :bins].astype(float), 1),
                    "out.context": conv[:, bins:bins + channels].transpose(0, 2, 3, 1)},
                   dict(D=bins, C=channels), exact=("out.context",))


def add_all(writer, count):
    add_dense(writer, count)
    add_attention(writer, count)
    add_deformable(writer, count)
    add_sampling(writer, count)

#!/usr/bin/env python3
"""Times PyTorch, ONNX Runtime and OpenCV at the projection workloads of `swiftlet bench`.

Each peer computes the same thing on the same shapes and the same synthetic rig (pitch and roll
included), with the same number of threads; rounds alternate with ours and the printed ratio is the
median over rounds. A ratio above 1 means that Swiftlet is faster. --json writes the table as JSON.
"""
import argparse
import json
import math
import statistics
import subprocess
import sys
import time

import limits

try:
    import numpy as np
except ImportError:
    sys.exit("numpy is missing: pip install -r requirements in Benchmarks/README.md")

MOUNTS = [  # x y z, yaw pitch roll (degrees), focal, centre: those of ProjectionRig.swift
    (1.70, 0.02, 1.51, 0.2, -0.6, 0.3, 1266, 816, 491),
    (1.55, -0.49, 1.50, -56, 1.1, -0.4, 1260, 807, 471),
    (1.52, 0.49, 1.51, 55, -1.7, 0.6, 1272, 826, 479),
    (0.03, 0.00, 1.57, 180.3, 0.4, -0.2, 810, 829, 481),
    (1.03, 0.48, 1.56, 108, -1.1, 0.9, 1256, 792, 492),
    (1.01, -0.48, 1.56, -111, 0.8, -0.7, 1259, 793, 463),
]
SHAPES = {  # lower, step, cells, z lower, z step, bins, step, feature w h, channels, resize left top
    "bevdet-r50": (-51.2, 0.8, 128, -5, 8, 59, 1, 44, 16, 64, 0.44, 0, 140),
    "bevdet-d118": (-51.2, 0.8, 128, -5, 8, 118, 0.5, 44, 16, 80, 0.44, 0, 140),
    "bevfusion": (-54, 0.3, 360, -10, 20, 118, 0.5, 88, 32, 80, 0.48, 32, 176),
}


def turn(axis, degrees):
    c, s = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    rows = {"x": [[1, 0, 0], [0, c, -s], [0, s, c]], "z": [[c, -s, 0], [s, c, 0], [0, 0, 1]]}
    return np.array(rows[axis])


def mount(m):
    forward = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]])
    return turn("z", m[3]) @ forward @ turn("x", m[4]) @ turn("z", m[5]), np.array(m[:3])


def rays(shape):
    """Ego rays of unit depth [camera, y, x, 3] and origins [camera, 3], float32."""
    width, height, (resize, left, top) = shape[7], shape[8], shape[10:]
    u, v = np.meshgrid(
        np.arange(width) * 703 / (width - 1), np.arange(height) * 255 / (height - 1)
    )
    u, v = (u + left) / resize, (v + top) / resize
    out, origins = [], []
    for m in MOUNTS:
        rotation, translation = mount(m)
        ray = np.stack([(u - m[7]) / m[6], (v - m[8]) / m[6], np.ones_like(u)], -1)
        out.append(ray @ rotation.T)
        origins.append(translation)
    return np.array(out, np.float32), np.array(origins, np.float32)


def index_torch(torch, shape, ray, origin):
    """BEVDet's own chain: geometry, filter, sort, intervals."""
    lower, step, cells, lower_z, step_z, bins, bin_step = shape[:7]
    depths = (1 + bin_step * torch.arange(bins, dtype=torch.float32))[None, :, None, None, None]
    low = torch.tensor([lower, lower, lower_z], dtype=torch.float32)
    size = torch.tensor([step, step, step_z], dtype=torch.float32)
    tokens = torch.arange(ray.shape[0] * ray.shape[1] * ray.shape[2]).reshape(ray.shape[:3])

    def run():
        points = ray[:, None] * depths + origin[:, None, None, None]
        cell = ((points - low) / size).long().reshape(-1, 3)
        inside = ((points - low) / size).reshape(-1, 3) > -1
        kept = inside.all(1) & (cell < torch.tensor([cells, cells, 1])).all(1)
        rank = (cell[:, 1] * cells + cell[:, 0])[kept]
        depth = torch.arange(kept.numel())[kept]
        token = tokens[:, None].expand(-1, bins, -1, -1).reshape(-1)[kept]
        rank, order = rank.sort(stable=True)
        first = torch.ones_like(rank, dtype=torch.bool)
        first[1:] = rank[1:] != rank[:-1]
        starts = first.nonzero()[:, 0]
        return token[order], depth[order], starts, rank[starts]

    return run


def pool_torch(name):
    import torch

    shape = SHAPES[name]
    ray, origin = (torch.from_numpy(a) for a in rays(shape))
    token, depth, starts, cells = index_torch(torch, shape, ray, origin)()
    features = torch.rand(6 * shape[7] * shape[8], shape[9]) * 2 - 1
    weights = torch.rand(6 * shape[5] * shape[7] * shape[8]) * 0.03
    grid = torch.zeros(shape[2] * shape[2], shape[9])

    def run():
        sums = torch.nn.functional.embedding_bag(
            token, features, starts, mode="sum", per_sample_weights=weights[depth]
        )
        grid.zero_()
        grid[cells] = sums

    return run


def index_peer(name):
    import torch

    shape = SHAPES[name]
    ray, origin = (torch.from_numpy(a) for a in rays(shape))
    return index_torch(torch, shape, ray, origin)


def fast_bev():
    """index_select of the table at hand, absent voxels from a row of zeros."""
    import torch

    shape = SHAPES["bevdet-r50"]
    resize, _, top = shape[10:]
    x, y, z = np.meshgrid(
        -51.2 + 0.8 * np.arange(128), -51.2 + 0.8 * np.arange(128), -2 + np.arange(6.0),
        indexing="ij",
    )
    voxels = np.stack([x, y, z], -1).reshape(-1, 3)
    table = np.full(len(voxels), 6 * 16 * 44)
    for camera, m in reversed(list(enumerate(MOUNTS))):
        rotation, translation = mount(m)
        p = (voxels - translation) @ rotation
        with np.errstate(all="ignore"):
            u = np.rint((p[:, 0] / p[:, 2] * m[6] + m[7]) * resize / 16)
            v = np.rint(((p[:, 1] / p[:, 2] * m[6] + m[8]) * resize - top) / 16)
        seen = (p[:, 2] > 0) & (u >= 0) & (v >= 0) & (u < 44) & (v < 16)
        table[seen] = camera * 704 + v[seen].astype(int) * 44 + u[seen].astype(int)
    features = torch.cat([torch.rand(6 * 16 * 44, 80), torch.zeros(1, 80)])
    index = torch.from_numpy(table)
    out = torch.empty(len(voxels), 80)
    return lambda: torch.index_select(features, 0, index, out=out)


def ipm_opencv(threads):
    """remap of six images through maps at hand, then the mean where they overlap."""
    import cv2

    cv2.setNumThreads(threads)
    x, y = np.meshgrid(-25.6 + 0.1 * (np.arange(512) + 0.5), -25.6 + 0.1 * (np.arange(512) + 0.5))
    ground = np.stack([x, y, np.zeros_like(x)], -1).reshape(-1, 3)
    k = np.array([-0.05, 0.01, 0.0003, -0.0002, 0.001])
    maps, seen = [], []
    for m in MOUNTS:
        rotation, translation = mount(m)
        p = (ground - translation) @ rotation
        camera = np.array([[m[6], 0, m[7]], [0, m[6], m[8]], [0, 0, 1.0]])
        ahead = (p[:, 2] > 0.1) & (np.hypot(p[:, 0], p[:, 1]) < 2 * np.abs(p[:, 2]))
        safe = np.where(ahead[:, None], p, [0, 0, 1])
        uv = cv2.projectPoints(safe[:, None], np.zeros(3), np.zeros(3), camera, k)[0][:, 0]
        uv[~ahead] = -9
        seen.append(
            ahead & (uv[:, 0] >= 0) & (uv[:, 1] >= 0) & (uv[:, 0] <= 1599) & (uv[:, 1] <= 899)
        )
        both = uv.reshape(512, 512, 2).astype(np.float32)
        # OpenCV's fast fixed-point form of the maps.
        maps.append(cv2.convertMaps(both[..., 0].copy(), both[..., 1].copy(), cv2.CV_16SC2))
    share = np.stack(seen).reshape(6, 512, 512).astype(np.float32)
    share /= np.maximum(share.sum(0), 1)
    shares = [np.repeat(s[..., None], 3, 2) for s in share]
    images = [np.random.randint(0, 256, (900, 1600, 3), np.uint8) for _ in MOUNTS]
    total = np.zeros((512, 512, 3), np.float32)

    def run():
        total[:] = 0
        for image, (a, b), part in zip(images, maps, shares):
            cv2.accumulateProduct(cv2.remap(image, a, b, cv2.INTER_LINEAR).astype(np.float32), part, total)

    return run


def warp_grid():
    a = 0.03
    x, y = np.meshgrid(np.arange(128.0), np.arange(128.0))
    u = math.cos(a) * x + math.sin(a) * y - 5
    v = -math.sin(a) * x + math.cos(a) * y - 0.4
    return (np.stack([u, v], -1) / 63.5 - 1).astype(np.float32)[None]


def warp_torch():
    import torch

    source = torch.rand(1, 64, 128, 128)
    grid = torch.from_numpy(warp_grid())
    return lambda: torch.nn.functional.grid_sample(source, grid, align_corners=True)


def warp_onnx(threads):
    import onnx
    import onnxruntime
    from onnx import TensorProto, helper

    node = helper.make_node("GridSample", ["x", "g"], ["y"], mode="linear", align_corners=1)
    graph = helper.make_graph(
        [node], "warp",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, 64, 128, 128]),
         helper.make_tensor_value_info("g", TensorProto.FLOAT, [1, 128, 128, 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)])
    model.ir_version = 10
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    feed = {"x": np.random.rand(1, 64, 128, 128).astype(np.float32), "g": warp_grid()}
    return lambda: session.run(None, feed)


def softmax_torch():
    import torch

    logits = torch.rand(6, 59, 16, 44) * 16 - 8
    return lambda: torch.softmax(logits, 1)


def peers(threads):
    yield "bevdet-r50-pool", "torch embedding_bag chain", lambda: pool_torch("bevdet-r50")
    yield "bevdet-d118-pool", "torch embedding_bag chain", lambda: pool_torch("bevdet-d118")
    yield "bevfusion-pool", "torch embedding_bag chain", lambda: pool_torch("bevfusion")
    yield "bevdet-r50-index", "torch sort chain", lambda: index_peer("bevdet-r50")
    yield "bevfusion-index", "torch sort chain", lambda: index_peer("bevfusion")
    yield "depth-softmax", "torch softmax", softmax_torch
    yield "fastbev-pull", "torch index_select", fast_bev
    yield "bev4d-warp", "torch grid_sample", warp_torch
    yield "bev4d-warp", "ONNX Runtime GridSample", lambda: warp_onnx(threads)
    yield "ipm-6x1600x900", "OpenCV remap", lambda: ipm_opencv(threads)


def ours(tool, name, threads, seconds):
    command = [tool, "bench", "--filter", name, "--threads", str(threads), "--precision", "fp32", "--json"]
    done = subprocess.run(
        command + ["--seconds", str(seconds)], capture_output=True, text=True, check=False
    )
    rows = [w for w in json.loads(done.stdout or '{"workloads": []}')["workloads"] if w["name"] == name]
    if not rows or not rows[0]["verified"]:
        sys.exit(f"{name}: no verified row from {tool}")
    return rows[0]


def theirs(run, seconds):
    for _ in range(2):
        run()
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 3:
        start = time.perf_counter()
        run()
        samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default="../.build/release/swiftlet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.3)
    parser.add_argument("--filter", default="")
    parser.add_argument("--json", help="also write the table to this file")
    arguments = parser.parse_args()
    try:
        import torch

        torch.set_num_threads(arguments.threads)
        torch.set_grad_enabled(False)
    except ImportError:
        pass
    rows = []
    print(f"{'workload':18} {'ours ms':>9} {'theirs ms':>10} {'ratio':>7} {'roof':>6}  peer, {arguments.threads} threads")
    for name, peer, make in peers(arguments.threads):
        if arguments.filter not in name:
            continue
        try:
            run = make()
        except ImportError as missing:
            print(f"{name:18} {'–':>9} {'–':>10} {'–':>7} {'–':>6}  {peer}: {missing.name} is not installed")
            continue
        pairs = [
            (ours(arguments.tool, name, arguments.threads, arguments.seconds),
             theirs(run, arguments.seconds))
            for _ in range(arguments.rounds)
        ]
        row = {
            "workload": name, "peer": peer, "threads": arguments.threads,
            "ours_ms": statistics.median(a["median_ms"] for a, _ in pairs),
            "roof_share": statistics.median(a["roof_share"] for a, _ in pairs),
            "theirs_ms": statistics.median(b for _, b in pairs),
            "ratio": statistics.median(b / a["median_ms"] for a, b in pairs),
        }
        rows.append(row)
        print(f"{name:18} {row['ours_ms']:9.3f} {row['theirs_ms']:10.3f} {row['ratio']:7.2f} {row['roof_share']:6.0%}  {peer}", flush=True)
    known = {row["workload"]: (row["workload"], row["ours_ms"], row["roof_share"]) for row in rows}
    for line in limits.lines(known.values()):
        print(line)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"schema_version": 1, "rows": rows}, file, indent=1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times PyTorch, ONNX Runtime and OpenVINO on the tensors of `swiftlet bench --filter attention`.

Every tensor comes from the same seeded generator as Swiftlet's, so that both sides read the same
numbers; the encoder alone has weights of its own (same sizes, same number of sampled pairs, padded
as BEVFormer pads them). Rounds are interleaved (ours, peer, peer, ..., ours, ...), each reports its
median, and a ratio is the median over rounds: above 1 means that Swiftlet is faster. Peers of one
workload are checked against each other before they are timed.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import time

import numpy as np

import limits

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit("PyTorch is missing: pip install torch (the CPU build is enough)")
try:
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    import onnxruntime
except ImportError:
    onnx = onnxruntime = None
try:
    import openvino
except ImportError:
    openvino = None


class Numbers:
    """SplitMix64 as in ProjectionRig.swift: uniform floats of 24 random bits."""

    def __init__(self, seed):
        self.state = np.uint64(seed)

    def floats(self, shape, low, high):
        count = int(np.prod(shape))
        with np.errstate(over="ignore"):
            steps = np.arange(1, count + 1, dtype=np.uint64)
            z = self.state + steps * np.uint64(0x9E3779B97F4A7C15)
            self.state = z[-1]
            z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            z = z ^ (z >> np.uint64(31))
        unit = (z >> np.uint64(40)).astype(np.float32) * np.float32(2.0**-24)
        return (np.float32(low) + np.float32(high - low) * unit).reshape(shape)


def torch_call(function, *arrays, dtype=torch.float32):
    tensors = [torch.from_numpy(a).to(dtype) for a in arrays]

    def run():
        with torch.inference_mode():
            return function(*tensors)

    return run


def graph(nodes, inputs, output, initializers=()):
    value = helper.make_tensor_value_info
    model = helper.make_model(
        helper.make_graph(
            nodes,
            "g",
            [value(n, TensorProto.FLOAT, a.shape) for n, a in inputs.items()],
            [value(output[0], TensorProto.FLOAT, output[1])],
            [numpy_helper.from_array(a, n) for n, a in initializers],
        ),
        opset_imports=[helper.make_opsetid("", 16)],
    )
    model.ir_version = 9
    return model.SerializeToString()


def onnx_call(model, inputs, threads):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return lambda: session.run(None, inputs)[0]


def openvino_call(model, inputs, threads):
    compiled = openvino.Core().compile_model(
        openvino.Core().read_model(model),
        "CPU",
        {
            "INFERENCE_NUM_THREADS": threads,
            "INFERENCE_PRECISION_HINT": "f32",
            "PERFORMANCE_HINT": "LATENCY",
        },
    )
    request = compiled.create_infer_request()
    return lambda: next(iter(request.infer(inputs).values()))


def with_graph(peers, model, inputs, threads):
    if onnxruntime is not None:
        peers["ONNX Runtime"] = onnx_call(model, inputs, threads)
        if openvino is not None:
            peers["OpenVINO f32"] = openvino_call(model, inputs, threads)
    return peers


def linear(rows, inputs, outputs, threads):
    n = Numbers(11)
    w, b = n.floats((outputs, inputs), -1, 1), n.floats((outputs,), -1, 1)
    x = n.floats((rows, inputs), -1, 1)
    peers = {
        "torch fp32": torch_call(lambda x, w, b: F.relu(F.linear(x, w, b)), x, w, b),
        "torch bf16": torch_call(
            lambda x, w, b: F.relu(F.linear(x, w, b)), x, w, b, dtype=torch.bfloat16
        ),
    }
    if onnx is not None:
        model = graph(
            [
                helper.make_node("Gemm", ["x", "w", "b"], ["s"], transB=1),
                helper.make_node("Relu", ["s"], ["y"]),
            ],
            {"x": x},
            ("y", (rows, outputs)),
            [("w", w), ("b", b)],
        )
        with_graph(peers, model, {"x": x}, threads)
    return peers


def sdpa(tokens, heads, width, threads):
    n = Numbers(12)
    q, k, v = (
        np.ascontiguousarray(
            n.floats((tokens, heads, width), -1.5, 1.5).transpose(1, 0, 2)[None]
        )
        for _ in range(3)
    )
    call = F.scaled_dot_product_attention
    return {
        "torch fp32": torch_call(call, q, k, v),
        "torch bf16": torch_call(call, q, k, v, dtype=torch.bfloat16),
    }


def composition(levels):
    """The public CPU formula: grid_sample per level (mmcv, Deformable DETR)."""

    def run(values, locations, weights):
        m, _, h, d = values.shape
        q, p = locations.shape[1], locations.shape[4]
        grids = 2 * locations - 1
        taps, first = [], 0
        for index, (height, width) in enumerate(levels):
            v = values[:, first : first + height * width]
            first += height * width
            v = v.permute(0, 2, 3, 1).reshape(m * h, d, height, width)
            g = grids[:, :, :, index].permute(0, 2, 1, 3, 4).reshape(m * h, q, p, 2)
            taps.append(
                F.grid_sample(v, g, mode="bilinear", padding_mode="zeros", align_corners=False)
            )
        w = weights.permute(0, 2, 1, 3, 4).reshape(m * h, 1, q, len(levels) * p)
        out = (torch.cat(taps, -1) * w).sum(-1)
        return out.view(m, h * d, q).transpose(1, 2).contiguous()

    return run


def msda_graph(levels, values, locations, weights):
    m, _, h, d = values.shape
    q, p = locations.shape[1], locations.shape[4]
    nodes, constants, taps = [], [("two", np.float32(2)), ("one", np.float32(1))], []

    def node(op, ins, out, **attributes):
        nodes.append(helper.make_node(op, ins, [out], **attributes))
        return out

    def constant(name, array):
        constants.append((name, np.asarray(array, dtype=np.int64)))
        return name

    grids = node("Sub", [node("Mul", ["locations", "two"], "doubled"), "one"], "grids")
    axis1, axis3 = constant("axis1", [1]), constant("axis3", [3])
    first = 0
    for i, (height, width) in enumerate(levels):
        low, high = constant(f"lo{i}", [first]), constant(f"hi{i}", [first + height * width])
        first += height * width
        v = node("Slice", ["values", low, high, axis1], f"slice{i}")
        v = node("Transpose", [v], f"turned{i}", perm=[0, 2, 3, 1])
        v = node("Reshape", [v, constant(f"map{i}", [m * h, d, height, width])], f"map{i}out")
        g = node("Gather", [grids, constant(f"level{i}", i)], f"grid{i}", axis=3)
        g = node("Transpose", [g], f"gridturned{i}", perm=[0, 2, 1, 3, 4])
        g = node("Reshape", [g, constant(f"grids{i}", [m * h, q, p, 2])], f"gridout{i}")
        taps.append(
            node(
                "GridSample", [v, g], f"taps{i}", mode="bilinear", padding_mode="zeros",
                align_corners=0,
            )
        )
    w = node("Transpose", ["weights"], "wturned", perm=[0, 2, 1, 3, 4])
    w = node("Reshape", [w, constant("wshape", [m * h, 1, q, len(levels) * p])], "wout")
    joined = node("Concat", taps, "joined", axis=3) if len(taps) > 1 else taps[0]
    summed = node(
        "ReduceSum", [node("Mul", [joined, w], "weighted"), axis3], "summed", keepdims=0
    )
    heads = node("Reshape", [summed, constant("heads", [m, h * d, q])], "headsout")
    node("Transpose", [heads], "y", perm=[0, 2, 1])
    inputs = {"values": values, "locations": locations, "weights": weights}
    return graph(nodes, inputs, ("y", (m, q, h * d)), constants), inputs


def msda(maps, queries, levels, threads):
    n = Numbers(14)
    tokens = sum(h * w for h, w in levels)
    values = n.floats((maps, tokens, 8, 32), -1, 1)
    locations = n.floats((maps, queries, 8, len(levels), 8, 2), 0, 1)
    weights = n.floats((maps, queries, 8, len(levels), 8), 0, 0.1)
    peers = {"torch grid_sample": torch_call(composition(levels), values, locations, weights)}
    if onnx is not None:
        model, inputs = msda_graph(levels, values, locations, weights)
        with_graph(peers, model, inputs, threads)
    return peers


def encoder(dtype, padded=589, cells=2500, channels=256):
    """BEVFormer-tiny's encoder as its CPU path computes it: three layers, one history frame."""
    torch.manual_seed(1)

    def layer(inputs, outputs):
        return torch.nn.Linear(inputs, outputs).to(dtype)

    def norm():
        return torch.nn.LayerNorm(channels).to(dtype)

    def attention(inputs, rows):
        return [
            layer(channels, channels),
            layer(inputs, 2 * rows),
            layer(inputs, rows),
            layer(channels, channels),
        ]

    own, cross = composition([(50, 50)]), composition([(15, 25)])
    blocks = [
        (
            attention(2 * channels, 64),
            attention(channels, 64),
            layer(channels, 512),
            layer(512, channels),
            norm(),
            norm(),
            norm(),
        )
        for _ in range(3)
    ]
    random = lambda *shape: torch.randn(*shape).to(dtype)
    start, position, previous = (random(1, cells, channels) for _ in range(3))
    features = random(6, 375, channels)
    seen = [torch.randperm(cells)[:padded] for _ in range(6)]
    centers = torch.rand(1, cells, 1, 1, 1, 2).to(dtype)
    anchors = torch.rand(6, padded, 1, 1, 8, 2).to(dtype)
    sizes = {"own": torch.tensor([50.0, 50.0]).to(dtype), "cross": torch.tensor([25.0, 15.0]).to(dtype)}

    def temporal(block, query):
        value, offsets, logits, out = block
        both = value(torch.cat([previous, start])).view(2, cells, 8, 32)
        source = torch.cat([previous, query + position], -1)
        moved = offsets(source).view(1, cells, 8, 2, 1, 4, 2) / sizes["own"]
        shares = logits(source).view(1, cells, 8, 2, 4).softmax(-1)
        place = (centers[..., None, :] + moved).permute(0, 3, 1, 2, 4, 5, 6).reshape(2, cells, 8, 1, 4, 2)
        share = shares.permute(0, 3, 1, 2, 4).reshape(2, cells, 8, 1, 4)
        return out(own(both, place, share).mean(0, keepdim=True)) + query

    def spatial(block, query):
        value, offsets, logits, out = block
        maps = value(features).view(6, 375, 8, 32)
        rows = torch.stack([query[0, index] for index in seen])
        moved = offsets(rows).view(6, padded, 8, 1, 8, 2) / sizes["cross"]
        shares = logits(rows).view(6, padded, 8, 1, 8).softmax(-1)
        found = cross(maps, anchors + moved, shares)
        slots = torch.zeros(cells, channels, dtype=dtype)
        count = torch.zeros(cells, 1, dtype=dtype)
        for camera, index in enumerate(seen):
            slots.index_add_(0, index, found[camera])
            count[index] += 1
        return out((slots / count.clamp(min=1))[None]) + query

    def run():
        with torch.inference_mode():
            query = start
            for tsa, sca, first, second, one, two, three in blocks:
                query = one(temporal(tsa, query))
                query = two(spatial(sca, query))
                query = three(query + second(F.relu(first(query))))
            return query

    return run


TINY, BASE = [(15, 25)], [(116, 200), (58, 100), (29, 50), (15, 25)]
# name, our precisions, peers of a thread count
WORKLOADS = [
    ("linear-2500x256x512", ["fp32", "bf16", "int8"], lambda t: linear(2500, 256, 512, t)),
    ("linear-10000x80x320", ["fp32", "bf16", "int8"], lambda t: linear(10000, 80, 320, t)),
    ("sdpa-900", ["fp32"], lambda t: sdpa(900, 8, 32, t)),
    ("msda-tiny", ["fp32"], lambda t: msda(6, 589, TINY, t)),
    ("msda-base-4level", ["fp32"], lambda t: msda(1, 9518, BASE, t)),
    (
        "bevformer-tiny-encoder",
        ["fp32", "bf16", "int8"],
        lambda t: {
            "torch fp32": encoder(torch.float32),
            "torch bf16": encoder(torch.bfloat16),
        },
    ),
    # No public program does these on a CPU: beside the goal stands the share of the roof.
    ("fbocc-backward", ["fp32", "bf16", "int8"], lambda t: {}),
    ("frame-s", ["fp32", "bf16", "int8"], lambda t: {}),
    ("frame-m0", ["fp32"], lambda t: {}),
    ("frame-m", ["fp32", "bf16", "int8"], lambda t: {}),
    ("frame-l", ["fp32", "bf16", "int8"], lambda t: {}),
    ("frame-d", ["fp32"], lambda t: {}),
    ("frame-headline", ["fp32", "bf16", "int8"], lambda t: {}),
]


def ours(tool, name, precision, threads, seconds):
    command = [tool, "bench", "--filter", name, "--precision", precision, "--json"]
    done = subprocess.run(
        command + ["--threads", str(threads), "--seconds", str(seconds)],
        capture_output=True, text=True, check=False,
    )
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{done.stdout}{done.stderr}")
    rows = [w for w in json.loads(done.stdout)["workloads"] if w["name"] == name]
    return rows[0]["median_ms"], rows[0]["roof_share"]


def time_call(run, seconds):
    for _ in range(2):
        run()
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 3:
        start = time.perf_counter()
        run()
        samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


def check(name, peers):
    """fp32 peers of one workload compute the same numbers."""
    results = {p: np.asarray(run()) for p, run in peers.items() if "bf16" not in p}
    (first, expected), *others = results.items()
    for peer, got in others:
        worst = float(np.max(np.abs(got - expected)))
        bound = 1e-3 * max(1.0, float(np.max(np.abs(expected))))
        if not worst <= bound:
            sys.exit(f"{name}: {peer} differs from {first} by {worst}")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--tool", default=".build/release/swiftlet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=0.4, help="of each sample")
    parser.add_argument("--filter", default="", help="part of a workload's name")
    parser.add_argument("--json", help="write every round to this file")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    print(
        f"torch {torch.__version__}, onnxruntime {getattr(onnxruntime, '__version__', 'none')}, "
        f"openvino {getattr(openvino, '__version__', 'none')}, {arguments.threads} threads, ms"
    )
    print(f"{'workload':24} {'ours':>6} {'ms':>9}  {'peer':18} {'ms':>9} {'ratio':>7}")
    records, known = [], []
    for name, precisions, make in WORKLOADS:
        if arguments.filter not in name:
            continue
        peers = make(arguments.threads)
        if peers:
            check(name, peers)
        rounds = []
        for _ in range(arguments.rounds):
            taken = {
                p: ours(arguments.tool, name, p, arguments.threads, arguments.seconds)
                for p in precisions
            }
            rounds.append(
                (taken, {p: time_call(run, arguments.seconds) for p, run in peers.items()})
            )
        for precision in precisions:
            mine = statistics.median(r[0][precision][0] for r in rounds)
            share = statistics.median(r[0][precision][1] for r in rounds)
            if precision == "fp32":
                known.append((name, mine, share))
            if not peers:
                print(f"{name:24} {precision:>6} {mine:9.3f}  {'none':18} {share:9.0%} of the roof")
            for peer in peers:
                other = statistics.median(r[1][peer] for r in rounds)
                ratio = statistics.median(r[1][peer] / r[0][precision][0] for r in rounds)
                print(f"{name:24} {precision:>6} {mine:9.3f}  {peer:18} {other:9.3f} {ratio:7.2f}")
                records.append(
                    {
                        "workload": name, "precision": precision, "ours_ms": mine, "peer": peer,
                        "peer_ms": other, "ratio": ratio, "threads": arguments.threads,
                        "rounds": [
                            {"ours_ms": r[0][precision][0], "peer_ms": r[1][peer]} for r in rounds
                        ],
                    }
                )
        sys.stdout.flush()
    for line in limits.lines(known):
        print(line)
    if arguments.json:
        with open(arguments.json, "w", encoding="utf-8") as file:
            json.dump({"cpu_count": os.cpu_count(), "results": records}, file, indent=2)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times PyTorch's CPU operators at the shapes of `swiftlet bench`, interleaved with it.

Both sides get the same number of threads and the same precision; rounds alternate (ours, theirs,
ours, ...), each round reports its median, and the printed ratio is the median over rounds. A ratio
above 1 means that Swiftlet is faster.
"""
import argparse
import json
import statistics
import subprocess
import sys
import time

try:
    import torch
    import torch.nn.functional as F
except ImportError:
    sys.exit("PyTorch is missing: pip install torch==2.13.0+cpu from PyTorch's CPU index")


def linear(rows, inputs, outputs):
    x, w, b = torch.randn(rows, inputs), torch.randn(outputs, inputs), torch.randn(outputs)
    return lambda: F.linear(x, w, b)


def attention(tokens, heads, width):
    q, k, v = (torch.randn(1, heads, tokens, width) for _ in range(3))
    return lambda: F.scaled_dot_product_attention(q, k, v)


def pool(points, channels, cells, rows):
    """BEVPoolv2 as an embedding bag: gather of feature rows, weighted by depth, summed per cell."""
    features = torch.randn(rows, channels)
    index = torch.randint(rows, (points,))
    weight = torch.rand(points)
    starts = torch.sort(torch.randint(points, (cells,))).values
    starts[0] = 0
    return lambda: F.embedding_bag(
        index, features, starts, mode="sum", per_sample_weights=weight
    )


def sampled(queries, heads, width, levels, points):
    """Multi-scale deformable attention as its reference does it: grid_sample per level."""
    maps = [torch.randn(heads, width, h, w) for h, w in levels]
    grids = [torch.rand(heads, queries, points, 2) * 2 - 1 for _ in levels]
    weight = torch.softmax(torch.randn(heads, 1, queries, len(levels) * points), -1)

    def run():
        taps = [
            F.grid_sample(m, g, mode="bilinear", padding_mode="zeros", align_corners=False)
            for m, g in zip(maps, grids)
        ]
        return (torch.cat(taps, -1) * weight).sum(-1)

    return run


PEERS = {
    "linear-2500x256x512": ("F.linear", lambda: linear(2500, 256, 512)),
    "linear-10000x80x320": ("F.linear", lambda: linear(10000, 80, 320)),
    "sdpa-900": ("scaled_dot_product_attention", lambda: attention(900, 8, 32)),
    "bevdet-r50-pool": ("embedding_bag", lambda: pool(179_000, 64, 128 * 128, 6 * 16 * 44)),
    "bevdet-d118-pool": ("embedding_bag", lambda: pool(357_000, 80, 128 * 128, 6 * 16 * 44)),
    "bevfusion-pool": ("embedding_bag", lambda: pool(1_830_000, 80, 360 * 360, 6 * 32 * 88)),
    "msda-tiny": ("grid_sample chain", lambda: sampled(2500, 8, 32, [(15, 25)] * 6, 8)),
    "msda-base-4level": (
        "grid_sample chain",
        lambda: sampled(9518, 8, 32, [(116, 200), (58, 100), (29, 50), (15, 25)], 8),
    ),
}


def ours(tool, name, threads):
    """The median of one short run of `swiftlet bench`, in ms; None for an unknown workload."""
    command = [tool, "bench", "--filter", name, "--threads", str(threads), "--precision", "fp32"]
    done = subprocess.run(
        command + ["--seconds", "0.5", "--json"], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        return None
    rows = [w for w in json.loads(done.stdout)["workloads"] if w["name"] == name]
    return rows[0]["median_ms"] if rows and rows[0]["verified"] else None


def theirs(run, seconds=0.5):
    for _ in range(3):
        run()
    samples, end = [], time.perf_counter() + seconds
    while time.perf_counter() < end or len(samples) < 5:
        start = time.perf_counter()
        run()
        samples.append((time.perf_counter() - start) * 1e3)
    return statistics.median(samples)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default="../.build/release/swiftlet")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--filter", default="")
    arguments = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(arguments.threads)
    print(f"torch {torch.__version__}, {arguments.threads} threads, medians in ms")
    print(f"{'workload':24} {'ours':>9} {'theirs':>9} {'ratio':>7}  peer")
    for name, (peer, make) in PEERS.items():
        if arguments.filter not in name:
            continue
        run = make()
        rounds = []
        with torch.inference_mode():
            for _ in range(arguments.rounds):
                mine = ours(arguments.tool, name, arguments.threads)
                if mine is None:
                    break
                rounds.append((mine, theirs(run)))
        if not rounds:
            print(f"{name:24} not in this build of swiftlet")
            continue
        mine = statistics.median(a for a, _ in rounds)
        other = statistics.median(b for _, b in rounds)
        ratio = statistics.median(b / a for a, b in rounds)
        print(f"{name:24} {mine:9.3f} {other:9.3f} {ratio:7.2f}  {peer}")


if __name__ == "__main__":
    main()

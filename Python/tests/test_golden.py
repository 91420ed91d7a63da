#!/usr/bin/env python3
"""Golden cases and, where torch is there, torch itself against the package.

    python3 test_golden.py GOLDEN_FOLDER
"""

import json
import pathlib
import struct
import sys

import numpy as np

import swiftlet

TYPES = {"F64": "f8", "F32": "f4", "F16": "f2", "I64": "i8", "I32": "i4", "U16": "u2", "U8": "u1", "I8": "i1", "BOOL": "u1"}


def read(path: pathlib.Path) -> dict[str, np.ndarray]:
    """A .safetensors file."""
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        lower, upper = (8 + length + o for o in entry["data_offsets"])
        tensors[name] = np.frombuffer(data[lower:upper], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def close(case: dict, tensors: dict, name: str, got: np.ndarray) -> float:
    """The largest deviation in tolerances; 1 passes."""
    rule = case["tensors"][name]
    expected = tensors[name].astype(np.float64).ravel()
    allowed = rule.get("max_abs", 0) + rule.get("max_rel", 0) * np.abs(expected)
    difference = np.abs(got.astype(np.float64).ravel() - expected)
    if not difference.size:
        return 0.0
    return float(np.max(np.where(difference == 0, 0, difference / np.maximum(allowed, 1e-300))))


def pool(case: dict, t: dict, kernels: swiftlet.Kernels) -> dict[str, np.ndarray]:
    a = case["attributes"]
    cells = a["B"] * a["Z"] * a["Y"] * a["X"]
    depth = t["in.depth"]
    got = kernels.bev_pool(depth, t["in.feat"], t["in.point_rank"], cells)
    if "in.cells" in t:
        rest = np.delete(got, t["in.cells"], axis=0)
        return {"out.rows": got[t["in.cells"]] if not rest.any() else np.full(1, np.nan)}
    return {"out.bev": got}


def attend(case: dict, t: dict, kernels: swiftlet.Kernels) -> dict[str, np.ndarray]:
    return {
        "out.out": kernels.deformable_attention(
            t["in.value"], t["in.spatial_shapes"], t["in.locations"], t["in.weights"]
        )
    }


def octomap(case: dict, t: dict, kernels: swiftlet.Kernels) -> dict[str, np.ndarray]:
    a = case["attributes"]
    modes = {"insertPointCloud": "scan", "insertPointCloud(discretize)": "discretized", "insertPointCloudRays": "rays"}
    model = [a["probabilities"][n] for n in ("hit", "miss", "cmin", "cmax", "thr")]
    map_ = swiftlet.OctoMap(a["resolution"], kernels, model)
    scan = 0
    while f"in.points{scan}" in t:
        map_.insert(t[f"in.points{scan}"], t[f"in.origin{scan}"].ravel(), a.get("max_range", -1), modes[a["mode"]])
        scan += 1
    keys, values = map_.voxels()
    return {"out.keys": keys, "out.log_odds": values}


RUNNERS = {"bev_pool_v2": pool, "multi_scale_deformable_attention": attend, "octomap_insert_point_cloud": octomap}


def golden(folder: pathlib.Path) -> int:
    index = json.loads((folder / "index.json").read_text())
    failed = run = 0
    for case in index["cases"]:
        runner = RUNNERS.get(case["operation"])
        if runner is None:
            continue
        tensors = read(folder / case["file"])
        for threads in (1, 2):
            outputs = runner(case, tensors, swiftlet.Kernels(threads=threads))
            for name, got in outputs.items():
                if name not in tensors:
                    continue
                run += 1
                worst = close(case, tensors, name, got)
                if not worst <= 1:
                    failed += 1
                    print(f"{case['name']} {name}: {worst} tolerances off")
    print(f"golden: {run} comparisons, {failed} failed")
    return failed + (run == 0)


def against_torch() -> int:
    """deformable attention against torch's grid_sample, as mmcv's own reference computes it."""
    try:
        import torch
        import torch.nn.functional as F
    except ImportError:
        print("torch is missing: skipped")
        return 0
    random = np.random.default_rng(3)
    heads, channels, queries, points, sizes = 4, 17, 61, 3, [(7, 9), (4, 5)]
    tokens = sum(h * w for h, w in sizes)
    values = random.standard_normal((tokens, heads, channels), dtype=np.float32)
    places = random.uniform(-0.2, 1.2, (queries, heads, 2, points, 2)).astype(np.float32)
    weights = random.random((queries, heads, 2, points), dtype=np.float32)
    got = swiftlet.Kernels().deformable_attention(values, sizes, places, weights)
    expected, start = torch.zeros(queries, heads, channels, dtype=torch.float64), 0
    for level, (h, w) in enumerate(sizes):
        v = torch.from_numpy(values[start : start + h * w]).double().permute(1, 2, 0).reshape(heads, channels, h, w)
        grid = 2 * torch.from_numpy(places[:, :, level]).double().permute(1, 0, 2, 3) - 1
        sampled = F.grid_sample(v, grid, mode="bilinear", padding_mode="zeros", align_corners=False)
        factor = torch.from_numpy(weights[:, :, level]).double().permute(1, 0, 2)
        expected += (sampled * factor[:, None]).sum(-1).permute(2, 0, 1)
        start += h * w
    difference = np.abs(got - expected.numpy().reshape(queries, -1)).max()
    # 24 taps and 6 weights of a few units, float32 positions.
    print(f"torch {torch.__version__}: largest difference {difference:.2e} (at most 2e-5)")
    return int(not difference < 2e-5)


if __name__ == "__main__":
    failures = against_torch()
    if len(sys.argv) > 1:
        failures += golden(pathlib.Path(sys.argv[1]))
    sys.exit(failures != 0)

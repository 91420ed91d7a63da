#!/usr/bin/env python3
"""Writes Fixtures/cameras: every camera model forward and inverse, expected values by OpenCV in
float64 (pinhole, Brown-Conrady, rational, fisheye) and by numpy for f-theta, which OpenCV lacks.

Needs numpy, opencv-python-headless and safetensors.
"""
import hashlib
import json
import pathlib

import cv2
import numpy as np
from safetensors.numpy import save_file

FOLDER = pathlib.Path(__file__).parent / "cameras"
COUNT = 157
K = np.array([[721.5, 0, 479.25], [0, 719.0, 301.75], [0, 0, 1]], np.float32)


def opencv(points, k):
    """projectPoints, and the iterated inverse run to convergence."""
    zero = np.zeros(3)
    k = k.astype(float)
    uv = cv2.projectPoints(points[:, None, :], zero, zero, K.astype(float), k)[0][:, 0]
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-15)
    pixels = uv.astype(np.float32)
    ray = cv2.undistortPoints(
        pixels[:, None, :].astype(float), K.astype(float), k, criteria=stop
    )[:, 0]
    return uv, pixels, ray


def fisheye(points, k):
    k = k.astype(float)
    uv = cv2.fisheye.projectPoints(
        points[:, None, :], np.zeros(3), np.zeros(3), K.astype(float), k
    )[0][:, 0]
    pixels = uv.astype(np.float32)
    stop = (cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 500, 1e-15)
    ray = cv2.fisheye.undistortPoints(
        pixels[:, None, :].astype(float), K.astype(float), k, criteria=stop
    )[:, 0]
    return uv, pixels, ray


def root(coefficients, target, largest):
    """The smallest real root from 0 on of polynomial(t) = target, by numpy's companion matrix."""
    roots = np.roots(np.concatenate([coefficients[:0:-1], [coefficients[0] - target]]))
    real = roots[np.abs(roots.imag) < 1e-9].real
    real = real[(real >= -1e-12) & (real <= largest)]
    return real.min()


def ftheta(points, c, inverse):
    c = c.astype(float)
    f = K.astype(float)
    side = np.hypot(points[:, 0], points[:, 1])
    theta = np.arctan2(side, points[:, 2])
    powers = np.arange(len(c))
    if inverse:
        distance = np.array([root(c, t, 4) for t in theta])
    else:
        distance = (theta[:, None] ** powers) @ c
    uv = points[:, :2] * (distance / side)[:, None] * [f[0, 0], f[1, 1]] + [f[0, 2], f[1, 2]]
    pixels = uv.astype(np.float32)
    plane = (pixels.astype(float) - [f[0, 2], f[1, 2]]) / [f[0, 0], f[1, 1]]
    back = np.hypot(plane[:, 0], plane[:, 1])
    if inverse:
        angle = (back[:, None] ** powers) @ c
    else:
        angle = np.array([root(c, r, 3) for r in back])
    return uv, pixels, plane * (np.tan(angle) / back)[:, None]


MODELS = {
    "pinhole": ("pinhole", [], opencv),
    "brown4": ("brown", [-0.28, 0.07, 0.0007, -0.0004], opencv),
    "brown5": ("brown", [-0.31, 0.12, 0.0009, -0.0005, -0.02], opencv),
    "rational8": ("brown", [0.4, -0.2, 0.0005, 0.0004, 0.03, 0.7, -0.1, 0.05], opencv),
    "fisheye": ("fisheye", [-0.012, 0.021, -0.006, 0.0011], fisheye),
    "ftheta": ("ftheta", [0, 1, 0.02, -0.05, 0.01, -0.002], lambda p, k: ftheta(p, k, False)),
    "ftheta_inverse": (
        "ftheta_inverse", [0, 1, -0.02, 0.06, -0.01, 0.003], lambda p, k: ftheta(p, k, True)),
}


def main():
    FOLDER.mkdir(exist_ok=True)
    rng = np.random.default_rng(11)
    cases = []
    for name, (model, coefficients, run) in MODELS.items():
        k = np.array(coefficients, np.float32)
        radial = name.startswith(("fish", "ftheta"))
        spread = 1.6 if radial else 0.55
        z = rng.uniform(0.5, 30, COUNT)
        xy = rng.uniform(-spread, spread, (COUNT, 2)) * z[:, None]
        points = np.concatenate([xy, z[:, None]], 1).astype(np.float32)
        uv, pixels, ray = run(points.astype(float), k)
        tensors = {
            "in.intrin": K, "in.distortion": k, "in.points": points, "in.pixels": pixels,
            "out.uv": uv.astype(np.float32), "out.ray": ray.astype(np.float32),
        }
        path = FOLDER / f"camera_{name}.safetensors"
        save_file({n: np.ascontiguousarray(t) for n, t in tensors.items()}, path)
        meta = {
            n: {"dtype": "float32", "shape": list(t.shape), "role": n.split(".")[0]}
            for n, t in tensors.items()
        }
        meta["out.uv"] |= {"compare": "close", "max_abs": 1e-4, "max_rel": 2.4e-7,
                           "why": "float32 rounding of pixels below 2048"}
        # OpenCV's fixed-point inverse stops at about 1e-9; float32 rounding of the ray dominates.
        meta["out.ray"] |= {"compare": "close", "max_abs": 1e-6, "max_rel": 2.4e-7,
                            "why": "float32 rounding of the ray and OpenCV's iteration"}
        data = path.read_bytes()
        cases.append({
            "name": f"camera_{name}_peer", "file": path.name, "group": 5,
            "operation": "camera_model", "size": "awkward",
            "title": f"{name}: forward and inverse by "
            + ("numpy" if name.startswith("ftheta") else "OpenCV"),
            "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest(),
            "attributes": {"model": model}, "tensors": meta,
        })
    index = {
        "format": 1, "set": "cameras", "byte_order": "little-endian",
        "layout": "row-major, last index fastest",
        "peers": {"opencv": cv2.__version__, "numpy": np.__version__},
        "cases_count": len(cases), "cases": cases,
    }
    (FOLDER / "index.json").write_text(json.dumps(index, indent=1) + "\n")


if __name__ == "__main__":
    main()

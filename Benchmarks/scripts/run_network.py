#!/usr/bin/env python3
"""Runs a camera network over a recording and writes features and depth beside the frames.

    python3 run_network.py drive --onnx network.onnx
    python3 run_network.py drive --torch mynetwork:make      # mynetwork.py, make() -> nn.Module
    swiftlet replay drive

The recording is a nuScenes folder (v1.0-*/sample_data.json); every key-frame image of every camera
is resized to 704 pixels' width, cut to the bottom 256 rows (BEVDet's preparation; --width and
--height change it), normalised and given to the network as [1, 3, height, width]. It returns

    features [1, channels, h, w]  and  depth logits [1, bins, h, w]

(a tuple, or a dictionary with keys features and depth). They go to
<recording>/network_outputs/<CAMERA>/<image>.safetensors as features [y][x][channel] and
depth_logits [bin][y][x] (--distribution: depth) with the preparation in the metadata, which is what
swiftlet reads. Channels and bins must be those of pipeline.json (64 and 59 by default). Needs numpy,
opencv, safetensors, and torch or onnxruntime.
"""
import argparse
import glob
import importlib
import json
import os
import sys
import time

import cv2
import numpy as np
from safetensors.numpy import save_file

MEAN = np.array([123.675, 116.28, 103.53], np.float32)  # ImageNet, RGB
STD = np.array([58.395, 57.12, 57.375], np.float32)


def key_frames(root):
    """(camera, path) of every key-frame image."""
    for table in sorted(glob.glob(os.path.join(root, "v1.0-*", "sample_data.json"))):
        with open(table) as file:
            for row in json.load(file):
                parts = row["filename"].split("/")
                if row["is_key_frame"] and row["fileformat"] in ("jpg", "png"):
                    yield parts[1], os.path.join(root, row["filename"])


def prepare(path, width, height):
    """The network's image [1, 3, height, width] and raw-to-network pixels a00 a01 a10 a11 tx ty."""
    image = cv2.imread(path, cv2.IMREAD_COLOR)
    if image is None:
        return None, None
    scale = width / image.shape[1]
    rows = int(image.shape[0] * scale)
    image = cv2.resize(image, (width, rows), interpolation=cv2.INTER_AREA)
    top = max(rows - height, 0)
    image = image[top:top + height, :, ::-1].astype(np.float32)
    image = np.ascontiguousarray(((image - MEAN) / STD).transpose(2, 0, 1)[None])
    return image, [scale, 0, 0, scale, 0, -top]


def torch_network(spec):
    import torch

    module, _, attribute = spec.partition(":")
    sys.path.insert(0, os.getcwd())
    network = getattr(importlib.import_module(module), attribute or "make")()
    network.eval()

    def run(image):
        with torch.inference_mode():
            result = network(torch.from_numpy(image))
        if isinstance(result, dict):
            result = (result["features"], result["depth"])
        return [value.float().numpy() for value in result]

    return run


def onnx_network(path):
    import onnxruntime

    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [output.name for output in session.get_outputs()]
    wanted = ["features", "depth"] if {"features", "depth"} <= set(names) else names[:2]
    entry = session.get_inputs()[0].name
    return lambda image: session.run(wanted, {entry: image})


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("recording")
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--torch", metavar="MODULE:FUNCTION")
    which.add_argument("--onnx", metavar="FILE")
    parser.add_argument("--width", type=int, default=704)
    parser.add_argument("--height", type=int, default=256)
    parser.add_argument("--dtype", choices=["float32", "float16"], default="float16")
    parser.add_argument("--distribution", action="store_true", help="depth is a distribution, not logits")
    options = parser.parse_args()
    run = torch_network(options.torch) if options.torch else onnx_network(options.onnx)
    count, start = 0, time.monotonic()
    for camera, path in key_frames(options.recording):
        image, augmentation = prepare(path, options.width, options.height)
        if image is None:
            print(f"{path}: cannot be decoded, left out", file=sys.stderr)
            continue
        features, depth = run(image)
        if features.shape[2:] != depth.shape[2:]:
            sys.exit(f"features {features.shape} and depth {depth.shape} have different sizes")
        folder = os.path.join(options.recording, "network_outputs", camera)
        os.makedirs(folder, exist_ok=True)
        name = os.path.basename(path).split(".")[0]
        save_file(
            {
                "features": np.ascontiguousarray(features[0].transpose(1, 2, 0)).astype(options.dtype),
                "depth" if options.distribution else "depth_logits":
                    np.ascontiguousarray(depth[0]).astype(options.dtype),
            },
            os.path.join(folder, name + ".safetensors"),
            metadata={
                "network_width": str(options.width), "network_height": str(image.shape[2]),
                "augmentation": " ".join(str(value) for value in augmentation),
            })
        count += 1
    if count == 0:
        sys.exit(f"{options.recording}: no key-frame image in v1.0-*/sample_data.json")
    print(f"{count} images, {(time.monotonic() - start) / count * 1e3:.1f} ms each, "
          f"features {features.shape[1:]}, depth {depth.shape[1:]}")


if __name__ == "__main__":
    main()

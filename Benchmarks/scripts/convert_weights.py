#!/usr/bin/env python3
"""Turns a torch state dict into a .safetensors file that swiftlet reads.

    python3 convert_weights.py bevformer_tiny_epoch_24.pth encoder.safetensors
    swiftlet weights encoder.safetensors

Reads a checkpoint of BEVFormer, UniAD or FB-OCC (mmdet3d names; a bare state dict, or one under
"state_dict" or "model"), keeps the encoder and its embeddings under swiftlet's names and says what
it left out. Tensors whose names are swiftlet's already (fusion., neighbors., heads., experts.) are
kept as they are. Nothing in the checkpoint is executed (weights_only). Needs torch and safetensors.
"""
import argparse
import re
import sys

import torch
from safetensors.torch import save_file

OWN = ("fusion.", "neighbors.", "heads.", "experts.")
PREFIX = re.compile(r"^(?:module|model|img_view_transformer|pts_bbox_head|backward_projection)\.")
LAYER = re.compile(r"^(?:transformer\.)?(encoder\.layers\.\d+)\.(.+)$")
PARTS = [  # inside a layer; the first match counts
    ("attentions.1.deformable_attention.", "spatial."),
    ("attentions.1.", "spatial."),
    ("attentions.0.", "temporal."),
    ("ffns.0.layers.0.0.", "ffn0."),
    ("ffns.0.layers.1.", "ffn1."),
    ("norms.0.", "norm0."), ("norms.1.", "norm1."), ("norms.2.", "norm2."),
]
OTHERS = [
    ("bev_embedding.weight", "bev_embedding"),
    ("positional_encoding.row_embed.weight", "position.row"),
    ("positional_encoding.col_embed.weight", "position.column"),
    ("transformer.level_embeds", "level_embeds"),
    ("transformer.cams_embeds", "cams_embeds"),
    ("transformer.can_bus_mlp.0.", "can_bus.0."),
    ("transformer.can_bus_mlp.2.", "can_bus.2."),
    ("transformer.can_bus_mlp.norm.", "can_bus.norm."),
]


def our_name(name):
    """swiftlet's name of a public one; None for a tensor that no encoder has."""
    if name.startswith(OWN):
        return name
    while PREFIX.match(name):
        name = PREFIX.sub("", name, count=1)
    for theirs, ours in OTHERS:
        if name == theirs or (theirs.endswith(".") and name.startswith(theirs)):
            return ours + name[len(theirs):]
    match = LAYER.match(name)
    if not match:
        return None
    for theirs, ours in PARTS:
        if match[2].startswith(theirs):
            return f"{match[1]}.{ours}{match[2][len(theirs):]}"
    return None


def state_dict(path):
    content = torch.load(path, map_location="cpu", weights_only=True)
    for key in ("state_dict", "model"):
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    return {k: v for k, v in content.items() if isinstance(v, torch.Tensor)}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("checkpoint")
    parser.add_argument("output")
    parser.add_argument("--dtype", choices=["float32", "float16", "bfloat16"], default="float32")
    options = parser.parse_args()
    tensors, source, dropped = {}, {}, []
    for name, value in sorted(state_dict(options.checkpoint).items()):
        target = our_name(name)
        if target is None:
            dropped.append(name)
        elif target in tensors:
            sys.exit(f"{name} and {source[target]} both become {target}: keep one model only")
        else:
            source[target] = name
            tensors[target] = value.to(getattr(torch, options.dtype)).contiguous().clone()
    if not tensors:
        sys.exit(f"{options.checkpoint}: no encoder under a known name among {len(dropped)} tensors")
    save_file(tensors, options.output, metadata={"swiftlet_weights_version": "1"})
    groups = sorted({name.split(".")[0] for name in dropped})
    print(f"{options.output}: {len(tensors)} tensors; left out {len(dropped)} of {', '.join(groups) or 'none'}")


if __name__ == "__main__":
    main()

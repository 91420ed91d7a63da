#!/usr/bin/env python3
"""A BEVFormer encoder of random weights in torch: its state dict under the public names, and its
inputs and outputs, to compare swiftlet's layers with.

    python3 encoder_case.py tiny.pth case.safetensors
    python3 convert_weights.py tiny.pth tiny.safetensors
    swiftlet weights tiny.safetensors --run case.safetensors

The encoder is written here from the paper's equations with torch.nn.functional.grid_sample, in
float64. Needs torch and safetensors.
"""
import json
import math
import sys

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

C, HEADS, HIDDEN, LAYERS, CAMERAS = 64, 8, 96, 2, 3
W, H, ANCHORS, POINTS, SELF_POINTS = 11, 9, 4, 8, 4
LEVELS, IMAGE = [(6, 10), (3, 5)], (96, 160)
RANGE = [-20.0, -16.0, -5.0, 20.0, 16.0, 3.0]


def random_state(generator):
    state = {}

    def linear(name, rows, columns, scale=1.0):
        state[name + ".weight"] = torch.randn(rows, columns, generator=generator) * scale / columns**0.5
        state[name + ".bias"] = torch.randn(rows, generator=generator) * 0.1 * scale

    for layer in range(LAYERS):
        head = f"pts_bbox_head.transformer.encoder.layers.{layer}."
        samples = HEADS * 2 * SELF_POINTS
        linear(head + "attentions.0.sampling_offsets", 2 * samples, 2 * C, 2.0)
        linear(head + "attentions.0.attention_weights", samples, 2 * C)
        linear(head + "attentions.0.value_proj", C, C)
        linear(head + "attentions.0.output_proj", C, C)
        samples = HEADS * len(LEVELS) * POINTS
        inner = head + "attentions.1.deformable_attention."
        linear(inner + "sampling_offsets", 2 * samples, C, 2.0)
        linear(inner + "attention_weights", samples, C)
        linear(inner + "value_proj", C, C)
        linear(head + "attentions.1.output_proj", C, C)
        linear(head + "ffns.0.layers.0.0", HIDDEN, C)
        linear(head + "ffns.0.layers.1", C, HIDDEN)
        for norm in range(3):
            state[f"{head}norms.{norm}.weight"] = 1 + 0.1 * torch.randn(C, generator=generator)
            state[f"{head}norms.{norm}.bias"] = 0.1 * torch.randn(C, generator=generator)
    state["pts_bbox_head.cls_branches.0.0.weight"] = torch.zeros(3, C)
    return state


def deformable(value, levels, locations, weights):
    """value [S, C], locations [Q, heads, levels, points, 2] in 0...1, weights without the last."""
    queries, width, start, total = locations.shape[0], C // HEADS, 0, 0
    for level, (h, w) in enumerate(levels):
        maps = value[start:start + h * w].reshape(h, w, HEADS, width).permute(2, 3, 0, 1)
        grid = 2 * locations[:, :, level].permute(1, 0, 2, 3) - 1
        taken = F.grid_sample(maps, grid, align_corners=False, padding_mode="zeros")
        total = total + (taken * weights[:, :, level].permute(1, 0, 2)[:, None]).sum(-1)
        start += h * w
    return total.permute(2, 0, 1).reshape(queries, C)


class Encoder:
    def __init__(self, state):
        self.state = {k: v.double() for k, v in state.items()}

    def linear(self, name, x):
        return F.linear(x, self.state[name + ".weight"], self.state[name + ".bias"])

    def norm(self, name, x):
        return F.layer_norm(x, (C,), self.state[name + ".weight"], self.state[name + ".bias"])

    def temporal(self, head, query, position, previous, first, shift):
        values = [query, query] if previous is None else [previous, first]
        source = torch.cat([values[0], query + position], -1)
        samples = (-1, HEADS, 2, 1, SELF_POINTS)
        offsets = self.linear(head + "sampling_offsets", source).reshape(*samples, 2)
        weights = self.linear(head + "attention_weights", source).reshape(*samples).softmax(-1)
        y, x = torch.meshgrid(torch.arange(H) + 0.5, torch.arange(W) + 0.5, indexing="ij")
        cells = torch.stack([x / W, y / H], -1).reshape(-1, 1, 1, 1, 2).double()
        size = torch.tensor([W, H]).double()
        results = []
        for queue in range(2):
            place = cells + (shift if queue == 0 and previous is not None else 0)
            results.append(deformable(
                self.linear(head + "value_proj", values[queue]), [(H, W)],
                place + offsets[:, :, queue] / size, weights[:, :, queue]))
        return self.linear(head + "output_proj", (results[0] + results[1]) / 2) + query

    def spatial(self, head, query, features, references, mask):
        inner = head + "deformable_attention."
        samples = (-1, HEADS, len(LEVELS), POINTS)
        offsets = self.linear(inner + "sampling_offsets", query).reshape(*samples, 2)
        weights = self.linear(inner + "attention_weights", query)
        weights = weights.reshape(-1, HEADS, len(LEVELS) * POINTS).softmax(-1).reshape(*samples)
        size = torch.tensor([[w, h] for h, w in LEVELS]).double()[:, None]
        total, count = torch.zeros_like(query), torch.zeros(query.shape[0]).double()
        for camera in range(CAMERAS):
            active = mask[camera].any(-1)
            anchors = references[camera][:, torch.arange(POINTS) % ANCHORS][:, None, None]
            taken = deformable(
                self.linear(inner + "value_proj", features[camera]), LEVELS,
                anchors + offsets / size, weights)
            total += torch.where(active[:, None], taken, torch.zeros_like(taken))
            count += active
        return self.linear(head + "output_proj", total / count.clamp(min=1)[:, None]) + query

    def __call__(self, query, position, previous, shift, features, references, mask):
        first = query
        for layer in range(LAYERS):
            head = f"pts_bbox_head.transformer.encoder.layers.{layer}."
            x = self.temporal(head + "attentions.0.", query, position, previous, first, shift)
            x = self.norm(head + "norms.0", x)
            x = self.norm(head + "norms.1", self.spatial(
                head + "attentions.1.", x, features, references, mask))
            hidden = self.linear(head + "ffns.0.layers.0.0", x).relu()
            query = self.norm(head + "norms.2", x + self.linear(head + "ffns.0.layers.1", hidden))
        return query


def cameras():
    """lidar2img of cameras 120 degrees apart, slightly pitched."""
    matrices = []
    for camera in range(CAMERAS):
        yaw, pitch = math.radians(120 * camera + 7), math.radians(1.5 - camera)
        forward = [math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)]
        right = [math.cos(yaw), -math.sin(yaw), 0.0]
        down = torch.linalg.cross(torch.tensor(forward), torch.tensor(right)).tolist()
        rotation = torch.tensor([right, down, forward]).double()
        translation = -rotation @ torch.tensor([0.1 * camera, 0.4, -0.3]).double()
        extrinsic = torch.eye(4).double()
        extrinsic[:3, :3], extrinsic[:3, 3] = rotation, translation
        intrinsic = torch.eye(4).double()
        intrinsic[0, 0] = intrinsic[1, 1] = 70
        intrinsic[0, 2], intrinsic[1, 2] = IMAGE[1] / 2 + 3, IMAGE[0] / 2 - 2
        matrices.append((intrinsic @ extrinsic).float())
    return torch.stack(matrices)


def project(matrices, heights):
    y, x, z = torch.meshgrid(
        (torch.arange(H).double() + 0.5) / H, (torch.arange(W).double() + 0.5) / W, heights, indexing="ij")
    low, high = torch.tensor(RANGE[:3]).double(), torch.tensor(RANGE[3:]).double()
    points = torch.stack([x, y, z], -1).reshape(W * H, ANCHORS, 3).double() * (high - low) + low
    points = torch.cat([points, torch.ones(W * H, ANCHORS, 1).double()], -1)
    c = torch.einsum("nij,qaj->nqai", matrices.double(), points)
    uv = c[..., :2] / c[..., 2:3].clamp(min=1e-5) / torch.tensor([IMAGE[1], IMAGE[0]]).double()
    return uv, (c[..., 2] > 1e-5) & (uv > 0).all(-1) & (uv < 1).all(-1)


def main():
    checkpoint, case = sys.argv[1:3]
    generator = torch.Generator().manual_seed(5)
    state = random_state(generator)
    torch.save({"state_dict": state, "meta": {"epoch": 1}}, checkpoint)
    tokens = sum(h * w for h, w in LEVELS)

    def random(*shape):
        return torch.randn(*shape, generator=generator)

    heights = torch.linspace(0.5, RANGE[5] - RANGE[2] - 0.5, ANCHORS) / (RANGE[5] - RANGE[2])
    inputs = {
        "in.bev_query": random(W * H, C), "in.pos": random(W * H, C), "in.prev_bev": random(W * H, C),
        "in.shift": torch.tensor([0.031, -0.017]), "in.feat": random(CAMERAS, tokens, C),
        "in.lidar2img": cameras(), "in.anchor_z": heights, "in.pc_range": torch.tensor(RANGE),
        "in.image_hw": torch.tensor(IMAGE, dtype=torch.int32),
        "in.spatial_shapes": torch.tensor(LEVELS, dtype=torch.int32),
    }
    references, mask = project(inputs["in.lidar2img"], heights.double())
    encoder = Encoder(state)
    x = {name[3:]: value.double() for name, value in inputs.items() if value.is_floating_point()}
    for name, previous in [("with_history", x["prev_bev"]), ("no_history", None)]:
        inputs["out." + name] = encoder(
            x["bev_query"], x["pos"], previous, x["shift"], x["feat"], references, mask).float()
    attributes = {
        "bev_h": H, "bev_w": W, "heads": HEADS, "points_cross": POINTS, "points_self": SELF_POINTS,
        "anchors": ANCHORS, "layers": LAYERS, "cameras": CAMERAS}
    save_file(inputs, case, metadata={
        "case": "encoder", "operation": "bevformer_encoder", "attributes": json.dumps(attributes)})
    print(f"{checkpoint}: {len(state)} tensors; {case}: {int(mask.any(-1).sum())} active pairs of "
          f"query and camera")


if __name__ == "__main__":
    main()

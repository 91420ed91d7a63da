"""Bilinear and nearest sampling with zero padding per tap, in float64: what the other files stand on."""
import itertools

import numpy as np


def linear(maps, positions):
    """`maps` [..., d1 … dn, C] sampled at `positions` [..., n] (slowest axis first, pixels) → [..., C]."""
    axes = positions.shape[-1]
    size = maps.shape[:axes]
    floor = np.floor(positions)
    fraction = positions - floor
    result = np.zeros(positions.shape[:-1] + (maps.shape[-1],))
    for corner in itertools.product((0, 1), repeat=axes):
        index = floor + corner
        weight = np.prod(np.where(np.array(corner) == 1, fraction, 1 - fraction), axis=-1)
        inside = np.all((index >= 0) & (index < size), axis=-1)
        clamped = np.clip(index, 0, np.array(size) - 1).astype(int)
        taps = maps[tuple(clamped[..., a] for a in range(axes))]
        result += np.where(inside[..., None], weight[..., None] * taps, 0)
    return result


def nearest(maps, positions):
    """Halves round to even; outside is 0."""
    axes = positions.shape[-1]
    index = np.rint(positions)
    inside = np.all((index >= 0) & (index < maps.shape[:axes]), axis=-1)
    clamped = np.clip(index, 0, np.array(maps.shape[:axes]) - 1).astype(int)
    return np.where(inside[..., None], maps[tuple(clamped[..., a] for a in range(axes))], 0)


def softmax(logits, axis=-1):
    """Rows without any finite logit give zeros."""
    largest = logits.max(axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    powers = np.exp(logits - largest)
    total = powers.sum(axis, keepdims=True)
    return np.where(total > 0, powers / np.where(total > 0, total, 1), 0)

"""Single kernels on numpy arrays."""

from __future__ import annotations

import ctypes as c
from typing import Sequence

import numpy as np
import numpy.typing as npt

from . import _library as lib
from ._pipeline import Handle, make_options


def _floats(values: npt.ArrayLike, shape: tuple[int, ...], name: str) -> np.ndarray:
    array = np.ascontiguousarray(values, dtype=np.float32)
    if array.shape != shape:
        raise ValueError(f"{name}: expected shape {shape}, found {array.shape}")
    return array


class Kernels(Handle):
    """An engine and its threads; contiguous float32 arrays are read in place."""

    _kind = "kernels"

    def __init__(self, engine: str | None = None, threads: int = 1) -> None:
        super().__init__()
        options = make_options(engine=engine, threads=threads)
        lib.call("kernels_create", c.byref(options), c.byref(self._pointer))

    def bev_pool(
        self, depth: npt.ArrayLike, features: npt.ArrayLike, ranks: npt.ArrayLike, cells: int
    ) -> npt.NDArray[np.float32]:
        """BEVPoolv2: depth and ranks [camera][bin][y][x] (-1 leaves out), features
        [camera][y][x][channel]; gives [cells][channel]."""
        weights = np.ascontiguousarray(depth, dtype=np.float32)
        if weights.ndim != 4:
            raise ValueError(f"depth: expected 4 dimensions, found {weights.ndim}")
        cameras, bins, height, width = weights.shape
        rows = np.ascontiguousarray(features, dtype=np.float32)
        if rows.ndim != 4 or rows.shape[:3] != (cameras, height, width):
            raise ValueError(f"features: expected {(cameras, height, width)} x C, found {rows.shape}")
        places = np.ascontiguousarray(ranks, dtype=np.int32)
        if places.size != weights.size:
            raise ValueError(f"ranks: expected {weights.size} values, found {places.size}")
        output = np.empty((cells, rows.shape[3]), dtype=np.float32)
        shape = lib.PoolShape(cameras, bins, height, width, rows.shape[3], cells)
        lib.call(
            "bev_pool", self._pointer, c.byref(shape), weights.ctypes.data, rows.ctypes.data,
            places.ctypes.data, output.ctypes.data,
        )
        return output

    def deformable_attention(
        self, values: npt.ArrayLike, level_sizes: Sequence[Sequence[int]],
        locations: npt.ArrayLike, weights: npt.ArrayLike,
    ) -> npt.NDArray[np.float32]:
        """values [token][head][channel], locations [query][head][level][point][xy], weights
        [query][head][level][point]; gives [query][head * channel]."""
        sizes = np.ascontiguousarray(level_sizes, dtype=np.int32).reshape(-1, 2)
        places = np.ascontiguousarray(locations, dtype=np.float32)
        queries, heads, levels, points, _ = places.shape
        tokens = int((sizes[:, 0] * sizes[:, 1]).sum())
        channels = np.shape(values)[-1]
        source = _floats(values, (tokens, heads, channels), "values")
        factors = _floats(weights, (queries, heads, levels, points), "weights")
        if len(sizes) != levels:
            raise ValueError(f"level_sizes: expected {levels} levels, found {len(sizes)}")
        output = np.empty((queries, heads * channels), dtype=np.float32)
        shape = lib.AttentionShape(heads, channels, levels, points, queries)
        lib.call(
            "deformable_attention", self._pointer, c.byref(shape), sizes.ctypes.data,
            source.ctypes.data, places.ctypes.data, factors.ctypes.data, output.ctypes.data,
        )
        return output


class OctoMap(Handle):
    """OctoMap's map: unbounded, float32 log-odds."""

    _kind = "octomap"
    _MODES = {"scan": 0, "discretized": 1, "rays": 2}

    def __init__(
        self, voxel_size: float, kernels: Kernels | None = None,
        model: Sequence[float] | None = None,
    ) -> None:
        """``model``: hit, miss, clamp minimum, clamp maximum, occupied threshold."""
        super().__init__()
        kernels = kernels or Kernels()
        chosen = c.byref(lib.SensorModel(*model)) if model is not None else None
        lib.call("octomap_create", kernels._pointer, voxel_size, chosen, c.byref(self._pointer))

    def insert(
        self, points: npt.ArrayLike, origin: Sequence[float], maximum_range: float = -1,
        mode: str = "scan",
    ) -> None:
        """Points [n][3] in world axes seen from ``origin``; mode scan, discretized or rays."""
        cloud = np.ascontiguousarray(points, dtype=np.float32).reshape(-1, 3)
        eye = (c.c_float * 3)(*origin)
        lib.call(
            "octomap_insert", self._pointer, cloud.ctypes.data, len(cloud), eye, maximum_range,
            self._MODES[mode],
        )

    def voxels(self) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.float32]]:
        """Keys [n][3] and log-odds [n] of every known voxel, sorted by x, y, z."""
        count = c.c_size_t()
        lib.call("octomap_voxels", self._pointer, None, None, 0, c.byref(count), allowed=(10,))
        keys = np.empty((count.value, 3), dtype=np.int32)
        values = np.empty(count.value, dtype=np.float32)
        lib.call(
            "octomap_voxels", self._pointer, keys.ctypes.data, values.ctypes.data, count.value,
            c.byref(count),
        )
        return keys, values

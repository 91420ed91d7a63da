"""A tour of the package: a drive through the pipeline, its maps as pictures, queries, one kernel.

    python tour.py FOLDER_OF_SWIFTLET_EXPORT [OUTPUT_FOLDER]

Needs numpy only; writes PNG files itself.
"""

import pathlib
import struct
import sys
import zlib

import numpy as np

import swiftlet


def write_png(path: pathlib.Path, rgb: np.ndarray) -> None:
    """``rgb`` is uint8 [y][x][3]."""
    height, width, _ = rgb.shape
    rows = np.zeros((height, 1 + 3 * width), np.uint8)
    rows[:, 1:] = rgb.reshape(height, -1)

    def chunk(kind: bytes, data: bytes) -> bytes:
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    path.write_bytes(
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows.tobytes(), 6)) + chunk(b"IEND", b"")
    )


def enlarge(rgb: np.ndarray, factor: int) -> np.ndarray:
    """Forward (x) up and left (y) left, as a driver's map."""
    turned = np.rot90(rgb.transpose(1, 0, 2)[::-1], 0)[:, ::-1]
    return np.ascontiguousarray(turned.repeat(factor, 0).repeat(factor, 1))


if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} FOLDER [OUTPUT_FOLDER]")
folder = pathlib.Path(sys.argv[1])
out = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else "tour")
out.mkdir(parents=True, exist_ok=True)
print(f"swiftlet {swiftlet.__version__}, {swiftlet.best_instruction_set}")

# 1. The drive: every frame file is read in place.
digest = swiftlet.Digest()
pipeline = swiftlet.Pipeline((folder / "pipeline.json").read_bytes())
frames = 0
for _ in swiftlet.replay_folder(folder, pipeline):
    frames += 1
    digest.add(pipeline)
print(f"{frames} frames, digest {digest.value}, findings {pipeline.findings()}")

# 2. The fused map: views of the library's memory, no copy.
fused = pipeline.map("fused")
print(f"fused map {fused.features.shape}, {int(fused.validity.sum())} valid cells")
strength = np.abs(fused.features).mean(axis=2)
scaled = (255 * np.clip(strength / max(float(np.quantile(strength, 0.99)), 1e-9), 0, 1)).astype(np.uint8)
picture = np.stack([scaled, scaled, np.maximum(scaled, 40 * (fused.validity == 0))], axis=2)
write_png(out / "fused.png", enlarge(picture.astype(np.uint8), 4))

# 3. The voxel window: occupied voxels seen from above, brighter where higher.
window = pipeline.occupancy()
keys = window.occupied_keys()
print(f"{len(keys)} occupied voxels of {window.voxel_size} m")
top = np.zeros((window.cells[1], window.cells[0]), np.uint8)
columns = keys[:, :2] - np.array(window.origin[:2])
heights = (keys[:, 2] - window.origin[2] + 1) * (200 // window.cells[2]) + 55
np.maximum.at(top, (columns[:, 1], columns[:, 0]), heights.clip(0, 255).astype(np.uint8))
write_png(out / "occupied.png", enlarge(np.stack([top, top // 2, 255 - top], axis=2) * (top[..., None] > 0), 3))

# 4. Queries: rays, distances, the cost map, obstacles.
origin = (np.array(window.origin) + np.array(window.cells) / 2) * window.voxel_size
origin[2] = (window.origin[2] + 12) * window.voxel_size
angles = np.linspace(0, 2 * np.pi, 720, endpoint=False)
directions = np.stack([np.cos(angles), np.sin(angles), 0 * angles], axis=1)
ranges, states, _ = pipeline.rays(origin, directions, 40.0)
print(f"rays: {int((states == 1).sum())} of 720 meet something, nearest {ranges[states == 1].min(initial=np.inf):.2f} m")
pipeline.prepare_queries(maximum_distance=4.0)
pipeline.update_queries()
print(f"distance at the origin {pipeline.distances(origin)[0]:.2f} m")
costs = pipeline.cost_map().costs
colours = np.where(costs < 0, 90, 255 - costs.astype(np.int32) * 2).clip(0, 255).astype(np.uint8)
write_png(out / "costs.png", enlarge(np.stack([colours, colours, np.where(costs < 0, 120, colours).astype(np.uint8)], axis=2), 3))
obstacles = pipeline.obstacles()
print(f"{len(obstacles)} obstacles, the largest of {max((o['voxels'] for o in obstacles), default=0)} voxels")

# 5. One kernel on arrays of one's own.
random = np.random.default_rng(1)
values = random.standard_normal((8 * 10 + 4 * 5, 4, 16), dtype=np.float32)
locations = random.random((50, 4, 2, 3, 2), dtype=np.float32)
weights = random.random((50, 4, 2, 3), dtype=np.float32)
attended = swiftlet.Kernels().deformable_attention(values, [(8, 10), (4, 5)], locations, weights)
print(f"deformable attention {attended.shape}, mean {attended.mean():+.6f}")
print(f"pictures in {out}")

"""Group 12: OctoMap's scan insertion and rays, from its definition, in plain Python.

Float32 exactly where OctoMap has float, double elsewhere: keys and log-odds must match bit for bit.
"""
import math

import numpy as np

F = np.float32


def key_of(point, resolution):
    """Three keys around 0, or None outside OctoMap's 16 bits an axis."""
    key = tuple(math.floor(float(c) * (1.0 / resolution)) for c in point)
    return key if all(-32768 <= k < 32768 for k in key) else None


def norm32(vector):
    """The float32 sum of squares, in the order of the axes."""
    return F(F(vector[0] * vector[0] + vector[1] * vector[1]) + vector[2] * vector[2])


def ray_keys(origin, end, resolution):
    """The voxels of one ray without its end voxel; None when an end is outside the key range."""
    key, last = key_of(origin, resolution), key_of(end, resolution)
    if key is None or last is None:
        return None
    if key == last:
        return []
    difference = end - origin
    length = np.sqrt(norm32(difference))
    direction = [float(v) for v in difference / length]
    step, border, delta = [0, 0, 0], [math.inf] * 3, [math.inf] * 3
    for axis, d in enumerate(direction):
        if d:
            step[axis] = 1 if d > 0 else -1
            edge = (key[axis] + 0.5) * resolution + float(F(step[axis] * resolution * 0.5))
            border[axis] = (edge - float(origin[axis])) / d
            delta[axis] = resolution / abs(d)
    keys, voxel = [key], list(key)
    while True:
        # The nearest border; z before y before x where they tie.
        axis = min((2, 1, 0), key=lambda a: border[a])
        voxel[axis] += step[axis]
        border[axis] += delta[axis]
        if tuple(voxel) == last or min(border) > float(length):
            return keys
        keys.append(tuple(voxel))


def scan_sets(points, origin, resolution, reach):
    """Free minus occupied, and occupied."""
    free, occupied = set(), set()
    for point in points:
        difference = point - origin
        if reach < 0 or math.sqrt(float(norm32(difference))) <= reach:
            free.update(ray_keys(origin, point, resolution) or [])
            key = key_of(point, resolution)
            occupied.update([] if key is None else [key])
        else:
            direction = difference / np.sqrt(norm32(difference))
            free.update(ray_keys(origin, origin + direction * F(reach), resolution) or [])
    return free - occupied, occupied


def centers(points, resolution):
    """One point for each end voxel: its centre, as float32."""
    keys = dict.fromkeys(key_of(point, resolution) for point in points)
    return np.array([[(k + 0.5) * resolution for k in key] for key in keys], F).reshape(-1, 3)


def insert(t, attributes):
    resolution, reach, mode = attributes["resolution"], attributes["max_range"], attributes["mode"]
    hit, miss, low, high, threshold = t["in.log_params"]
    cells, outputs, scan = {}, {}, 0

    def update(key, change):
        cells[key] = min(max(F(cells.get(key, F(0)) + change), low), high)

    while f"in.points{scan}" in t:
        points, origin = t[f"in.points{scan}"], t[f"in.origin{scan}"]
        if mode == "insertPointCloudRays":
            for point in points:
                keys = ray_keys(origin, point, resolution)
                for key in keys or []:
                    update(key, miss)
                if keys is not None:
                    update(key_of(point, resolution), hit)
        else:
            points = centers(points, resolution) if "discretize" in mode else points
            free, occupied = scan_sets(points, origin, resolution, reach)
            for key in free:
                update(key, miss)
            for key in occupied:
                update(key, hit)
            outputs[f"out.free_keys{scan}"] = np.array(sorted(free), np.int32).reshape(-1, 3)
            outputs[f"out.occupied_keys{scan}"] = np.array(sorted(occupied), np.int32).reshape(-1, 3)
        scan += 1
    keys = sorted(cells)
    values = np.array([cells[key] for key in keys], F)
    return {**outputs, "out.keys": np.array(keys, np.int32).reshape(-1, 3), "out.log_odds": values,
            "out.occupied": (values >= threshold).astype(np.uint8)}


def rays(t, attributes):
    found = [ray_keys(origin, end, tenths / 10)
             for origin, end, tenths in zip(t["in.origin"], t["in.end"], t["in.resolution_tenths"].tolist())]
    return {"out.ok": np.array([keys is not None for keys in found], np.int32),
            "out.count": np.array([len(keys or []) for keys in found], np.int32),
            "out.keys": np.array([key for keys in found for key in keys or []], np.int32).reshape(-1, 3)}


DEFINITIONS = {"octomap_insert_point_cloud": insert, "octomap_compute_ray_keys": rays}


def scattered(writer, origin, size, resolution, reach):
    """End points around `origin`: any, on faces, doubled, in its own voxel, and at the range exactly."""
    points = origin + writer.normal(size, 3, scale=resolution * 15)
    kind = writer.random.random(size)
    points[kind < 0.2] = np.rint(points[kind < 0.2] / resolution) * resolution
    points[(kind > 0.2) & (kind < 0.3)] = origin + [0, F(max(reach, 1)), 0]
    points[(kind > 0.3) & (kind < 0.35)] = origin + F(resolution / 16)
    points[(kind > 0.35) & (kind < 0.45)] = points[:1]
    # From a voxel's centre these cross edges and corners: where the numbers are exact, every step ties.
    corners = origin + resolution * np.rint(writer.normal(size, 1, scale=6)) * writer.random.choice([-1, 0, 1], (size, 3))
    return np.where((kind > 0.45)[:, None] & (kind < 0.6)[:, None], corners, points).astype(F)


def add_maps(writer, count):
    modes = ["insertPointCloud", "insertPointCloud(discretize)", "insertPointCloudRays", "insertPointCloud"]
    for n in range(count):
        for kind, mode in enumerate(modes):
            resolution = writer.random.choice([0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 1.0])
            reach = -1.0 if writer.random.random() < 0.4 else round(resolution * writer.integer(3, 20), 3)
            usual = dict(hit=0.7, miss=0.4, cmin=0.1192, cmax=0.971, thr=0.5)
            other = dict(hit=writer.integer(55, 95) / 100, miss=writer.integer(5, 49) / 100, cmin=writer.integer(5, 30) / 100,
                         cmax=writer.integer(70, 98) / 100, thr=writer.integer(40, 65) / 100)
            chosen = other if n % 2 else usual
            odds = [F(math.log(chosen[p] / (1 - chosen[p]))) for p in ("hit", "miss", "cmin", "cmax", "thr")]
            inputs, scans = {"in.log_params": np.array(odds, F)}, writer.integer(1, 6)
            place = writer.normal(3, scale=200)
            for scan in range(scans):
                origin = (place + writer.normal(3, scale=0.4)).astype(F)
                if scan % 2:
                    origin = ((np.rint(origin / resolution) + 0.5) * resolution).astype(F)
                points = scattered(writer, origin, writer.integer(0, 25), resolution, reach)
                if mode != modes[1] and len(points) > 3 and resolution * 32768 < 1e4:
                    # Outside the keys: the ray is dropped, or cut to the range.
                    points[-1] = origin + F(resolution * 40000)
                inputs[f"in.origin{scan}"], inputs[f"in.points{scan}"] = origin, points
            attributes = dict(resolution=float(resolution), max_range=reach, mode=mode, lazy_eval=kind == 3,
                              probabilities=chosen, scans=scans)
            writer.add("octomap_insert_point_cloud", 12, f"octomap_{n}_{kind}_{resolution}", inputs,
                       insert(inputs, attributes), attributes, exact=("out.log_odds",))


def add_rays(writer, count):
    for n, size in enumerate([0] + [writer.integer(1, 60) for _ in range(count)]):
        tenths = writer.random.choice([1, 2, 3, 4, 5, 7, 10, 13], size).astype(np.int32)
        kind = writer.random.random((size, 1))
        # Halves and wholes are exact in binary: diagonals from a corner then tie at every step.
        ties = (kind > 0.4) & (kind < 0.5)
        tenths = np.where(ties[:, 0], writer.random.choice([5, 10], size), tenths).astype(np.int32)
        step = (tenths / 10).astype(F)[:, None]
        origin = (writer.normal(size, 3, scale=30) * step).astype(F)
        end = (origin + writer.normal(size, 3, scale=12) * step).astype(F)
        origin = np.where((kind < 0.3) | ties, np.rint(origin / step) * step, origin)
        end = np.where(kind < 0.2, np.rint(end / step) * step, end)
        end = np.where(ties, origin + step * 8 * writer.random.choice([-1, 0, 1], (size, 3)), end)
        end = np.where((kind > 0.5) & (kind < 0.6), origin + step * [0, -9.3, 0], end)
        end = np.where((kind > 0.6) & (kind < 0.65), origin, end)
        end = np.where((kind > 0.65) & (kind < 0.7), step * 33000, end)
        inputs = {"in.resolution": step[:, 0], "in.resolution_tenths": tenths, "in.origin": origin.astype(F),
                  "in.end": end.astype(F), "in.name_index": np.zeros(size, np.int32)}
        writer.add("octomap_compute_ray_keys", 12, f"rays_{n}_{size}", inputs, rays(inputs, {}), dict(ray_names=["any"]))


def add_all(writer, count):
    add_maps(writer, count)
    add_rays(writer, count)

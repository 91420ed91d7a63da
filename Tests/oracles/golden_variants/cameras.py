"""Groups 4 and 5 in part: SimpleBEV's bilinear pull, camera models there and back."""
import numpy as np

from rig import project, ring
from sampling import linear


def normalized(model, points, distortion):
    """Distorted (x, y) of points in front of the camera, and behind it for a fisheye."""
    u, v, _ = project(model, points.astype(float), np.eye(3), distortion.astype(float))
    return np.stack([u, v], -1)


def unprojected(model, pixels, intrinsics, distortion, start):
    """(x/z, y/z) whose projection is the pixel, by Newton's method from nearby."""
    wanted = (pixels - intrinsics[:2, 2]) / np.diag(intrinsics)[:2]
    ray = start.copy()
    for _ in range(20):
        at = lambda dx, dy: normalized(model, np.concatenate([ray + [dx, dy], np.ones((len(ray), 1))], -1), distortion)
        jacobian = np.stack([(at(1e-6, 0) - at(-1e-6, 0)) / 2e-6, (at(0, 1e-6) - at(0, -1e-6)) / 2e-6], -1)
        ray = ray - np.linalg.solve(jacobian, (at(0, 0) - wanted)[..., None])[..., 0]
    return ray


def camera_model(t, attributes):
    """`start` in attributes, else `in.points`, says which of the polynomial's branches is meant."""
    model, intrinsics, distortion = attributes["model"], t["in.intrin"].astype(float), t["in.distortion"]
    pixel = lambda points, k: normalized(model, points, k) * np.diag(intrinsics)[:2] + intrinsics[:2, 2]
    points = t["in.points"].astype(float)
    outputs = {"out.uv": pixel(points, distortion),
               "out.ray": unprojected(model, t["in.pixels"].astype(float), intrinsics, distortion,
                                      attributes.get("start", points[:, :2] / points[:, 2:]))}
    if "in.wide_points" in t:
        outputs["out.wide_uv"] = pixel(t["in.wide_points"], t["in.wide_distortion"])
    return outputs


def simplebev_places(t, attributes):
    """Reference positions [Z, Y, X, 4], pixels [N, Z, Y, X, 2] and both depths [N, Z, Y, X]."""
    low_high, size = np.array(attributes["bounds_xyz_min_max"], float), attributes["ZYX"][::-1]
    axes = [low_high[2 * a] + (np.arange(size[a]) + 0.5) * (low_high[2 * a + 1] - low_high[2 * a]) / size[a]
            for a in range(3)]
    z, y, x = np.meshgrid(axes[2], axes[1], axes[0], indexing="ij")
    places = np.stack([x, y, z, np.ones_like(x)], -1)
    pixel = np.einsum("nij,zyxj->nzyxi", t["in.pix_from_ref"].astype(float), places)
    depth = np.einsum("nij,zyxj->nzyxi", t["in.cam_from_ref"].astype(float), places)[..., 2]
    return pixel[..., :2] / np.maximum(pixel[..., 2:3], 1e-6), pixel[..., 2], depth


def simplebev(t, attributes):
    cameras, height, width, channels = t["in.feat"].shape
    position, _, depth = simplebev_places(t, attributes)
    size = np.array([width, height])
    valid = ((position > -0.5) & (position < size - 0.5)).all(-1) & (depth > 0)
    centered = np.clip(2 * position / (size - 1) - 1, -2, 2)
    at = (((centered + 1) * size - 1) / 2)[..., ::-1]
    total, seen_by = np.zeros(valid.shape[1:] + (channels,)), np.zeros(valid.shape[1:] + (channels,))
    for n in range(cameras):
        sample = linear(t["in.feat"][n].astype(float), at[n]) * valid[n][..., None]
        total += sample
        seen_by += sample != 0
    return {"out.volume": total / (seen_by + attributes["mean_epsilon"]),
            "out.valid_cameras": valid.sum(0).astype(np.int32)}


DEFINITIONS = {"camera_model": camera_model, "simplebev_bilinear_pull": simplebev}


def fragile_voxels(t, attributes):
    """Where float32 may change a validity or a zero test, or the position is ill-conditioned."""
    _, height, width, _ = t["in.feat"].shape
    position, scaled_depth, depth = simplebev_places(t, attributes)
    size = np.array([width, height])
    read = position * size / (size - 1) - 0.5
    near = np.minimum(np.abs(position + 0.5), np.abs(position - size + 0.5)).min(-1) < 2e-3
    zero = np.minimum(np.abs(read + 1), np.abs(read - size)).min(-1) < 2e-3
    inside = ((position > -2) & (position < size + 1)).all(-1)
    return (near | zero | (inside & (np.abs(depth) < 0.5)) | (np.abs(depth) < 1e-3)).any(0)


def add_simplebev(writer, count):
    for n in range(count):
        cameras, height, width, channels = (writer.integer(*m) for m in ((1, 12), (2, 16), (2, 30), (1, 40)))
        pixel, view = np.tile(np.eye(4, dtype=np.float32), (2, cameras, 1, 1))
        # The reference frame is a camera's: x right, y down, z forward.
        turn = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]], float)
        for c, (k, r, shift) in enumerate(ring(cameras, width, height)):
            view[c, :3] = np.c_[r @ turn, shift]
            pixel[c, :3] = k @ np.c_[r @ turn, shift]
        attributes = dict(bounds_xyz_min_max=[-20, 21, -3, 2, -18, 19], mean_epsilon=1e-6,
                          ZYX=[writer.integer(1, m) for m in (20, 4, 20)])
        inputs = {"in.feat": writer.normal(cameras, height, width, channels), "in.pix_from_ref": pixel, "in.cam_from_ref": view}
        inputs["aux.fragile"] = fragile_voxels(inputs, attributes).astype(np.uint8)
        writer.add("simplebev_bilinear_pull", 4, f"simplebev_{n}_{cameras}cam", inputs, simplebev(inputs, attributes),
                   attributes, skip={"out.volume": "aux.fragile", "out.valid_cameras": "aux.fragile"}, tolerance=2e-4)


def rising_limit(model, distortion):
    """The radius (tangent, or angle for a fisheye) up to which the projection rises clearly, at most 1.4."""
    radius = np.linspace(0.01, 1.4, 400)
    x = np.tan(radius) if model == "fisheye" else radius
    along = [normalized(model, np.stack([x * c, x * s, np.ones_like(x)], -1), distortion) @ [c, s]
             for c, s in ((1, 0), (-1, 0), (0, 1), (0, -1), (0.7, 0.7), (-0.7, 0.7))]
    slope = np.min([np.diff(a) / np.diff(radius) for a in along], axis=0)
    return radius[np.argmax(slope < 0.3)] if (slope < 0.3).any() else 1.4


def add_camera_models(writer, count):
    spreads = {"brown": [0.1, 0.03, 0.002, 0.002, 0.01, 0.03, 0.01, 0.003], "fisheye": [0.05, 0.02, 0.01, 0.003]}
    for n in range(count):
        for model, coefficients in (("brown", 4), ("brown", 5), ("brown", 8), ("fisheye", 4)):
            distortion = (writer.normal(coefficients) * spreads[model][:coefficients]).astype(np.float32)
            limit, size = rising_limit(model, distortion), writer.integer(1, 200)
            radius, turn = writer.random.uniform(0, 0.95 * limit, size), writer.random.uniform(0, 2 * np.pi, size)
            radius[0] = 0
            slope = np.tan(radius) if model == "fisheye" else radius
            depth = writer.random.uniform(0.3, 60, (size, 1))
            points = (np.stack([slope * np.cos(turn), slope * np.sin(turn), np.ones(size)], -1) * depth).astype(np.float32)
            focal = writer.random.uniform(200, 900)
            intrinsics = np.array([[focal, 0, focal * 0.8], [0, focal * 1.1, focal * 0.5], [0, 0, 1]], np.float32)
            start = points[:, :2].astype(float) / points[:, 2:]
            inputs = {"in.intrin": intrinsics, "in.distortion": distortion, "in.points": points,
                      "aux.near_limit": (radius > 0.85 * limit).astype(np.uint8)}
            inputs["in.pixels"] = (normalized(model, points, distortion) * np.diag(intrinsics)[:2] + intrinsics[:2, 2]).astype(np.float32)
            if model == "fisheye":
                angle, wide = writer.random.uniform(0, 1.9, 64), writer.random.uniform(0, 2 * np.pi, 64)
                inputs["in.wide_points"] = (np.stack([np.sin(angle) * np.cos(wide), np.sin(angle) * np.sin(wide), np.cos(angle)],
                                                     -1) * 7).astype(np.float32)
                inputs["in.wide_distortion"] = (distortion / 3).astype(np.float32)
            outputs = camera_model(inputs, dict(model=model, start=start))
            writer.add("camera_model", 5, f"camera_{n}_{model}{coefficients}", inputs, outputs,
                       dict(model=model, limit=float(limit)), skip={"out.ray": "aux.near_limit"},
                       absolute={"out.uv": 2e-3, "out.wide_uv": 2e-3, "out.ray": 5e-6})


def add_all(writer, count):
    add_simplebev(writer, count)
    add_camera_models(writer, count)

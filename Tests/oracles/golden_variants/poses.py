"""Groups 13 and 1 in part: poses in float64, image augmentation and frustum templates."""
import re

import numpy as np


def matrices(quaternions):
    w, x, y, z = np.moveaxis(np.asarray(quaternions, float), -1, 0)
    rows = [[1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)]]
    return np.moveaxis(np.array([[np.asarray(v) for v in row] for row in rows]), (0, 1), (-2, -1))


def poses(quaternions, translations):
    result = np.tile(np.eye(4), (len(quaternions), 1, 1))
    result[:, :3, :3], result[:, :3, 3] = matrices(quaternions), translations
    return result


def positive(quaternions):
    """Each with its first non-zero component positive."""
    for row in quaternions:
        leading = row[np.nonzero(row)[0][:1]]
        row *= -1 if len(leading) and leading[0] < 0 else 1
    return quaternions


def product(a, b):
    (w, x, y, z), (p, q, r, s) = a.T, b.T
    return np.stack([w * p - x * q - y * r - z * s, w * q + x * p + y * s - z * r,
                     w * r - x * s + y * p + z * q, w * s + x * r - y * q + z * p], -1)


def interpolated(t, attributes):
    first, second = t["in.quat0"], t["in.quat1"]
    alpha = (t["in.time"] - t["in.time0"]) / (t["in.time1"] - t["in.time0"]).astype(float)
    cosine = (first * second).sum(-1)
    second = np.where(cosine[:, None] < 0, -second, second)
    # The angle from the sine and the cosine: well-conditioned where rotations are nearly equal.
    angle = 2 * np.arctan2(np.linalg.norm(first - second, axis=-1), np.linalg.norm(first + second, axis=-1))
    with np.errstate(all="ignore"):
        weights = [np.where(angle < 1e-12, f, np.sin(f * angle) / np.sin(angle)) for f in (1 - alpha, alpha)]
    mixed = weights[0][:, None] * first + weights[1][:, None] * second
    mixed = positive(mixed / np.linalg.norm(mixed, axis=-1, keepdims=True))
    translation = t["in.trans0"] + alpha[:, None] * (t["in.trans1"] - t["in.trans0"])
    return {"out.quat": mixed, "out.trans": translation, "out.matrix_f32": poses(mixed, translation)}


def composed(t, attributes):
    a, b = poses(t["in.quat_a"], t["in.trans_a"]), poses(t["in.quat_b"], t["in.trans_b"])
    return {"out.compose": a @ b, "out.inverse": np.linalg.inv(a), "out.relative_f32": np.linalg.inv(a) @ b,
            "out.quat_product": positive(product(t["in.quat_a"], t["in.quat_b"]))}


def sensor_to_key(t, attributes):
    ego, sensor = poses(t["in.quat_ego"], t["in.trans_ego"]), poses(t["in.quat_sensor"], t["in.trans_sensor"])
    return {"out.matrix_f32": np.linalg.inv(ego[0]) @ ego @ sensor}


def augmentation(t, attributes):
    a, b = np.zeros((len(t["in.resize"]), 2, 2)), np.zeros((len(t["in.resize"]), 2))
    for n, (left, top, width, height, flip) in enumerate(t["in.crop_flip"].astype(float)):
        scale, angle = float(t["in.resize"][n]), np.deg2rad(float(t["in.rotate_degrees"][n]))
        matrix, shift = scale * np.eye(2), -np.array([left, top])
        if flip:
            matrix, shift = np.diag([-1, 1]) @ matrix, np.diag([-1, 1]) @ shift + [width, 0]
        turn, center = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]), np.array([width, height]) / 2
        a[n], b[n] = turn @ matrix, turn @ (shift - center) + center
    return {"out.A": a, "out.t": b}


def template(names):
    """By output name and layout text: `depth_<name>` of (d0, d1, dd), `u_<size>_…` and `v_<size>_…` by count."""
    outputs = {}
    for name, (layout, size) in names.items():
        kind, rest = name[4:].split("_", 1)
        if kind == "depth":
            low, high, step = (float(v) for v in re.search(r"\((.*)\)", layout).group(1).split(","))
            count = int(np.ceil((high - low) / step))
            k = np.arange(count)
            outputs[name] = low * ((high - 1) / low) ** (k / (count - 1)) if "SID" in layout else low + k * step
        else:
            outputs[name] = np.linspace(0, int(rest.split("_")[0]) - 1, size)
    return outputs


DEFINITIONS = {"pose_interpolation": interpolated, "se3_compose_invert": composed, "se3_sensor_to_key_ego": sensor_to_key,
               "quaternion_to_matrix": lambda t, a: {"out.matrix": matrices(t["in.quat"])},
               "image_augmentation_matrix": augmentation}


def quaternions(writer, size, spread=None):
    """Unit quaternions; within `spread` of the identity when given."""
    q = writer.random.standard_normal((size, 4)) * (1 if spread is None else spread)
    q[:, 0] += 0 if spread is None else 1
    return q / np.linalg.norm(q, axis=-1, keepdims=True)


def add_poses(writer, count):
    for n, size in enumerate([0, 1] + [writer.integer(2, 90) for _ in range(count)]):
        reach = 10.0 ** writer.integer(0, 4)
        first, near = quaternions(writer, size), quaternions(writer, size, 10.0 ** -writer.integer(1, 9))
        second = np.where(writer.random.random((size, 1)) < 0.5, product(first, near), quaternions(writer, size))
        second *= np.where(writer.random.random((size, 1)) < 0.5, -1, 1)
        start = writer.random.integers(0, 1 << 50, size).astype(np.int64)
        length = writer.random.integers(1, 1_000_000, size).astype(np.int64)
        at = (length * writer.random.choice([0, 0.25, 0.5, 1, 0.123], size)).astype(np.int64)
        places = [writer.random.uniform(-reach, reach, (size, 3)) for _ in range(2)]
        inputs = {"in.quat0": first, "in.quat1": second, "in.trans0": places[0], "in.trans1": places[1],
                  "in.time0": start, "in.time1": start + length, "in.time": start + at}
        writer.add("pose_interpolation", 13, f"interpolate_{n}_{size}", inputs, interpolated(inputs, {}),
                   wide=("out.quat", "out.trans"),
                   absolute={"out.quat": 1e-9, "out.trans": 1e-12 * reach, "out.matrix_f32": 3e-7 * reach})
        inputs = {"in.quat_a": first, "in.trans_a": places[0], "in.quat_b": second, "in.trans_b": places[1]}
        writer.add("se3_compose_invert", 13, f"compose_{n}_{size}", inputs, composed(inputs, {}),
                   wide=("out.compose", "out.inverse", "out.quat_product"),
                   absolute={"out.compose": 1e-12 * reach, "out.inverse": 1e-12 * reach, "out.quat_product": 1e-12,
                             "out.relative_f32": 5e-7 * reach})
        inputs = {"in.quat": first}
        writer.add("quaternion_to_matrix", 13, f"quaternion_{n}_{size}", inputs, {"out.matrix": matrices(first)},
                   wide=("out.matrix",), absolute=1e-14)
        if size:
            inputs = {"in.quat_ego": quaternions(writer, size, 0.01), "in.trans_ego": places[0] * 1e-3 + 1000,
                      "in.quat_sensor": second, "in.trans_sensor": places[1] / reach}
            writer.add("se3_sensor_to_key_ego", 13, f"key_ego_{n}_{size}", inputs, sensor_to_key(inputs, {}), absolute=5e-6)


def add_templates(writer, count):
    for n, size in enumerate([0, 1] + [writer.integer(2, 12) for _ in range(count)]):
        crop = np.stack([writer.random.integers(low, high, size) for low, high in (
            (-40, 60), (-30, 200), (30, 900), (20, 500), (0, 2))], -1).astype(np.int32)
        inputs = {"in.resize": writer.uniform(size, low=0.2, high=1.3), "in.crop_flip": crop,
                  "in.rotate_degrees": writer.uniform(size, low=-180, high=180)}
        writer.add("image_augmentation_matrix", 1, f"augmentation_{n}_{size}", inputs, augmentation(inputs, {}),
                   absolute={"out.A": 3e-7, "out.t": 5e-4})
    for n in range(count):
        names = {}
        for axis in "uvuv":
            pixels, cells = writer.integer(2, 1600), writer.integer(1, 200)
            names[f"out.{axis}_{pixels}_{cells}"] = ("pixels", cells)
        for name, kind in (("own", ""), ("spaced", "SID ")):
            low, step = writer.integer(1, 6), writer.integer(1, 8) / 4
            high = low + step * writer.integer(3, 120)
            names[f"out.depth_{name}"] = (f"{kind}depth bins for d0,d1,dd = ({low}, {high}, {step})", 0)
        writer.add("frustum_template", 1, f"templates_{n}", {}, template(names), tolerance=1e-6,
                   layouts={name: layout for name, (layout, _) in names.items()})


def add_all(writer, count):
    add_poses(writer, count)
    add_templates(writer, count)

"""Group 14: voxel IoU, RayIoU and the directions of its rays."""
import math

import numpy as np


def ratio(a, b):
    return a / b if b else -1.0


def mean(values):
    present = [v for v in values if v >= 0]
    return sum(present) / len(present) if present else -1.0


def voxel_iou(t, attributes):
    classes, free = attributes["classes"], attributes["free_class"]
    kept = (t["in.mask"] > 0) & (t["in.gt"] < classes)
    confusion = np.zeros((classes, classes), np.int32)
    np.add.at(confusion, (t["in.gt"][kept], t["in.pred"][kept]), 1)
    both, rows, columns = np.diag(confusion), confusion.sum(1), confusion.sum(0)
    iou = [ratio(int(b), int(r + c - b)) for b, r, c in zip(both, rows, columns)]
    truth, predicted = t["in.gt"][kept] != free, t["in.pred"][kept] != free
    return {"out.confusion": confusion, "out.iou": np.array(iou),
            "out.miou": np.array(mean(v for c, v in enumerate(iou) if c != free)),
            "out.occupied_iou": np.array(ratio(int((truth & predicted).sum()), int((truth | predicted).sum())))}


def walked(labels, free, origin, end):
    """Label, distance in voxels, and by how much a tie between axes was missed.

    All border crossings of the three axes in order of distance, z before y before x where equal.
    """
    origin, direction = origin.astype(float), end.astype(float) - origin.astype(float)
    direction /= math.sqrt((direction ** 2).sum())
    voxel = np.floor(origin).astype(int)
    crossings = []
    for axis in range(3):
        ahead = labels.shape[axis] - 1 - voxel[axis] if direction[axis] > 0 else voxel[axis]
        for k in range(ahead + 1 if direction[axis] else 0):
            border = voxel[axis] + 1 + k if direction[axis] > 0 else voxel[axis] - k
            crossings.append(((border - origin[axis]) / direction[axis], -axis))
    crossings.sort()
    gap = min((b[0] - a[0] for a, b in zip(crossings, crossings[1:])), default=1.0)
    for distance, axis in crossings:
        label = int(labels[tuple(voxel)])
        voxel[-axis] += 1 if direction[-axis] > 0 else -1
        if label != free:
            return label, distance, gap
        if not 0 <= voxel[-axis] < labels.shape[-axis]:
            return free, distance, gap
    raise ValueError("a ray without direction")


def ray_iou(t, attributes):
    classes, free, size = attributes["classes"], attributes["free_class"], attributes["voxel_size"]
    rays = list(zip(t["in.origins"], t["in.ends"]))
    results = {key: [walked(t[f"in.{key}"], free, *ray)[:2] for ray in rays] for key in ("pred", "gt")}
    label = {key: np.array([r[0] for r in results[key]], np.int32) for key in results}
    distance = {key: np.array([r[1] for r in results[key]], float) * size for key in results}
    kept = label["gt"] != free
    error = np.abs(distance["pred"] - distance["gt"])
    table = []
    for threshold in attributes["thresholds_m"]:
        hit = kept & (label["pred"] == label["gt"]) & (error < threshold)
        row = []
        for c in (c for c in range(classes) if c != free):
            tp, gt, pred = (int((m & kept).sum()) for m in (hit & (label["gt"] == c), label["gt"] == c, label["pred"] == c))
            row.append(ratio(tp, gt + pred - tp))
        table.append(row)
    return {"out.label_pred": label["pred"], "out.label_gt": label["gt"], "out.distance_pred": distance["pred"],
            "out.distance_gt": distance["gt"], "out.iou": np.array(table),
            "out.rayiou_at": np.array([mean(row) for row in table]), "out.rayiou": np.array(mean(sum(table, [])))}


def directions(t, attributes):
    pitch = [-(math.pi / 2 - math.atan(k + 1)) for k in range(10)]
    while pitch[-1] < 0.21:
        pitch.append(pitch[-1] + pitch[9] - pitch[8])
    pitch = np.array(pitch)
    p, a = pitch[t["in.ray_index"] // 360], np.deg2rad(t["in.ray_index"] % 360)
    return {"out.pitch": pitch, "out.direction": np.stack([np.cos(p) * np.cos(a), np.cos(p) * np.sin(a), np.sin(p)], -1)}


DEFINITIONS = {"voxel_iou": voxel_iou, "ray_iou": ray_iou, "ray_iou_directions": directions}


def labelled(writer, size, classes, free, share):
    grid = writer.random.integers(0, classes, size).astype(np.uint8)
    return np.where(writer.random.random(size) < share, grid, free).astype(np.uint8)


def settled_rays(writer, inputs, attributes, wanted):
    """Rays whose walk and score no rounding can change; exact diagonals between voxel centres too."""
    size, origins, ends = np.array(inputs["in.gt"].shape), [], []
    while len(origins) < wanted:
        origin = writer.uniform(3) * size.astype(np.float32)
        end = origin + writer.normal(3, scale=float(writer.integer(1, 30)))
        if writer.random.random() < 0.2:
            origin = np.floor(origin) + np.float32(0.5)
            end = origin + writer.random.choice([-4, 0, 4], 3).astype(np.float32)
        if (np.floor(origin) >= size).any() or np.allclose(origin, end):
            continue
        found = [walked(inputs[key], attributes["free_class"], origin, end) for key in ("in.pred", "in.gt")]
        error = abs(found[0][1] - found[1][1]) * attributes["voxel_size"]
        is_close = min(abs(error - threshold) for threshold in attributes["thresholds_m"]) < 1e-3
        if not is_close and (found[0][2] == 0 or found[0][2] > 1e-4):
            origins.append(origin.astype(np.float32))
            ends.append(end.astype(np.float32))
    return np.array(origins, np.float32).reshape(-1, 3), np.array(ends, np.float32).reshape(-1, 3)


def add_all(writer, count):
    for n in range(count):
        size, classes = tuple(writer.integer(1, m) for m in (25, 25, 17)), writer.integer(2, 30)
        free = writer.integer(0, classes - 1)
        pred, gt = (labelled(writer, size, classes, free, 0.5) for _ in range(2))
        gt[writer.random.random(size) < 0.1] = 255
        gt.flat[0] = pred.flat[0] = (free + 1) % classes
        mask = (writer.random.random(size) < 0.8).astype(np.uint8)
        mask.flat[0] = 1
        inputs, attributes = {"in.pred": pred, "in.gt": gt, "in.mask": mask}, dict(classes=classes, free_class=free)
        writer.add("voxel_iou", 14, f"iou_{n}_{classes}", inputs, voxel_iou(inputs, attributes), attributes, absolute=1e-6)
        attributes = dict(classes=classes, free_class=free, voxel_size=writer.integer(1, 10) / 10,
                          thresholds_m=[1, 2, 4] if n % 2 else [0.5, 1.5])
        inputs = {f"in.{key}": labelled(writer, size, classes, free, writer.integer(1, 5) / 10) for key in ("pred", "gt")}
        inputs["in.origins"], inputs["in.ends"] = settled_rays(writer, inputs, attributes, writer.integer(1, 60))
        writer.add("ray_iou", 14, f"rayiou_{n}_{classes}", inputs, ray_iou(inputs, attributes), attributes, absolute=2e-5)
        inputs = {"in.ray_index": writer.random.integers(0, 14040, writer.integer(1, 50)).astype(np.int32)}
        writer.add("ray_iou_directions", 14, f"directions_{n}", inputs, directions(inputs, {}), dict(count=14040), absolute=5e-7)

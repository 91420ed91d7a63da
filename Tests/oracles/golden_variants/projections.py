"""Groups 1, 2, 4, 5 and 6: lift, pool, pulls, ground warp, history warps."""
import numpy as np

from rig import project, ring
from sampling import linear


def add_lift(writer, count):
    for n in range(count):
        cameras, bins = writer.integer(1, 12), writer.integer(1, 20)
        h, w = writer.integer(1, 9), writer.integer(1, 12)
        rig = ring(cameras, 131, 97)
        u, v = np.linspace(0, 130, w).astype(np.float32), np.linspace(0, 96, h).astype(np.float32)
        d = (1.0 + 0.9 * np.arange(bins)).astype(np.float32)
        intrinsics = np.stack([r[0] for r in rig]).astype(np.float32)
        rotation = np.stack([r[1].T for r in rig]).astype(np.float32)
        translation = np.stack([-r[1].T @ r[2] for r in rig]).astype(np.float32)
        post_rotation = np.tile(np.eye(3, dtype=np.float32), (cameras, 1, 1))
        post_rotation[:, :2, :2] = [[0.9, 0.1], [-0.1, 0.9]]
        post_translation = np.tile(np.array([3, -2, 0], np.float32), (cameras, 1))
        bda = np.diag([-1, 1, 1]).astype(np.float32)
        lower, step = np.array([-12, -9, -3], np.float32), np.array([0.7, 0.6, 2.1], np.float32)
        size = np.array([writer.integer(5, 40), writer.integer(5, 40), writer.integer(1, 4)])
        template = np.stack(np.broadcast_arrays(u[None, None], v[None, :, None], d[:, None, None]), -1).astype(float)
        ego = np.empty((cameras, bins, h, w, 3))
        for c in range(cameras):
            q = (template - post_translation[c]) @ np.linalg.inv(post_rotation[c].astype(float)).T
            q = np.stack([q[..., 0] * q[..., 2], q[..., 1] * q[..., 2], q[..., 2]], -1)
            matrix = rotation[c].astype(float) @ np.linalg.inv(intrinsics[c].astype(float))
            ego[c] = (q @ matrix.T + translation[c]) @ bda.T.astype(float)
        position = (ego - lower) / step.astype(float)
        cell = np.trunc(position).astype(np.int32)
        inside = ((cell >= 0) & (cell < size)).all(-1)
        fragile = (np.abs(position - np.rint(position)) < 2e-4).any(-1).astype(np.uint8)
        rank = np.where(inside, (cell[..., 2] * size[1] + cell[..., 1]) * size[0] + cell[..., 0], -1).astype(np.int32)
        grid = [[float(lower[a]), float(lower[a] + size[a] * step[a]), float(step[a])] for a in range(3)]
        writer.add("frustum_lift_cell_index", 1, f"lift_{n}_{cameras}cam",
                   {"in.u": u, "in.v": v, "in.d": d, "in.intrin": intrinsics, "in.rot": rotation,
                    "in.trans": translation, "in.post_rot": post_rotation, "in.post_trans": post_translation,
                    "in.bda": bda, "in.grid_lower": lower, "in.grid_step": step, "aux.fragile": fragile},
                   {"out.ego": ego, "out.cell": np.where(inside[..., None], cell, -1).astype(np.int32), "out.rank": rank},
                   dict(grid=grid, grid_size_xyz=[int(s) for s in size], image_h=97, image_w=131, ego_point_stride=1),
                   skip={"out.cell": "aux.fragile", "out.rank": "aux.fragile"})


def add_pool(writer, count):
    for n in range(count):
        batch, cameras, bins, h, w = (writer.integer(1, m) for m in (3, 7, 20, 6, 9))
        z, y, x, channels = (writer.integer(1, m) for m in (8, 12, 16, 150))
        depth, features = writer.uniform(batch * cameras, bins, h, w), writer.normal(batch * cameras, h, w, channels)
        cells = z * y * x
        rank = writer.random.integers(0, cells, (batch * cameras, bins, h, w)).astype(np.int32)
        rank += (np.arange(batch * cameras) // cameras * cells).astype(np.int32)[:, None, None, None]
        rank[writer.random.random(rank.shape) < 0.3] = -1
        kept = np.nonzero(rank.ravel() >= 0)[0]
        order = kept[np.argsort(rank.ravel()[kept], kind="stable")]
        ranks = rank.ravel()[order]
        of_feature = order // (bins * h * w) * (h * w) + order % (h * w)
        starts = np.nonzero(np.r_[True, ranks[1:] != ranks[:-1]])[0] if len(ranks) else np.zeros(0)
        bev = np.zeros((batch * cells, channels))
        np.add.at(bev, ranks, depth.ravel()[order].astype(float)[:, None]
                  * features.reshape(-1, channels)[of_feature].astype(float))
        writer.add("bev_pool_v2", 2, f"pool_{n}_c{channels}",
                   {"in.depth": depth, "in.feat": features, "in.point_rank": rank},
                   {"out.ranks_bev": ranks, "out.ranks_depth": order.astype(np.int32),
                    "out.ranks_feat": of_feature.astype(np.int32), "out.interval_starts": starts.astype(np.int32),
                    "out.interval_lengths": np.diff(np.r_[starts, len(ranks)]).astype(np.int32),
                    "out.bev": bev.reshape(batch, z, y, x, channels)},
                   dict(B=batch, Z=z, Y=y, X=x, C=channels, points=len(ranks), cells=batch * cells,
                        occupied_cells=len(starts)))


def add_fastbev(writer, count):
    for n in range(count):
        cameras, height, width, channels = (writer.integer(*m) for m in ((1, 12), (3, 16), (3, 44), (1, 90)))
        matrix = np.stack([k @ np.c_[r, t] for k, r, t in ring(cameras, width, height)]).astype(np.float32)
        features = writer.normal(cameras, height, width, channels)
        voxels = [writer.integer(1, 24), writer.integer(1, 24), writer.integer(1, 4)]
        size, origin = np.array([0.9, 1.1, 0.7]), np.array([0.3, -0.2, 0.1])
        index = np.stack(np.meshgrid(*[np.arange(m) for m in voxels], indexing="ij"), -1)
        position = origin + (index - np.array(voxels) / 2) * size
        seen = np.einsum("nij,xyzj->nxyzi", matrix.astype(float),
                         np.concatenate([position, np.ones(position.shape[:-1] + (1,))], -1))
        with np.errstate(all="ignore"):
            u, v, depth = seen[..., 0] / seen[..., 2], seen[..., 1] / seen[..., 2], seen[..., 2]
        near_tie = (np.abs(u - np.floor(u) - 0.5) < 1e-3) | (np.abs(v - np.floor(v) - 0.5) < 1e-3)
        fragile = (near_tie | (np.abs(depth) < 1e-3)).any(0).astype(np.uint8)
        last, first = np.full(voxels, -1, np.int32), np.full(voxels, -1, np.int32)
        total, seen_by = np.zeros(voxels + [channels]), np.zeros(voxels)
        for c in range(cameras):
            def pixels(rounded_u, rounded_v):
                valid = (rounded_u >= 0) & (rounded_v >= 0) & (rounded_u < width) & (rounded_v < height) & (depth[c] > 0)
                return valid, np.where(valid, (c * height + rounded_v) * width + rounded_u, -1).astype(np.int32)
            valid, pixel = pixels(np.rint(u[c]), np.rint(v[c]))
            last = np.where(valid, pixel, last)
            total[valid] += features.reshape(-1, channels)[pixel[valid]]
            seen_by += valid
            valid, pixel = pixels(np.sign(u[c]) * np.floor(np.abs(u[c]) + 0.5), np.sign(v[c]) * np.floor(np.abs(v[c]) + 0.5))
            first = np.where(valid & (first < 0), pixel, first)
        volume = lambda table: np.where(table[..., None] >= 0, features.reshape(-1, channels)[np.maximum(table, 0)], 0)
        outputs = {"out.last_index": last, "out.first_index": first, "out.volume_last": volume(last),
                   "out.volume_first": volume(first), "out.volume_mean": total / np.maximum(seen_by, 1)[..., None]}
        writer.add("fastbev_nearest_pull", 4, f"fastbev_{n}_{cameras}cam",
                   {"in.feat": features, "in.projection": matrix, "aux.fragile": fragile, "aux.fragile_block": fragile},
                   outputs, dict(n_voxels_xyz=voxels, voxel_size=list(size), origin=list(origin)),
                   skip={key: "aux.fragile" for key in outputs}, exact=("out.volume_last", "out.volume_first"))


def add_ground(writer, count):
    coefficients = [-0.05, 0.01, 0.001, -0.002, 0.003, 0.01, 0.001, 0.0005]
    models = [("pinhole", []), ("brown", coefficients[:4]), ("brown", coefficients[:5]), ("brown", coefficients),
              ("fisheye", [0.02, -0.003, 0.0005, -0.0001])]
    for n in range(count):
        for model, values in models:
            cameras, height, width = writer.integer(1, 12), writer.integer(20, 50), writer.integer(20, 70)
            rig = ring(cameras, width, height)
            image = writer.random.integers(0, 256, (cameras, height, width, 3)).astype(np.uint8)
            intrinsics = np.stack([r[0] for r in rig]).astype(np.float32)
            rotation = np.stack([r[1].T for r in rig]).astype(np.float32)
            translation = np.stack([-r[1].T @ r[2] for r in rig]).astype(np.float32)
            distortion = np.tile(np.array(values, np.float32), (cameras, 1)).reshape(cameras, len(values))
            limit = np.full(cameras, 1.4 if model == "fisheye" else 1.2, np.float32)
            columns, rows, ground, near = writer.integer(3, 40), writer.integer(3, 40), -0.1, 0.1
            xs, ys = (-8.0, -8.0 + 0.75 * columns, 0.75), (-7.0, -7.0 + 0.5 * rows, 0.5)
            points = np.stack(np.broadcast_arrays(xs[0] + (np.arange(columns) + 0.5) * 0.75,
                                                  (ys[0] + (np.arange(rows) + 0.5) * 0.5)[:, None], np.array(ground)), -1)
            total, seen_by = np.zeros((rows, columns, 3)), np.zeros((rows, columns), np.int32)
            valid, fragile = np.zeros((2, cameras, rows, columns), np.uint8)
            for c in range(cameras):
                seen = (points - translation[c].astype(float)) @ rotation[c].astype(float)
                u, v, radius = project(model, seen, intrinsics[c].astype(float), distortion[c].astype(float))
                inside = (u >= 0) & (u <= width - 1) & (v >= 0) & (v <= height - 1)
                valid[c] = (seen[..., 2] > near) & (radius <= limit[c]) & inside
                edges = np.stack([u, u - width + 1, v, v - height + 1])
                fragile[c] = (np.abs(edges) < 2e-3).any(0) | (np.abs(radius - limit[c]) < 1e-4) | (np.abs(seen[..., 2] - near) < 1e-4)
                at = np.where(valid[c][..., None] > 0, np.stack([v, u], -1), 0)
                total += np.where(valid[c][..., None] > 0, linear(image[c].astype(float), at), 0)
                seen_by += valid[c]
            writer.add("inverse_perspective_mapping", 5, f"ipm_{n}_{model}{len(values)}_{cameras}cam",
                       {"in.image": image, "in.intrin": intrinsics, "in.distortion": distortion, "in.limit": limit,
                        "in.rot": rotation, "in.trans": translation, "aux.fragile": fragile.any(0).astype(np.uint8),
                        "aux.fragile_camera": fragile},
                       {"out.valid": valid, "out.count": seen_by, "out.bev": total / np.maximum(seen_by, 1)[..., None]},
                       dict(model=model, ground_z=ground, x_min_max_step=list(xs), y_min_max_step=list(ys), near=near),
                       skip={"out.valid": "aux.fragile_camera", "out.count": "aux.fragile", "out.bev": "aux.fragile"},
                       tolerance=3e-4)


def turned(yaw, x, y, z=0.0):
    c, s = np.cos(yaw), np.sin(yaw)
    return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, z], [0, 0, 0, 1]])


def add_history(writer, count):
    for n in range(count):
        depth, height, width, channels = (writer.integer(2, m) for m in (6, 40, 40, 30))
        previous = writer.normal(height, width, channels)
        current_pose, previous_pose = (turned(0.2 * n + 0.05, 1.3, -0.4).astype(np.float32),
                                       turned(0.1, 0.2, 0.3).astype(np.float32))
        bda = turned(0.3, 0, 0)[:3, :3].astype(np.float32)
        lower, step = np.array([-9.3, -7.1], np.float32), np.array([0.8, 0.6], np.float32)
        padded = np.eye(4)
        padded[:3, :3] = bda
        motion = (padded @ current_pose) @ np.linalg.inv(padded @ previous_pose)
        motion = np.delete(np.delete(motion, 2, 0), 2, 1)
        scaling = np.array([[step[0], 0, lower[0]], [0, step[1], lower[1]], [0, 0, 1]], float)
        transform = np.linalg.inv(scaling) @ motion @ scaling
        xy = np.stack([*np.meshgrid(np.arange(width), np.arange(height)), np.ones((height, width))], -1)
        pixel = (xy @ transform.T)[..., 1::-1]
        writer.add("bevdet4d_warp", 6, f"bevdet4d_{n}",
                   {"in.prev_bev": previous, "in.cur_cam0_to_key": current_pose, "in.prev_cam0_to_key": previous_pose,
                    "in.bda": bda, "in.grid_lower_xy": lower, "in.grid_step_xy": step},
                   {"out.bev": linear(previous.astype(float), pixel)},
                   dict(lower=[float(a) for a in lower], step=[float(a) for a in step]), absolute=5e-4)
        history = writer.normal(depth, height, width, channels)
        moved = turned(-0.15, 0.9, 0.2, 0.1).astype(np.float32)
        before, after = turned(0.1, 0, 0).astype(np.float32), turned(-0.2, 0, 0).astype(np.float32)
        lower3, step3 = np.array([-9.3, -7.1, -2], np.float32), np.array([0.8, 0.6, 0.9], np.float32)
        scaling = np.eye(4)
        scaling[:3, :3], scaling[:3, 3] = np.diag(step3), lower3
        flow = np.linalg.inv(scaling) @ before.astype(float) @ moved.astype(float) @ np.linalg.inv(after.astype(float)) @ scaling
        index = np.stack(np.meshgrid(np.arange(depth), np.arange(height), np.arange(width), indexing="ij"), -1)[..., ::-1]
        at = np.concatenate([index, np.ones(index.shape[:-1] + (1,))], -1) @ flow.T
        writer.add("fbocc_history_warp", 6, f"fbocc_warp_{n}",
                   {"in.history": history, "in.cur_to_prev": moved, "in.aug_prev": before, "in.aug_cur": after,
                    "in.grid_lower": lower3, "in.grid_step": step3},
                   {"out.volume": linear(history.astype(float), at[..., 2::-1])}, absolute=5e-4)


def add_all(writer, count):
    add_lift(writer, count)
    add_pool(writer, count)
    add_fastbev(writer, count)
    add_ground(writer, max(1, count // 2))
    add_history(writer, count)

#!/usr/bin/env python3
"""Does `swiftlet doctor --calib` name planted calibration faults, and nothing where nothing is wrong?

For every seed: makes a synthetic drive, judges it as it is (must pass), then plants one fault of every
kind asked for into its tables and judges it again: that fault must be named, and no other. Camera,
axis and sign follow the seed. Kinds: turn (--degrees about one of a camera's axes), shift (--meters
along one), time (--milliseconds added to all cameras' times and the poses that go with them), swapped
(two neighbouring cameras' calibrations exchanged), rig-mirrored, rig-turned (by 90 degrees), mirrored
(one camera's images flipped; needs opencv-python-headless). Prints a line a fault and the counts;
exits 1 below --need of any (default: all but one in twenty planted, all clean).
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

KINDS = ("turn", "shift", "time", "swapped", "rig-mirrored", "rig-turned", "mirrored")


def times(a, b):
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return [
        aw * bw - ax * bx - ay * by - az * bz, aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx, aw * bz + ax * by - ay * bx + az * bw,
    ]


def rotated(q, v):
    w, x, y, z = times(times(q, [0, *v]), [q[0], -q[1], -q[2], -q[3]])
    return [x, y, z]


def about(axis, degrees):
    half = math.radians(degrees) / 2
    return [math.cos(half)] + [math.sin(half) * (number == axis) for number in range(3)]


class Drive:
    """A copy of a drive, files linked, whose tables can be changed."""

    def __init__(self, source, target):
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(
            source, target,
            copy_function=lambda a, b: pathlib.Path(b).symlink_to(pathlib.Path(a).resolve()))
        self.root = pathlib.Path(target)
        self.tables = next(self.root.glob("v1.0-*"))
        self.sensors = {s["token"]: s["channel"] for s in self.rows("sensor")}

    def rows(self, name):
        return json.loads((self.tables / f"{name}.json").read_text())

    def write(self, name, rows):
        path = self.tables / f"{name}.json"
        path.unlink()
        path.write_text(json.dumps(rows))

    def mounts(self, change):
        """Calls change(name, row) for every camera's calibration."""
        rows = self.rows("calibrated_sensor")
        for row in rows:
            name = self.sensors[row["sensor_token"]]
            if name.startswith("CAM"):
                change(name, row)
        self.write("calibrated_sensor", rows)

    def turn(self, camera, axis, degrees):
        def change(name, row):
            if name == camera:
                row["rotation"] = times(row["rotation"], about(axis, degrees))
        self.mounts(change)

    def shift(self, camera, axis, meters):
        def change(name, row):
            if name == camera:
                step = rotated(row["rotation"], [meters * (number == axis) for number in range(3)])
                row["translation"] = [a + b for a, b in zip(row["translation"], step)]
        self.mounts(change)

    def swap(self, first, second):
        kept = {}
        self.mounts(lambda name, row: kept.update({name: dict(row)}))

        def change(name, row):
            other = {first: second, second: first}.get(name)
            if other:
                for key in ("rotation", "translation", "camera_intrinsic"):
                    row[key] = kept[other][key]
        self.mounts(change)

    def mirror_rig(self):
        # Left for right in the ego frame, and in the camera's own axes, so that it stays a rotation.
        def change(_, row):
            columns = [rotated(row["rotation"], axis) for axis in ([1, 0, 0], [0, 1, 0], [0, 0, 1])]
            right, down, ahead = ([c[0], -c[1], c[2]] for c in columns)
            row["rotation"] = quaternion([-v for v in right], down, ahead)
            x, y, z = row["translation"]
            row["translation"] = [x, -y, z]
        self.mounts(change)

    def turn_rig(self, degrees):
        def change(_, row):
            yaw = about(2, degrees)
            row["rotation"] = times(yaw, row["rotation"])
            row["translation"] = rotated(yaw, row["translation"])
        self.mounts(change)

    def delay(self, milliseconds):
        samples, poses = self.rows("sample_data"), self.rows("ego_pose")
        known = sorted((p["timestamp"], p["translation"], p["rotation"]) for p in poses)
        by_token = {p["token"]: p for p in poses}
        mounts = {c["token"]: self.sensors[c["sensor_token"]] for c in self.rows("calibrated_sensor")}
        for sample in samples:
            if not mounts[sample["calibrated_sensor_token"]].startswith("CAM"):
                continue
            sample["timestamp"] += round(milliseconds * 1000)
            pose = by_token[sample["ego_pose_token"]]
            pose["timestamp"] = sample["timestamp"]
            pose["translation"], pose["rotation"] = between(known, sample["timestamp"])
        self.write("sample_data", samples)
        self.write("ego_pose", poses)

    def flip_images(self, camera):
        import cv2

        for path in (self.root / "samples" / camera).iterdir():
            image = cv2.imread(str(path))
            path.unlink()
            cv2.imwrite(str(path), image[:, ::-1], [cv2.IMWRITE_JPEG_QUALITY, 95])


def between(known, time):
    """Pose at a time, linear between (or beyond) the nearest known ones."""
    after = next((i for i, k in enumerate(known) if k[0] >= time), len(known) - 1)
    before = max(0, after - 1)
    while before > 0 and known[before][0] == known[after][0]:
        before -= 1
    if known[before][0] == known[after][0]:
        after = next(i for i, k in enumerate(known) if k[0] > known[before][0])
    (t0, p0, q0), (t1, p1, q1) = known[before], known[after]
    share = (time - t0) / (t1 - t0)
    sign = 1 if sum(a * b for a, b in zip(q0, q1)) >= 0 else -1
    mix = [(1 - share) * a + share * sign * b for a, b in zip(q0, q1)]
    size = math.sqrt(sum(v * v for v in mix))
    return [(1 - share) * a + share * b for a, b in zip(p0, p1)], [v / size for v in mix]


def quaternion(x, y, z):
    """Of the rotation with these columns."""
    m = [[x[i], y[i], z[i]] for i in range(3)]
    q = [
        math.sqrt(max(0, 1 + m[0][0] + m[1][1] + m[2][2])) / 2,
        math.copysign(math.sqrt(max(0, 1 + m[0][0] - m[1][1] - m[2][2])) / 2, m[2][1] - m[1][2]),
        math.copysign(math.sqrt(max(0, 1 - m[0][0] + m[1][1] - m[2][2])) / 2, m[0][2] - m[2][0]),
        math.copysign(math.sqrt(max(0, 1 - m[0][0] - m[1][1] + m[2][2])) / 2, m[1][0] - m[0][1]),
    ]
    return q


def judge(tool, drive, frames):
    done = subprocess.run(
        [tool, "doctor", str(drive), "--calib", "--json", "--frames", str(frames)],
        capture_output=True, text=True, check=False,
    )
    if not done.stdout:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def faults(answer):
    named = [
        f"{c['name']} {c['state']}" for c in answer["cameras"] if c["state"] not in ("good", "undecided")]
    if answer["rig_fault"]:
        named.append(f"rig {answer['rig_fault']['kind']}")
    if answer["time_offset"]["fault"]:
        named.append("time")
    return sorted(named)


def change(answer, camera):
    row = next(c for c in answer["cameras"] if c["name"] == camera)["best_change"]
    return " ".join(f"{v:+.2f}" for v in row["turn_degrees"] + row["shift_meters"])


def plant(kind, drive, cameras, number, arguments):
    """Plants one fault; what must be named (a list of alternatives) and a description."""
    camera = cameras[number % len(cameras)]
    axis = "xyz".index(arguments.axes[number % len(arguments.axes)])
    sign = 1 if number // 2 % 2 == 0 else -1
    either = [[f"{camera} turned"], [f"{camera} shifted"]]
    if kind == "turn":
        drive.turn(camera, axis, sign * arguments.degrees)
        return either, camera, f"{camera} {'xyz'[axis]} {sign * arguments.degrees:+.2f} deg"
    if kind == "shift":
        drive.shift(camera, axis, sign * arguments.meters)
        return either, camera, f"{camera} {'xyz'[axis]} {sign * arguments.meters:+.2f} m"
    if kind == "time":
        drive.delay(sign * arguments.milliseconds)
        return [["time"]], camera, f"{sign * arguments.milliseconds:+.0f} ms"
    if kind == "swapped":
        other = cameras[(number + 1) % len(cameras)]
        drive.swap(camera, other)
        return [sorted([f"{camera} swapped", f"{other} swapped"])], camera, f"{camera} {other}"
    if kind == "rig-mirrored":
        drive.mirror_rig()
        return [["rig mirrored"]], camera, ""
    if kind == "rig-turned":
        drive.turn_rig(90 * sign)
        return [["rig turned"]], camera, f"{90 * sign:+d} deg"
    drive.flip_images(camera)
    return [[f"{camera} mirrored"]], camera, camera


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default=".build/release/swiftlet")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=40, help="of a drive, at 10 a second")
    parser.add_argument("--judged", type=int, default=20, help="of them, spread over the drive")
    parser.add_argument("--plant", default="turn", help="kinds, separated by commas, or all")
    parser.add_argument("--degrees", type=float, default=0.5)
    parser.add_argument("--meters", type=float, default=0.15)
    parser.add_argument("--milliseconds", type=float, default=50)
    parser.add_argument(
        "--axes", default="yxz", help="of x (nod, right), y (pan, down), z (roll, ahead); in turn")
    parser.add_argument("--need", type=int, help="of every kind, and of the clean ones")
    parser.add_argument("--keep", help="folder to keep the drives in and take them from")
    arguments = parser.parse_args()
    kinds = KINDS if arguments.plant == "all" else arguments.plant.split(",")
    named, clean = dict.fromkeys(kinds, 0), 0
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(arguments.keep or scratch)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            source = root / f"drive{seed}"
            if not source.exists():
                subprocess.run(
                    [arguments.tool, "synth", str(source), "--frames", str(arguments.frames),
                     "--seed", str(seed)], check=True, capture_output=True)
            before = judge(arguments.tool, source, arguments.judged)
            found = faults(before)
            clean += found == []
            print(f"seed {seed:3}: clean {'ok' if found == [] else found}", flush=True)
            cameras = [c["name"] for c in before["cameras"]]
            for kind in kinds:
                drive = Drive(source, pathlib.Path(scratch) / "faulty")
                wanted, camera, what = plant(kind, drive, cameras, seed - 1, arguments)
                after = judge(arguments.tool, drive.root, arguments.judged)
                is_named = faults(after) in wanted
                named[kind] += is_named
                print(
                    f"          {kind} {what}: {'named' if is_named else faults(after)} "
                    f"({change(after, camera)}; {1e3 * after['time_offset']['seconds']:+.0f} ms)",
                    flush=True)
    for kind in kinds:
        print(f"{kind}: {named[kind]} of {arguments.seeds} named")
    print(f"clean: {arguments.seeds - clean} of {arguments.seeds} accused")
    need = arguments.need or arguments.seeds - max(1, arguments.seeds // 20)
    enough = all(count >= need for count in named.values())
    sys.exit(0 if enough and clean >= (arguments.need or arguments.seeds) else 1)


if __name__ == "__main__":
    main()

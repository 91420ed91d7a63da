#!/usr/bin/env python3
"""Does `swiftlet doctor --calib` name a planted half degree, and nothing where nothing is wrong?

For every seed: makes a synthetic drive, judges it as it is (must pass), turns one camera by 0.5
degrees about one of its axes in the calibration table (camera, axis and sign follow the seed) and
judges it again (must name that camera, and no other). Prints a line a seed and the two counts; exits
1 below --need of either.
"""
import argparse
import json
import math
import pathlib
import shutil
import subprocess
import sys
import tempfile

AXES = {"x": (1, 0, 0), "y": (0, 1, 0), "z": (0, 0, 1)}


def times(a, b):
    aw, ax, ay, az = a
    bw, bx, by, bz = b
    return [
        aw * bw - ax * bx - ay * by - az * bz, aw * bx + ax * bw + ay * bz - az * by,
        aw * by - ax * bz + ay * bw + az * bx, aw * bz + ax * by - ay * bx + az * bw,
    ]


def plant(drive, target, camera, axis, degrees):
    """A copy of the drive whose calibration of one camera is turned in the camera's own axes."""
    shutil.copytree(drive, target, copy_function=lambda a, b: pathlib.Path(b).symlink_to(pathlib.Path(a).resolve()))
    tables = next(pathlib.Path(target).glob("v1.0-*"))
    sensors = {s["token"]: s["channel"] for s in json.loads((tables / "sensor.json").read_text())}
    path = tables / "calibrated_sensor.json"
    rows = json.loads(path.read_text())
    half = math.radians(degrees) / 2
    turn = [math.cos(half)] + [math.sin(half) * v for v in AXES[axis]]
    for row in rows:
        if sensors[row["sensor_token"]] == camera:
            row["rotation"] = times(row["rotation"], turn)
    path.unlink()
    path.write_text(json.dumps(rows))
    return sorted(c for c in sensors.values() if c.startswith("CAM"))


def judge(tool, drive, frames):
    done = subprocess.run(
        [tool, "doctor", str(drive), "--calib", "--json", "--frames", str(frames)],
        capture_output=True, text=True, check=False,
    )
    if not done.stdout:
        sys.exit(done.stderr)
    return json.loads(done.stdout)


def faults(answer):
    named = [c["name"] for c in answer["cameras"] if c["state"] not in ("good", "undecided")]
    if answer["rig_fault"]:
        named.append("rig")
    if answer["time_offset"]["fault"]:
        named.append("time")
    return named


def change(answer, camera):
    row = next(c for c in answer["cameras"] if c["name"] == camera)
    return " ".join(f"{v:+.2f}" for v in row["best_change"]["turn_degrees"])


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tool", default=".build/release/swiftlet")
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--first-seed", type=int, default=1)
    parser.add_argument("--frames", type=int, default=10)
    parser.add_argument("--degrees", type=float, default=0.5)
    parser.add_argument("--axes", default="yx", help="of x (nod), y (pan), z (roll); one a seed, in turn")
    parser.add_argument("--need", type=int, help="default: all but one planted, all clean")
    parser.add_argument("--keep", help="folder to keep the drives in and take them from")
    arguments = parser.parse_args()
    named, clean = 0, 0
    with tempfile.TemporaryDirectory() as scratch:
        root = pathlib.Path(arguments.keep or scratch)
        for seed in range(arguments.first_seed, arguments.first_seed + arguments.seeds):
            drive = root / f"drive{seed}"
            if not drive.exists():
                subprocess.run(
                    [arguments.tool, "synth", str(drive), "--frames", str(arguments.frames),
                     "--seed", str(seed)], check=True, capture_output=True)
            before = judge(arguments.tool, drive, arguments.frames)
            number = seed - 1
            axis = arguments.axes[number % len(arguments.axes)]
            degrees = arguments.degrees * (1 if number // 2 % 2 == 0 else -1)
            faulty = pathlib.Path(scratch) / "faulty"
            shutil.rmtree(faulty, ignore_errors=True)
            cameras = [c["name"] for c in before["cameras"]]
            camera = cameras[number % len(cameras)]
            plant(drive, faulty, camera, axis, degrees)
            after = judge(arguments.tool, faulty, arguments.frames)
            is_clean, is_named = faults(before) == [], faults(after) == [camera]
            clean += is_clean
            named += is_named
            print(
                f"seed {seed:3}: clean {'ok' if is_clean else faults(before)}; {camera} {axis} "
                f"{degrees:+.2f} {'named' if is_named else faults(after)} ({change(after, camera)})",
                flush=True)
    print(f"planted {arguments.degrees} degrees named in {named} of {arguments.seeds} seeds, "
          f"none named in {clean} of {arguments.seeds} clean ones")
    need = arguments.need or arguments.seeds - 1
    sys.exit(0 if named >= need and clean >= (arguments.need or arguments.seeds) else 1)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Occupancy peers on the same scans in the same run: OctoMap, and OctoMap's rule over OpenVDB.

    Benchmarks/peers/occupancy/build
    Benchmarks/peers/occupancy/run.py RECORDING --voxel 0.2 --max-range 50 --rounds 3

Every round runs each program once, one after the other, so that a drift of the host meets all of
them. Prints the median milliseconds a scan, the ratio to each peer, and the 3×3 confusion against
OctoMap inside the last window. Needs NumPy and a release build of swiftlet.
"""

import argparse
import json
import pathlib
import statistics
import struct
import subprocess
import sys
import tempfile

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))
import limits  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[3]
STATES = ("unknown", "free", "occupied")


def run(command):
    """The program's `ms` lines."""
    result = subprocess.run(command, capture_output=True, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {result.returncode}\n{result.stderr[-2000:]}")
    return [float(line[3:]) for line in result.stdout.splitlines() if line.startswith("ms ")]


def read_peer_map(path):
    data = pathlib.Path(path).read_bytes()
    (count,) = struct.unpack_from("<q", data)
    keys = np.frombuffer(data, "<i4", 3 * count, 8).reshape(-1, 3)
    return keys, np.frombuffer(data, "<f4", count, 8 + 12 * count)


def read_own_map(path):
    data = pathlib.Path(path).read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    body = data[8 + length :]

    def tensor(name, kind):
        start, end = header[name]["data_offsets"]
        return np.frombuffer(body[start:end], kind).reshape(header[name]["shape"])

    return tensor("keys", "<i4"), tensor("log_odds", "<f4"), header["__metadata__"]


def packed(keys):
    shifted = keys.astype(np.int64) + 32768
    return shifted[:, 0] << 32 | shifted[:, 1] << 16 | shifted[:, 2]


def confusion(reference, own, window):
    """[reference][own] counts over voxels known in either, inside the window."""
    states = []
    for keys, values in (reference, own):
        inside = np.ones(len(keys), bool)
        if window:
            lower, cells = window
            inside = np.all((keys >= lower) & (keys < lower + cells), axis=1)
        states.append(dict(zip(packed(keys[inside]).tolist(), np.where(values[inside] >= 0, 2, 1).tolist())))
    table = np.zeros((3, 3), np.int64)
    for key, state in states[0].items():
        table[state][states[1].get(key, 0)] += 1
    for key, state in states[1].items():
        if key not in states[0]:
            table[0][state] += 1
    return table


def agreement(table):
    def iou(s):
        union = table[s].sum() + table[:, s].sum() - table[s][s]
        return table[s][s] / union if union else 1.0

    known = table[1:, 1:]
    same = np.trace(known) / known.sum() if known.sum() else 1.0
    lost = table[2][1] / table[2].sum() if table[2].sum() else 0.0
    return f"IoU occupied {iou(2):.4f}, free {iou(1):.4f}, same state {same:.5f}, occupied called free {lost:.4%}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("recording")
    parser.add_argument("--voxel", type=float, default=0.2)
    parser.add_argument("--max-range", type=float, default=50.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--modes", default="reference,exact,realtime,fast,quality")
    parser.add_argument("--swiftlet", default=str(ROOT / ".build/release/swiftlet"))
    parser.add_argument("--peers", default=str(ROOT / ".build/peers"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        compare(arguments, pathlib.Path(folder))


def own_command(arguments, mode, out):
    return [
        arguments.swiftlet, "map", arguments.recording, "--mode", mode, "--voxel", str(arguments.voxel),
        "--max-range", str(arguments.max_range), "--threads", str(arguments.threads), "--timing", "--out", str(out),
    ]  # fmt: skip


def compare(arguments, folder):
    scans = folder / "scans"
    scans.mkdir()
    modes = arguments.modes.split(",")
    run(own_command(arguments, modes[0], folder / "warm") + ["--scans-out", str(scans)])
    size = [str(arguments.voxel), str(arguments.max_range)]
    commands = {
        name: [f"{arguments.peers}/{name.lower()}_peer", str(scans), str(folder / name), *size]
        for name in ("OctoMap", "OpenVDB")
    }
    commands |= {mode: own_command(arguments, mode, folder / mode) for mode in modes}
    times = {name: [] for name in commands}
    for _ in range(arguments.rounds):
        for name, command in commands.items():
            times[name] += run(command)
    report(arguments, folder, times, modes)


def report(arguments, folder, times, modes):
    octomap = read_peer_map(folder / "OctoMap")
    medians = {name: statistics.median(values) for name, values in times.items()}
    print(f"{arguments.recording}: {arguments.voxel} m, {arguments.max_range} m, {arguments.threads} thread(s), "
          f"{arguments.rounds} rounds of {len(times['OctoMap']) // arguments.rounds} scans")
    for name, median in medians.items():
        worst = max(times[name])
        print(f"{name:10} {median:9.3f} ms  worst {worst:9.3f}  OctoMap / it {medians['OctoMap'] / median:8.1f}"
              f"  OpenVDB / it {medians['OpenVDB'] / median:8.1f}")
    if arguments.threads == 2:
        for line in limits.lines((f"{mode} {arguments.voxel}", medians[mode], None) for mode in modes):
            print(line)
    if "quality" in medians and "realtime" in medians:
        print(f"quality / realtime {medians['quality'] / medians['realtime']:.2f} (goal at 0.2 m: 1.20)")
    for name in ["OpenVDB", *modes]:
        window = None
        if name == "OpenVDB":
            other = read_peer_map(folder / name)
        else:
            keys, values, metadata = read_own_map(folder / name)
            other = (keys, values)
            if "window_lower" in metadata:
                window = tuple(np.array(metadata[k].split(), np.int64) for k in ("window_lower", "window_cells"))
        table = confusion(octomap, other, window)
        print(f"\n{name} against OctoMap: {agreement(table)}")
        print("  OctoMap \\ it " + "".join(f"{state:>12}" for state in STATES))
        for state in range(3):
            print(f"  {STATES[state]:12} " + "".join(f"{count:12}" for count in table[state]))


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Builds the wheel: the package and the shared library in one zip, nothing else needed.

    python3 Python/make_wheel.py --library PREFIX/lib/libswiftlet.so.1 [--out DIR]
"""

import argparse
import base64
import hashlib
import pathlib
import platform
import re
import zipfile

here = pathlib.Path(__file__).parent
parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
parser.add_argument("--library", required=True, type=pathlib.Path)
parser.add_argument("--out", default=here / "dist", type=pathlib.Path)
arguments = parser.parse_args()

text = (here / "../Sources/SwiftletReplay/Replay/Version.swift").read_text()
version = re.search(r'package = "(.*)"', text)[1]
abi = re.search(r"ABI_VERSION = (\d+)", (here / "swiftlet/_library.py").read_text())[1]
tag = f"py3-none-linux_{platform.machine()}"
info = f"swiftlet-{version}.dist-info"
files = {f"swiftlet/{p.name}": p.read_bytes() for p in sorted((here / "swiftlet").glob("*.py*")) if p.is_file()}
files[f"swiftlet/libswiftlet.so.{abi}"] = arguments.library.read_bytes()
files[f"{info}/METADATA"] = (
    f"Metadata-Version: 2.1\nName: swiftlet\nVersion: {version}\n"
    "Summary: Camera-to-BEV, voxel occupancy and attention fusion on CPUs\n"
    "License: Apache-2.0\nRequires-Python: >=3.10\nRequires-Dist: numpy\n"
).encode()
files[f"{info}/WHEEL"] = (
    f"Wheel-Version: 1.0\nGenerator: make_wheel\nRoot-Is-Purelib: false\nTag: {tag}\n"
).encode()
for name in ("LICENSE", "NOTICE"):
    files[f"{info}/{name}"] = (here / ".." / name).read_bytes()
record = f"{info}/RECORD"
lines = [
    f"{name},sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')},{len(data)}"
    for name, data in files.items()
]
files[record] = ("\n".join(lines + [f"{record},,"]) + "\n").encode()
arguments.out.mkdir(parents=True, exist_ok=True)
wheel = arguments.out / f"swiftlet-{version}-{tag}.whl"
with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
    for name, data in files.items():
        # A fixed date: the same content gives the same wheel.
        entry = zipfile.ZipInfo(name, (2020, 1, 1, 0, 0, 0))
        entry.compress_type = zipfile.ZIP_DEFLATED
        entry.external_attr = 0o644 << 16
        archive.writestr(entry, data)
print(wheel)

"""Runs the frames of `swiftlet export` and prints the run's digest, as `swiftlet replay` does.

    python replay.py FOLDER [THREADS] [ENGINE]
"""

import sys

import swiftlet

if len(sys.argv) < 2:
    sys.exit(f"usage: {sys.argv[0]} FOLDER [THREADS] [ENGINE]")
threads = int(sys.argv[2]) if len(sys.argv) > 2 else 1
engine = sys.argv[3] if len(sys.argv) > 3 else None

digest, count = swiftlet.Digest(), 0
for pipeline in swiftlet.replay_folder(sys.argv[1], threads=threads, engine=engine):
    digest.add(pipeline)
    count += 1
print(f"frames {count}\ndigest {digest.value}")

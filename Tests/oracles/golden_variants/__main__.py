"""Golden cases of random shapes, made here and now: `python3 golden_variants FOLDER [--seed N] [--count N]`.

The definitions are those of the golden set, written again in NumPy float64; `swiftlet verify FOLDER`
then holds every engine and instruction set to them at sizes nobody tuned for.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

import layers  # noqa: E402
import operators  # noqa: E402
import projections  # noqa: E402
from writer import CaseWriter  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=3, help="cases of each kind")
options = parser.parse_args()
writer = CaseWriter(options.folder, options.seed)
for part in (operators, projections, layers):
    part.add_all(writer, options.count)
print(f"{writer.finish()} cases in {options.folder}, seed {options.seed}")

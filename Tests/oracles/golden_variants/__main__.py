"""Golden cases of random shapes, made here and now: `python3 golden_variants FOLDER [--seed N] [--count N]`.

The definitions are those of the golden set, written again in NumPy float64; `swiftlet verify FOLDER`
then holds every engine and instruction set to them at sizes nobody tuned for. `--check` computes the
stored cases of the golden set in FOLDER instead and fails where a definition does not reproduce them.
"""
import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(__file__))

import backward  # noqa: E402
import cameras  # noqa: E402
import empties  # noqa: E402
import encoders  # noqa: E402
import layers  # noqa: E402
import metrics  # noqa: E402
import occupancy  # noqa: E402
import operators  # noqa: E402
import poses  # noqa: E402
import projections  # noqa: E402
import quantized  # noqa: E402
from stored import check  # noqa: E402
from writer import CaseWriter  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("folder")
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--count", type=int, default=3, help="cases of each kind")
parser.add_argument("--check", action="store_true", help="hold the definitions to the cases stored in the folder")
options = parser.parse_args()
defined = (backward, cameras, encoders, metrics, occupancy, poses, quantized)
if options.check:
    definitions = {name: function for part in defined for name, function in part.DEFINITIONS.items()}
    sys.exit(min(check(options.folder, definitions, poses.template), 1))
writer = CaseWriter(options.folder, options.seed)
for part in (operators, projections, layers, *defined, empties):
    part.add_all(writer, options.count)
print(f"{writer.finish()} cases in {options.folder}, seed {options.seed}")

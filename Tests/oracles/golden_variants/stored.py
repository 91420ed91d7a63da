"""Holds the definitions written here to the stored cases of a golden set: `golden_variants --check FOLDER`.

Only what reproduces values its authors did not write is fit to judge another implementation.
"""
import json
import os

import numpy as np

TYPES = {"F32": np.float32, "F64": np.float64, "I32": np.int32, "I64": np.int64, "I8": np.int8, "U8": np.uint8,
         "U16": np.uint16}


def tensors_of(path):
    with open(path, "rb") as file:
        blob = file.read()
    start = 8 + int.from_bytes(blob[:8], "little")
    tensors = {}
    for key, entry in json.loads(blob[8:start]).items():
        if key != "__metadata__":
            low, high = entry["data_offsets"]
            tensors[key] = np.frombuffer(blob[start + low:start + high], TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def excess(got, described, tensors, name):
    """How many tolerances the worst element is off; infinite for another shape."""
    expected = tensors[name].astype(float)
    got = np.asarray(got).astype(expected.dtype if described["compare"] == "close" else tensors[name].dtype).astype(float)
    if got.shape != expected.shape:
        return np.inf
    off = np.abs(got - expected)
    allowed = described["max_abs"] + described["max_rel"] * np.abs(expected)
    with np.errstate(over="ignore"):
        ratio = np.where(off == 0, 0, off / np.where(allowed > 0, allowed, np.finfo(float).tiny))
    if "skip" in described:
        mask = tensors[described["skip"]]
        ratio = np.where(mask.reshape(mask.shape + (1,) * (ratio.ndim - mask.ndim)) != 0, 0, ratio)
    return float(ratio.max(initial=0))


def check(folder, definitions, templates):
    """Prints the worst error of every operation in tolerances; the number of cases above 1."""
    with open(os.path.join(folder, "index.json")) as file:
        cases = json.load(file)["cases"]
    failures, worst, seen = 0, {}, {}
    for case in cases:
        operation, tensors = case["operation"], tensors_of(os.path.join(folder, case["file"]))
        if operation == "frustum_template":
            outputs = templates({key: (entry["layout"], tensors[key].size) for key, entry in case["tensors"].items()})
        elif operation in definitions:
            outputs = definitions[operation](tensors, case["attributes"])
        else:
            continue
        missing = {key for key in case["tensors"] if key.startswith("out.")} - set(outputs)
        errors = {key: excess(value, case["tensors"][key], tensors, key) for key, value in outputs.items() if key in tensors}
        name = max(errors, key=errors.get)
        if missing or errors[name] > 1:
            failures += 1
            print(f"{case['name']}: {name} is {errors[name]:.3g} tolerances off; not computed: {sorted(missing)}")
        worst[operation] = max(worst.get(operation, 0), errors[name])
        seen[operation] = seen.get(operation, 0) + 1
    for operation in sorted(worst):
        print(f"{operation:34} {seen[operation]:3} cases, worst {worst[operation]:.3g} tolerances")
    return failures

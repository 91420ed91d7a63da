"""Writes cases in the format `swiftlet verify` reads: index.json and one .safetensors per case."""
import json
import os

import numpy as np

DTYPES = {"float32": "F32", "float64": "F64", "int32": "I32", "int64": "I64", "int8": "I8", "uint8": "U8",
          "uint16": "U16"}


class CaseWriter:
    """Collects cases; expected values come in as float64 and are stored as float32."""

    def __init__(self, folder, seed):
        self.folder = folder
        self.random = np.random.default_rng(seed)
        self.cases = []
        os.makedirs(folder, exist_ok=True)

    def normal(self, *shape, scale=1.0):
        return (self.random.standard_normal(shape) * scale).astype(np.float32)

    def uniform(self, *shape, low=0.0, high=1.0):
        return self.random.uniform(low, high, shape).astype(np.float32)

    def integer(self, low, high):
        """A size between `low` and `high`, both included."""
        return int(self.random.integers(low, high + 1))

    def add(self, operation, group, name, inputs, outputs, attributes=None, skip=None, tolerance=2e-5,
            exact=(), absolute=None, wide=(), layouts=None):
        """`tolerance` is relative to the largest expected value: float32 sums in any order.

        `absolute` replaces it, for all outputs or by name; outputs in `wide` stay float64.
        """
        tensors, arrays = {}, {}
        for key, value in inputs.items():
            arrays[key] = np.ascontiguousarray(value).reshape(np.shape(value))
            tensors[key] = self._described(arrays[key], key.split(".")[0])
        for key, value in outputs.items():
            value = np.asarray(value)
            stored = value if value.dtype.kind in "iu" or key in wide else value.astype(np.float32)
            arrays[key] = np.ascontiguousarray(stored).reshape(stored.shape)
            tensors[key] = self._described(arrays[key], "out")
            is_exact = key in exact or stored.dtype.kind in "iu"
            largest = float(np.abs(stored).max()) if stored.size else 0.0
            limit = absolute.get(key) if isinstance(absolute, dict) else absolute
            limit = limit if limit is not None else tolerance * max(largest, 1e-3)
            tensors[key].update(compare="exact" if is_exact else "close", max_abs=0.0 if is_exact else limit,
                                max_rel=0.0 if is_exact else 1e-6)
            if skip and key in skip:
                tensors[key]["skip"] = skip[key]
            tensors[key]["layout"] = (layouts or {}).get(key, "")
        file = f"{group:02d}_{name}.safetensors"
        self._write(file, arrays, {"name": name, "operation": operation})
        self.cases.append(dict(name=name, file=file, group=group, operation=operation, size="awkward", title=name,
                               attributes=attributes or {}, tensors=tensors, notes=[]))

    def finish(self):
        with open(os.path.join(self.folder, "index.json"), "w") as file:
            json.dump(dict(format="swiftlet golden variants", cases=self.cases, cases_count=len(self.cases)), file)
        return len(self.cases)

    @staticmethod
    def _described(array, role):
        return dict(dtype=str(array.dtype), shape=list(array.shape), role=role, layout="")

    def _write(self, file, arrays, metadata):
        header, blobs, offset = {"__metadata__": metadata}, [], 0
        for key, array in arrays.items():
            blob = array.tobytes()
            header[key] = dict(dtype=DTYPES[str(array.dtype)], shape=list(array.shape),
                               data_offsets=[offset, offset + len(blob)])
            blobs.append(blob)
            offset += len(blob)
        text = json.dumps(header).encode()
        text += b" " * (-len(text) % 8)
        with open(os.path.join(self.folder, file), "wb") as out:
            out.write(len(text).to_bytes(8, "little") + text + b"".join(blobs))

"""Group 11: int8 linear layers, and float32 to and from half and bfloat16 bit patterns."""
import numpy as np


def int8_linear(t, attributes):
    """Every division, product and sum is one float32 rounding."""
    x, weight, scale = t["in.x"], t["param.weight"], np.float32(t["in.scale_x"])
    bound = np.abs(weight).max(1, initial=0)
    scale_w = np.where(bound == 0, np.float32(1), bound / np.float32(127)).astype(np.float32)
    qx = np.clip(np.rint(x / scale), -128, 127).astype(np.int8)
    qw = np.clip(np.rint(weight / scale_w[:, None]), -127, 127).astype(np.int8)
    product = qx.astype(np.int32) @ qw.T.astype(np.int32)
    y = product.astype(np.float32) * (scale * scale_w) + t["param.bias"]
    return {"out.scale_w": scale_w, "out.qx": qx, "out.qw": qw, "out.acc": product, "out.y": y}


def narrowed(t, attributes):
    bits = t["in.float32_bits"].view(np.uint32).astype(np.uint64)
    with np.errstate(over="ignore"):
        half = t["in.float32_bits"].view(np.float32).astype(np.float16).view(np.uint16)
    # To nearest even on the integer itself: a carry runs into the exponent, and at last to infinity.
    brain = (bits + 0x7FFF + (bits >> 16 & 1) >> 16).astype(np.uint16)
    return {"out.half_bits": half, "out.bfloat16_bits": brain}


def widened(t, attributes):
    return {"out.float32_bits": t["in.half_bits"].view(np.float16).astype(np.float32).view(np.int32)}


DEFINITIONS = {"int8_linear": int8_linear, "float32_to_half_bits": narrowed, "half_bits_to_float32": widened}


def add_int8(writer, count):
    sizes = [(1, 1, 1), (3, 1, 7), (1, 600, 1), (0, 5, 4), (17, 64, 33)] + [
        tuple(writer.integer(1, n) for n in (150, 300, 200)) for _ in range(count)]
    for n, (rows, depth, columns) in enumerate(sizes):
        scale = writer.uniform(low=0.005, high=0.1).reshape(())
        x, w, b = writer.normal(rows, depth), writer.normal(columns, depth), writer.normal(columns)
        # Rounding ties, values beyond ±128 steps, and a row of zero weights.
        ties = writer.random.random(x.shape) < 0.2
        x = np.where(ties, (np.rint(x * 9) + np.float32(0.5)) * scale, x).astype(np.float32)
        x = np.where(writer.random.random(x.shape) < 0.02, x * np.float32(1e4), x).astype(np.float32)
        if n % 2:
            w[columns // 2] = 0
        inputs = {"in.x": x, "in.scale_x": scale, "param.weight": w, "param.bias": b}
        writer.add("int8_linear", 11, f"int8_{n}_{rows}x{depth}x{columns}", inputs, int8_linear(inputs, {}),
                   tolerance=1e-6, exact=("out.scale_w",))


def interesting_bits(writer, size):
    """Random patterns, neighbours of every half's rounding boundaries, and the special values."""
    patterns = writer.random.integers(0, 1 << 32, size, dtype=np.uint64).astype(np.uint32)
    halves = writer.random.integers(0, 0x7C00, size).astype(np.uint16).view(np.float16).astype(np.float64)
    with np.errstate(over="ignore"):
        above = np.nextafter(halves.astype(np.float16), np.float16(np.inf)).astype(np.float64)
        ties = ((halves + np.where(np.isfinite(above), above, 65536)) / 2).astype(np.float32).view(np.uint32)
    near = ties + writer.random.integers(-1, 2, size).astype(np.uint32)
    # bfloat16 ties too: the upper half of any pattern, then exactly a half.
    halfway = (patterns & np.uint32(0xFFFF0000)) | np.uint32(0x8000)
    special = np.array([0, 1 << 31, 0x7F800000, 0xFF800000, 0x7FC00000, 0xFF800001, 1, 0x477FF000, 0x477FEFFF,
                        0x33000000, 0x33000001, 0x7F7FFFFF, 0x7F7F8000, 0x7F7F7FFF], np.uint32)
    return np.concatenate([patterns, halfway, near, near | np.uint32(1 << 31), special]).view(np.int32)


def add_halves(writer, count):
    for n, size in enumerate([0, 1, 15, 17] + [writer.integer(100, 3000) for _ in range(count)]):
        bits = interesting_bits(writer, size)[:size if size < 100 else None]
        nan = np.isnan(bits.view(np.float32)).astype(np.uint8)
        inputs = {"in.float32_bits": bits, "aux.nan": nan}
        writer.add("float32_to_half_bits", 11, f"narrow_{n}", inputs, narrowed(inputs, {}),
                   skip={"out.half_bits": "aux.nan", "out.bfloat16_bits": "aux.nan"})
        patterns = writer.random.integers(0, 1 << 16, size).astype(np.uint16)
        inputs = {"in.half_bits": patterns, "aux.nan": np.isnan(patterns.view(np.float16)).astype(np.uint8)}
        writer.add("half_bits_to_float32", 11, f"widen_{n}", inputs, widened(inputs, {}),
                   skip={"out.float32_bits": "aux.nan"})


def add_all(writer, count):
    add_int8(writer, count)
    add_halves(writer, count)

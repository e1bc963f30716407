#!/usr/bin/env python3
"""Writes data/gguf/blocks.safetensors: raw GGUF blocks and their values by the official gguf package.

  gguf_blocks.py --out data/gguf [--libggml libggml-base.so]

For every type TYPE.bytes (u8) and TYPE.f32 with the values of gguf.quants.dequantize. The blocks are,
in this order: quantised noise (several scales; by the library's ggml_quantize_chunk when --libggml is
given, which the K types need, else by the gguf package), quantised zeros, random bytes with ordinary
scales, all bits set, all bits clear, the largest finite half scale, a negative scale, a subnormal scale.
keys.json is the official list of metadata keys and tensor names of the architectures used here.
"""

import argparse
import ctypes
import json
from pathlib import Path

import gguf
import numpy as np
from safetensors.numpy import save_file

# Byte offsets of the half-precision scales inside a block.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208]}


def quantise(values, kind, lib):
    if lib is None:
        return gguf.quants.quantize(values, kind).reshape(-1)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    out = np.zeros(values.size // block * size, np.uint8)
    src = np.ascontiguousarray(values, np.float32)
    lib.ggml_quantize_chunk.restype = ctypes.c_size_t
    lib.ggml_quantize_chunk(ctypes.c_int(int(kind)), src.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p),
                            ctypes.c_int64(0), ctypes.c_int64(src.shape[0]), ctypes.c_int64(src.shape[1]), None)
    return out


def c_dequantise(raw, kind, count, lib):
    out = np.zeros(count, np.float32)
    getattr(lib, f"dequantize_row_{kind.name.lower().replace('_k', '_K')}")(
        raw.ctypes.data_as(ctypes.c_void_p), out.ctypes.data_as(ctypes.c_void_p), ctypes.c_int64(count))
    return out


def blocks(kind, rng, lib):
    block, size = gguf.GGML_QUANT_SIZES[kind]
    k = 8 if block == 32 else 4
    scales = np.resize([0.02, 1.0, 30.0, 1e-4], k)[:, None]
    noise = (rng.standard_normal((k, block)) * scales).astype(np.float32)
    noise[1, 3] = 9.0  # an outlier
    noise[2] = np.abs(noise[2])  # one sign only
    parts = [quantise(noise, kind, lib), quantise(np.zeros((1, block), np.float32), kind, lib)]

    def made(fill, halves):
        b = fill.astype(np.uint8).copy()
        for at, h in zip(HALVES[kind.name], halves):
            b[at:at + 2] = np.frombuffer(np.float16(h).tobytes(), np.uint8)
        return b

    for _ in range(6):
        parts.append(made(rng.integers(0, 256, size), rng.standard_normal(2) * 0.1))
    parts.append(made(np.full(size, 255), [0.5, 0.25]))
    parts.append(made(np.zeros(size), [0.5, -0.25]))
    parts.append(made(rng.integers(0, 256, size), [65504.0, 65504.0]))
    parts.append(made(rng.integers(0, 256, size), [-3.0, -0.5]))
    parts.append(made(rng.integers(0, 256, size), [6e-8, 1e-6]))
    return np.concatenate(parts)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--libggml", type=Path)
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    lib = ctypes.CDLL(str(a.libggml)) if a.libggml else None
    rng = np.random.default_rng(20240415)
    T = gguf.GGMLQuantizationType
    out = {}
    for kind in (T.Q4_0, T.Q4_1, T.Q5_0, T.Q5_1, T.Q8_0, T.Q2_K, T.Q3_K, T.Q4_K, T.Q5_K, T.Q6_K):
        raw = blocks(kind, rng, lib)
        values = gguf.quants.dequantize(raw, kind).astype(np.float32).reshape(-1)
        assert np.isfinite(values).all(), kind
        if lib is not None:
            theirs = c_dequantise(raw, kind, values.size, lib)
            same = np.array_equal(values, theirs)
            print(kind.name, values.size, "equal to the C library" if same else
                  f"differs from the C library by at most {np.max(np.abs(values - theirs) / np.maximum(np.abs(theirs), 1e-30)):.3e} relative")
        out[f"{kind.name}.bytes"], out[f"{kind.name}.f32"] = raw, values
    # Sixteen-bit floats: every 13th pattern plus the edges, without NaN.
    bits = np.unique(np.concatenate([np.arange(0, 65536, 13), [1, 0x3ff, 0x400, 0x7bff, 0x7c00, 0x8000, 0xfbff, 0xfc00, 0x7f80, 0xff80, 0x7f7f]])).astype(np.uint16)
    half = bits[~np.isnan(bits.view(np.float16))]
    out["F16.bytes"], out["F16.f32"] = half.view(np.uint8), half.view(np.float16).astype(np.float32)
    wide = (bits.astype(np.uint32) << 16).view(np.float32)
    keep = ~np.isnan(wide)
    out["BF16.bytes"] = bits[keep].view(np.uint8).copy()
    out["BF16.f32"] = gguf.quants.dequantize(out["BF16.bytes"], T.BF16).astype(np.float32).reshape(-1)
    assert np.array_equal(out["BF16.f32"], wide[keep])
    f32 = np.concatenate([rng.standard_normal(60), [0.0, -0.0, 1e-40, 3.4e38]]).astype(np.float32)
    out["F32.bytes"], out["F32.f32"] = f32.view(np.uint8).copy(), f32
    save_file(out, str(a.out / "blocks.safetensors"), {"gguf": getattr(gguf, "__version__", "0.19.0")})

    names = {}
    for arch in ("llama", "qwen2", "clip"):
        arch_id = next(k for k, v in gguf.MODEL_ARCH_NAMES.items() if v == arch) if arch != "clip" else gguf.MODEL_ARCH.MMPROJ
        names[arch] = [gguf.TENSOR_NAMES[t] for t in gguf.MODEL_TENSORS[arch_id]]
    keys = {}
    for group, cls in vars(gguf.Keys).items():
        if isinstance(cls, type):
            keys[group.lower()] = [v for k, v in vars(cls).items() if k.isupper() and isinstance(v, str)]
    sizes = {k.name: list(v) for k, v in gguf.GGML_QUANT_SIZES.items()}
    text = json.dumps({"keys": keys, "tensors": names, "types": {k.name: int(k) for k in T}, "sizes": sizes}, indent=1)
    (a.out / "keys.json").write_text(text + "\n")
    for f in sorted(a.out.iterdir()):
        print(f, f.stat().st_size)


if __name__ == "__main__":
    main()

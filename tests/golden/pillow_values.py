#!/usr/bin/env python3
"""Writes data/pillow/pillow.json: hashes of Pillow's resizes and the official processors' pixel values.

  pillow_values.py --out data/pillow --mobilevlm TREE --packages DIR...

The pictures are made from a formula: R = (5x+3y) mod 256, G = (x*x+7y) mod 256, B = (x*y+11x) mod 256.
A hash is FNV-1a, 64 bits, over the interleaved RGB bytes (or over float32 little-endian bytes, planes in
R,G,B order, where so named). --mobilevlm is a checkout of the MobileVLM repository (its expand2square is
used); --packages are directories that each hold another transformers version (pip install --target), all of
which must give the same values as the one installed.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
from PIL import Image, __version__ as pillow_version

CLIP = dict(image_mean=[0.48145466, 0.4578275, 0.40821073], image_std=[0.26862954, 0.26130258, 0.27577711])
INTERN = dict(image_mean=[0.485, 0.456, 0.406], image_std=[0.229, 0.224, 0.225])

RESIZES = [
    # w, h, new w, new h
    (1, 1, 1, 1), (1, 1, 7, 5), (1, 1, 448, 3), (2, 2, 1, 1), (2, 1, 1, 2), (3, 2, 2, 3), (5, 7, 7, 5), (7, 5, 5, 7),
    (10, 10, 10, 10), (10, 10, 20, 20), (20, 20, 10, 10), (16, 16, 16, 8), (16, 16, 8, 16), (17, 13, 31, 29),
    (31, 29, 17, 13), (64, 48, 63, 49), (100, 1, 10, 1), (1, 100, 1, 10), (1, 100, 56, 56), (100, 1, 56, 56),
    (500, 3, 56, 56), (3, 500, 56, 56), (57, 41, 56, 56), (41, 57, 336, 336), (300, 300, 56, 56), (300, 300, 384, 384),
    (640, 480, 384, 384), (640, 480, 112, 56), (640, 480, 448, 336), (480, 640, 448, 448), (700, 500, 470, 336),
    (1024, 768, 336, 336), (1000, 10, 10, 1000), (10, 1000, 1000, 10), (1344, 896, 448, 448), (2000, 500, 168, 56),
    (333, 777, 56, 168), (448, 448, 447, 449), (449, 447, 448, 448), (1920, 1080, 224, 224), (3000, 2, 28, 28),
    (256, 256, 3, 3), (97, 89, 388, 356), (97, 89, 49, 45),
]
PADS = [(1, 1), (2, 1), (1, 2), (5, 2), (2, 5), (50, 30), (30, 50), (51, 30), (30, 51), (336, 336), (640, 1), (401, 640),
        (700, 500)]
# Heights 1 and 3 are left out: the processors take such pictures for channels-first arrays.
CROPS = [(2, 2, 56), (3, 2, 56), (50, 30, 56), (30, 50, 56), (57, 56, 56), (56, 57, 56), (56, 56, 56), (113, 56, 56),
         (500, 4, 56), (3, 500, 28), (640, 480, 56), (1000, 999, 57), (999, 1000, 57), (700, 500, 336), (401, 640, 336),
         (336, 336, 336), (100, 33, 224), (33, 100, 224)]


def picture(w, h):
    x, y = np.meshgrid(np.arange(w, dtype=np.int64), np.arange(h, dtype=np.int64))
    return Image.fromarray(np.stack([(5 * x + 3 * y) % 256, (x * x + 7 * y) % 256, (x * y + 11 * x) % 256], -1).astype(np.uint8))


def fnv64(data):
    h = 0xcbf29ce484222325
    for b in bytes(data):
        h = ((h ^ b) * 0x100000001b3) & 0xffffffffffffffff
    return f"{h:016x}"


def bits(x):
    return [f"{v:08x}" for v in np.ascontiguousarray(x, np.float32).reshape(-1).view(np.uint32)]


def levels():
    """A 16 x 16 picture whose three channels each hold all 256 levels in order."""
    v = np.arange(256, dtype=np.uint8).reshape(16, 16)
    return Image.fromarray(np.stack([v, v, v], -1))


def processors():
    import transformers
    from transformers import CLIPImageProcessor
    kinds = {"clip": CLIPImageProcessor(**CLIP, size={"shortest_edge": 16}, crop_size=16),
             "intern_clip_processor": CLIPImageProcessor(**INTERN, size={"shortest_edge": 16}, crop_size=16)}
    try:
        from transformers import SiglipImageProcessor
        kinds["siglip"] = SiglipImageProcessor(image_mean=[0.5] * 3, image_std=[0.5] * 3,
                                               size={"height": 16, "width": 16}, resample=3)
    except ImportError:
        pass
    tables = {}
    for name, p in kinds.items():
        out = np.asarray(p.preprocess(levels(), return_tensors="np")["pixel_values"][0])
        assert out.dtype == np.float32 and out.shape == (3, 16, 16), (name, out.dtype, out.shape)
        tables[name] = [bits(c) for c in out]
    return transformers.__version__, tables


def main():
    if "--tables" in sys.argv:
        print(json.dumps(processors()))
        return
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--mobilevlm", type=Path, required=True)
    p.add_argument("--packages", type=Path, nargs="*", default=[])
    a = p.parse_args()
    a.out.mkdir(parents=True, exist_ok=True)
    sys.path.insert(0, str(a.mobilevlm))
    from mobilevlm.utils import expand2square
    from transformers import CLIPImageProcessor
    import torch
    from torchvision import transforms as T

    out = {"pillow": pillow_version, "resize_bicubic": [], "expand2square": [], "clip_resize_crop": [], "pixel_values": {}}
    for w, h, w2, h2 in RESIZES:
        out["resize_bicubic"].append({"w": w, "h": h, "w2": w2, "h2": h2,
                                      "fnv64": fnv64(picture(w, h).resize((w2, h2), Image.BICUBIC).tobytes())})
    for fill in ((122, 116, 104), (127, 127, 127)):
        for w, h in PADS:
            im = expand2square(picture(w, h), fill)
            out["expand2square"].append({"w": w, "h": h, "fill": list(fill), "side": im.size[0], "fnv64": fnv64(im.tobytes())})
    for w, h, s in CROPS:
        proc = CLIPImageProcessor(do_rescale=False, do_normalize=False, size={"shortest_edge": s}, crop_size=s)
        im = np.asarray(proc.preprocess(picture(w, h), return_tensors="np")["pixel_values"][0])
        assert im.shape == (3, s, s)
        out["clip_resize_crop"].append({"w": w, "h": h, "size": s, "fnv64": fnv64(im.transpose(1, 2, 0).astype(np.uint8).tobytes())})

    # The values of all 256 levels per channel, as float32 bit patterns, with every version asked.
    versions, tables = {}, {}
    for where in [None, *a.packages]:
        env = dict(os.environ)
        if where:
            env["PYTHONPATH"] = str(where.resolve())
        version, t = json.loads(subprocess.run([sys.executable, __file__, "--tables"], env=env, check=True,
                                               capture_output=True, text=True).stdout.splitlines()[-1])
        for name, table in t.items():
            versions.setdefault(name, []).append(version)
            assert tables.setdefault(name, table) == table, (name, version)
    intern = T.Compose([T.ToTensor(), T.Normalize(mean=INTERN["image_mean"], std=INTERN["image_std"])])(levels())
    tables["intern"] = [bits(c) for c in intern.numpy()]
    versions["intern"] = ["torchvision ToTensor + Normalize, torch " + torch.__version__]
    for name, table in tables.items():
        out["pixel_values"][name] = {"versions": versions[name], "levels": table}

    # Whole pictures through the official path: pad, resize, rescale, normalise.
    out["clip_pad_336"] = []
    clip = CLIPImageProcessor(**CLIP, size={"shortest_edge": 336}, crop_size=336)
    for w, h in [(50, 30), (700, 500), (401, 640), (336, 336), (1, 9)]:
        square = expand2square(picture(w, h), tuple(int(x * 255) for x in clip.image_mean))
        u8 = square.resize((336, 336), Image.BICUBIC)
        v = np.asarray(clip.preprocess(square, return_tensors="np")["pixel_values"][0])
        out["clip_pad_336"].append({"w": w, "h": h, "fnv64_u8": fnv64(u8.tobytes()), "fnv64_f32": fnv64(v.tobytes()),
                                    "sums": [int(c) for c in np.asarray(u8).astype(np.int64).sum((0, 1))],
                                    "pixel_167_168": list(u8.getpixel((167, 168)))})
    text = json.dumps(out, indent=1)
    import re
    text = re.sub(r"\{\s+([^{}\[\]]*?)\s+\}", lambda m: "{" + re.sub(r"\s+", " ", m[1]) + "}", text)
    text = re.sub(r"\[\s+([^\[\]{}]*?)\s+\]", lambda m: "[" + re.sub(r"\s+", " ", m[1]) + "]", text)
    assert json.loads(text) == out
    (a.out / "pillow.json").write_text(text + "\n")
    print(a.out / "pillow.json", len(text), versions)


if __name__ == "__main__":
    main()

"""Tables computed by the reference: tile grids, frame indices, rendered conversations, template names, time tokens.

usage: vila_tables.py --vila DIR --s2 DIR --part PART [--vila-commit ID]

Each part fills its own section of data/vila_tables.json:
  nvila       current NVILA code
  nvila_dec   NVILA code of December 2024 / January 2025
  vila15      VILA-1.5 code of May 2024
  vila15_aug  VILA-1.5 code of August 2024
"""

import argparse
import os
import sys
import types

import numpy as np
from PIL import Image

import common as c

SIZES = [
    (1, 1), (1, 500), (500, 1), (3, 500), (57, 41), (130, 87), (168, 112), (300, 300), (448, 448), (449, 448), (448, 449),
    (500, 30), (30, 200), (633, 633), (634, 634), (950, 950), (951, 951), (896, 896), (1344, 1344), (640, 480), (480, 640),
    (800, 600), (1024, 768), (768, 1024), (1280, 720), (720, 1280), (1920, 1080), (1080, 1920), (2560, 1440), (3840, 2160),
    (1344, 896), (896, 1344), (2000, 500), (500, 2000), (1000, 200), (200, 1000), (1200, 100), (100, 1200), (2400, 200),
    (384, 384), (512, 512), (336, 672), (672, 336), (1008, 336), (336, 1008), (1500, 1000), (1000, 1500), (1600, 900),
    (4032, 3024), (3024, 4032), (853, 480), (426, 240), (240, 426), (1170, 2532), (2480, 3508), (1100, 850), (595, 842),
    (700, 500), (500, 700), (1792, 448), (448, 1792), (2240, 448), (5376, 448), (448, 5376), (1568, 448), (1400, 400), (999, 777),
]
COUNTS = [(n, f) for f in (1, 2, 4, 6, 8, 16, 64) for n in (1, 2, 3, 5, 6, 7, 8, 9, 10, 15, 16, 17, 30, 63, 64, 65, 100, 257, 1000, 9001)]
FPS = [(n, f, fps, vfps) for n in (5, 10, 47, 300) for f in (4, 8, 256) for fps in (0.5, 1.0, 2.0, 3.0) for vfps in (5.0, 24.0, 29.97)]
SHORT = [(10, 7, 4), (10, 1, 3), (100, 97, 8), (30, 29, 8)]

CONVERSATIONS = {
    "one": [["user", "What is this?"]],
    "image": [["user", "<image>\nWhat is this?"]],
    "two_turns": [["user", "<image>\nWhat is this?"], ["assistant", "A cat."], ["user", "What colour is it?"]],
    "few_shot": [["user", "<image>"], ["assistant", "one"], ["user", "<image>"], ["assistant", "two"], ["user", "<image>"]],
    "spaces": [["user", "  padded text \n"], ["assistant", " answer "], ["user", "next"]],
    "complete": [["user", "Hello"], ["assistant", "Hi there"]],
    "system": [["system", "You speak only French."], ["user", "Hello"]],
    "system_turns": [["system", " Be brief. "], ["user", "Hello"], ["assistant", "Hi"], ["user", "Bye"]],
}


class FakeVideo:
    """A video whose frame k says k; `decodable` frames can be read, `count` are announced."""

    def __init__(self, count, fps, decodable=None):
        self.count, self.fps, self.decodable, self.pos = count, fps, count if decodable is None else decodable, 0

    def get(self, prop):
        import cv2

        return {cv2.CAP_PROP_FPS: self.fps, cv2.CAP_PROP_FRAME_COUNT: float(self.count)}[prop]

    def set(self, prop, value):
        self.pos = int(value)

    def grab(self):
        ok = self.pos < self.decodable
        self.pos += ok
        return ok

    def read(self):
        if self.pos >= self.decodable:
            return False, None
        f = np.zeros((2, 2, 3), np.uint8)
        f[0, 0] = (self.pos & 255, self.pos >> 8, 255)
        self.pos += 1
        return True, f


def index_of(image):
    r, g, b = np.asarray(image)[0, 0]
    return int(b) + 256 * int(g) if r == 255 else -1


def frames(call):
    try:
        got = call()
    except Exception as e:  # the reference gives up on some videos; that is part of the table
        return {"error": type(e).__name__}
    if isinstance(got, tuple):
        got = got[0]
    return [index_of(x) for x in got]


def sequential_tables(mm):
    return [{"n": n, "frames": f, "indices": frames(lambda: mm.get_frame_from_vcap(FakeVideo(n, 25.0), f))} for n, f in COUNTS]


def seeking_tables(media, with_fps):
    out = {"uniform": [], "fps": [], "short": []}

    def load(n, f, fps, vfps, decodable=None):
        media.cv2.VideoCapture = lambda path: FakeVideo(n, vfps, decodable)
        kw = {"fps": fps} if with_fps else {}
        return frames(lambda: media._load_video("none", num_frames=f, **kw))

    for n, f in COUNTS:
        out["uniform"].append({"n": n, "frames": f, "indices": load(n, f, 0.0, 25.0)})
    for n, d, f in SHORT:
        out["short"].append({"n": n, "decodable": d, "frames": f, "indices": load(n, f, 0.0, 25.0, d)})
    if with_fps:
        for n, f, fps, vfps in FPS:
            out["fps"].append({"n": n, "frames": f, "fps": fps, "video_fps": vfps, "indices": load(n, f, fps, vfps)})
    else:
        del out["fps"]
    return out


def render(templates, names):
    out = {}
    for t in names:
        if t not in templates:
            continue
        out[t] = {}
        for name, conv in CONVERSATIONS.items():
            if conv[0][0] == "system":
                continue
            k = templates[t].copy()
            for role, text in conv:
                k.append_message(k.roles[0 if role == "user" else 1], text)
            if conv[-1][0] == "user":
                k.append_message(k.roles[1], None)
            try:
                out[t][name] = k.get_prompt()
            except TypeError:  # `plain` has no separator for assistant turns
                out[t][name] = None
    return out


def grids(mm):
    seen = []
    real = mm.find_closest_aspect_ratio
    mm.find_closest_aspect_ratio = lambda *a: seen.append(real(*a)) or seen[-1]
    dynamic, s2 = [], []
    for w, h in SIZES:
        im = Image.new("L", (w, h))
        tiles = mm.dynamic_preprocess(im, min_num=1, max_num=12, image_size=448)
        dynamic.append({"width": w, "height": h, "grid": list(seen[-1]), "tiles": len(tiles), "positions": 123 * len(tiles)})
        tiles, block = mm.dynamic_s2_preprocess(im, s2_scales=[448, 896, 1344], max_num=12, image_size=448)
        s2.append({"width": w, "height": h, "grid": list(seen[-1]), "block": list(block), "tiles": len(tiles),
                   "rows": 256 * block[0] * block[1] + 1})
    small = []
    for w, h in SIZES:
        im = Image.new("L", (w, h))
        for max_num in (1, 4, 6):
            tiles = mm.dynamic_preprocess(im, min_num=1, max_num=max_num, image_size=56)
            small.append({"width": w, "height": h, "side": 56, "max_tiles": max_num, "grid": list(seen[-1]), "tiles": len(tiles)})
    mm.find_closest_aspect_ratio = real
    return {"dynamic": dynamic, "dynamic_s2": s2, "dynamic_side_56": small}


def nvila(out):
    import llava.cli.infer as infer
    import llava.conversation as clib
    import llava.mm_utils as mm
    import llava.utils.media as media
    import llava.utils.tokenizer as tok
    from llava.model.language_model.builder import build_llm_and_tokenizer

    out["grids"] = grids(mm)
    out["frames"] = seeking_tables(media, True)
    out["templates"] = render(clib.conv_templates, clib.conv_templates.keys() - {"auto"})
    llm = os.path.join(c.DATA, "nvila_8b", "model", "llm")
    out["chat_templates"], out["stop_tokens"] = {}, {}
    for name in (None, "qwen2", "mistral"):
        tokenizer = build_llm_and_tokenizer(llm, types.SimpleNamespace(model_dtype="torch.float32", chat_template=name))[1]
        key = name or "tokenizer"
        out["stop_tokens"][key] = sorted(tokenizer.stop_tokens)
        out["chat_templates"][key] = {}
        for conv, messages in CONVERSATIONS.items():
            m = [{"role": r, "content": t} for r, t in messages]
            out["chat_templates"][key][conv] = tokenizer.apply_chat_template(
                m, add_generation_prompt=m[-1]["role"] == "user", tokenize=False)
    modes = {}
    for path in ("Efficient-Large-Model/VILA1.5-3b", "VILA1.5-3b-s2", "Llama-3-VILA1.5-8B", "Llama-3-VILA1.5-8B-Fix", "VILA1.5-13b",
                 "VILA1.5-40b", "NVILA-8B", "NVILA-15B", "nvila15b", "NVILA-Lite-2B", "NVILA-8B-Video", "some-llama3-model"):
        clib.default_conversation = clib.conv_templates["auto"]
        clib.auto_set_conversation_mode(path)
        modes[path] = next(k for k, v in clib.conv_templates.items() if v is clib.default_conversation)
    clib.default_conversation = clib.conv_templates["auto"]
    out["mode_of_path"] = modes
    out["time_tokens"] = [
        {"text": t, "duration": d, "num_time_tokens": k,
         "decoded": infer.decode_time_token(t, duration=d, num_time_tokens=k, time_token_format="<t{t}>")}
        for t, d, k in (("From <t0> to <t99>.", 12.5, 100), ("At <t50><t51>", 61.37, 100), ("<t100> and <t7>", 9.999, 100),
                        ("<t1><t10><t12>", 30.0, 10), ("none", 5.0, 100))
    ]


def nvila_dec(out):
    import llava.conversation as clib
    import llava.utils.media as media

    out["frames"] = seeking_tables(media, False)
    out["templates"] = render(clib.conv_templates, clib.conv_templates.keys() - {"auto"})


def vila15(out):
    import llava.conversation as clib
    import llava.mm_utils as mm

    out["frames"] = sequential_tables(mm)
    out["templates"] = render(clib.conv_templates, ["vicuna_v1", "v1", "llava_v1", "llama_3", "hermes-2", "mistral", "plain"])


PARTS = {"nvila": nvila, "nvila_dec": nvila_dec, "vila15": vila15, "vila15_aug": vila15}

if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--vila", required=True)
    ap.add_argument("--s2", default=os.environ.get("S2_DIR"))
    ap.add_argument("--vila-commit", default="unknown")
    ap.add_argument("--part", choices=PARTS, required=True)
    a = ap.parse_args()
    c.install_stubs()
    sys.path[:0] = [os.path.abspath(a.vila), os.path.abspath(a.s2)]
    section = {"upstream": {"repo": "NVlabs/VILA", "commit": a.vila_commit}}
    PARTS[a.part](section)
    path = os.path.join(c.DATA, "vila_tables.json")
    table = c.read_json(path) if os.path.exists(path) else {"schema": "galago.tables/1"}
    table[a.part] = section
    ordered = {"schema": table["schema"], **{k: table[k] for k in PARTS if k in table}}
    with open(path, "w", encoding="utf-8") as f:
        import json
        import re

        text = json.dumps(ordered, ensure_ascii=False, indent=1)
        # one line for each innermost object or list
        text = re.sub(r"\[\s+((?:-?\d+,\s+)*-?\d+)\s+\]", lambda m: "[" + re.sub(r",\s+", ", ", m.group(1)) + "]", text)
        text = re.sub(r"\{\n\s+(\"(?:width|n|text)\":[^{}]*?)\n\s+\}", lambda m: "{" + re.sub(r",\n\s+", ", ", m.group(1)) + "}", text)
        f.write(text + "\n")

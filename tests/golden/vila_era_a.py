"""Goldens of the VILA-1.5 code base (May to September 2024).

usage: vila_era_a.py --vila DIR --s2 DIR [--vila-commit ID] CASE

The order of calls is that of the reference's eval/run_vila.py, every call is the reference's own. Single-turn prompts
are also put through eval_model itself, and the two recordings must agree.
"""

import argparse
import os
import re
import sys
import types

import numpy as np
import torch
from PIL import Image as PILImage

import common as c
from vila_prompts import QUESTIONS, bot, fill, im, tx, user, vid, image_prompts, one_image, video_prompts, Q

LITERAL = {"name": "literal_placeholders", "trace": False, "messages": [
    user(im("gradient_57x41.png"), im("rgba_130x87.png"), tx("First <image> and second <image>\n{q}"))]}
BLACK = {"name": "video_short", "trace": False, "messages": [user(vid("clip.mp4", 12), Q)]}
ALL = image_prompts(("one_image", "two_images"))
# Unresized, a picture one pixel high is taken for a channels-first array by the reference processors: not a case to copy.
UNRESIZED = [p for p in image_prompts(("one_image",)) if p["name"] != "one_pixel"]
FEW = image_prompts(("one_image",), odd=False)

CASES = {
    "vila15_3b": dict(conv="vicuna_v1", template="vicuna_v1", prompts=ALL + video_prompts(only_file=True) + [BLACK, LITERAL]),
    "vila15_3b_aug": dict(conv="vicuna_v1", template="vicuna_v1", model="../vila15_3b/model",
                          prompts=[one_image()] + video_prompts(only_file=True)),
    "vila15_3b_s2": dict(conv="vicuna_v1", template="vicuna_v1", prompts=image_prompts(("one_image",), odd=False)),
    "vila15_8b": dict(conv="llama_3", template="llama_3_form1", prompts=FEW),
    "vila15_8b_form2": dict(conv="llama_3", template="llama_3_form2", model="../vila15_8b/model",
                            prompts=image_prompts((), odd=False)),
    "vila15_13b": dict(conv="vicuna_v1", template="vicuna_v1", prompts=UNRESIZED),
    "vila15_40b": dict(conv="hermes-2", intern_size=56, template="hermes-2", prompts=FEW + [one_image("wide", "wide_500x30.png")]),
    "vila15_40b_448": dict(conv="hermes-2", template="hermes-2", prompts=image_prompts((), odd=False)[:2]),
    "vila10_clip": dict(conv="vicuna_v1", template="vicuna_v1", prompts=UNRESIZED),
    "vila10_linear": dict(conv="vicuna_v1", template="vicuna_v1", prompts=UNRESIZED),
}


class EraA:
    def __init__(self, root, model_dir, conv, intern_size=None):
        c.install_stubs()
        sys.path[:0] = root.split(os.pathsep)
        import llava.model.builder as builder
        import llava.conversation as conversation
        import llava.mm_utils as mm
        import llava.constants as constants

        try:
            import llava.model.multimodal_encoder.intern.modeling_intern_vit as intern

            intern.has_flash_attn = False
            if intern_size:  # the reference fixes 448; a tiny tower needs its own side
                import llava.model.multimodal_encoder.intern_encoder as ie

                transform = ie.build_transform
                ie.build_transform = lambda size: transform(intern_size)
                ie.InternVisionPreprocessor.size = property(lambda s: {"height": intern_size, "width": intern_size})
        except ImportError:
            pass
        c.patch_device_and_dtype()
        real = builder.prepare_config_for_eval

        def on_cpu(config, kwargs):
            real(config, kwargs)
            kwargs["device_map"] = {"": "cpu"}

        builder.prepare_config_for_eval = on_cpu
        with c.half_is_float():
            self.tokenizer, self.model, self.processor, _ = builder.load_pretrained_model(model_dir, "model", None, device="cpu")
        self.rows = c.read_json(os.path.join(model_dir, "llm", "config.json"))["vocab_size"]
        self.mm, self.conversation, self.constants, self.conv = mm, conversation, constants, conv
        assert all(p.dtype == torch.float32 for p in self.model.parameters())
        self.clips = c.read_json(os.path.join(c.MEDIA, "index.json"))["clips"]

    def turn(self, message, here, images, items):
        """A turn's text: an image is `<image>` and a newline, unless the text places the images itself."""
        parts = message["parts"]
        literal = any(self.constants.DEFAULT_IMAGE_TOKEN in p.get("text", "") for p in parts)
        out = ""
        for p in parts:
            if "text" in p:
                out += p["text"]
                continue
            path = os.path.normpath(os.path.join(here, p.get("image") or p["video"]))
            if "image" in p:
                frames = [PILImage.open(path).convert("RGB")]  # load_image of run_vila.py
            else:
                frames = self.mm.opencv_extract_frames(path, p["frames"])
                if isinstance(frames, tuple):
                    frames = frames[0]
            items.append((p, frames))
            images += frames
            if not literal:
                out += (self.constants.DEFAULT_IMAGE_TOKEN + "\n") * len(frames)
        return out

    def record(self, call):
        model, rec = self.model, {}
        real = model.llm.generate

        def llm_generate(inputs_embeds=None, attention_mask=None, **k):
            rec["inputs_embeds"] = inputs_embeds.clone()
            assert attention_mask is None or bool(attention_mask.bool().all())
            return torch.zeros(1, 1, dtype=torch.long)

        model.llm.generate = llm_generate
        hooks, proj = c.Hooks(), []
        tower = model.get_vision_tower()
        inner = getattr(tower.vision_tower, "vision_model", tower.vision_tower)
        layers = list(inner.encoder.layers)
        last = tower.select_layer if tower.select_layer >= 0 else len(layers) + 1 + tower.select_layer
        calls = [[] for _ in range(last + 1)]
        hooks.on(getattr(inner, "pre_layrnorm", inner.embeddings), calls[0])
        for i in range(last):
            hooks.on(layers[i], calls[i + 1])
        hooks.on(model.get_mm_projector(), proj)
        try:
            call()
        finally:
            del model.llm.generate
            hooks.remove()
        rec.update(calls=calls, proj=proj)
        return rec

    def run(self, messages, here):
        images, items = [], []
        conv = self.conversation.conv_templates[self.conv].copy()
        for m in messages:
            conv.append_message(conv.roles[0 if m["role"] == "user" else 1], self.turn(m, here, images, items))
        conv.append_message(conv.roles[1], None)
        prompt = conv.get_prompt()
        ids = self.mm.tokenizer_image_token(
            prompt, self.tokenizer, self.constants.IMAGE_TOKEN_INDEX, return_tensors="pt").unsqueeze(0)
        tensor = None
        if images:
            tensor = self.mm.process_images(images, self.processor, self.model.config).to(torch.float32)
        rec = self.record(lambda: self.model.generate(ids, images=None if tensor is None else [tensor], do_sample=False))
        rec.update(rendered=prompt, input_ids=ids[0], pixels=tensor, items=items)
        return rec

    def check_against_entry_point(self, messages, here, rec):
        """eval_model of run_vila.py on the same picture(s) and question must lead to the same embeddings."""
        if len(messages) != 1:
            return False
        parts = messages[0]["parts"]
        text = "".join(p["text"] for p in parts if "text" in p)
        kinds = ["image" if "image" in p else "video" if "video" in p else "text" for p in parts]
        if kinds.count("text") != 1 or kinds[-1] != "text" or len(kinds) == 1 or ("video" in kinds and len(kinds) != 2):
            return False
        import llava.eval.run_vila as run_vila

        paths = [os.path.normpath(os.path.join(here, p.get("image") or p["video"])) for p in parts if "text" not in p]
        video = "video" in kinds
        args = types.SimpleNamespace(
            model_path="model", model_base=None, image_file=None if video else ",".join(paths), video_file=paths[0] if video else None,
            num_video_frames=next((p["frames"] for p in parts if "frames" in p), 6), query=text, conv_mode=self.conv, sep=",",
            temperature=0, top_p=None, num_beams=1, max_new_tokens=512)
        seen = {}
        real_tok = run_vila.tokenizer_image_token

        def tok(prompt, *a, **k):
            seen["prompt"] = prompt
            return real_tok(prompt, *a, **k)

        run_vila.tokenizer_image_token = tok
        run_vila.load_pretrained_model = lambda *a, **k: (self.tokenizer, self.model, self.processor, 2048)
        with c.half_is_float():
            got = self.record(lambda: run_vila.eval_model(args))
        run_vila.tokenizer_image_token = real_tok
        assert seen["prompt"] == rec["rendered"], (seen["prompt"], rec["rendered"])
        assert torch.equal(got["inputs_embeds"], rec["inputs_embeds"])
        return True

    def frame_indices(self, part, frames):
        table = self.clips[os.path.basename(part["video"])]["rgb_sha256"]
        hashes = [c.sha256(np.asarray(f.convert("RGB")).tobytes()) for f in frames]
        return [table.index(h) if h in table else -1 for h in hashes]

    def describe(self, rec):
        media, tensors, at = [], [], 0
        for p, frames in rec["items"]:
            n = len(frames)
            total = rec["pixels"].shape[0]
            d = {"kind": "image" if "image" in p else "video", "tiles": n, "grid": None, "block": None}
            if "video" in p:
                d["frame_indices"] = self.frame_indices(p, frames)
            t = {"pixel_values": rec["pixels"][at : at + n]}
            m_in, m_out = rec["proj"][0]
            for level, sink in enumerate(rec["calls"]):
                rows = []
                for _, y in sink:  # static S2 calls the tower once per scale: row = tile * images + image
                    y = y.view(y.shape[0] // total, total, *y.shape[1:])
                    rows.append(y[:, at : at + n].transpose(0, 1).reshape(-1, *y.shape[2:]))
                t[f"hidden.{level}"] = torch.cat(rows)
            t["selected"], t["proj"] = m_in[at : at + n], m_out[at : at + n]
            t["embeds"] = t["proj"].flatten(0, 1)
            d["rows"] = d["tokens"] = int(t["embeds"].shape[0])
            at += n
            media.append(d)
            tensors.append(t)
        return media, tensors

    def spliced_ids(self, rec):
        out, per = [], rec["proj"][0][1].shape[1] if rec["proj"] else 0
        for i in rec["input_ids"].tolist():
            out += [c.MEDIA_ROW] * per if i == self.constants.IMAGE_TOKEN_INDEX else [i]
        out = torch.tensor(out)
        assert out.numel() == rec["inputs_embeds"].shape[1]
        text = out >= 0
        assert torch.equal(self.model.llm.model.embed_tokens(out[text]), rec["inputs_embeds"][0][text])
        return out


def build(case, root, commit):
    from vila_models import SEEDS

    spec = CASES[case]
    here = os.path.join(c.DATA, case)
    os.makedirs(here, exist_ok=True)
    model_rel = spec.get("model", "model")
    model_dir = os.path.normpath(os.path.join(here, model_rel))
    e = EraA(root, model_dir, spec["conv"], spec.get("intern_size"))
    p = e.processor
    mean, std = (p.image_mean, p.image_std) if hasattr(p, "image_mean") else ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    prompts = []
    for s in spec["prompts"]:
        best = None
        for q in QUESTIONS:
            messages = fill(s["messages"], q)
            rec = e.run(messages, here)
            ids, gap = c.greedy(e.model.llm, rec["inputs_embeds"], e.rows)
            if best is None or gap > best[0]:
                best = (gap, messages, rec, ids)
            if gap >= c.MIN_GAP:
                break
        gap, messages, rec, ids = best
        checked = e.check_against_entry_point(messages, here, rec)
        media, tensors = e.describe(rec)
        for d, t in zip(media, tensors):
            d.update(c.pixel_hashes(t["pixel_values"], mean, std))
        spliced = e.spliced_ids(rec)
        hidden, logits = c.llm_trace(e.model.llm, rec["inputs_embeds"])
        logits = logits[: e.rows]
        entry = {
            "name": s["name"], "messages": messages, "rendered": rec["rendered"], "input_ids": rec["input_ids"].tolist(),
            "length": int(spliced.numel()), "media": media, "greedy": ids, "min_gap": round(gap, 5), "trace": None,
            "top": [int(i) for i in torch.topk(logits, 5).indices], "entry_point": checked,
        }
        clips = [d["frame_indices"] for d in media if "frame_indices" in d]
        if clips:
            entry["frame_indices"] = clips[0]
        if s["trace"]:
            entry["trace"] = s["name"] + ".safetensors"
            c.save_trace(os.path.join(here, entry["trace"]), c.trace_tensors(rec, tensors, spliced, hidden, logits))
        print(f"{case} {s['name']}: T={spliced.numel()} gap={gap:.4f} logit_std={logits.std():.3f} distinct={len(set(ids))} "
              f"entry={checked}", file=sys.stderr)
        prompts.append(entry)
    conv = e.conversation.conv_templates[spec["conv"]]
    two = conv.sep_style == e.conversation.SeparatorStyle.TWO
    c.write_json(os.path.join(here, "golden.json"), {
        "schema": "galago.golden/1",
        "upstream": [{"repo": "NVlabs/VILA", "commit": commit}],
        "packages": c.package_versions("torch", "torchvision", "numpy", "pillow", "opencv-python-headless", "sentencepiece")
        | {"transformers": __import__("transformers").__version__, "tokenizers": __import__("tokenizers").__version__},
        "seed": SEEDS[os.path.basename(os.path.dirname(model_dir))], "dtype": "float32", "model": model_rel, "compat": "eraA",
        "template": spec["template"], "video": "image_list",
        "tokenizer": {"length": len(e.tokenizer), "rows_on_disk": e.rows, "bos_token_id": e.tokenizer.bos_token_id,
                      "eos_token_id": e.tokenizer.eos_token_id, "stop_string": conv.sep2 if two else conv.sep},
        "prompts": prompts,
    })


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--vila", default=os.environ.get("VILA_ERA_A_DIR"))
    ap.add_argument("--s2", default=os.environ.get("S2_DIR"))
    ap.add_argument("--vila-commit", default="unknown")
    ap.add_argument("case")
    a = ap.parse_args()
    build(a.case, os.pathsep.join(map(os.path.abspath, (a.vila, a.s2))), a.vila_commit)

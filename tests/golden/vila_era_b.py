"""Goldens of the NVILA code base (December 2024 on). Runs the reference's own generate_content.

usage: vila_era_b.py --vila DIR --s2 DIR [--vila-commit ID] CASE

DIR is a checkout of NVlabs/VILA; --s2 (or S2_DIR) names one of bfshi/scaling_on_scales. The whole-model path of the reference runs; only its last call (llm.generate) is
replaced by a recording, after which greedy decoding runs on the recorded embeddings with the reference's LLM.
"""

import argparse
import os
import sys

import numpy as np
import torch
from PIL import Image as PILImage

import common as c
from vila_prompts import QUESTIONS, Q, fill, im, image_prompts, one_image, tx, user, vid, video_prompts

VIDEO_FPS = {"name": "video_fps", "trace": False, "messages": [user(vid("clip.mp4", 4, fps=2.0), Q)]}
VIDEO_REPEAT = {"name": "video_repeated_frames", "trace": False, "messages": [user(vid("clip_frames", 16), Q)]}
MIXED = {"name": "video_and_image", "trace": False, "messages": [user(im("gradient_57x41.png"), tx("and"), vid("clip_frames", 4), Q)]}

# case -> code ("main", or "tsp" = before videos became image lists), model directory, prompts
CASES = {
    "nvila_8b": dict(code="main", prompts=image_prompts(("one_image",)) + video_prompts() + [VIDEO_FPS]),
    "nvila_lite_2b": dict(code="main", prompts=image_prompts(("one_image", "two_images")) + video_prompts()),
    "nvila_8b_video": dict(code="tsp", prompts=video_prompts(("video_frames",)) + [VIDEO_REPEAT, MIXED] + image_prompts((), odd=False)),
    "nvila_8b_video_2": dict(code="tsp", prompts=video_prompts(("video_frames",), frames=2)),
    "nvila_s2": dict(code="main", prompts=image_prompts(("one_image",), odd=False)),
    "nvila_s2_new": dict(code="main", prompts=image_prompts(("one_image",), odd=False)),
    "vila15_3b_era_b": dict(code="main", model="../vila15_3b/model", compat="eraB", conv="vicuna_v1", template="vicuna_v1",
                            config={"fps": 0.0}, prompts=image_prompts(("two_images",), odd=False) + video_prompts()),
    "vila15_3b_s2_era_b": dict(code="main", model="../vila15_3b_s2/model", compat="eraB", conv="vicuna_v1",
                               template="vicuna_v1", config={"fps": 0.0},
                               prompts=[one_image(trace=True), image_prompts()[1]]),
    "vila15_8b_era_b": dict(code="main", model="../vila15_8b/model", compat="eraB", conv="llama_3", template="llama_3_form2",
                            config={"fps": 0.0}, prompts=image_prompts((), odd=False)),
    "vila15_8b_rope": dict(code="main", compat="eraB", conv="llama_3", template="llama_3_form2", config={"fps": 0.0},
                           prompts=image_prompts(("one_image",), odd=False)),
    "vila15_40b_era_b": dict(code="main", model="../vila15_40b/model", compat="eraB", conv="hermes-2", template="hermes-2", intern_size=56,
                             config={"fps": 0.0}, prompts=[one_image(), image_prompts()[1]]),
}


class EraB:
    def __init__(self, root, model_dir, conv, overrides, intern_size=None):
        c.install_stubs()
        sys.path[:0] = root.split(os.pathsep)
        import llava
        import llava.conversation as clib
        import llava.model.builder
        import llava.model.llava_arch as arch
        import llava.model.multimodal_encoder.siglip_encoder as siglip_encoder
        import llava.utils.media as media_lib
        import llava.utils.tokenizer as tok_lib

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
        # The tower class asks for flash attention by name; use the same class with plain attention.
        base = siglip_encoder.SiglipVisionModel

        class Eager:
            @staticmethod
            def from_pretrained(*a, **k):
                k["attn_implementation"] = "eager"
                return base.from_pretrained(*a, **k)

        siglip_encoder.SiglipVisionModel = Eager
        clib.default_conversation = clib.conv_templates[conv].copy()
        with c.half_is_float():
            self.model = llava.model.builder.load_pretrained_model(model_dir, "model", None, device="cpu")[1]
        clib.default_conversation = clib.conv_templates[conv].copy()
        for k, v in overrides.items():
            setattr(self.model.config, k, v)
        self.rows = c.read_json(os.path.join(model_dir, "llm", "config.json"))["vocab_size"]
        self.llava, self.arch, self.media_lib, self.tok_lib = llava, arch, media_lib, tok_lib
        assert self.model.dtype == torch.float32, self.model.dtype
        self.clips = c.read_json(os.path.join(c.MEDIA, "index.json"))["clips"]

    def parts(self, message, here):
        out = []
        for p in message["parts"]:
            if "text" in p:
                out.append(p["text"])
            elif "image" in p:
                out.append(self.llava.Image(os.path.normpath(os.path.join(here, p["image"]))))
            else:
                out.append(self.llava.Video(os.path.normpath(os.path.join(here, p["video"]))))
        return out

    def frame_indices(self, part, frames):
        name = os.path.basename(part["video"])
        table = self.clips[name]["rgb_sha256"]
        return [table.index(c.sha256(np.asarray(f.convert("RGB")).tobytes())) for f in frames]

    def run(self, messages, here):
        """One pass of generate_content; returns everything recorded on the way to llm.generate."""
        model, arch, rec = self.model, self.arch, {}
        conversation = [
            {"from": {"user": "human", "assistant": "gpt"}[m["role"]], "value": self.parts(m, here)} for m in messages
        ]
        items = [p for m in messages for p in m["parts"] if "text" not in p]
        for p in items:
            if "video" in p:
                model.config.num_video_frames = p["frames"]
                model.config.fps = p.get("fps", 0.0)

        real_extract, real_load = arch.extract_media, self.media_lib._load_video
        real_tokenize, real_generate, real_llm = self.tok_lib.tokenizer_image_token, model.generate, model.llm.generate
        loaded = []

        def load_video(*a, **k):
            frames = real_load(*a, **k)
            loaded.append(frames)
            return frames

        def extract(conv, *a, **k):
            conv[:] = conversation  # generate_content takes one user turn; give it the whole conversation
            return real_extract(conv, *a, **k)

        def tokenize(text, *a, **k):
            rec["rendered"] = text
            return real_tokenize(text, *a, **k)

        def generate(**k):
            rec.update(input_ids=k["input_ids"][0].clone(), media=k["media"], media_config=k["media_config"])
            return real_generate(**k)

        def llm_generate(inputs_embeds=None, attention_mask=None, **k):
            assert bool(attention_mask.all())
            rec["inputs_embeds"] = inputs_embeds.clone()
            rec["generation_config"] = k.get("generation_config")
            return torch.zeros(1, 1, dtype=torch.long)

        hooks, calls, proj, enc = c.Hooks(), [], [], {}
        tower = model.vision_tower.vision_tower
        inner = getattr(tower, "vision_model", tower)
        layers = list(inner.encoder.layers)
        select = model.vision_tower.select_layer
        last = select if select >= 0 else len(layers) + 1 + select
        calls = [[] for _ in range(last + 1)]
        hooks.on(inner.embeddings, calls[0])
        for i in range(last):
            hooks.on(layers[i], calls[i + 1])
        hooks.on(model.mm_projector, proj)
        encoders = []
        for name, e in model.encoders.items():
            def keep(mod, args, output, name=name):
                enc[name] = [y.detach().clone() for y in output]
            encoders.append(e.register_forward_hook(keep))

        arch.extract_media, self.media_lib._load_video, self.tok_lib.tokenizer_image_token = extract, load_video, tokenize
        model.generate, model.llm.generate = generate, llm_generate
        try:
            model.generate_content("")
        finally:
            arch.extract_media, self.media_lib._load_video, self.tok_lib.tokenizer_image_token = real_extract, real_load, real_tokenize
            del model.generate
            del model.llm.generate
            hooks.remove()
            for h in encoders:
                h.remove()
        rec.update(calls=calls, proj=proj, enc=enc, items=items, loaded=loaded)
        return rec

    def describe(self, rec):
        """Per media item: tiles, grid, block, rows, tokens, and the tensors of every stage."""
        model = self.model
        order = [n for n in rec["media"] if rec["media"][n]]
        at = {n: 0 for n in order}       # next tile of that queue
        out_at = {n: 0 for n in order}   # next projector row block
        enc_at = {n: 0 for n in order}   # next queue entry
        media, tensors, clip = [], [], 0
        image_items = sum(1 for p in rec["items"] if "image" in p)
        blocks = rec["media_config"]["image"].get("block_sizes") if "image" in rec["media"] else None
        for p in rec["items"]:
            kind = "image" if "image" in p else "video"
            queue = "image" if kind == "image" or "video" not in rec["media"] else "video"
            call = order.index(queue)
            entries = rec["media"][queue]
            d = {"kind": kind, "tiles": 0, "grid": None, "block": None}
            if kind == "video":
                frames = rec["loaded"][clip]
                d["frame_indices"] = self.frame_indices(p, frames)
                clip += 1
            if queue == "video":
                pixels = entries[enc_at[queue]]
                n, used = pixels.shape[0], 1
            else:
                n = len(rec["loaded"][clip - 1]) if kind == "video" else 1
                if len(rec["items"]) == 1 and kind == "image":
                    n = len(entries)  # one picture alone: all tiles are its own
                used = n
                pixels = torch.stack(entries[enc_at[queue] : enc_at[queue] + n])
            d["tiles"] = n
            dynamic = model.config.image_aspect_ratio in ("dynamic", "dynamic_s2") and image_items == 1 and len(rec["items"]) == 1
            path = p.get("image")
            t = {"pixel_values": pixels}
            lo = at[queue]
            for level, sink in enumerate(rec["calls"]):
                t[f"hidden.{level}"] = sink[call][1][lo : lo + n]
            at[queue] += n
            m_in, m_out = rec["proj"][call]
            block = blocks[0] if blocks and blocks[0] is not None and kind == "image" else None
            rows = block[0] * block[1] if block else n
            b = out_at[queue]
            t["selected"], t["proj"] = m_in[b : b + rows], m_out[b : b + rows]
            out_at[queue] += rows
            e = enc_at[queue]
            emb = rec["enc"][queue]
            if block:
                used = 1
                d["block"] = [int(block[0]), int(block[1])]
                d["grid"] = [int(block[1]), int(block[0])]
            t["embeds"] = torch.cat(emb[e : e + used])
            enc_at[queue] += used
            if dynamic and model.config.image_aspect_ratio == "dynamic":
                size = PILImage.open(os.path.normpath(os.path.join(self.here, path))).size
                d["grid"] = list(self.lite_grid(size))
            d["rows"] = int(t["embeds"].shape[0])
            d["tokens"] = d["rows"] + (n if dynamic and model.config.image_aspect_ratio == "dynamic" else 0)
            media.append(d)
            tensors.append(t)
        for n in order:
            assert enc_at[n] == len(rec["enc"][n]), (n, enc_at, len(rec["enc"][n]))
        return media, tensors

    def lite_grid(self, size):
        """Grid found by the reference's own search, read off the size it resizes to."""
        import llava.mm_utils as mm

        seen = []
        real = mm.find_closest_aspect_ratio

        def spy(*a):
            r = real(*a)
            seen.append(r)
            return r

        mm.find_closest_aspect_ratio = spy
        try:
            cfg = self.model.config
            mm.dynamic_preprocess(PILImage.new("RGB", size), min_num=cfg.min_tiles, max_num=cfg.max_tiles,
                                  image_size=self.model.vision_tower.image_processor.size["height"])
        finally:
            mm.find_closest_aspect_ratio = real
        return seen[0]

    def spliced_ids(self, rec):
        ids, media = rec["input_ids"].tolist(), set(self.model.tokenizer.media_token_ids.values())
        names = {v: k for k, v in self.model.tokenizer.media_token_ids.items()}
        at, out = {}, []
        for i in ids:
            if i in media:
                k = names[i]
                n = rec["enc"][k][at.get(k, 0)].shape[0]
                at[k] = at.get(k, 0) + 1
                out += [c.MEDIA_ROW] * n
            else:
                out.append(i)
        out = torch.tensor(out)
        assert out.numel() == rec["inputs_embeds"].shape[1], (out.numel(), rec["inputs_embeds"].shape)
        text = out >= 0
        table = self.model.llm.model.embed_tokens(out[text])
        assert torch.equal(table, rec["inputs_embeds"][0][text])
        return out


def processor_stats(model):
    p = model.vision_tower.image_processor
    if hasattr(p, "image_mean"):
        return p.image_mean, p.image_std
    return (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def build(case, root, commit):
    spec = CASES[case]
    here = os.path.join(c.DATA, case)
    os.makedirs(here, exist_ok=True)
    model_rel = spec.get("model", "model")
    e = EraB(root, os.path.normpath(os.path.join(here, model_rel)), spec.get("conv", "auto"), spec.get("config", {}), spec.get("intern_size"))
    record_case(e, case, spec, commit, model_rel)


def record_case(e, case, spec, commit, model_rel, extra=None):
    here = os.path.join(c.DATA, case)
    e.here = here
    mean, std = processor_stats(e.model)
    prompts = []
    for p in spec["prompts"]:
        best = None
        for q in QUESTIONS:
            messages = fill(p["messages"], q)
            rec = e.run(messages, here)
            ids, gap = c.greedy(e.model.llm, rec["inputs_embeds"], e.rows)
            if best is None or gap > best[0]:
                best = (gap, messages, rec, ids)
            if gap >= c.MIN_GAP:
                break
        gap, messages, rec, ids = best
        media, tensors = e.describe(rec)
        for d, t in zip(media, tensors):
            d.update(c.pixel_hashes(t["pixel_values"], mean, std))
        spliced = e.spliced_ids(rec)
        hidden, logits = c.llm_trace(e.model.llm, rec["inputs_embeds"])
        logits = logits[: e.rows]
        placeholders = set(e.model.tokenizer.media_token_ids.values())
        entry = {
            "name": p["name"], "messages": messages, "rendered": rec["rendered"],
            "input_ids": [c.MEDIA_ROW if i in placeholders else i for i in rec["input_ids"].tolist()],
            "length": int(spliced.numel()), "media": media, "greedy": ids, "min_gap": round(gap, 5), "trace": None,
            "top": [int(i) for i in torch.topk(logits, 5).indices],
        }
        clips = [d["frame_indices"] for d in media if "frame_indices" in d]
        if clips:
            entry["frame_indices"] = clips[0]
        if p["trace"]:
            entry["trace"] = p["name"] + ".safetensors"
            c.save_trace(os.path.join(here, entry["trace"]),
                         c.trace_tensors(rec, tensors, spliced, hidden, logits))
        print(f"{case} {p['name']}: T={spliced.numel()} gap={gap:.4f} logit_std={logits.std():.3f} distinct={len(set(ids))}",
              file=sys.stderr)
        prompts.append(entry)
    g = rec["generation_config"]
    c.write_json(os.path.join(here, "golden.json"), {
        "schema": "galago.golden/1",
        "upstream": [{"repo": "NVlabs/VILA", "commit": commit}],
        "packages": c.package_versions("torch", "torchvision", "transformers", "tokenizers", "numpy", "pillow",
                                       "opencv-python-headless", "sentencepiece"),
        "seed": __import__("vila_models").SEEDS[os.path.basename(os.path.dirname(os.path.normpath(os.path.join(here, model_rel))))],
        "dtype": "float32", "model": model_rel, "compat": spec.get("compat", "auto"), "template": spec.get("template"),
        "video": {"main": "image_list", "tsp": "video_encoder"}[spec["code"]],
        "tokenizer": {
            "length": len(e.model.tokenizer), "rows_on_disk": e.rows,
            "media_token_ids": e.model.tokenizer.media_token_ids,
            "stop_token_ids": sorted(e.model.tokenizer.stop_token_ids),
            "model_max_length": e.model.tokenizer.model_max_length, **(extra or {}),
        },
        "generation": {"do_sample": bool(g.do_sample), "eos_token_id": g.eos_token_id, "max_length": g.max_length},
        "prompts": prompts,
    })


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--vila", default=os.environ.get("VILA_ERA_B_DIR"))
    ap.add_argument("--vila-commit", default="unknown")
    ap.add_argument("case")
    ap.add_argument("--s2", default=os.environ.get("S2_DIR"))
    a = ap.parse_args()
    build(a.case, os.pathsep.join(map(os.path.abspath, (a.vila, a.s2))), a.vila_commit)

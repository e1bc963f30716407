"""Goldens of gradients: the reference's own modules, float32, one sequence of text and random pixels.

usage: train_gradients.py era_b|era_a|mobilevlm --code DIR [--s2 DIR] CASE...

DIR are the checkouts that the case's forward goldens come from (NVlabs/VILA, bfshi/scaling_on_scales, or
Meituan-AutoML/MobileVLM). The media go through the reference's fusing function (`_embed`, or
prepare_inputs_labels_for_multimodal), then through its language model with labels; loss.backward() does the rest.

data/train/CASE.safetensors holds
  ids        the spliced sequence, -200 for rows of media, and labels
  pixels.I   of medium I
  grad.NAME  of the parameter of that name in the checkpoint: at most SAMPLES entries at equal distances
  max.NAME   its largest magnitude over all entries
and CASE.json the loss (mean over labels), the layouts, the ids of "\\n" and which model it is.
"""

import argparse
import json
import os
import sys

import torch
from safetensors.torch import save_file

import common as c

SAMPLES = 192
OUT = os.path.join(c.DATA, "train")

IMAGES = [{"kind": "image", "tiles": 1}, {"kind": "image", "tiles": 1}]
# case -> layouts of the media
CASES = {
    "nvila_lite_2b": [{"kind": "image", "tiles": 3}],
    "nvila_8b": [{"kind": "image", "tiles": 1 + 4 + 6, "block": [2, 3]}],
    "nvila_8b_video": [{"kind": "video", "tiles": 4}],
    "nvila_8b_video_2": [{"kind": "video", "tiles": 4}],
    "nvila_s2": [{"kind": "image", "tiles": 1 + 4 + 4, "block": [2, 2]}],
    "nvila_s2_new": [{"kind": "image", "tiles": 1 + 4 + 4, "block": [2, 2]}],
    "vila15_3b": IMAGES,
    "vila15_3b_s2": IMAGES,
    "vila15_8b_rope": IMAGES[:1],
    "vila15_40b": IMAGES,
    "vila10_clip": IMAGES,
    "vila10_linear": IMAGES,
    "mobilevlm_v1": IMAGES,
    "mobilevlm_v2": IMAGES[:1],
    "mobilevlm_mlp": IMAGES,
}


def text(count, vocab, generator):
    return torch.randint(3, vocab - 8, (count,), generator=generator).tolist()


def save(case, model_dir, newline, layouts, ids, labels, pixels, loss, gradients, **more):
    os.makedirs(OUT, exist_ok=True)
    tensors = {"ids": torch.tensor(ids, dtype=torch.int32), "labels": torch.tensor(labels, dtype=torch.int32)}
    for i, p in enumerate(pixels):
        tensors[f"pixels.{i}"] = p.contiguous()
    for name, g in gradients.items():
        flat = g.flatten()
        step = max(1, flat.numel() // SAMPLES)
        tensors["grad." + name] = flat[::step][:SAMPLES].clone()
        tensors["max." + name] = flat.abs().max().reshape(1)
    save_file(tensors, os.path.join(OUT, case + ".safetensors"))
    with open(os.path.join(OUT, case + ".json"), "w") as f:
        json.dump({"model": model_dir, "newline": newline, "samples": SAMPLES, "loss": loss, "media": layouts, **more}, f, indent=1)
        f.write("\n")
    print(case, "loss", loss, len(gradients), "gradients")


def finish(logits, rows, labels, parts):
    """Loss and backward; gradients by checkpoint names. parts: folder -> module.

    The code appends rows for its media tokens to the table, at random; only those on disk take part, so the loss is
    the language model's own on its first `rows` logits.
    """
    logits = logits.float()[..., :rows]
    loss = torch.nn.functional.cross_entropy(logits[0, :-1], labels[0, 1:], ignore_index=-100)
    loss.backward()
    gradients = {}
    for folder, module in parts.items():
        for name, p in module.named_parameters():
            if p.grad is not None and bool((p.grad != 0).any()):
                table = name in ("model.embed_tokens.weight", "lm_head.weight")
                gradients[folder + name] = p.grad.detach()[:rows] if table else p.grad.detach()
    return loss.item(), gradients


def era_b(code, case):
    import vila_era_b

    generator = torch.Generator().manual_seed(5)
    model_dir = os.path.join(c.DATA, case, "model")
    settings = vila_era_b.CASES[case]
    era = vila_era_b.EraB(code, model_dir, settings.get("conv", "auto"), settings.get("config", {}))
    model = era.model
    torch.set_grad_enabled(True)
    for p in model.parameters():
        p.requires_grad_(True)
    side = c.read_json(os.path.join(model_dir, "vision_tower", "config.json"))["image_size"]
    tokens = model.tokenizer.media_token_ids
    layouts = CASES[case]
    pixels = [torch.randn(l["tiles"], 3, side, side, generator=generator) for l in layouts]
    media, config, ids, labels, marks = {}, {"image": {}, "video": {}}, text(6, era.rows, generator), [-100] * 6, []
    for l, p in zip(layouts, pixels):
        if l["kind"] == "video":
            media.setdefault("video", []).append(p)
            marks = [tokens["video"]]
        else:
            media.setdefault("image", []).extend(list(p))
            marks = [tokens["image"]] * (1 if "block" in l else l["tiles"])
            if "block" in l:
                config["image"].setdefault("block_sizes", []).append(tuple(l["block"]))
        ids += marks
        labels += [-100] * len(marks)
    tail = text(14, era.rows, generator)
    ids += tail
    labels += [-100] * 4 + tail[4:]
    model.llm.train()
    config = {k: v for k, v in config.items() if k in media}
    inputs, fused, _ = model._embed(torch.tensor([ids]), media, config, torch.tensor([labels]), None)
    fused_ids = fused[0].tolist()
    rows_total = inputs.shape[1] - 20
    flat = ids[:6] + [c.MEDIA_ROW] * rows_total + tail
    assert len(flat) == len(fused_ids)
    loss, gradients = finish(model.llm(inputs_embeds=inputs, use_cache=False).logits, era.rows, fused, {
        "llm/": model.llm, "vision_tower/": model.vision_tower.vision_tower, "mm_projector/": model.mm_projector})
    newline = model.tokenizer("\n").input_ids
    more = {"compat": settings["compat"]} if "compat" in settings else {}
    save(case, f"{case}/model", newline, layouts, flat, fused_ids, pixels, loss, gradients, **more)


def era_a(code, case):
    import vila_era_a

    generator = torch.Generator().manual_seed(5)
    settings = vila_era_a.CASES[case]
    model_dir = os.path.join(c.DATA, case, "model")
    era = vila_era_a.EraA(code, model_dir, settings["conv"], settings.get("intern_size"))
    model = era.model
    torch.set_grad_enabled(True)
    for p in model.parameters():
        p.requires_grad_(True)
    side = c.read_json(os.path.join(model_dir, "vision_tower", "config.json"))["image_size"]
    scales = c.read_json(os.path.join(model_dir, "config.json"))
    if scales.get("s2"):
        side = max(int(s) for s in scales["s2_scales"].split(","))
    layouts = CASES[case]
    pixels = [torch.randn(1, 3, side, side, generator=generator) for _ in layouts]
    mark = era.constants.IMAGE_TOKEN_INDEX
    ids, labels = text(6, era.rows, generator), [-100] * 6
    for _ in layouts:
        ids.append(mark)
        labels.append(-100)
    tail = text(14, era.rows, generator)
    ids += tail
    labels += [-100] * 4 + tail[4:]
    out = model.prepare_inputs_labels_for_multimodal(
        torch.tensor([ids]), None, None, None, torch.tensor([labels]), [torch.cat(pixels)])
    inputs, fused = out[4], out[5]
    flat = ids[:6] + [c.MEDIA_ROW] * (inputs.shape[1] - 20) + tail
    tower = model.get_vision_tower()
    loss, gradients = finish(model.llm(inputs_embeds=inputs, use_cache=False).logits, era.rows, fused, {
        "llm/": model.llm, "vision_tower/": tower.vision_tower, "mm_projector/": model.get_mm_projector()})
    save(case, f"{case}/model", [0], layouts, flat, fused[0].tolist(), pixels, loss, gradients)


def mobilevlm(code, case):
    sys.path.insert(0, code)
    from pathlib import Path

    import mobilevlm_golden

    generator = torch.Generator().manual_seed(5)
    model_dir = os.path.join(c.DATA, case, "model")
    settings = mobilevlm_golden.MODELS[case]
    _, model, _ = mobilevlm_golden.load_official(Path(model_dir), settings)
    torch.set_grad_enabled(True)
    for p in model.parameters():
        p.requires_grad_(True)
    vocab = c.read_json(os.path.join(model_dir, "config.json"))["vocab_size"]
    layouts = CASES[case]
    # Numbers that float16 holds: half the size on disk.
    pixels = [torch.randn(1, 3, settings["image"], settings["image"], generator=generator).half() for _ in layouts]
    ids, labels = text(6, vocab, generator), [-100] * 6
    ids += [mobilevlm_golden.ROW] * len(layouts)
    labels += [-100] * len(layouts)
    tail = text(14, vocab, generator)
    ids += tail
    labels += [-100] * 4 + tail[4:]
    ids, labels = torch.tensor([ids]), torch.tensor([labels])
    out = model.prepare_inputs_labels_for_multimodal(ids, torch.ones_like(ids), None, labels, torch.cat(pixels).float())
    inputs, fused = out[3], out[4]
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), images=torch.cat(pixels).float(), use_cache=False).logits
    flat = ids[0, :6].tolist() + [c.MEDIA_ROW] * (inputs.shape[1] - 20) + tail
    loss, gradients = finish(logits, vocab, fused, {"": model})
    save(case, f"{case}/model", [0], layouts, flat, fused[0].tolist(), pixels, loss, gradients)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=["era_b", "era_a", "mobilevlm"])
    parser.add_argument("--code", required=True)
    parser.add_argument("--s2", default=os.environ.get("S2_DIR"))
    parser.add_argument("cases", nargs="+")
    args = parser.parse_args()
    for case in args.cases:
        {"era_b": era_b, "era_a": era_a, "mobilevlm": mobilevlm}[args.kind](os.pathsep.join(filter(None, [args.code, args.s2])), case)

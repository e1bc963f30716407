#!/usr/bin/env python3
"""Tiny MobileVLM checkpoints in the released layout, with goldens by the official code.

  mobilevlm_golden.py --mobilevlm TREE --out data [--only NAME] [--text FILE...]

TREE is a checkout of Meituan-AutoML/MobileVLM at 688fdec; needs its packages (torch 2.0, transformers 4.33.1,
timm 0.9.12, accelerate 0.21, sentencepiece). --text trains a new tokenizer.model (otherwise the committed one of
data/mobilevlm_v1 is used again). The model is loaded by the official load_pretrained_model, with float16
read as float32 and the CPU as device; weights are stored in bfloat16.

Each data/NAME holds model/, golden.json (greedy: 64 ids that never stop; generated and output: the ids and the
text of the official greedy generation, which stops) and trace files; the pictures are in data/media_b.
The tower's name in config.json is "clip": a folder beside config.json with the tower's config.json and
preprocessor_config.json (the official code reads a path there when it exists). Its weights are in the checkpoint.
"""

import argparse
import collections
import importlib.metadata
import json
import math
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.set_grad_enabled(False)

HERE = Path(__file__).resolve().parent
STEPS = 64
MIN_GAP = 0.02
ROW = -200

LLM = dict(vocab_size=600, max_position_embeddings=2048, rms_norm_eps=1e-6, rope_theta=10000.0)
CLIP = dict(hidden_size=32, intermediate_size=64, num_hidden_layers=3, num_attention_heads=2, patch_size=14)
# The wrong and irrelevant keys that the released 3B configs carry.
STALE = dict(n_head=16, n_query_groups=16, n_embd=2560, n_layer=32, block_size=2048, padded_vocab_size=32000,
             norm_eps=1e-06, parallel_residual=False, shared_attention_norm=False, rotary_percentage=1.0,
             _mlp_class="LLaMAMLP", _norm_class="FusedRMSNorm", bias=False, condense_ratio=1, padding_multiple=64)

MODELS = {
    "mobilevlm_v1": dict(seed=1100, projector="ldpnet", image=112,
                         llm=dict(hidden_size=48, num_attention_heads=3, num_hidden_layers=2, intermediate_size=112)),
    "mobilevlm_v2": dict(seed=1200, projector="ldpnetv2", image=336, stale=True,
                         llm=dict(hidden_size=80, num_attention_heads=4, num_hidden_layers=2, intermediate_size=160)),
    "mobilevlm_v2_7b": dict(seed=1300, projector="ldpnetv2", image=336, shards=2, inv_freq=True, legacy=False,
                            llm=dict(hidden_size=64, num_attention_heads=2, num_hidden_layers=3, intermediate_size=144,
                                     rms_norm_eps=1e-5, max_position_embeddings=4096)),
    "mobilevlm_mlp": dict(seed=1400, projector="mlp2x_gelu", image=56,
                          llm=dict(hidden_size=48, num_attention_heads=2, num_hidden_layers=2, intermediate_size=96)),
    "mobilevlm_linear": dict(seed=1500, projector="linear", image=56, aspect="square",
                             llm=dict(hidden_size=32, num_attention_heads=2, num_hidden_layers=2, intermediate_size=96)),
}

QUESTIONS = ["What is in the picture?", "Describe the image in detail.", "Who is the author of this book?",
             "What colour is it?", "How many people are there?", "Is there a cat?", "Where was this taken?",
             "What is the man doing?", "Read the text.", "What time of day is it?", "Is it raining?",
             "What is on the table?", "Write a short poem about it.", "What does the sign say?", "Name three objects.",
             "Which one is larger?", "Why is the sky blue?", "How old is the house?", "What is on the left?",
             "Is the door open?", "What season is it?", "Where is the dog?", "What are they eating?",
             "Count the windows.", "What is the number?", "Who is this?", "Is this a photo?", "What is new here?",
             "What might happen next?", "Give it a title."]
ENDINGS = ["", "\nAnswer the question using a single word or phrase.", "\nAnswer in one sentence.", " Think first.",
           " Be brief.", " Please.", " 1234", "\nWhy?"]
ANSWERS = ["A red house.", "It is a small dog.", "Two.", "I do not know.", "The sky is blue.", "Yes."]


# Checkpoints -------------------------------------------------------------------------------------

def tensors(m):
    """All tensors of one model under the names of the released checkpoints, bfloat16, in state-dict order."""
    gen = torch.Generator().manual_seed(m["seed"])
    out = collections.OrderedDict()

    def rand(*shape):
        return torch.randn(shape, generator=gen)

    def put(name, x):
        out[name] = x.to(torch.bfloat16).contiguous()

    def matrix(name, shape, gain=1.0):
        put(name, rand(*shape) * gain / math.sqrt(math.prod(shape[1:])))

    def norm(name, n, bias=True):
        put(name + ".weight", 1 + 0.1 * rand(n))
        if bias:
            put(name + ".bias", 0.1 * rand(n))

    def linear(name, o, i, gain=1.0):
        matrix(name + ".weight", (o, i), gain)
        put(name + ".bias", 0.1 * rand(o))

    def heavy(rows, cols, scale):
        """Rows of log-normal length, so that the best logits stand apart."""
        return rand(rows, cols) * torch.exp(0.5 * rand(rows, 1)) * scale

    llm = {**LLM, **m["llm"]}
    h, f, v = llm["hidden_size"], llm["intermediate_size"], llm["vocab_size"]
    put("model.embed_tokens.weight", rand(v, h) * 0.5)
    for i in range(llm["num_hidden_layers"]):
        p = f"model.layers.{i}."
        for x, gain in (("q", 1.6), ("k", 1.6), ("v", 1.2), ("o", 1.0)):
            matrix(f"{p}self_attn.{x}_proj.weight", (h, h), gain)
        if m.get("inv_freq"):
            d = h // llm["num_attention_heads"]
            put(f"{p}self_attn.rotary_emb.inv_freq", 1.0 / (10000.0 ** (torch.arange(0, d, 2).float() / d)))
        matrix(p + "mlp.gate_proj.weight", (f, h), 1.5)
        matrix(p + "mlp.up_proj.weight", (f, h), 1.2)
        matrix(p + "mlp.down_proj.weight", (h, f), 1.2)
        norm(p + "input_layernorm", h, False)
        norm(p + "post_attention_layernorm", h, False)
    norm("model.norm", h, False)

    c, cf, size = CLIP["hidden_size"], CLIP["intermediate_size"], m["image"]
    p = "model.vision_tower.vision_tower.vision_model."
    put(p + "embeddings.class_embedding", rand(c) * 0.5)
    matrix(p + "embeddings.patch_embedding.weight", (c, 3, 14, 14), 1.0)
    put(p + "embeddings.position_embedding.weight", rand((size // 14) ** 2 + 1, c) * 0.4)
    norm(p + "pre_layrnorm", c)
    for i in range(CLIP["num_hidden_layers"]):
        q = f"{p}encoder.layers.{i}."
        for x, gain in (("k", 1.4), ("v", 1.0), ("q", 1.4), ("out", 1.0)):
            linear(f"{q}self_attn.{x}_proj", c, c, gain)
        norm(q + "layer_norm1", c)
        linear(q + "mlp.fc1", cf, c, 1.3)
        linear(q + "mlp.fc2", c, cf, 1.3)
        norm(q + "layer_norm2", c)
    norm(p + "post_layernorm", c)

    p = "model.mm_projector."
    kind = m["projector"]
    if kind == "linear":
        linear(p[:-1], h, c, 0.8)
    elif kind.startswith("mlp"):
        linear(p + "0", h, c, 1.2)
        linear(p + "2", h, h, 1.2)
    elif kind == "ldpnetv2":
        linear(p + "mlp.mlp.0", h, c, 1.2)
        linear(p + "mlp.mlp.2", h, h, 1.4)
        put(p + "peg.peg.0.weight", rand(h, 1, 3, 3) / 3)
        put(p + "peg.peg.0.bias", 0.1 * rand(h))
    else:
        s = max(8, (h // 4 + 4) // 8 * 8)
        s += 8 if s < 0.9 * (h // 4) else 0
        p += "model."
        linear(p + "mlp.1", h, c, 1.2)
        linear(p + "mlp.3", h, h, 1.2)
        for b in (1, 2):
            q = f"{p}mb_block.{b}.block."
            put(q + "0.0.weight", rand(h, 1, 3, 3) / 2)
            norm(q + "0.1", h)
            put(q + "1.fc1.weight", rand(s, h, 1, 1) * 2 / math.sqrt(h))
            put(q + "1.fc1.bias", 0.1 * rand(s))
            put(q + "1.fc2.weight", rand(h, s, 1, 1) * 2 / math.sqrt(s))
            put(q + "1.fc2.bias", 0.3 * rand(h))
            put(q + "2.0.weight", rand(h, h, 1, 1) * 1.5 / math.sqrt(h))
            norm(q + "2.1", h)
    put("lm_head.weight", heavy(v, h, 1.2 / math.sqrt(h)))
    return out


def write_json(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def save_bins(folder, t, shards):
    """torch.save as the framework does it; a fixed archive name keeps the bytes independent of the folder."""
    if shards == 1:
        torch.save(t, folder / "pytorch_model.bin")
        return
    names, total, where = list(t), sum(x.numel() * 2 for x in t.values()), {}
    cut = len(names) * 2 // 3
    for k, part in enumerate((names[:cut], names[cut:])):
        file = f"pytorch_model-{k + 1:05d}-of-00002.bin"
        torch.save(collections.OrderedDict((n, t[n]) for n in part), folder / file)
        where.update({n: file for n in part})
    write_json(folder / "pytorch_model.bin.index.json", {"metadata": {"total_size": total},
                                                         "weight_map": dict(sorted(where.items()))})


def write_model(folder, m, tokenizer):
    if folder.exists():
        shutil.rmtree(folder)
    (folder / "clip").mkdir(parents=True)
    llm = {**LLM, **m["llm"]}
    config = {
        "_name_or_path": "mtgv/MobileLLaMA", "architectures": ["MobileLlamaForCausalLM"], "bos_token_id": 1,
        "eos_token_id": 2, "freeze_mm_mlp_adapter": False, "hidden_act": "silu", "hidden_size": llm["hidden_size"],
        "image_aspect_ratio": m.get("aspect", "pad"), "image_grid_pinpoints": None, "initializer_range": 0.02,
        "intermediate_size": llm["intermediate_size"], "max_position_embeddings": llm["max_position_embeddings"],
        "max_sequence_length": 2048, "mm_hidden_size": CLIP["hidden_size"], "mm_projector_lr": None,
        "mm_projector_type": m["projector"], "mm_use_im_patch_token": False, "mm_use_im_start_end": False,
        "mm_vision_select_feature": "patch", "mm_vision_select_layer": -2, "mm_vision_tower": "clip",
        "model_type": "mobilevlm", "num_attention_heads": llm["num_attention_heads"],
        "num_hidden_layers": llm["num_hidden_layers"], "num_key_value_heads": llm["num_attention_heads"],
        "pad_token_id": 0, "pretraining_tp": 1, "rms_norm_eps": llm["rms_norm_eps"], "rope_scaling": None,
        "rope_theta": llm["rope_theta"], "tie_word_embeddings": False, "torch_dtype": "bfloat16",
        "transformers_version": "4.33.1", "tune_mm_mlp_adapter": False, "use_cache": True, "use_mm_proj": True,
        "vision_tower_type": "clip", "vocab_size": llm["vocab_size"]}
    if m.get("stale"):
        config.update(STALE)
    write_json(folder / "config.json", config)
    write_json(folder / "generation_config.json", {"_from_model_config": True, "bos_token_id": 1, "eos_token_id": 2,
                                                   "pad_token_id": 0, "transformers_version": "4.33.1"})
    size = m["image"]
    write_json(folder / "clip" / "config.json", {
        **CLIP, "architectures": ["CLIPVisionModel"], "attention_dropout": 0.0, "dropout": 0.0, "hidden_act": "quick_gelu",
        "image_size": size, "initializer_factor": 1.0, "initializer_range": 0.02, "layer_norm_eps": 1e-05,
        "model_type": "clip_vision_model", "num_channels": 3, "projection_dim": 24})
    write_json(folder / "clip" / "preprocessor_config.json", {
        "crop_size": size, "do_center_crop": True, "do_normalize": True, "do_resize": True,
        "feature_extractor_type": "CLIPFeatureExtractor", "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_std": [0.26862954, 0.26130258, 0.27577711], "resample": 3, "size": size})
    for name in ("tokenizer.model", "special_tokens_map.json", "tokenizer_config.json"):
        shutil.copy(tokenizer / name, folder / name)
    if "legacy" in m:
        c = json.loads((folder / "tokenizer_config.json").read_text())
        c["legacy"] = m["legacy"]
        write_json(folder / "tokenizer_config.json", c)
    save_bins(folder, tensors(m), m.get("shards", 1))


# Reference ---------------------------------------------------------------------------------------

def load_official(folder, m):
    """The official loader, on the CPU with float32 in place of float16. The tower is looked up beside the model."""
    from mobilevlm.model.mobilevlm import load_pretrained_model
    prefix = "model.vision_tower.vision_tower."
    with tempfile.TemporaryDirectory() as tmp:
        shutil.copytree(folder / "clip", Path(tmp) / "clip")
        # A tower file like the one the official code downloads: the same weights for v1, which keeps this copy;
        # zeros for V2, which must take the ones inside the checkpoint.
        keep = 0.0 if "v2" in m["projector"] else 1.0
        torch.save({k[len(prefix):]: v * keep for k, v in tensors(m).items() if k.startswith(prefix)},
                   Path(tmp) / "clip" / "pytorch_model.bin")
        here, half = os.getcwd(), torch.float16
        os.chdir(tmp)
        torch.float16 = torch.float32
        try:
            out = load_pretrained_model(str(folder), device_map={"": "cpu"}, device="cpu")
        finally:
            torch.float16 = half
            os.chdir(here)
    tokenizer, model, processor, context = out
    assert model.dtype == torch.float32 and context == 2048
    model.eval()
    stored = tensors(m)
    for name, p in model.state_dict().items():
        if name in stored and not name.endswith("inv_freq"):
            assert torch.equal(p, stored[name].float()), name
    return tokenizer, model, processor


def render(messages):
    from mobilevlm.conversation import conv_templates
    conv = conv_templates["v1"].copy()
    for message in messages:
        text = "".join("<image>\n" if "image" in part else part["text"] for part in message["parts"])
        conv.append_message(conv.roles[0 if message["role"] == "user" else 1], text)
    conv.append_message(conv.roles[1], None)
    return conv.get_prompt()


def greedy(model, ids, images):
    out, gap, past, feed = [], float("inf"), None, ids
    mask = torch.ones_like(ids)
    spread = None
    for _ in range(STEPS):
        r = model(input_ids=feed, attention_mask=mask, past_key_values=past, use_cache=True, images=images, return_dict=True)
        logits = r.logits[0, -1].float()
        spread = float(logits.std()) if spread is None else spread
        top = torch.topk(logits, 2).values
        gap = min(gap, float(top[0] - top[1]))
        out.append(int(torch.argmax(logits)))
        past, feed = r.past_key_values, torch.tensor([[out[-1]]])
        mask = torch.ones(1, past[0][0].shape[2] + 1, dtype=torch.long)
        if gap < MIN_GAP:
            return None, gap, spread
    return out, gap, spread


def answer(tokenizer, new):
    """The end of the official inference script."""
    text = tokenizer.batch_decode([new], skip_special_tokens=True)[0].strip()
    return (text[:-len("</s>")] if text.endswith("</s>") else text).strip()


def fnv64(data):
    h = 0xcbf29ce484222325
    for b in bytes(data):
        h = ((h ^ b) * 0x100000001b3) & 0xffffffffffffffff
    return f"{h:016x}"


def trace(model, ids, images, with_pixels):
    t = {}
    tower = model.get_vision_tower()
    n = 0 if images is None else images.shape[0]
    for i in range(n):
        one = images[i:i + 1]
        hidden = tower.vision_tower(one, output_hidden_states=True).hidden_states
        last = len(hidden) + tower.select_layer if tower.select_layer < 0 else tower.select_layer
        if with_pixels:
            t[f"media.{i}.pixel_values"] = one
        for k in range(last + 1):
            t[f"vision.{i}.hidden.{k}"] = hidden[k]
        t[f"vision.{i}.selected"] = tower(one)
        t[f"projector.{i}.out"] = model.encode_images(one)
        t[f"media.{i}.embeds"] = t[f"projector.{i}.out"][0]
    mask = torch.ones_like(ids)
    embeds = model.prepare_inputs_labels_for_multimodal(ids, mask, None, None, images)[3]
    if embeds is None:
        embeds = model.get_model().embed_tokens(ids)
    rows = 0 if n == 0 else t["media.0.embeds"].shape[0]
    spliced = [x for i in ids[0].tolist() for x in ([ROW] * rows if i == ROW else [i])]
    assert len(spliced) == embeds.shape[1]
    t["lm.input_ids"] = torch.tensor(spliced, dtype=torch.int64)
    t["lm.inputs_embeds"] = embeds[0]
    before_norm = []
    handle = model.model.norm.register_forward_pre_hook(lambda mod, args: before_norm.append(args[0].clone()))
    r = model(input_ids=ids, attention_mask=mask, images=images, output_hidden_states=True, use_cache=False, return_dict=True)
    handle.remove()
    states = list(r.hidden_states[:-1]) + [before_norm[0]]
    for k, x in enumerate(states):
        t[f"lm.hidden.{k}"] = x[0]
    t["lm.logits"] = r.logits[0, -1]
    return {k: (v.to(torch.int64) if v.dtype == torch.int64 else v.float()).contiguous().clone() for k, v in t.items()}


def conversations(name, k):
    """The k-th wording of a prompt."""
    n = len(QUESTIONS)
    q = QUESTIONS[k % n] + ENDINGS[k // n % len(ENDINGS)]
    q2 = QUESTIONS[(k * 7 + 3) % n]
    a = ANSWERS[(k + k // n) % len(ANSWERS)]
    user = lambda *parts: {"role": "user", "parts": [({"image": "../media_b/" + p[1:]} if p[0] == "@" else {"text": p}) for p in parts]}
    said = {"role": "assistant", "parts": [{"text": a}]}
    return {"one_image": [user("@a.png", q)],
            "two_images": [user("@b.png", q2 + " ", "@c.jpg", q)],
            "text_only": [user(q)],
            "stops": [user("@d.png", q)] if k % 2 else [user("@c.jpg", q)],
            "multi_turn": [user("@d.png", q2), said, user(q)]}[name]


def golden(folder, name, m, commit):
    from mobilevlm.constants import IMAGE_TOKEN_INDEX
    from mobilevlm.utils import process_images, tokenizer_image_token
    tokenizer, model, processor = load_official(folder / "model", m)
    prompts = []
    for kind in ("one_image", "two_images", "text_only", "multi_turn", "stops"):
        for k in range(len(QUESTIONS) * len(ENDINGS)):
            messages = conversations(kind, k)
            paths = [p["image"] for x in messages for p in x["parts"] if "image" in p]
            rendered = render(messages)
            ids = tokenizer_image_token(rendered, tokenizer, IMAGE_TOKEN_INDEX, return_tensors="pt").unsqueeze(0)
            images = None
            if paths:
                images = process_images([Image.open(folder / p).convert("RGB") for p in paths], processor, model.config)
                images = torch.as_tensor(images, dtype=torch.float32)
            tokens, gap, spread = greedy(model, ids, images)
            if tokens is not None and (kind != "stops" or 2 in tokens[3:]):
                break
        else:
            if kind == "stops":
                print(f"{name}: no wording stops")
                continue
            raise SystemExit(f"{name} {kind}: no wording keeps the gap; change the seed")
        full = kind == "one_image"
        file = f"{kind}.safetensors" if full or (kind == "two_images" and m["image"] < 336) else None
        t = trace(model, ids, images, with_pixels=full and name != "mobilevlm_v2_7b")
        rows = t["media.0.embeds"].shape[0] if paths else 0
        if file:
            save_file(t, str(folder / file))
        generated = model.generate(ids, images=images, do_sample=False, num_beams=1, max_new_tokens=STEPS, use_cache=True)
        new = generated[0, ids.shape[1]:].tolist()
        assert new == tokens[:len(new)], (name, kind)
        prompts.append({
            "name": kind, "messages": messages, "rendered": rendered, "input_ids": [int(i) for i in ids[0]],
            "length": len(t["lm.input_ids"]),
            "media": [{"kind": "image", "tiles": 1, "grid": None, "block": None, "tokens": rows, "rows": rows,
                       "pixel_fnv1a64": fnv64(images[i].contiguous().numpy().tobytes())} for i in range(len(paths))],
            "greedy": tokens, "min_gap": round(gap, 6), "text": tokenizer.decode(tokens, skip_special_tokens=True),
            "generated": new, "output": answer(tokenizer, new), "top": [int(i) for i in torch.topk(t["lm.logits"], 5).indices], "trace": file})
        print(f"{name} {kind}: wording {k}, gap {gap:.4f}, logits std {spread:.2f}, "
              f"{len(set(tokens))} distinct of {STEPS}, stops after {len(new)}", flush=True)
    packages = {p: importlib.metadata.version(p) for p in ("torch", "transformers", "tokenizers", "sentencepiece", "timm",
                                                           "torchvision", "accelerate", "numpy", "pillow")}
    value = {"schema": "galago.golden/1", "upstream": [{"repo": "Meituan-AutoML/MobileVLM", "commit": commit}],
             "packages": packages, "seed": m["seed"], "dtype": "float32", "model": "model", "compat": "auto",
             "template": None, "prompts": prompts}
    (folder / "golden.json").write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace(
        ',"prompts":[', ',\n"prompts":[\n').replace('},{"name":', '},\n{"name":') + "\n", encoding="utf-8")


def pictures(folder):
    """Four small pictures made from formulas: wide, tall, a JPEG and a grey one."""
    folder.mkdir(parents=True, exist_ok=True)

    def mixed(w, h, k):
        y, x = np.mgrid[0:h, 0:w].astype(np.float64)
        rgb = np.stack([255 * x / w, 255 * y / h, 127 + 120 * np.sin(x / (3.0 + k)) * np.cos(y / 4.0)], -1)
        disc = (x - w * 0.6) ** 2 + (y - h * 0.4) ** 2 < (min(w, h) * 0.3) ** 2
        rgb[disc] = [230 - 40 * k, 40 + 50 * k, 30]
        return np.clip(rgb, 0, 255).astype(np.uint8)

    Image.fromarray(mixed(64, 48, 0)).save(folder / "a.png")
    Image.fromarray(mixed(31, 53, 1)).save(folder / "b.png")
    Image.fromarray(mixed(80, 60, 2)).save(folder / "c.jpg", quality=90)
    Image.fromarray(mixed(48, 48, 3)[..., 0]).save(folder / "d.png")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mobilevlm", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--only", action="append")
    p.add_argument("--text", type=Path, nargs="*", default=[])
    p.add_argument("--commit", default="688fdec914810485c8766da96c63d9d2ce15f750")
    a = p.parse_args()
    out = a.out.resolve()
    sys.path[:0] = [str(a.mobilevlm.resolve()), str(HERE)]
    from transformers.utils import logging
    logging.set_verbosity_error()
    pictures(out / "media_b")
    with tempfile.TemporaryDirectory() as tmp:
        tokenizer = Path(tmp) / "tokenizer"
        if a.text:
            import tokenizer_strings
            import tokenizer_train
            lines = [x for f in a.text for x in f.read_text(encoding="utf-8", errors="replace").splitlines()]
            lines += [x for x in tokenizer_strings.PLAIN if len(x) < 200] * 3
            lines += (QUESTIONS + ENDINGS + ANSWERS) * 3
            tokenizer_train.llama(tokenizer, lines, LLM["vocab_size"])
        else:
            shutil.copytree(out / "mobilevlm_v1" / "model", tokenizer, ignore=shutil.ignore_patterns("*.bin", "clip"))
        for name, m in MODELS.items():
            if a.only and name not in a.only:
                continue
            write_model(out / name / "model", m, tokenizer)
            golden(out / name, name, m, a.commit)


if __name__ == "__main__":
    main()

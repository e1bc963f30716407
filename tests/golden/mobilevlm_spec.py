#!/usr/bin/env python3
"""Goldens with weights from a formula: no checkpoint is needed, only the rules below.

  mobilevlm_spec.py --mobilevlm TREE --out data/mobilevlm_spec.json

For a tensor called name (full checkpoint name, ASCII) of n elements in row-major order: s = FNV-1a 32-bit of the
name; per element s = (1664525 s + 1013904223) mod 2^32, u = (s >> 8) / 2^24 - 0.5. Names ending in .bias: 0.2 u;
weights of norms: 1 + 0.2 u; other tensors of two or more dimensions: 2 u / sqrt(product of all but the first);
other vectors: u; the picture pixel_values [3,56,56]: 2 u.

The official classes run on them in float64 (projectors, the CLIP tower, the LLaMA decoder, splicing, loss and
its gradients by autograd). LDPv2's pool target, 12 x 12 in the official code, is 2 x 2 here, for the 4 x 4 grid.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)

IDS = [1, 5, 9, -200, 7, 3, 11, 2]


def formula(name, shape):
    s = 0x811c9dc5
    for b in name.encode("ascii"):
        s = ((s ^ b) * 0x01000193) & 0xffffffff
    n = math.prod(shape)
    u = np.empty(n)
    for k in range(n):
        s = (1664525 * s + 1013904223) & 0xffffffff
        u[k] = (s >> 8) / 2 ** 24 - 0.5
    if name == "pixel_values":
        v = 2 * u
    elif name.endswith(".bias"):
        v = 0.2 * u
    elif "norm" in name or name.endswith(("block.0.1.weight", "block.2.1.weight")):
        v = 1 + 0.2 * u
    elif len(shape) >= 2:
        v = 2 * u / math.sqrt(math.prod(shape[1:]))
    else:
        v = u
    return torch.from_numpy(v.reshape(shape))


def build(projector, clip_config):
    from mobilevlm.model.mobilellama import MobileLlamaForCausalLM, MobileVLMConfig
    from mobilevlm.model.vision_projector import TokenDownLayer
    from transformers import CLIPVisionModel
    with tempfile.TemporaryDirectory() as tmp:
        CLIPVisionModel(clip_config).save_pretrained(tmp)
        config = MobileVLMConfig(
            vocab_size=64, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2, rms_norm_eps=1e-6,
            mm_vision_tower=tmp, vision_tower_type="clip", mm_vision_select_layer=-2, mm_vision_select_feature="patch",
            mm_projector_type=projector, mm_hidden_size=16, pad_token_id=0)
        model = MobileLlamaForCausalLM(config)
        model.get_vision_tower().is_loaded = True
    if projector == "ldpnetv2":
        model.model.mm_projector.dwn = TokenDownLayer((2, 2))
    model = model.double()
    names = [n for n, _ in model.named_parameters()]
    with torch.no_grad():
        for n, p in model.named_parameters():
            p.copy_(formula(n, tuple(p.shape)))
    # The rotary tables were made in float32; make them again in float64.
    for layer in model.model.layers:
        r = layer.self_attn.rotary_emb
        r.inv_freq = 1.0 / (10000.0 ** (torch.arange(0, r.dim, 2).double() / r.dim))
        r._set_cos_sin_cache(64, torch.device("cpu"), torch.float64)
    return model.eval(), names


def tower_variant(model, pixels, layers, cls_last):
    """Patch rows 1..16 after some layers; cls_last appends CLS after the patches (a known defect elsewhere)."""
    vision = model.get_vision_tower().vision_tower.vision_model
    e = vision.embeddings
    patches = e.patch_embedding(pixels).flatten(2).transpose(1, 2)
    cls = e.class_embedding.expand(1, 1, -1)
    x = torch.cat([patches, cls] if cls_last else [cls, patches], 1) + e.position_embedding.weight[None]
    x = vision.pre_layrnorm(x)
    for layer in vision.encoder.layers[:layers]:
        x = layer(x, None, None)[0]
    return x[:, 1:]


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--mobilevlm", type=Path, required=True)
    p.add_argument("--out", type=Path, required=True)
    a = p.parse_args()
    sys.path.insert(0, str(a.mobilevlm.resolve()))
    from transformers import CLIPVisionConfig
    from transformers.utils import logging
    logging.set_verbosity_error()
    clip = CLIPVisionConfig(hidden_size=16, intermediate_size=32, num_hidden_layers=3, num_attention_heads=2, image_size=56,
                            patch_size=14, hidden_act="quick_gelu", layer_norm_eps=1e-5)
    pixels = formula("pixel_values", (3, 56, 56))[None]
    out = {"ids": IDS, "pixel_values": [round(float(x), 8) for x in pixels.flatten()[:3]], "projectors": {}}
    flat = lambda x: [float(v) for v in x.detach().flatten()]
    for kind, params in (
            ("ldpnet", ["model.mm_projector.model.mlp.1.weight", "model.mm_projector.model.mb_block.1.block.0.0.weight",
                        "model.mm_projector.model.mb_block.1.block.1.fc1.weight", "model.mm_projector.model.mb_block.2.block.2.1.weight"]),
            ("ldpnetv2", ["model.mm_projector.mlp.mlp.0.weight", "model.mm_projector.peg.peg.0.weight",
                          "model.mm_projector.peg.peg.0.bias"])):
        model, names = build(kind, clip)
        r = {}
        tower = model.get_vision_tower()
        with torch.no_grad():
            hidden = tower.vision_tower(pixels, output_hidden_states=True).hidden_states
            feat = tower(pixels)
            r["clip_cls"] = flat(hidden[2][0, 0, :3])
            r["clip_patch_0"], r["clip_patch_15"] = flat(feat[0, 0, :4]), flat(feat[0, 15, :4])
            r["clip_sum"], r["clip_abs"] = float(feat.sum()), float(feat.abs().sum())
            r["clip_patch_0_after_1"], r["clip_patch_0_after_3"] = flat(hidden[1][0, 1, :4]), flat(hidden[3][0, 1, :4])
            proj = model.model.mm_projector
            if kind == "ldpnet":
                m = proj.model.mlp(feat).permute(0, 2, 1).reshape(1, -1, 4, 4)
                b1 = proj.model.mb_block[1](m)
                r["block1_row"], r["block1_sum"] = flat(b1[0, 0, 0]), float(b1.sum())
                exact = proj(feat)
                proj.model.mlp[2] = torch.nn.GELU(approximate="tanh")
                r["tanh_gelu_change"] = float((proj(feat) - exact).abs().max())
                proj.model.mlp[2] = torch.nn.GELU()
            y = proj(feat)
            r["token_0"], r["token_3"] = flat(y[0, 0, :4]), flat(y[0, 3, :4])
            r["sum"], r["abs"] = float(y.sum()), float(y.abs().sum())
            r["variants"] = {}
            for label, layers, last in (("correct", 2, False), ("one_layer", 1, False), ("one_layer_cls_last", 1, True),
                                        ("cls_last", 2, True)):
                f = tower_variant(model, pixels, layers, last)
                r["variants"][label] = {"patch_0": flat(f[0, 0, :4]), "token_0": flat(proj(f)[0, 0, :4])}
        ids = torch.tensor([IDS])
        labels = torch.full_like(ids, -100)
        labels[0, -2:] = ids[0, -2:]
        res = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, images=pixels, use_cache=False, return_dict=True)
        res.loss.backward()
        r["logits_last"], r["argmax_last"] = flat(res.logits[0, -1, :4]), int(res.logits[0, -1].argmax())
        r["logits_position_2"], r["loss"] = flat(res.logits[0, 2, :3]), float(res.loss)
        named = dict(model.named_parameters())
        r["gradients"] = {}
        for n, at in [(n, 4 if n.endswith("0.0.weight") or n.endswith("peg.0.weight") else 0) for n in params] + [
                ("model.layers.0.self_attn.q_proj.weight", 0), ("model.embed_tokens.weight", 80), ("lm_head.weight", 176)]:
            r["gradients"][f"{n}[{at}]"] = float(named[n].grad.flatten()[at])
        r["patch_embedding"] = flat(named["model.vision_tower.vision_tower.vision_model.embeddings.patch_embedding.weight"].flatten()[:3])
        out["projectors"][kind] = r
    text = json.dumps(out, indent=1)
    a.out.write_text(text + "\n")
    print(text)


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Writes tiny GGUF models below data/gguf/ with the official gguf package, and goldens for them.

  gguf_models.py --out data/gguf --mobilevlm TREE [--libggml libggml-base.so] [--verify]

llama/, qwen2/   a language model twice: model/ in the layout of Hugging Face (bfloat16 safetensors) and as GGUF
                 (f16: the same numbers exactly; mixed: many block types), with goldens by transformers in float32.
mobilevlm_*/     the tiny checkpoints of data/mobilevlm_* as a llama GGUF and an mmproj GGUF, as the llama.cpp
                 converters of early 2024 lay them out; the goldens of data/mobilevlm_* hold for them. The
                 quantised mmproj has its own trace by the official code on the dequantised weights.
index.json       what belongs together.

Needs transformers >= 4.37 (and for the quantised mmproj the packages of mobilevlm_golden.py). --verify runs the
language models through llama.cpp (llama_cpp) and compares the greedy ids.
"""

import argparse
import collections
import ctypes
import json
import math
import shutil
import sys
from pathlib import Path

import gguf
import numpy as np
import torch
from safetensors.torch import save_file

import gguf_blocks

torch.set_num_threads(1)
torch.set_grad_enabled(False)
T = gguf.GGMLQuantizationType
HERE = Path(__file__).resolve().parent
STEPS, MIN_GAP = 64, 0.02
LIB = None

TEXTS = ["Once upon a time", "The capital of France is", "Hello, world!", "def main():\n    return", "What is 12 + 34?",
         "The quick brown fox", "I don't know", "Water is", "你好，世界！", "A chat between a user and", "  two spaces",
         "In 1969,", "She said: \"Yes\"", "Read the text.", "for (int i = 0; i < n; ++i)", "Grüße aus Österreich",
         "List:\n1. one\n2.", "Where is the dog?", "x = y + 1;", "No.", "Name three objects.", "How old is it?", "SELECT * FROM t", "Yes, and then",
         "1234567890", "The sky is blue.", "Be brief.", "a b c d e", "Count the windows.", "https://example.org/", "Two",
         "It is a small dog and", "She", "Read this\nand this", "Why?", "Once more", "from math import", "A poem:"]


# Weights -----------------------------------------------------------------------------------------

def exact(x):
    """bfloat16 values that float16 holds as well."""
    x = x.to(torch.bfloat16)
    x[x.abs().float() < 2.0 ** -17] = 0
    assert torch.equal(x.half().to(torch.bfloat16), x)
    return x.contiguous()


def llm_tensors(cfg, seed):
    gen = torch.Generator().manual_seed(seed)
    rand = lambda *s: torch.randn(s, generator=gen)
    h, f, v = cfg["hidden_size"], cfg["intermediate_size"], cfg["vocab_size"]
    kv = h // cfg["num_attention_heads"] * cfg["num_key_value_heads"]
    out = collections.OrderedDict()
    embed = rand(v, h) * torch.exp(0.5 * rand(v, 1)) * (1.2 / math.sqrt(h))
    # A tied table is kept small beside what the layers add, or every step would repeat its input.
    tied = cfg["tie_word_embeddings"]
    out["model.embed_tokens.weight"] = embed * 0.1 if tied else rand(v, h) * 0.5
    for i in range(cfg["num_hidden_layers"]):
        p = f"model.layers.{i}."
        for x, n, g in (("q", h, 1.6), ("k", kv, 1.6), ("v", kv, 1.2), ("o", h, 1.0)):
            out[f"{p}self_attn.{x}_proj.weight"] = rand(n, h) * g / math.sqrt(h)
            if cfg["model_type"] == "qwen2" and x != "o":
                out[f"{p}self_attn.{x}_proj.bias"] = rand(n) * 0.3
        out[p + "mlp.gate_proj.weight"] = rand(f, h) * 1.5 / math.sqrt(h)
        out[p + "mlp.up_proj.weight"] = rand(f, h) * 1.2 / math.sqrt(h)
        out[p + "mlp.down_proj.weight"] = rand(h, f) * 1.2 / math.sqrt(f)
        out[p + "input_layernorm.weight"] = 1 + 0.1 * rand(h)
        out[p + "post_attention_layernorm.weight"] = 1 + 0.1 * rand(h)
    out["model.norm.weight"] = (1 + 0.1 * rand(h)) * (10.0 if tied else 1.0)
    if not cfg["tie_word_embeddings"]:
        out["lm_head.weight"] = embed
    return collections.OrderedDict((k, exact(x)) for k, x in out.items())


# GGUF --------------------------------------------------------------------------------------------

def put(w, name, x, kind=T.F32):
    x = x.float().numpy()
    if kind == T.F32:
        w.add_tensor(name, x.astype(np.float32))
        return x
    if kind == T.F16:
        w.add_tensor(name, x.astype(np.float16))
        return x.astype(np.float16).astype(np.float32)
    block, size = gguf.GGML_QUANT_SIZES[kind]
    rows = np.ascontiguousarray(x.reshape(-1, x.shape[-1]), np.float32)
    raw = gguf_blocks.quantise(rows, kind, LIB).reshape(*x.shape[:-1], x.shape[-1] // block * size)
    w.add_tensor(name, raw, raw_dtype=kind)
    return gguf.quants.dequantize(raw, kind).astype(np.float32).reshape(x.shape)


def permute(x, heads):
    """HF row h*d + half*(d/2) + j becomes row h*d + 2j + half."""
    return x.reshape(heads, 2, x.shape[0] // heads // 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def unpermute(x, heads):
    return x.reshape(heads, x.shape[0] // heads // 2, 2, *x.shape[1:]).swapaxes(1, 2).reshape(x.shape)


def spm_vocab(w, model):
    import sentencepiece
    sp = sentencepiece.SentencePieceProcessor(model_file=str(model))
    tokens, scores, types = [], [], []
    for i in range(sp.vocab_size()):
        kind = gguf.TokenType.NORMAL
        if sp.is_unknown(i):
            kind = gguf.TokenType.UNKNOWN
        elif sp.is_control(i):
            kind = gguf.TokenType.CONTROL
        elif sp.is_unused(i):
            kind = gguf.TokenType.UNUSED
        elif sp.is_byte(i):
            kind = gguf.TokenType.BYTE
        tokens.append(sp.id_to_piece(i).encode())
        scores.append(sp.get_score(i))
        types.append(kind)
    w.add_tokenizer_model("llama")
    w.add_token_list(tokens)
    w.add_token_scores(scores)
    w.add_token_types(types)
    w.add_bos_token_id(1)
    w.add_eos_token_id(2)
    w.add_unk_token_id(0)
    w.add_pad_token_id(0)


def bpe_vocab(w, folder, size):
    vocab = json.loads((folder / "vocab.json").read_text(encoding="utf-8"))
    added = json.loads((folder / "added_tokens.json").read_text())
    by_id = {i: t for t, i in vocab.items()}
    tokens, types = [], []
    for i in range(size):
        special = next((t for t, k in added.items() if k == i), None)
        if special:
            tokens.append(special)
            types.append(gguf.TokenType.CONTROL)
        elif i in by_id:
            tokens.append(by_id[i])
            types.append(gguf.TokenType.NORMAL)
        else:
            tokens.append(f"[PAD{i}]")
            types.append(gguf.TokenType.UNUSED)
    merges = [x for x in (folder / "merges.txt").read_text(encoding="utf-8").splitlines()[1:] if x]
    w.add_tokenizer_model("gpt2")
    w.add_tokenizer_pre("qwen2")
    w.add_token_list(tokens)
    w.add_token_types(types)
    w.add_token_merges(merges)
    w.add_bos_token_id(added["<|endoftext|>"])
    w.add_eos_token_id(added["<|im_end|>"])
    w.add_pad_token_id(added["<|endoftext|>"])
    w.add_add_bos_token(False)
    w.add_chat_template("{% for m in messages %}{{ '<|im_start|>' + m['role'] + '\n' + m['content'] + '<|im_end|>' + '\n' }}"
                        "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


NAMES = (("input_layernorm", "attn_norm"), ("self_attn.q_proj", "attn_q"), ("self_attn.k_proj", "attn_k"),
         ("self_attn.v_proj", "attn_v"), ("self_attn.o_proj", "attn_output"), ("post_attention_layernorm", "ffn_norm"),
         ("mlp.gate_proj", "ffn_gate"), ("mlp.up_proj", "ffn_up"), ("mlp.down_proj", "ffn_down"))


def write_llm(path, cfg, t, vocab, kinds=None, name="tiny"):
    """Returns the tensors as the file holds them (HF names and row order)."""
    arch = "llama" if cfg["model_type"] in ("llama", "mobilevlm") else cfg["model_type"]
    w = gguf.GGUFWriter(str(path), arch)
    heads, kv = cfg["num_attention_heads"], cfg["num_key_value_heads"]
    w.add_name(name)
    w.add_context_length(cfg["max_position_embeddings"])
    w.add_embedding_length(cfg["hidden_size"])
    w.add_block_count(cfg["num_hidden_layers"])
    w.add_feed_forward_length(cfg["intermediate_size"])
    w.add_head_count(heads)
    w.add_head_count_kv(kv)
    w.add_layer_norm_rms_eps(cfg["rms_norm_eps"])
    w.add_rope_freq_base(cfg["rope_theta"])
    w.add_file_type(gguf.LlamaFileType.MOSTLY_F16)
    if arch == "llama":
        w.add_rope_dimension_count(cfg["hidden_size"] // heads)
        w.add_vocab_size(cfg["vocab_size"])
    vocab(w)
    held = {}

    def one(hf, name, kind):
        x = t[hf]
        turn = heads if name.endswith("attn_q.weight") else kv if name.endswith("attn_k.weight") else 0
        if arch != "llama" or x.ndim == 1:
            turn = 0
        y = put(w, name, permute(x, turn) if turn else x, kind)
        y = torch.from_numpy(np.ascontiguousarray(y))
        held[hf] = unpermute(y, turn) if turn else y

    kinds = kinds or {}
    matrix = lambda key: kinds.get(key, T.F16)
    one("model.embed_tokens.weight", "token_embd.weight", matrix("token_embd"))
    for i in range(cfg["num_hidden_layers"]):
        for hf, g in NAMES:
            hf = f"model.layers.{i}.{hf}."
            for part in ("weight", "bias"):
                if hf + part in t:
                    kind = T.F32 if part == "bias" or "norm" in g else matrix(f"{i}.{g}" if f"{i}.{g}" in kinds else g)
                    one(hf + part, f"blk.{i}.{g}.{part}", kind)
    one("model.norm.weight", "output_norm.weight", T.F32)
    if "lm_head.weight" in t:
        one("lm_head.weight", "output.weight", matrix("output"))
    finish(w)
    return held


def finish(w):
    w.write_header_to_file()
    w.write_kv_data_to_file()
    w.write_tensors_to_file()
    w.close()


def write_mmproj(path, t, clip, projector, quant=None, f32=False, old_names=True, first="clip"):
    """projector: ldp, ldpv2, peg, mlp, or None for no key. Returns the tensors as the file holds them (HF names)."""
    w = gguf.GGUFWriter(str(path), first)
    layers = clip["num_hidden_layers"] - 1  # the converters drop the last one
    w.add_bool("clip.has_text_encoder", False)
    w.add_bool("clip.has_vision_encoder", True)
    w.add_bool("clip.has_llava_projector", True)
    w.add_file_type(0 if f32 else 1)
    w.add_name("openai/clip-vit-large-patch14-336")
    w.add_description("image encoder for LLaVA")
    if projector:
        w.add_string("clip.projector_type", projector)
    w.add_uint32("clip.vision.image_size", clip["image_size"])
    w.add_uint32("clip.vision.patch_size", clip["patch_size"])
    w.add_uint32("clip.vision.embedding_length", clip["hidden_size"])
    w.add_uint32("clip.vision.feed_forward_length", clip["intermediate_size"])
    w.add_uint32("clip.vision.projection_dim", clip["projection_dim"])
    w.add_uint32("clip.vision.attention.head_count", clip["num_attention_heads"])
    w.add_float32("clip.vision.attention.layer_norm_epsilon", clip["layer_norm_eps"])
    w.add_uint32("clip.vision.block_count", layers)
    w.add_array("clip.vision.image_mean", [0.48145466, 0.4578275, 0.40821073])
    w.add_array("clip.vision.image_std", [0.26862954, 0.26130258, 0.27577711])
    w.add_bool("clip.use_gelu", False)
    if quant:
        w.add_quantization_version(gguf.GGML_QUANT_VERSION)
    held = {}

    def one(hf, name, x, tower):
        kind = T.F32
        if name.endswith("weight") and x.ndim >= 2:
            kind = T.F32 if f32 and tower and x.ndim == 2 else T.F16
            if quant and x.ndim == 2 and x.shape[-1] % 32 == 0:
                kind = quant
        y = put(w, name, x, kind)
        held[hf] = torch.from_numpy(np.ascontiguousarray(y)).reshape(t[hf].shape)

    v = "model.vision_tower.vision_tower.vision_model."
    one(v + "embeddings.class_embedding", "v.class_embd", t[v + "embeddings.class_embedding"], True)
    one(v + "embeddings.patch_embedding.weight", "v.patch_embd.weight", t[v + "embeddings.patch_embedding.weight"], True)
    one(v + "embeddings.position_embedding.weight", "v.position_embd.weight", t[v + "embeddings.position_embedding.weight"], True)
    down, up = ("ffn_down", "ffn_up") if old_names else ("ffn_up", "ffn_down")
    parts = [("pre_layrnorm", "v.pre_ln")]
    for i in range(layers):
        parts += [(f"encoder.layers.{i}.{a}", f"v.blk.{i}.{b}") for a, b in (
            ("self_attn.k_proj", "attn_k"), ("self_attn.v_proj", "attn_v"), ("self_attn.q_proj", "attn_q"),
            ("self_attn.out_proj", "attn_out"), ("layer_norm1", "ln1"), ("mlp.fc1", down), ("mlp.fc2", up), ("layer_norm2", "ln2"))]
    for a, b in parts:
        for p in ("weight", "bias"):
            one(f"{v}{a}.{p}", f"{b}.{p}", t[f"{v}{a}.{p}"], True)
    p = "model.mm_projector."
    for hf, x in t.items():
        if not hf.startswith(p):
            continue
        name = hf[len(p):]
        name = "mm." + (name if name[0].isdigit() else name if name.startswith("model.") else
                        "model." + name.replace("mlp.mlp.", "mlp.").replace("peg.peg.", "peg."))
        if x.ndim == 4:  # depthwise [D,1,3,3] -> [D,3,3]; pointwise [O,I,1,1] -> [O,I]
            x = x.reshape([n for n in x.shape if n != 1])
        one(hf, name, x, False)
    finish(w)
    return held


# Goldens -----------------------------------------------------------------------------------------

def reference(cfg, t):
    from transformers import AutoConfig, AutoModelForCausalLM
    kind = cfg["model_type"]
    model = AutoModelForCausalLM.from_config(AutoConfig.for_model(kind, **{k: v for k, v in cfg.items() if k != "model_type"}),
                                             attn_implementation="eager")
    missing, unexpected = model.load_state_dict({k: v.float() for k, v in t.items()}, strict=False)
    assert not unexpected and set(missing) <= {"lm_head.weight"}, (missing, unexpected)
    if cfg["tie_word_embeddings"]:
        model.tie_weights()
    return model.float().eval()


def greedy(model, ids, floor):
    gap, out, past, feed = float("inf"), [], None, torch.tensor([ids])
    for _ in range(STEPS):
        r = model(input_ids=feed, past_key_values=past, use_cache=True)
        top = torch.topk(r.logits[0, -1], 2)
        gap = min(gap, float(top.values[0] - top.values[1]))
        if gap < floor:
            return None, gap
        out.append(int(top.indices[0]))
        past, feed = r.past_key_values, torch.tensor([[out[-1]]])
    return out, gap


def trace(model, ids):
    before = []
    handle = model.model.norm.register_forward_pre_hook(lambda m, a: before.append(a[0].clone()))
    r = model(input_ids=torch.tensor([ids]), output_hidden_states=True, use_cache=False)
    handle.remove()
    t = {"lm.input_ids": torch.tensor(ids), "lm.inputs_embeds": r.hidden_states[0][0]}
    for k, x in enumerate([*r.hidden_states[:-1], before[0]]):
        t[f"lm.hidden.{k}"] = x[0]
    t["lm.logits"] = r.logits[0, -1]
    return {k: v.contiguous().clone() for k, v in t.items()}


def prompts_for(model, tok, folder, tag, floor):
    rows = []
    for text in TEXTS:
        ids = tok(text).input_ids
        tokens, gap = greedy(model, ids, floor)
        if tokens is None or len(set(tokens)) < 10:
            continue
        t = trace(model, ids)
        file = f"{tag}.safetensors" if not rows else None
        if file:
            save_file(t, str(folder / file))
        rows.append({"name": f"prompt_{len(rows)}", "raw": text, "input_ids": ids, "greedy": tokens, "min_gap": round(gap, 6),
                     "top": [int(i) for i in torch.topk(t["lm.logits"], 5).indices], "trace": file})
        if len(rows) == 5:
            break
    print(folder.name, tag, len(rows), "prompts, gaps", [r["min_gap"] for r in rows], "logits std",
          round(float(t["lm.logits"].std()), 2))
    assert len(rows) >= 3
    return rows


def write_golden(path, model, seed, prompts):
    import transformers
    value = {"schema": "galago.golden/1", "upstream": [{"repo": "huggingface/transformers", "commit": "v" + transformers.__version__}],
             "packages": {"torch": torch.__version__, "transformers": transformers.__version__, "gguf": "0.19.0"},
             "seed": seed, "dtype": "float32", "model": model, "compat": "auto", "template": "raw", "prompts": prompts}
    path.write_text(json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace('},{"name":', '},\n{"name":') + "\n",
                    encoding="utf-8")


def language_models(out, index):
    from transformers import LlamaTokenizer, Qwen2Tokenizer
    tokenizers = out.parent / "tokenizers"
    base = dict(hidden_size=64, intermediate_size=256, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
                max_position_embeddings=512, hidden_act="silu", torch_dtype="bfloat16")
    mixed = {"token_embd": T.Q8_0, "output": T.Q8_0, "0.attn_q": T.Q8_0, "0.attn_k": T.Q4_0, "0.attn_v": T.Q5_1,
             "0.attn_output": T.Q4_1, "0.ffn_gate": T.Q5_0, "0.ffn_up": T.Q8_0, "0.ffn_down": T.Q6_K, "1.attn_q": T.Q5_0,
             "1.attn_k": T.Q5_1, "1.attn_v": T.Q8_0, "1.attn_output": T.Q5_0, "1.ffn_gate": T.Q4_1, "1.ffn_up": T.Q4_0,
             "1.ffn_down": T.Q4_K}
    for name, seed, cfg in (
            ("llama", 2100, dict(base, model_type="llama", vocab_size=1000, rms_norm_eps=1e-5, rope_theta=10000.0,
                                 tie_word_embeddings=False, bos_token_id=1, eos_token_id=2, architectures=["LlamaForCausalLM"])),
            ("qwen2", 2200, dict(base, model_type="qwen2", vocab_size=912, rms_norm_eps=1e-6, rope_theta=1000000.0,
                                 tie_word_embeddings=True, use_sliding_window=False, bos_token_id=900, eos_token_id=902,
                                 architectures=["Qwen2ForCausalLM"]))):
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "model").mkdir(parents=True)
        t = llm_tensors(cfg, seed)
        save_file(dict(t), str(folder / "model" / "model.safetensors"), {"format": "pt"})
        (folder / "model" / "config.json").write_text(json.dumps(cfg, indent=2) + "\n")
        files = ("tokenizer.model",) if name == "llama" else ("vocab.json", "merges.txt", "added_tokens.json")
        for f in (*files, "tokenizer_config.json", "special_tokens_map.json"):
            shutil.copy(tokenizers / name / f, folder / "model" / f)
        if name == "llama":
            vocab = lambda w: spm_vocab(w, folder / "model" / "tokenizer.model")
            tok = LlamaTokenizer.from_pretrained(folder / "model", legacy=True)
        else:
            vocab = lambda w: bpe_vocab(w, folder / "model", cfg["vocab_size"])
            tok = Qwen2Tokenizer.from_pretrained(folder / "model")
        held = write_llm(folder / f"{name}-f16.gguf", cfg, t, vocab)
        assert all(torch.equal(held[k], t[k].float()) for k in t)
        write_golden(folder / "golden.json", "model", seed, prompts_for(reference(cfg, t), tok, folder, "f16", MIN_GAP))
        held = write_llm(folder / f"{name}-mixed.gguf", cfg, t, vocab, mixed)
        write_golden(folder / "golden_mixed.json", f"{name}-mixed.gguf", seed,
                     prompts_for(reference(cfg, held), tok, folder, "mixed", MIN_GAP))
        index += [{"llm": f"{name}/{name}-f16.gguf", "same_as": f"{name}/model", "golden": f"{name}/golden.json"},
                  {"llm": f"{name}/{name}-mixed.gguf", "golden": f"{name}/golden_mixed.json"}]


def load_bins(folder):
    t = {}
    for f in sorted(folder.glob("*.bin")):
        t.update(torch.load(f, map_location="cpu"))
    return t


def mobilevlm(out, index, tree):
    data = out.parent
    for name, projector in (("mobilevlm_v1", "ldp"), ("mobilevlm_v2", "ldpv2"), ("mobilevlm_v2_7b", "ldpv2"), ("mobilevlm_mlp", "mlp")):
        folder = out / name
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        src = data / name / "model"
        cfg, clip, t = json.loads((src / "config.json").read_text()), json.loads((src / "clip/config.json").read_text()), load_bins(src)
        golden = f"../{name}/golden.json"
        if name == "mobilevlm_v2_7b":  # quantised; beside any language model of its width
            held = write_mmproj(folder / "mmproj-q8_0.gguf", t, clip, projector, quant=T.Q8_0)
            quantised_trace(folder, name, {**t, **held}, tree)
            index.append({"llm": "llama/llama-f16.gguf", "mmproj": f"{name}/mmproj-q8_0.gguf", "picture": "../media_b/a.png",
                          "trace": f"{name}/mmproj-q8_0.safetensors"})
            continue
        write_llm(folder / "llm-f16.gguf", cfg, t, lambda w: spm_vocab(w, src / "tokenizer.model"), name=name)
        # The mlp ones: the f32 option (matrices of the tower F32, of the projector F16) with newer ffn names; no type key.
        for file, kind, f32, old in {"ldp": [("mmproj-f16", "ldp", False, True)],
                                     "ldpv2": [("mmproj-f16", "ldpv2", False, True), ("mmproj-peg-f16", "peg", False, True)],
                                     "mlp": [("mmproj-f32", "mlp", True, False), ("mmproj-no-type-f16", None, False, True)]}[projector]:
            write_mmproj(folder / f"{file}.gguf", t, clip, kind, f32=f32, old_names=old)
            index.append({"llm": f"{name}/llm-f16.gguf", "mmproj": f"{name}/{file}.gguf", "golden": golden})


def quantised_trace(folder, name, t, tree):
    """The official tower and projector classes on the dequantised weights; one picture."""
    from types import SimpleNamespace
    from PIL import Image
    sys.path.insert(0, str(tree.resolve()))
    from mobilevlm.model.vision_projector import build_vision_projector
    from mobilevlm.utils import process_images
    from transformers import CLIPImageProcessor, CLIPVisionConfig, CLIPVisionModel
    src = folder.parent.parent / name / "model"
    cfg = SimpleNamespace(**json.loads((src / "config.json").read_text()))
    tower = CLIPVisionModel(CLIPVisionConfig.from_pretrained(src / "clip")).eval()
    v, p = "model.vision_tower.vision_tower.", "model.mm_projector."
    missing, unexpected = tower.load_state_dict({k[len(v):]: x.float() for k, x in t.items() if k.startswith(v)}, strict=False)
    assert not unexpected and all("position_ids" in k for k in missing), (missing, unexpected)
    proj = build_vision_projector(cfg).eval()
    proj.load_state_dict({k[len(p):]: x.float() for k, x in t.items() if k.startswith(p)})
    image = Image.open(folder.parent.parent / "media_b" / "a.png").convert("RGB")
    pixels = torch.as_tensor(process_images([image], CLIPImageProcessor.from_pretrained(src / "clip"), cfg), dtype=torch.float32)
    hidden = tower(pixels, output_hidden_states=True).hidden_states
    selected = hidden[cfg.mm_vision_select_layer][:, 1:]
    save_file({"vision.0.selected": selected.contiguous(), "projector.0.out": proj(selected).contiguous()},
              str(folder / "mmproj-q8_0.safetensors"))


def verify(out, index):
    import llama_cpp
    for row in index:
        path = out / row["llm"]
        if "golden" not in row:
            continue
        golden = json.loads((out / row["golden"]).read_text(encoding="utf-8"))
        llm = llama_cpp.Llama(model_path=str(path), n_ctx=512, n_threads=1, n_threads_batch=1, verbose=False)
        for p in golden["prompts"]:
            if p.get("media"):
                continue
            text = p.get("raw", p.get("rendered"))
            ids = llm.tokenize(text.encode(), add_bos=True, special=True)
            llm.reset()
            feed, got, first = p["input_ids"], [], None
            for _ in range(STEPS):
                llm.eval(feed)
                logits = np.ctypeslib.as_array(llama_cpp.llama_get_logits_ith(llm._ctx.ctx, -1), shape=(llm.n_vocab(),))
                first = logits.copy() if first is None else first
                got.append(int(np.argmax(logits)))
                feed = [got[-1]]
            same = next((k for k in range(STEPS) if got[k] != p["greedy"][k]), STEPS)
            top = [int(i) for i in np.argsort(-first)[:5]]
            print(f"{row['llm']} {p['name']}: ids {'same' if ids == p['input_ids'] else 'DIFFER'}, "
                  f"{same} of {STEPS} greedy ids equal, top {'same' if top == p['top'] else top}")
        llm.close()


def main():
    global LIB
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--mobilevlm", type=Path, required=True)
    p.add_argument("--libggml", type=Path)
    p.add_argument("--verify", action="store_true", help="only run llama.cpp on the files that are there")
    a = p.parse_args()
    out = a.out.resolve()
    if a.verify:
        verify(out, json.loads((out / "index.json").read_text()))
        return
    LIB = ctypes.CDLL(str(a.libggml)) if a.libggml else None
    from transformers.utils import logging
    logging.set_verbosity_error()
    index = []
    language_models(out, index)
    mobilevlm(out, index, a.mobilevlm)
    lines = ",\n".join(" " + json.dumps(r) for r in index)
    (out / "index.json").write_text("[\n" + lines + "\n]\n")


if __name__ == "__main__":
    main()

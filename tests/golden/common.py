"""Shared parts of the golden generators: tiny checkpoints, import shims, recording, greedy decoding.

Nothing here re-implements a reference computation. The reference code is imported at run time from a directory
named on the command line; this module only makes its inputs and writes down its outputs.
"""

import contextlib
import hashlib
import importlib.abc
import importlib.machinery
import json
import math
import os
import random
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

torch.set_num_threads(1)
torch.set_grad_enabled(False)

HERE = os.path.dirname(os.path.abspath(__file__))
DATA = os.path.join(HERE, "data")
MEDIA = os.path.join(DATA, "media")
MEDIA_ROW = -200
GREEDY_STEPS = 64
MIN_GAP = 0.02


# ---------------------------------------------------------------------------------------------------------------
# Import shims: packages the reference imports but does not need for a CPU float32 forward pass.

STUB_PACKAGES = {
    "bitsandbytes", "decord", "deepspeed", "flash_attn", "liger_kernel", "mmcv", "mmengine", "open_clip",
    "openai", "peft", "ps3", "qoft", "ring_flash_attn", "slowfast", "timm", "transformer_engine", "triton", "trl", "vllm",
    "wandb", "webdataset", "xformers", "xgrammar", "pytorchvideo", "moviepy", "loguru", "rich", "pywsd", "tyro", "braceexpand",
    "hydra_plugins", "gradio", "nltk", "pycocoevalcap", "datasets", "matplotlib", "shortuuid", "fire", "openpyxl", "seaborn",
    "markdown2", "botocore", "boto3", "iopath",
    "ftfy", "kornia", "pyav", "av", "jieba", "megfile", "torchao", "gdown", "lmms_eval", "pynvml", "nvtx",
}


class _Anything:
    """Stands for any class or function of a stubbed package."""

    def __init__(self, *args, **kwargs):
        pass

    def __call__(self, *args, **kwargs):
        if len(args) == 1 and not kwargs and callable(args[0]):
            return args[0]
        return self

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return _Anything()

    def __class_getitem__(cls, item):
        return cls

    def __getitem__(self, item):
        return self

    def __mro_entries__(self, bases):
        return (object,)

    def __or__(self, other):
        return self

    __ror__ = __or__


class _StubModule(types.ModuleType):
    __version__ = "0.0.0"
    __path__ = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        if name[:1].isupper():
            value = type(name, (_Anything,), {})
        else:
            value = _Anything()
        setattr(self, name, value)
        return value


class _StubFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(self, fullname, path=None, target=None):
        if fullname.split(".")[0] in STUB_PACKAGES:
            return importlib.machinery.ModuleSpec(fullname, self, is_package=True)
        return None

    def create_module(self, spec):
        return _StubModule(spec.name)

    def exec_module(self, module):
        pass


def install_stubs():
    import accelerate  # noqa: F401  (real packages must see the world without stubs first)
    import transformers  # noqa: F401

    sys.meta_path.append(_StubFinder())


@contextlib.contextmanager
def half_is_float():
    """The reference forces float16 in its loader; here every such request means float32."""
    saved = torch.float16, torch.half
    torch.float16 = torch.half = torch.float32
    try:
        yield
    finally:
        torch.float16, torch.half = saved


def patch_device_and_dtype():
    """`.cuda()` and `.half()` on tensors become identities: CPU, float32."""
    torch.Tensor.cuda = lambda self, *a, **k: self
    torch.Tensor.half = lambda self: self.float()


# ---------------------------------------------------------------------------------------------------------------
# Small helpers

def fnv1a64(data):
    h = 0xCBF29CE484222325
    for b in bytes(data):
        h = ((h ^ b) * 0x100000001B3) & 0xFFFFFFFFFFFFFFFF
    return f"{h:016x}"


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def write_json(path, value, indent=1):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(value, f, ensure_ascii=False, indent=indent)
        f.write("\n")


def read_json(path):
    with open(path, encoding="utf-8") as f:
        return json.load(f)


def write_tensors(path, tensors, metadata=None):
    save_file(tensors, path, metadata=metadata)
    os.chmod(path, 0o644)


def package_versions(*names):
    import importlib.metadata as md

    out = {"python": sys.version.split()[0]}
    for n in names:
        try:
            out[n] = md.version(n)
        except md.PackageNotFoundError:
            pass
    return out


# ---------------------------------------------------------------------------------------------------------------
# Weights

class Weights:
    """Random bfloat16 tensors of one checkpoint part, in a fixed order of creation."""

    def __init__(self, seed):
        self.gen = torch.Generator().manual_seed(seed)
        self.t = {}

    def _put(self, name, x):
        self.t[name] = x.to(torch.bfloat16).contiguous()

    def normal(self, name, shape, std):
        self._put(name, torch.randn(shape, generator=self.gen) * std)

    def matrix(self, name, shape, gain=1.0):
        fan_in = math.prod(shape[1:])
        self.normal(name, shape, gain / math.sqrt(fan_in))

    def bias(self, name, n, std=0.1):
        self.normal(name, (n,), std)

    def norm(self, name, n, bias=False):
        self._put(name + ".weight", 1 + 0.1 * torch.randn(n, generator=self.gen))
        if bias:
            self.bias(name + ".bias", n)

    def heavy(self, name, rows, cols, std, spread):
        """Rows of log-normal length: top logits stand apart, so that rounding rarely swaps them."""
        length = torch.exp(spread * torch.randn(rows, 1, generator=self.gen))
        self._put(name, torch.randn(rows, cols, generator=self.gen) * length * std)

    def save(self, folder, shards=1):
        os.makedirs(folder, exist_ok=True)
        if shards == 1:
            write_tensors(os.path.join(folder, "model.safetensors"), self.t, {"format": "pt"})
            return
        names = list(self.t)
        total = sum(t.numel() * t.element_size() for t in self.t.values())
        weight_map, cut = {}, math.ceil(len(names) / shards)
        for s in range(shards):
            part = names[s * cut : (s + 1) * cut]
            file = f"model-{s + 1:05d}-of-{shards:05d}.safetensors"
            write_tensors(os.path.join(folder, file), {n: self.t[n] for n in part}, {"format": "pt"})
            weight_map.update({n: file for n in part})
        write_json(
            os.path.join(folder, "model.safetensors.index.json"),
            {"metadata": {"total_size": total}, "weight_map": dict(sorted(weight_map.items()))},
        )


def llm_weights(seed, cfg):
    w = Weights(seed)
    h, f, v = cfg["hidden_size"], cfg["intermediate_size"], cfg["vocab_size"]
    heads, kv = cfg["num_attention_heads"], cfg["num_key_value_heads"]
    d = h // heads
    qwen = cfg["model_type"] == "qwen2"
    tied = cfg["tie_word_embeddings"]
    if tied:
        w.heavy("model.embed_tokens.weight", v, h, 0.12, 0.5)
    else:
        w.normal("model.embed_tokens.weight", (v, h), 0.5)
    for i in range(cfg["num_hidden_layers"]):
        p = f"model.layers.{i}."
        w.norm(p + "input_layernorm", h)
        w.matrix(p + "self_attn.q_proj.weight", (heads * d, h), 1.6)
        w.matrix(p + "self_attn.k_proj.weight", (kv * d, h), 1.6)
        w.matrix(p + "self_attn.v_proj.weight", (kv * d, h), 1.2)
        if qwen:
            w.bias(p + "self_attn.q_proj.bias", heads * d, 0.3)
            w.bias(p + "self_attn.k_proj.bias", kv * d, 0.3)
            w.bias(p + "self_attn.v_proj.bias", kv * d, 0.1)
        w.matrix(p + "self_attn.o_proj.weight", (h, heads * d), 1.0)
        w.norm(p + "post_attention_layernorm", h)
        w.matrix(p + "mlp.gate_proj.weight", (f, h), 1.5)
        w.matrix(p + "mlp.up_proj.weight", (f, h), 1.2)
        w.matrix(p + "mlp.down_proj.weight", (h, f), 1.2)
    w.norm("model.norm", h)
    if not tied:
        w.heavy("lm_head.weight", v, h, 0.2, 0.5)
    return w


def siglip_weights(seed, cfg, head=False):
    w = Weights(seed)
    c, f, p = cfg["hidden_size"], cfg["intermediate_size"], cfg["patch_size"]
    n = (cfg["image_size"] // p) ** 2
    v = "vision_model."
    w.matrix(v + "embeddings.patch_embedding.weight", (c, 3, p, p), 1.5)
    w.bias(v + "embeddings.patch_embedding.bias", c)
    w.normal(v + "embeddings.position_embedding.weight", (n, c), 0.4)
    for i in range(cfg["num_hidden_layers"]):
        l = f"{v}encoder.layers.{i}."
        w.norm(l + "layer_norm1", c, bias=True)
        for q in ("q", "k", "v", "out"):
            w.matrix(l + f"self_attn.{q}_proj.weight", (c, c), 1.4)
            w.bias(l + f"self_attn.{q}_proj.bias", c)
        w.norm(l + "layer_norm2", c, bias=True)
        w.matrix(l + "mlp.fc1.weight", (f, c), 1.3)
        w.bias(l + "mlp.fc1.bias", f)
        w.matrix(l + "mlp.fc2.weight", (c, f), 1.3)
        w.bias(l + "mlp.fc2.bias", c)
    w.norm(v + "post_layernorm", c, bias=True)
    if head:
        w.normal(v + "head.probe", (1, 1, c), 1.0)
        w.matrix(v + "head.attention.in_proj_weight", (3 * c, c))
        w.bias(v + "head.attention.in_proj_bias", 3 * c)
        w.matrix(v + "head.attention.out_proj.weight", (c, c))
        w.bias(v + "head.attention.out_proj.bias", c)
        w.norm(v + "head.layernorm", c, bias=True)
        w.matrix(v + "head.mlp.fc1.weight", (f, c))
        w.bias(v + "head.mlp.fc1.bias", f)
        w.matrix(v + "head.mlp.fc2.weight", (c, f))
        w.bias(v + "head.mlp.fc2.bias", c)
    return w


def clip_weights(seed, cfg):
    w = Weights(seed)
    c, f, p = cfg["hidden_size"], cfg["intermediate_size"], cfg["patch_size"]
    n = (cfg["image_size"] // p) ** 2
    v = "vision_model."
    w.normal(v + "embeddings.class_embedding", (c,), 0.5)
    w.matrix(v + "embeddings.patch_embedding.weight", (c, 3, p, p), 1.5)
    w.normal(v + "embeddings.position_embedding.weight", (n + 1, c), 0.4)
    w.norm(v + "pre_layrnorm", c, bias=True)
    for i in range(cfg["num_hidden_layers"]):
        l = f"{v}encoder.layers.{i}."
        for q in ("k", "v", "q", "out"):
            w.matrix(l + f"self_attn.{q}_proj.weight", (c, c), 1.4)
            w.bias(l + f"self_attn.{q}_proj.bias", c)
        w.norm(l + "layer_norm1", c, bias=True)
        w.matrix(l + "mlp.fc1.weight", (f, c), 1.3)
        w.bias(l + "mlp.fc1.bias", f)
        w.matrix(l + "mlp.fc2.weight", (c, f), 1.3)
        w.bias(l + "mlp.fc2.bias", c)
        w.norm(l + "layer_norm2", c, bias=True)
    w.norm(v + "post_layernorm", c, bias=True)
    return w


def intern_weights(seed, cfg):
    w = Weights(seed)
    c, f, p = cfg["hidden_size"], cfg["intermediate_size"], cfg["patch_size"]
    n = (cfg["image_size"] // p) ** 2
    w.normal("embeddings.class_embedding", (1, 1, c), 0.5)
    w.normal("embeddings.position_embedding", (1, n + 1, c), 0.4)
    w.matrix("embeddings.patch_embedding.weight", (c, 3, p, p), 1.5)
    w.bias("embeddings.patch_embedding.bias", c)
    for i in range(cfg["num_hidden_layers"]):
        l = f"encoder.layers.{i}."
        w._put(l + "ls1", 0.6 + 0.2 * torch.randn(c, generator=w.gen))
        w._put(l + "ls2", 0.6 + 0.2 * torch.randn(c, generator=w.gen))
        w.matrix(l + "attn.qkv.weight", (3 * c, c), 1.4)
        w.norm(l + "attn.q_norm", c)
        w.norm(l + "attn.k_norm", c)
        w.matrix(l + "attn.proj.weight", (c, c), 1.2)
        w.bias(l + "attn.proj.bias", c)
        w.matrix(l + "mlp.fc1.weight", (f, c), 1.3)
        w.bias(l + "mlp.fc1.bias", f)
        w.matrix(l + "mlp.fc2.weight", (c, f), 1.3)
        w.bias(l + "mlp.fc2.bias", c)
        w.norm(l + "norm1", c)
        w.norm(l + "norm2", c)
    return w


def projector_weights(seed, kind, m, h):
    """Names and shapes of MultimodalProjector, indices counting parameter-free modules."""
    w = Weights(seed)

    def linear(i, out, inp):
        w.matrix(f"layers.{i}.weight", (out, inp), 1.0)
        w.bias(f"layers.{i}.bias", out)

    def ln(i, n):
        w.norm(f"layers.{i}", n, bias=True)

    if kind == "identity":
        pass
    elif kind == "linear":
        w.matrix("layers.weight", (h, m), 0.5)
        w.bias("layers.bias", h)
    elif kind in ("mlp_downsample", "mlp_downsample_2x2_fix"):
        ln(1, 4 * m), linear(2, h, 4 * m), linear(4, h, h)
    elif kind == "mlp_downsample_3x3_fix":
        ln(1, 9 * m), linear(2, 3 * m, 9 * m), ln(4, 3 * m), linear(5, h, 3 * m), linear(7, h, h)
    elif kind == "mlp_downsample_3x3_s2":
        ln(1, 9 * m), linear(2, 3 * m, 9 * m), ln(4, 3 * m), linear(5, m, 3 * m), ln(7, m), linear(8, m // 3, m)
        ln(10, m // 3), linear(11, h, m // 3), linear(13, h, h)
    elif kind == "mlp_downsample_3x3_s2_new":
        ln(1, 9 * m), linear(2, 4 * m, 9 * m), ln(4, 4 * m), linear(5, 2 * m, 4 * m), ln(7, 2 * m), linear(8, m, 2 * m)
        ln(10, m), linear(11, m // 3, m), ln(13, m // 3), linear(14, h, m // 3), linear(16, h, h)
    elif kind.startswith("mlp") and kind.endswith("x_gelu"):
        linear(0, h, m)
        for k in range(1, int(kind[3:-6])):
            linear(2 * k, h, h)
    else:
        raise ValueError(kind)
    return w


# ---------------------------------------------------------------------------------------------------------------
# Tokenizers, trained on made-up text

def corpus():
    rng = random.Random(20240503)
    things = "cat dog house river picture image video frame table person street flower logo sign boat bridge car".split()
    colours = "red green blue yellow black white orange purple grey pink".split()
    verbs = "shows describes contains holds follows crosses covers carries watches paints".split()
    asks = ["What is this?", "What is in the image?", "Describe the picture in detail.", "How many people are there?",
            "What colour is it?", "Which frame comes first?", "Is it the same object?", "Compare the two images."]
    text = [
        "You are a helpful assistant", "system", "user", "assistant", "Answer the questions.",
        "A chat between a curious user and an artificial intelligence assistant. The assistant gives helpful, detailed, "
        "and polite answers to the user's questions. USER: ASSISTANT:",
        "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
        "provides, and assist the user with a variety of tasks using natural language.",
        "naïve café façade über señor", "猫和狗在河边。", "これは写真です。", "Привет, мир!", "😀🎉 emoji 🚀", "x = 3.14159 + 42; // code",
        "The year 2024, 1995, 100 and 7.", "don't, it's, we'll, they've", "\n\n", "\t tab  two spaces   three",
    ] * 4
    for k in range(500):
        a, b = rng.choice(things), rng.choice(things)
        s = f"The {rng.choice(colours)} {a} {rng.choice(verbs)} the {rng.choice(colours)} {b}"
        if k % 3 == 0:
            s += f" at {rng.randrange(1, 2000)} metres"
        text.append(s + rng.choice([".", "!", ", I think.", "\n"]))
        if k % 4 == 0:
            text.append(rng.choice(asks))
    return text


QWEN_REGEX = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
LLAMA3_REGEX = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
QWEN_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n' }}{% endif %}"
    "{% for message in messages if message['content'] is not none %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n' }}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)


def _train_bytelevel(regex, vocab_size):
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tok = Tokenizer(models.BPE())
    tok.normalizer = normalizers.NFC()
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(regex), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tok.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False
    )
    tok.train_from_iterator(corpus(), trainer)
    return tok


def _added(content, special=True):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False, "special": special}


def qwen2_tokenizer(folder, extra=(), fast=False, base=500, model_max_length=8192):
    """vocab.json, merges.txt and the configs, plus tokenizer.json when `fast`. Returns the number of rows on disk."""
    os.makedirs(folder, exist_ok=True)
    tok = _train_bytelevel(QWEN_REGEX, base)
    model = json.loads(tok.to_str())["model"]
    vocab, merges = model["vocab"], model["merges"]
    n = len(vocab)
    with open(os.path.join(folder, "vocab.json"), "w", encoding="utf-8") as f:
        json.dump(vocab, f, ensure_ascii=False)
    with open(os.path.join(folder, "merges.txt"), "w", encoding="utf-8") as f:
        f.write("#version: 0.2\n")
        for m in merges:
            f.write((m if isinstance(m, str) else " ".join(m)) + "\n")
    names = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "[BOS]", "[PAD]", *extra]
    special = {t: not (t.startswith("<t") and t[2:-1].isdigit()) for t in names}
    write_json(os.path.join(folder, "added_tokens.json"), {t: n + i for i, t in enumerate(names)})
    write_json(
        os.path.join(folder, "tokenizer_config.json"),
        {
            "add_prefix_space": False,
            "added_tokens_decoder": {str(n + i): _added(t, special[t]) for i, t in enumerate(names)},
            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            "bos_token": "[BOS]",
            "chat_template": QWEN_TEMPLATE,
            "clean_up_tokenization_spaces": False,
            "eos_token": "<|im_end|>",
            "errors": "replace",
            "legacy": False,
            "model_max_length": model_max_length,
            "pad_token": "[PAD]",
            "padding_side": "right",
            "split_special_tokens": False,
            "tokenizer_class": "Qwen2Tokenizer",
            "unk_token": None,
        },
    )
    write_json(
        os.path.join(folder, "special_tokens_map.json"),
        {
            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"],
            "bos_token": "[BOS]",
            "eos_token": "<|im_end|>",
            "pad_token": "[PAD]",
        },
    )
    if fast:
        from transformers import AutoTokenizer

        t = AutoTokenizer.from_pretrained(folder, use_fast=True, legacy=False)
        saved = json.loads(t.backend_tokenizer.to_str())
        saved["model"]["merges"] = [m if isinstance(m, str) else " ".join(m) for m in saved["model"]["merges"]]
        write_json(os.path.join(folder, "tokenizer.json"), saved)
    return n + len(names)


def llama3_tokenizer(folder, base=500):
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors, Regex

    os.makedirs(folder, exist_ok=True)
    trained = json.loads(_train_bytelevel(LLAMA3_REGEX, base).to_str())["model"]
    merges = [tuple(m.split(" ")) if isinstance(m, str) else tuple(m) for m in trained["merges"]]
    tok = Tokenizer(models.BPE(vocab=trained["vocab"], merges=merges, ignore_merges=True))
    tok.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(LLAMA3_REGEX), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tok.decoder = decoders.ByteLevel()
    names = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|start_header_id|>",
             "<|end_header_id|>", "<|eot_id|>", "[PAD]"]
    tok.add_special_tokens([AddedToken(t, normalized=False, special=True) for t in names])
    bos = tok.token_to_id("<|begin_of_text|>")
    tok.post_processor = processors.Sequence(
        [
            processors.ByteLevel(trim_offsets=True),
            processors.TemplateProcessing(
                single="<|begin_of_text|> $A",
                pair="<|begin_of_text|> $A <|begin_of_text|>:1 $B:1",
                special_tokens=[("<|begin_of_text|>", bos)],
            ),
        ]
    )
    saved = json.loads(tok.to_str())
    saved["model"]["merges"] = [" ".join(m) for m in merges]  # the form of the published files, read by old and new readers
    write_json(os.path.join(folder, "tokenizer.json"), saved)
    n = len(trained["vocab"])
    write_json(
        os.path.join(folder, "tokenizer_config.json"),
        {
            "added_tokens_decoder": {str(n + i): _added(t) for i, t in enumerate(names)},
            "bos_token": "<|begin_of_text|>",
            "clean_up_tokenization_spaces": True,
            "eos_token": "<|end_of_text|>",
            "model_input_names": ["input_ids", "attention_mask"],
            "model_max_length": 4096,
            "pad_token": "[PAD]",
            "padding_side": "right",
            "tokenizer_class": "PreTrainedTokenizerFast",
        },
    )
    write_json(
        os.path.join(folder, "special_tokens_map.json"),
        {"bos_token": "<|begin_of_text|>", "eos_token": "<|end_of_text|>", "pad_token": "[PAD]"},
    )
    return n + len(names)


def sentencepiece_tokenizer(folder, style="vicuna", vocab=600):
    """LLaMA-like (`vicuna`) or Yi-like (`yi`) SentencePiece BPE model with byte fallback."""
    import io

    import sentencepiece as spm

    os.makedirs(folder, exist_ok=True)
    yi = style == "yi"
    buf = io.BytesIO()
    lines = []
    for t in corpus():
        lines += [x for x in t.split("\n") if x.strip()]
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=buf, vocab_size=vocab, model_type="bpe", byte_fallback=True,
        character_coverage=0.9995, split_digits=True, add_dummy_prefix=True, remove_extra_whitespaces=False,
        normalization_rule_name="identity", allow_whitespace_only_pieces=True, unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
        bos_piece="<|startoftext|>" if yi else "<s>", eos_piece="<|endoftext|>" if yi else "</s>",
        user_defined_symbols=["<|Human|>", "<|Assistant|>", "<|System|>", "<|im_start|>", "<|im_end|>"] if yi else [],
        num_threads=1, minloglevel=2, hard_vocab_limit=False,
    )
    with open(os.path.join(folder, "tokenizer.model"), "wb") as f:
        f.write(buf.getvalue())
    sp = spm.SentencePieceProcessor(model_proto=buf.getvalue())
    n = sp.get_piece_size()
    if yi:
        ids = {t: sp.piece_to_id(t) for t in ("<unk>", "<|startoftext|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>")}
        bos, eos, pad = "<|startoftext|>", "<|im_end|>", "<unk>"
    else:
        ids = {"<unk>": 0, "<s>": 1, "</s>": 2}
        bos, eos, pad = "<s>", "</s>", "<unk>"
    write_json(
        os.path.join(folder, "tokenizer_config.json"),
        {
            "add_bos_token": not yi,
            "add_eos_token": False,
            "added_tokens_decoder": {str(i): _added(t) for t, i in sorted(ids.items(), key=lambda x: x[1])},
            "bos_token": bos,
            "clean_up_tokenization_spaces": False,
            "eos_token": eos,
            "legacy": True,
            "model_max_length": 4096,
            "pad_token": pad,
            "padding_side": "right",
            "sp_model_kwargs": {},
            "spaces_between_special_tokens": False,
            "tokenizer_class": "LlamaTokenizer",
            "unk_token": "<unk>",
            "use_default_system_prompt": False,
        },
    )
    tokens = {"bos_token": bos, "eos_token": eos, "pad_token": pad, "unk_token": "<unk>"}
    write_json(os.path.join(folder, "special_tokens_map.json"), {k: _special(v) for k, v in tokens.items()})
    return n


def _special(t):
    d = _added(t)
    d.pop("special")
    return d


# ---------------------------------------------------------------------------------------------------------------
# Decoding

def greedy(llm, inputs_embeds, rows, steps=GREEDY_STEPS):
    """Plain argmax with the reference's own KV cache; never stops; ids >= rows are masked."""
    out = llm(inputs_embeds=inputs_embeds, use_cache=True)
    ids, gap = [], float("inf")
    for step in range(steps):
        logits = out.logits[0, -1, :rows].float()
        top = torch.topk(logits, 2).values
        gap = min(gap, float(top[0] - top[1]))
        ids.append(int(torch.argmax(logits)))
        if step + 1 < steps:
            out = llm(input_ids=torch.tensor([[ids[-1]]]), past_key_values=out.past_key_values, use_cache=True)
    return ids, gap


class Hooks:
    """Forward hooks that append (inputs, output) of a module to a list."""

    def __init__(self):
        self.handles = []

    def on(self, module, sink):
        def fn(mod, args, kwargs, output):
            x = args[0] if args else next(iter(kwargs.values()), None)
            y = output[0] if isinstance(output, (tuple, list)) else output
            sink.append((x.detach().clone() if torch.is_tensor(x) else x, y.detach().clone() if torch.is_tensor(y) else y))

        self.handles.append(module.register_forward_hook(fn, with_kwargs=True))

    def remove(self):
        for h in self.handles:
            h.remove()
        self.handles = []


def llm_trace(llm, inputs_embeds):
    """hidden.0 = the input, hidden.i = output of decoder layer i-1 before the final norm; logits of the last position."""
    hooks, sinks = Hooks(), []
    for layer in llm.model.layers:
        sinks.append([])
        hooks.on(layer, sinks[-1])
    out = llm(inputs_embeds=inputs_embeds, use_cache=False)
    hooks.remove()
    t = {"lm.hidden.0": inputs_embeds[0]}
    for i, s in enumerate(sinks):
        t[f"lm.hidden.{i + 1}"] = s[0][1][0]
    return t, out.logits[0, -1]


def save_trace(path, tensors):
    out = {}
    for k, v in tensors.items():
        v = v.detach()
        out[k] = (v.to(torch.int64) if v.dtype in (torch.int64, torch.int32) else v.to(torch.float32)).contiguous().clone()
    write_tensors(path, out)


def trace_tensors(rec, tensors, ids, hidden, logits):
    """Names of the trace file. Hidden states of large inputs are kept for the first tile only."""
    t = {}
    full = sum(x["hidden.0"].numel() for x in tensors) < 8000
    for i, x in enumerate(tensors):
        t[f"media.{i}.pixel_values"] = x["pixel_values"]
        for k in x:
            if k.startswith("hidden."):
                t[f"vision.{i}.{k}"] = x[k] if full else x[k][:1]
        t[f"vision.{i}.selected"] = x["selected"]
        t[f"projector.{i}.out"] = x["proj"]
        t[f"media.{i}.embeds"] = x["embeds"]
    t["lm.input_ids"] = ids
    t["lm.inputs_embeds"] = rec["inputs_embeds"][0]
    t.update(hidden)
    t["lm.logits"] = logits
    return t


def pixel_hashes(pixels, mean, std):
    """fnv of the float32 bytes, and of the bytes got by undoing normalisation (exact for 8-bit pictures)."""
    x = pixels.detach().float().contiguous().numpy()
    m = np.asarray(mean, np.float64).reshape(1, 3, 1, 1)
    s = np.asarray(std, np.float64).reshape(1, 3, 1, 1)
    u8 = np.clip(np.rint((x.astype(np.float64) * s + m) * 255.0), 0, 255).astype(np.uint8)
    return {"pixel_fnv1a64": fnv1a64(x.tobytes()), "pixel_u8_fnv1a64": fnv1a64(u8.tobytes())}

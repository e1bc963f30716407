#!/usr/bin/env python3
"""Writes GGUF files with the dimensions of published models and random weights, for measuring speed.

  random_gguf.py OUT.gguf --shape qwen2.5-1.5b --type q4_0 [--head q6_k]
  random_gguf.py OUT.gguf --tower siglip-448 --type f16 --width 1536

Blocks hold random codes under one small scale, so that numbers stay finite; what such a model says means nothing. Needs
the Python standard library only.
"""
import argparse
import pathlib
import random
import struct
import sys

# Block types: number in the format, elements, bytes (ggml-org/ggml: src/ggml-common.h).
TYPES = {"f32": (0, 1, 4), "f16": (1, 1, 2), "q4_0": (2, 32, 18), "q4_1": (3, 32, 20), "q8_0": (8, 32, 34),
         "q4_k": (12, 256, 144), "q6_k": (14, 256, 210), "bf16": (30, 1, 2)}

# hidden, layers, heads, key/value heads, feed-forward, vocabulary, context, theta, eps, tied; from the config.json of
# Qwen/Qwen2.5-*, Qwen/Qwen2-7B and mtgv/MobileLLaMA-1.4B-Base.
SHAPES = {
    "qwen2.5-0.5b": ("qwen2", 896, 24, 14, 2, 4864, 151936, 32768, 1e6, 1e-6, True),
    "qwen2.5-1.5b": ("qwen2", 1536, 28, 12, 2, 8960, 151936, 32768, 1e6, 1e-6, True),
    "qwen2-7b": ("qwen2", 3584, 28, 28, 4, 18944, 152064, 32768, 1e6, 1e-6, False),
    "mobilellama-1.4b": ("llama", 2048, 24, 16, 16, 5632, 32000, 2048, 1e4, 1e-6, False),
}

# Towers as the peer runs them: projector, picture side, width, feed-forward, heads, layers in the file, eps. The file of a
# LLaVA projector has one layer more than is run; the other projector runs all of them.
TOWERS = {
    "siglip-448": ("gemma3", 448, 1152, 4304, 16, 26, 1e-6),
    "clip-336": ("mlp", 336, 1024, 4096, 16, 24, 1e-5),
}


def half(value):
    return struct.pack("<e", value)


class Noise:
    """One period of random blocks for each type, written again and again from changing places."""

    BLOCKS = 4096

    def __init__(self, seed):
        self.rng = random.Random(seed)
        self.periods = {}

    def block(self, kind):
        r = self.rng.randbytes
        if kind == "f32":
            return struct.pack("<f", self.rng.uniform(-0.03, 0.03))
        if kind == "f16":
            return half(self.rng.uniform(-0.03, 0.03))
        if kind == "bf16":
            return struct.pack("<f", self.rng.uniform(-0.03, 0.03))[2:]
        if kind == "q4_0":
            return half(0.004) + r(16)
        if kind == "q4_1":
            return half(0.004) + half(-0.03) + r(16)
        if kind == "q8_0":
            return half(0.0002) + r(32)
        if kind == "q4_k":
            return half(0.0001) + half(0.0008) + r(12) + r(128)
        if kind == "q6_k":
            return r(128) + r(64) + r(16) + half(0.00001)
        raise ValueError(kind)

    def write(self, out, kind, elements):
        _, per_block, size = TYPES[kind]
        if kind not in self.periods:
            self.periods[kind] = b"".join(self.block(kind) for _ in range(self.BLOCKS)) * 16
        period, left = self.periods[kind], elements // per_block * size
        while left > 0:
            start = self.rng.randrange(self.BLOCKS) * size
            take = min(left, len(period) - start)
            out.write(memoryview(period)[start:start + take])
            left -= take


class Writer:
    """GGUF version 3: keys, then tensor descriptions, then data, each tensor at a multiple of 32."""

    U32, F32, BOOL, STRING, ARRAY = 4, 6, 7, 8, 9

    def __init__(self):
        self.keys, self.tensors = [], []

    def _text(self, value):
        data = value.encode()
        return struct.pack("<Q", len(data)) + data

    def _value(self, kind, value):
        if kind == self.STRING:
            return self._text(value)
        return struct.pack({self.U32: "<I", self.F32: "<f", self.BOOL: "<?", 5: "<i"}[kind], value)

    def key(self, name, kind, value):
        self.keys.append(self._text(name) + struct.pack("<I", kind) + self._value(kind, value))

    def array(self, name, kind, values):
        self.keys.append(self._text(name) + struct.pack("<IIQ", self.ARRAY, kind, len(values)) +
                         b"".join(self._value(kind, v) for v in values))

    def tensor(self, name, shape, kind, constant=None):
        """shape: fastest dimension first, as GGUF has it."""
        self.tensors.append((name, shape, kind, constant))

    def write(self, path, noise):
        head, offset, counts = b"", 0, []
        for name, shape, kind, _ in self.tensors:
            count = 1
            for dim in shape:
                count *= dim
            number, per_block, size = TYPES[kind]
            if shape[0] % per_block:
                raise SystemExit(f"{name}: rows of {shape[0]} are no blocks of {per_block} ({kind})")
            head += self._text(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, offset)
            counts.append((count, count // per_block * size))
            offset += -(-counts[-1][1] // 32) * 32
        head = (struct.pack("<IIQQ", 0x46554747, 3, len(self.tensors), len(self.keys)) + b"".join(self.keys) + head)
        head += b"\0" * (-len(head) % 32)
        partial = path.with_suffix(".partial")
        with open(partial, "wb") as out:
            out.write(head)
            for (_, _, kind, constant), (count, size) in zip(self.tensors, counts):
                if constant is not None:
                    out.write(struct.pack("<f", constant) * count)
                else:
                    noise.write(out, kind, count)
                out.write(b"\0" * (-size % 32))
        partial.rename(path)


def byte_spellings():
    """Byte-level BPE spells each byte as a printable character (openai/gpt-2: src/encoder.py)."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    spelled = {b: chr(b) for b in plain}
    for b in range(256):
        spelled.setdefault(b, chr(256 + len(spelled) - len(plain)))
    return [spelled[b] for b in range(256)]


def add_vocabulary(writer, size):
    specials = ["<unk>", "<s>", "</s>", "<|im_start|>", "<|im_end|>"]
    tokens = specials + byte_spellings()
    tokens += [f"[{i}]" for i in range(len(tokens), size)]
    writer.key("tokenizer.ggml.model", Writer.STRING, "gpt2")
    writer.key("tokenizer.ggml.pre", Writer.STRING, "default")
    writer.array("tokenizer.ggml.tokens", Writer.STRING, tokens)
    writer.array("tokenizer.ggml.token_type", 5, [3] * len(specials) + [1] * (size - len(specials)))
    writer.array("tokenizer.ggml.merges", Writer.STRING, ["a b"])
    writer.key("tokenizer.ggml.bos_token_id", Writer.U32, 1)
    writer.key("tokenizer.ggml.eos_token_id", Writer.U32, 2)
    writer.key("tokenizer.chat_template", Writer.STRING,
               "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + "
               "'<|im_end|>' + '\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


def language_model(shape, kind, head, layers=None, width=None, vocabulary=None):
    arch, d, n_layers, heads, kv_heads, ffn, vocab, context, theta, eps, tied = SHAPES[shape]
    layers = layers or n_layers
    if width:  # a decoder that costs next to nothing, to see a tower with
        d, heads, kv_heads, ffn = width, 8, 8, 256
    vocab = vocabulary or vocab
    w = Writer()
    w.key("general.architecture", Writer.STRING, arch)
    w.key("general.name", Writer.STRING, f"{shape} {kind} random")
    for name, value in (("context_length", context), ("embedding_length", d), ("block_count", layers),
                        ("feed_forward_length", ffn), ("attention.head_count", heads),
                        ("attention.head_count_kv", kv_heads), ("rope.dimension_count", d // heads)):
        w.key(f"{arch}.{name}", Writer.U32, value)
    w.key(f"{arch}.attention.layer_norm_rms_epsilon", Writer.F32, eps)
    w.key(f"{arch}.rope.freq_base", Writer.F32, theta)
    w.key(f"{arch}.vocab_size", Writer.U32, vocab)
    add_vocabulary(w, vocab)
    w.tensor("token_embd.weight", (d, vocab), head)
    kv = d // heads * kv_heads
    for i in range(layers):
        at = f"blk.{i}."
        w.tensor(at + "attn_norm.weight", (d,), "f32", 1.0)
        for name, rows in (("q", d), ("k", kv), ("v", kv)):
            w.tensor(f"{at}attn_{name}.weight", (d, rows), kind)
            if arch == "qwen2":
                w.tensor(f"{at}attn_{name}.bias", (rows,), "f32", 0.01)
        w.tensor(at + "attn_output.weight", (d, d), kind)
        w.tensor(at + "ffn_norm.weight", (d,), "f32", 1.0)
        w.tensor(at + "ffn_gate.weight", (d, ffn), kind)
        w.tensor(at + "ffn_up.weight", (d, ffn), kind)
        w.tensor(at + "ffn_down.weight", (ffn, d), kind)
    w.tensor("output_norm.weight", (d,), "f32", 1.0)
    if not tied:
        w.tensor("output.weight", (d, vocab), head)
    return w


def tower(name, kind, width):
    projector, side, c, ffn, heads, layers, eps = TOWERS[name]
    clip = projector == "mlp"
    w = Writer()
    w.key("general.architecture", Writer.STRING, "clip")
    w.key("clip.has_vision_encoder", Writer.BOOL, True)
    w.key("clip.has_text_encoder", Writer.BOOL, False)
    w.key("clip.has_llava_projector", Writer.BOOL, clip)
    w.key("clip.projector_type", Writer.STRING, projector)
    w.key("clip.use_gelu", Writer.BOOL, not clip)  # CLIP: quick GELU
    for key, value in (("image_size", side), ("patch_size", 14), ("embedding_length", c), ("feed_forward_length", ffn),
                       ("projection_dim", width), ("attention.head_count", heads), ("block_count", layers)):
        w.key(f"clip.vision.{key}", Writer.U32, value)
    w.key("clip.vision.attention.layer_norm_epsilon", Writer.F32, eps)
    w.array("clip.vision.image_mean", Writer.F32, [0.5] * 3)
    w.array("clip.vision.image_std", Writer.F32, [0.5] * 3)
    patches = (side // 14) ** 2
    w.tensor("v.patch_embd.weight", (14, 14, 3, c), "f16")
    w.tensor("v.position_embd.weight", (c, patches + (1 if clip else 0)), "f32")
    if clip:
        w.tensor("v.class_embd", (c,), "f32")
    else:
        w.tensor("v.patch_embd.bias", (c,), "f32", 0.0)
    for norm in (("pre_ln",) if clip else ("post_ln",)):
        w.tensor(f"v.{norm}.weight", (c,), "f32", 1.0)
        w.tensor(f"v.{norm}.bias", (c,), "f32", 0.0)
    # Rows that are no whole blocks stay in 16 bits, as the converters do.
    fits = lambda columns: kind if columns % TYPES[kind][1] == 0 else "f16"
    for i in range(layers):
        at = f"v.blk.{i}."
        for norm in ("ln1", "ln2"):
            w.tensor(f"{at}{norm}.weight", (c,), "f32", 1.0)
            w.tensor(f"{at}{norm}.bias", (c,), "f32", 0.0)
        for part in ("attn_q", "attn_k", "attn_v", "attn_out"):
            w.tensor(f"{at}{part}.weight", (c, c), fits(c))
            w.tensor(f"{at}{part}.bias", (c,), "f32", 0.0)
        w.tensor(at + "ffn_up.weight", (c, ffn), fits(c))
        w.tensor(at + "ffn_up.bias", (ffn,), "f32", 0.0)
        w.tensor(at + "ffn_down.weight", (ffn, c), fits(ffn))
        w.tensor(at + "ffn_down.bias", (c,), "f32", 0.0)
    if clip:
        for layer, columns in ((0, c), (2, width)):
            w.tensor(f"mm.{layer}.weight", (columns, width), "f16")
            w.tensor(f"mm.{layer}.bias", (width,), "f32", 0.0)
    else:
        w.tensor("mm.soft_emb_norm.weight", (c,), "f32", 1.0)
        w.tensor("mm.input_projection.weight", (width, c), "f16")
    return w


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("out", type=pathlib.Path)
    what = p.add_mutually_exclusive_group(required=True)
    what.add_argument("--shape", choices=sorted(SHAPES))
    what.add_argument("--tower", choices=sorted(TOWERS))
    p.add_argument("--type", default="q4_0", choices=sorted(TYPES), help="of the layers' matrices")
    p.add_argument("--head", default=None, choices=sorted(TYPES), help="of the vocabulary tables (default: --type)")
    p.add_argument("--layers", type=int, help="fewer than the shape has")
    p.add_argument("--width", type=int, help="with --tower: of the decoder; with --shape: a tiny decoder of this width")
    p.add_argument("--vocabulary", type=int, help="rows of the vocabulary tables (default: the shape's)")
    p.add_argument("--seed", type=int, default=1)
    a = p.parse_args()
    if a.tower:
        if not a.width:
            p.error("--tower needs --width")
        writer = tower(a.tower, a.type, a.width)
    else:
        writer = language_model(a.shape, a.type, a.head or a.type, a.layers, a.width, a.vocabulary)
    writer.write(a.out, Noise(a.seed))
    print(f"{a.out}: {a.out.stat().st_size / 1e6:.0f} MB", file=sys.stderr)


if __name__ == "__main__":
    main()

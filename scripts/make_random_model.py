#!/usr/bin/env python3
"""Writes a checkpoint directory with the true dimensions of a published model and random bf16 weights.

For measuring loading, memory and speed without a download; what such a model says means nothing. Needs the Python standard
library only. Usage: make_random_model.py OUT [--shape nvila-lite-2b] [--seed N]
"""
import argparse
import json
import pathlib
import random
import struct

# Efficient-Large-Model/NVILA-Lite-2B: Qwen2.5-1.5B dimensions, PaliGemma's SigLIP tower at 448, 3x3 space-to-channel.
SHAPES = {
    "nvila-lite-2b": {
        "llm": dict(hidden_size=1536, intermediate_size=8960, num_hidden_layers=28, num_attention_heads=12,
                    num_key_value_heads=2, vocab_size=151648, max_position_embeddings=32768, rms_norm_eps=1e-6,
                    rope_theta=1000000.0, tie_word_embeddings=True),
        "tower": dict(hidden_size=1152, intermediate_size=4304, num_hidden_layers=27, num_attention_heads=16,
                      image_size=448, patch_size=14),
    }
}
SPECIALS = {"<|endoftext|>": 151643, "<|im_start|>": 151644, "<|im_end|>": 151645, "[BOS]": 151646, "[PAD]": 151647}
CHAT_TEMPLATE = (
    "{% if messages[0]['role'] != 'system' %}{{ '<|im_start|>system\nYou are a helpful assistant<|im_end|>\n' }}{% endif %}"
    "{% for message in messages if message['content'] is not none %}{{ '<|im_start|>' + message['role'] + '\n' + "
    "message['content'] + '<|im_end|>' + '\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}")


class Noise:
    """Endless bf16 noise of standard deviation 1 scaled by powers of two, cut from one block at changing offsets."""

    def __init__(self, seed):
        rng = random.Random(seed)
        # bf16 bits of a normal deviate: the upper half of its float32.
        values = [struct.unpack("<I", struct.pack("<f", rng.gauss(0.0, 1.0)))[0] >> 16 for _ in range(1 << 20)]
        self.rng = rng
        self.values = values
        self.blocks = {}

    def block(self, exponent):
        if exponent not in self.blocks:
            shifted = [v + (exponent << 7) for v in self.values]
            self.blocks[exponent] = struct.pack(f"<{len(shifted)}H", *shifted) * 2
        return self.blocks[exponent]

    def write(self, out, count, exponent):
        block = self.block(exponent)
        half = len(block) // 4  # elements of one period
        while count > 0:
            start = self.rng.randrange(half)
            take = min(count, half)
            out.write(memoryview(block)[2 * start:2 * (start + take)])
            count -= take


def write_safetensors(path, tensors, noise):
    """tensors: [(name, shape, kind)]; kind "weight": fan-in scaled noise, "norm": ones, "bias": small noise."""
    header, offset = {}, 0
    for name, shape, _ in tensors:
        count = 1
        for dim in shape:
            count *= dim
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [offset, offset + 2 * count]}
        offset += 2 * count
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 64)
    temporary = path.with_suffix(".partial")
    with open(temporary, "wb") as out:
        out.write(struct.pack("<Q", len(text)))
        out.write(text)
        for name, shape, kind in tensors:
            count = 1
            for dim in shape:
                count *= dim
            if kind == "norm":
                out.write(struct.pack("<H", 0x3F80) * count)
            elif kind == "bias":
                noise.write(out, count, -6)
            else:
                fan_in = count // shape[0]
                noise.write(out, count, -((fan_in.bit_length()) // 2))
    temporary.rename(path)


def llm_tensors(c):
    d, f = c["hidden_size"], c["intermediate_size"]
    head = d // c["num_attention_heads"]
    kv = head * c["num_key_value_heads"]
    out = [("model.embed_tokens.weight", [c["vocab_size"], d], "weight")]
    for i in range(c["num_hidden_layers"]):
        p = f"model.layers.{i}."
        out += [(p + "input_layernorm.weight", [d], "norm"), (p + "post_attention_layernorm.weight", [d], "norm")]
        for name, rows in (("q", d), ("k", kv), ("v", kv)):
            out += [(p + f"self_attn.{name}_proj.weight", [rows, d], "weight"),
                    (p + f"self_attn.{name}_proj.bias", [rows], "bias")]
        out += [(p + "self_attn.o_proj.weight", [d, d], "weight"), (p + "mlp.gate_proj.weight", [f, d], "weight"),
                (p + "mlp.up_proj.weight", [f, d], "weight"), (p + "mlp.down_proj.weight", [d, f], "weight")]
    return out + [("model.norm.weight", [d], "norm")]


def tower_tensors(c):
    d, f, patch = c["hidden_size"], c["intermediate_size"], c["patch_size"]
    p = "vision_model."
    out = [(p + "embeddings.patch_embedding.weight", [d, 3, patch, patch], "weight"),
           (p + "embeddings.patch_embedding.bias", [d], "bias"),
           (p + "embeddings.position_embedding.weight", [(c["image_size"] // patch) ** 2, d], "weight")]
    for i in range(c["num_hidden_layers"]):
        q = p + f"encoder.layers.{i}."
        for norm in ("layer_norm1", "layer_norm2"):
            out += [(q + norm + ".weight", [d], "norm"), (q + norm + ".bias", [d], "bias")]
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            out += [(q + f"self_attn.{name}.weight", [d, d], "weight"), (q + f"self_attn.{name}.bias", [d], "bias")]
        out += [(q + "mlp.fc1.weight", [f, d], "weight"), (q + "mlp.fc1.bias", [f], "bias"),
                (q + "mlp.fc2.weight", [d, f], "weight"), (q + "mlp.fc2.bias", [d], "bias")]
    return out + [(p + "post_layernorm.weight", [d], "norm"), (p + "post_layernorm.bias", [d], "bias")]


def projector_tensors(m, h):
    return [("layers.1.weight", [9 * m], "norm"), ("layers.1.bias", [9 * m], "bias"),
            ("layers.2.weight", [3 * m, 9 * m], "weight"), ("layers.2.bias", [3 * m], "bias"),
            ("layers.4.weight", [3 * m], "norm"), ("layers.4.bias", [3 * m], "bias"),
            ("layers.5.weight", [h, 3 * m], "weight"), ("layers.5.bias", [h], "bias"),
            ("layers.7.weight", [h, h], "weight"), ("layers.7.bias", [h], "bias")]


def byte_letters():
    """GPT-2's letters for the 256 bytes, in its vocabulary order (openai/gpt-2: src/encoder.py)."""
    plain = list(range(33, 127)) + list(range(161, 173)) + list(range(174, 256))
    extra = [b for b in range(256) if b not in plain]
    return [chr(b) for b in plain] + [chr(256 + i) for i in range(len(extra))]


def write_json(path, value):
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--shape", choices=sorted(SHAPES), default="nvila-lite-2b")
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    llm, tower = SHAPES[args.shape]["llm"], SHAPES[args.shape]["tower"]
    noise = Noise(args.seed)
    for folder in ("llm", "vision_tower", "mm_projector"):
        (args.out / folder).mkdir(parents=True, exist_ok=True)

    write_json(args.out / "config.json", {
        "architectures": ["LlavaLlamaModel"], "model_type": "llava_llama", "dynamic_s2": False, "fps": 0.0,
        "hidden_size": llm["hidden_size"], "image_aspect_ratio": "dynamic", "max_tiles": 12, "min_tiles": 1,
        "mm_hidden_size": tower["hidden_size"], "mm_vision_select_feature": "cls_patch", "mm_vision_select_layer": -2,
        "num_time_tokens": 0, "num_video_frames": 8, "s2": False, "video_max_tiles": 1, "resume_path": None,
        "llm_cfg": {"model_type": "qwen2"}, "transformers_version": "4.46.0"})
    write_json(args.out / "llm/config.json", {
        "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_act": "silu", "torch_dtype": "bfloat16",
        "bos_token_id": 151643, "eos_token_id": 151645, "model_max_length": 4096, "tokenizer_model_max_length": 4096,
        "use_sliding_window": False, **llm})
    write_json(args.out / "vision_tower/config.json", {
        "architectures": ["SiglipVisionModel"], "model_type": "siglip_vision_model", "hidden_act": "gelu_pytorch_tanh",
        "layer_norm_eps": 1e-6, "num_channels": 3, "vision_use_head": False, **tower})
    side = tower["image_size"]
    write_json(args.out / "vision_tower/preprocessor_config.json", {
        "image_processor_type": "SiglipImageProcessor", "do_normalize": True, "do_rescale": True, "do_resize": True,
        "image_mean": [0.5] * 3, "image_std": [0.5] * 3, "resample": 3, "rescale_factor": 0.00392156862745098,
        "size": {"height": side, "width": side}})
    write_json(args.out / "mm_projector/config.json",
               {"architectures": ["MultimodalProjector"], "mm_projector_type": "mlp_downsample_3x3_fix",
                "model_type": "v2l_projector"})

    letters = byte_letters()
    vocab = {letter: i for i, letter in enumerate(letters)}
    for i in range(len(letters), min(SPECIALS.values())):
        vocab[f"unused{i}"] = i  # rows the real vocabulary fills with merged pieces
    write_json(args.out / "llm/vocab.json", vocab)
    (args.out / "llm/merges.txt").write_text("#version: 0.2\n", encoding="utf-8")
    write_json(args.out / "llm/added_tokens.json", SPECIALS)
    write_json(args.out / "llm/tokenizer_config.json", {
        "add_prefix_space": False, "tokenizer_class": "Qwen2Tokenizer", "bos_token": "[BOS]", "eos_token": "<|im_end|>",
        "pad_token": "[PAD]", "model_max_length": 4096, "chat_template": CHAT_TEMPLATE,
        "added_tokens_decoder": {str(i): {"content": t, "lstrip": False, "normalized": False, "rstrip": False,
                                          "single_word": False, "special": True} for t, i in SPECIALS.items()}})

    write_safetensors(args.out / "mm_projector/model.safetensors",
                      projector_tensors(tower["hidden_size"], llm["hidden_size"]), noise)
    write_safetensors(args.out / "vision_tower/model.safetensors", tower_tensors(tower), noise)
    write_safetensors(args.out / "llm/model.safetensors", llm_tensors(llm), noise)


main()

"""Tiny random checkpoints in the published layouts. Writes data/CASE/model/ for each case named (default: all)."""

import json
import os
import shutil
import sys

import common as c

QWEN_VOCAB = None


def llm_config(kind, vocab, layers=2, **over):
    cfg = {
        "_name_or_path": "/training/machine/llm",
        "attention_dropout": 0.0,
        "hidden_act": "silu",
        "hidden_size": 64,
        "initializer_range": 0.02,
        "intermediate_size": 128,
        "max_position_embeddings": 4096,
        "model_max_length": 4096,
        "num_attention_heads": 4,
        "num_hidden_layers": layers,
        "num_key_value_heads": 4,
        "rms_norm_eps": 1e-05,
        "rope_theta": 10000.0,
        "tie_word_embeddings": False,
        "tokenizer_model_max_length": 4096,
        "tokenizer_padding_side": "right",
        "torch_dtype": "bfloat16",
        "use_cache": True,
        "vocab_size": vocab,
    }
    if kind == "qwen2":
        cfg.update(
            architectures=["Qwen2ForCausalLM"], model_type="qwen2", num_key_value_heads=2, rms_norm_eps=1e-06,
            rope_theta=1000000.0, max_position_embeddings=32768, max_window_layers=2, sliding_window=None,
            use_sliding_window=False, bos_token_id=vocab - 2, eos_token_id=vocab - 3, transformers_version="4.46.0",
            rope_scaling=None, model_max_length=8192, tokenizer_model_max_length=8192,
        )
    else:
        cfg.update(
            architectures=["LlamaForCausalLM"], model_type="llama", attention_bias=False, pretraining_tp=1,
            rope_scaling=None, bos_token_id=1, eos_token_id=2, pad_token_id=0, transformers_version="4.36.2",
        )
    cfg.update(over)
    return cfg


def siglip_config(size, hidden=48, layers=3, heads=4, ffn=80, use_head=None):
    cfg = {
        "_name_or_path": "/training/machine/vision_tower",
        "architectures": ["SiglipVisionModel"],
        "attention_dropout": 0.0,
        "hidden_act": "gelu_pytorch_tanh",
        "hidden_size": hidden,
        "image_size": size,
        "intermediate_size": ffn,
        "layer_norm_eps": 1e-06,
        "model_type": "siglip_vision_model",
        "num_attention_heads": heads,
        "num_channels": 3,
        "num_hidden_layers": layers,
        "patch_size": 14,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.36.2" if use_head is None else "4.46.0",
    }
    if use_head is False:
        cfg.update(vision_use_head=False, projection_dim=64, projector_hidden_act="gelu_fast",
                   num_image_tokens=(size // 14) ** 2)
    return cfg


def siglip_preprocessor(size):
    return {
        "do_convert_rgb": None,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.5, 0.5, 0.5],
        "image_processor_type": "SiglipImageProcessor",
        "image_std": [0.5, 0.5, 0.5],
        "processor_class": "SiglipProcessor",
        "resample": 3,
        "rescale_factor": 0.00392156862745098,
        "size": {"height": size, "width": size},
    }


def clip_config(size, hidden=48):
    return {
        "_name_or_path": "/training/machine/vision_tower",
        "architectures": ["CLIPVisionModel"],
        "attention_dropout": 0.0,
        "dropout": 0.0,
        "hidden_act": "quick_gelu",
        "hidden_size": hidden,
        "image_size": size,
        "initializer_factor": 1.0,
        "initializer_range": 0.02,
        "intermediate_size": 80,
        "layer_norm_eps": 1e-05,
        "model_type": "clip_vision_model",
        "num_attention_heads": 4,
        "num_channels": 3,
        "num_hidden_layers": 3,
        "patch_size": 14,
        "projection_dim": 48,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.36.2",
    }


def clip_preprocessor(size):
    return {
        "crop_size": {"height": size, "width": size},
        "do_center_crop": True,
        "do_convert_rgb": True,
        "do_normalize": True,
        "do_rescale": True,
        "do_resize": True,
        "image_mean": [0.48145466, 0.4578275, 0.40821073],
        "image_processor_type": "CLIPImageProcessor",
        "image_std": [0.26862954, 0.26130258, 0.27577711],
        "resample": 3,
        "rescale_factor": 0.00392156862745098,
        "size": {"shortest_edge": size},
    }


def intern_config(size):
    return {
        "_name_or_path": "/training/machine/vision_tower",
        "architectures": ["InternVisionModel"],
        "attention_dropout": 0.0,
        "drop_path_rate": 0.0,
        "dropout": 0.0,
        "hidden_act": "gelu",
        "hidden_size": 50,
        "image_size": size,
        "initializer_factor": 0.1,
        "initializer_range": 1e-10,
        "intermediate_size": 96,
        "layer_norm_eps": 1e-06,
        "model_type": "intern_vit_6b",
        "num_attention_heads": 5,
        "num_channels": 3,
        "num_hidden_layers": 3,
        "patch_size": 14,
        "qk_normalization": True,
        "qkv_bias": False,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.36.2",
        "use_flash_attn": True,
    }


def top_config(era, llm, tower, projector, m, **over):
    cfg = {
        "_name_or_path": "./vlm",
        "architectures": ["LlavaLlamaModel"],
        "drop_path_rate": 0.0,
        "hidden_size": llm["hidden_size"],
        "image_aspect_ratio": "resize",
        "interpolate_mode": "linear",
        "llm_cfg": dict(llm),
        "mm_hidden_size": m,
        "mm_projector_cfg": {
            "_name_or_path": "/training/machine/mm_projector", "architectures": ["MultimodalProjector"],
            "mm_projector_type": projector, "model_type": "v2l_projector", "torch_dtype": "bfloat16",
        },
        "mm_projector_lr": None,
        "mm_use_im_patch_token": False,
        "mm_use_im_start_end": False,
        "mm_vision_select_feature": "cls_patch",
        "mm_vision_select_layer": -2,
        "model_dtype": "torch.bfloat16",
        "model_type": "llava_llama",
        "num_video_frames": 8,
        "resume_path": "./vlm",
        "s2": False,
        "s2_max_split_size": 336,
        "s2_scales": "336,672,1008",
        "transformers_version": "4.36.2",
        "tune_language_model": True,
        "tune_mm_projector": True,
        "tune_vision_tower": True,
        "vision_resolution": -1,
        "vision_tower_cfg": dict(tower),
    }
    if era == "B":
        cfg.update(
            chat_template=None, dynamic_s2=False, fps=0.0, mm_use_im_patch_token=True, num_time_tokens=0,
            s2_max_split_size=448, s2_resize_output_to_scale_idx=0, s2_scales="448,896,1344", soft_ce_std=1.0,
            time_token_format="<t{t}>", time_token_ids=[], transformers_version="4.46.0", tune_vision_tower_lora=False,
            video_encoder='{"_target_": "llava.model.encoders.BasicVideoEncoder"}',
            image_encoder='{"_target_": "llava.model.encoders.BasicImageEncoder"}',
        )
        cfg.pop("tune_vision_tower_lora")
    cfg.update(over)
    return cfg


def write_model(case, seed, era, tokenizer, llm_kind, tower, preprocessor, tower_weights, projector, shards=1, scales=1,
                llm_over=None, top_over=None, vocab_extra=0, generation=None):
    root = os.path.join(c.DATA, case, "model")
    shutil.rmtree(root, ignore_errors=True)
    llm_dir, vt_dir, mp_dir = (os.path.join(root, d) for d in ("llm", "vision_tower", "mm_projector"))
    vocab = tokenizer(llm_dir) + vocab_extra
    llm = llm_config(llm_kind, vocab, **(llm_over or {}))
    m = tower["hidden_size"] * scales
    top = top_config(era, llm, tower, projector, m, **(top_over or {}))
    c.write_json(os.path.join(llm_dir, "config.json"), llm)
    c.write_json(os.path.join(llm_dir, "generation_config.json"), {
        "bos_token_id": llm["bos_token_id"], "eos_token_id": llm["eos_token_id"],
        "transformers_version": llm["transformers_version"], **(generation or {})})
    c.llm_weights(seed * 10 + 1, llm).save(llm_dir, shards)
    c.write_json(os.path.join(vt_dir, "config.json"), tower)
    c.write_json(os.path.join(vt_dir, "preprocessor_config.json"), preprocessor)
    tower_weights(seed * 10 + 2, tower).save(vt_dir)
    c.write_json(os.path.join(mp_dir, "config.json"), top["mm_projector_cfg"])
    c.projector_weights(seed * 10 + 3, projector, m, llm["hidden_size"]).save(mp_dir)
    c.write_json(os.path.join(root, "config.json"), top)
    c.write_json(os.path.join(root, "trainer_state.json"), {"epoch": 1.0, "global_step": 1})


def spm(style="vicuna"):
    return lambda folder: c.sentencepiece_tokenizer(folder, style)


def qwen(**kw):
    return lambda folder: c.qwen2_tokenizer(folder, **kw)


INTERN_PREPROCESSOR = {"image_processor_type": "InternVisionPreprocessor"}
QWEN_SAMPLING = {"do_sample": True, "repetition_penalty": 1.05, "temperature": 0.7, "top_k": 20, "top_p": 0.8}
SMALL = dict(hidden_size=32, intermediate_size=64)
YI = dict(SMALL, num_key_value_heads=2, rope_theta=5000000.0, bos_token_id=1, eos_token_id=7)
DYNAMIC_S2 = dict(image_aspect_ratio="dynamic_s2", dynamic_s2=True, s2_resize_output_to_scale_idx=-1)


def case_vila15_3b(name):
    write_model(name, SEEDS[name], "A", spm(), "llama", siglip_config(70), siglip_preprocessor(70),
                lambda s, t: c.siglip_weights(s, t, head=True), "mlp_downsample", shards=2)


def case_vila15_3b_s2(name):
    # An odd grid as in the release: the reference's own down-sampling fails on an even S2 grid (non-contiguous view).
    write_model(name, SEEDS[name], "A", spm(), "llama", siglip_config(70), siglip_preprocessor(70), c.siglip_weights,
                "mlp_downsample", scales=2, llm_over=SMALL, top_over=dict(s2=True, s2_scales="70,140", s2_max_split_size=70))


def case_vila15_8b(name, rope=None):
    v = lambda folder: c.llama3_tokenizer(folder)
    over = dict(SMALL, num_key_value_heads=2, rope_theta=500000.0, max_position_embeddings=8192, pad_token_id=None,
                bos_token_id=500, eos_token_id=501)
    if rope:
        over.update(rope_scaling=rope, transformers_version="4.46.0")
    write_model(name, SEEDS[name], "A", v, "llama", siglip_config(42, 32), siglip_preprocessor(42),
                c.siglip_weights, "mlp_downsample", llm_over=over)


def case_vila15_13b(name):
    write_model(name, SEEDS[name], "A", spm(), "llama", siglip_config(98, hidden=32, ffn=48), siglip_preprocessor(98), c.siglip_weights,
                "mlp_downsample", llm_over=SMALL, top_over=dict(image_aspect_ratio="pad"))


def case_vila15_40b(name, size=56):
    write_model(name, SEEDS[name], "A", spm("yi"), "llama", intern_config(size), INTERN_PREPROCESSOR, c.intern_weights,
                "mlp_downsample", llm_over=YI, top_over=dict(mm_vision_select_layer=-1, mm_vision_select_feature="patch"))


def case_vila10_clip(name):
    write_model(name, SEEDS[name], "A", spm(), "llama", clip_config(56, 32), clip_preprocessor(56), c.clip_weights,
                "mlp2x_gelu", llm_over=SMALL, top_over=dict(image_aspect_ratio="pad", mm_vision_select_feature="patch"))


def case_vila10_linear(name):
    write_model(name, SEEDS[name], "A", spm(), "llama", clip_config(56, 32), clip_preprocessor(56), c.clip_weights,
                "linear", llm_over=SMALL, top_over=dict(image_aspect_ratio=None, mm_vision_select_feature="patch"))


def case_nvila_8b(name):
    write_model(name, SEEDS[name], "B", qwen(), "qwen2", siglip_config(56, use_head=False), siglip_preprocessor(56),
                c.siglip_weights, "mlp_downsample", scales=3, generation=QWEN_SAMPLING, shards=2,
                top_over=dict(DYNAMIC_S2, s2_scales="56,112,168", s2_max_split_size=56))


def case_nvila_lite_2b(name):
    write_model(name, SEEDS[name], "B", qwen(fast=True, model_max_length=4096), "qwen2", siglip_config(56, use_head=False),
                siglip_preprocessor(56), c.siglip_weights, "mlp_downsample_3x3_fix",
                llm_over=dict(tie_word_embeddings=True), top_over=dict(image_aspect_ratio="dynamic"))


def case_nvila_8b_video(name, pools=((2, 1, 1),), size=56, **encoder):
    enc = {"_target_": "llava.model.encoders.TSPVideoEncoder", "pool_sizes": [list(p) for p in pools], **encoder}
    if not encoder:
        enc = json.dumps(enc)  # the published files hold either form
    times = [f"<t{i}>" for i in range(100)]
    write_model(name, SEEDS[name], "B", qwen(extra=times, model_max_length=16384), "qwen2",
                siglip_config(size, hidden=32, ffn=48, use_head=False), siglip_preprocessor(size), c.siglip_weights, "mlp_downsample_2x2_fix",
                llm_over=dict(SMALL, bos_token_id=503, eos_token_id=502, model_max_length=16384, tokenizer_model_max_length=16384),
                top_over=dict(num_time_tokens=100, time_token_ids=list(range(505, 605)), num_video_frames=8,
                              video_encoder=enc))


def case_nvila_s2(name, kind="mlp_downsample_3x3_s2"):
    write_model(name, SEEDS[name], "B", qwen(), "qwen2", siglip_config(28, hidden=16, heads=2, ffn=32, use_head=False),
                siglip_preprocessor(28), c.siglip_weights, kind, scales=3, llm_over=SMALL,
                top_over=dict(DYNAMIC_S2, s2_scales="28,56,84", s2_max_split_size=28))


def case_nvila_hf(name):
    """Classic files; the generator of the case re-saves them."""
    write_model(name, SEEDS[name], "B", qwen(), "qwen2", siglip_config(28, hidden=32, ffn=48, use_head=False),
                siglip_preprocessor(28), c.siglip_weights, "mlp_downsample", scales=3, llm_over=SMALL,
                top_over=dict(DYNAMIC_S2, s2_scales="28,56,84", s2_max_split_size=28))


def case_nvila_preview(name):
    """Classic files; the generator of the case converts them."""
    write_model(name, SEEDS[name], "B", qwen(model_max_length=4096), "qwen2", siglip_config(56, hidden=32, ffn=48, use_head=False),
                siglip_preprocessor(56), c.siglip_weights, "mlp_downsample_3x3_fix",
                llm_over=dict(SMALL, tie_word_embeddings=True), top_over=dict(image_aspect_ratio="dynamic", video_max_tiles=1))


# Seeds chosen so that every greedy step has a clear winner (see README).
SEEDS = {
    "vila15_3b": 11, "vila15_3b_s2": 12, "vila15_8b": 13, "vila15_13b": 15, "vila15_40b": 16,
    "vila10_clip": 17, "vila10_linear": 18, "nvila_8b": 21, "nvila_lite_2b": 22, "nvila_8b_video": 23,
    "nvila_8b_video_2": 24, "nvila_s2": 25, "nvila_s2_new": 26, "nvila_preview": 27, "nvila_lite_hf": 28, "nvila_hf": 29, "vila15_8b_rope": 30, "vila15_40b_448": 31,
}
LLAMA3_ROPE = {"factor": 8.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0, "original_max_position_embeddings": 256,
               "rope_type": "llama3"}
CASES = {
    "vila15_3b": case_vila15_3b,
    "vila15_3b_s2": case_vila15_3b_s2,
    "vila15_8b": case_vila15_8b,
    "vila15_13b": case_vila15_13b,
    "vila15_40b": case_vila15_40b,
    "vila15_40b_448": lambda n: case_vila15_40b(n, 448),
    "vila10_clip": case_vila10_clip,
    "vila10_linear": case_vila10_linear,
    "nvila_8b": case_nvila_8b,
    "nvila_lite_2b": case_nvila_lite_2b,
    "nvila_8b_video": case_nvila_8b_video,
    "nvila_8b_video_2": lambda n: case_nvila_8b_video(n, ((1, 2, 2), (2, 1, 1)), 112, sep_tokens="\n"),
    "nvila_preview": case_nvila_preview,
    "nvila_lite_hf": case_nvila_preview,
    "nvila_hf": case_nvila_hf,
    "vila15_8b_rope": lambda n: case_vila15_8b(n, LLAMA3_ROPE),
    "nvila_s2": case_nvila_s2,
    "nvila_s2_new": lambda n: case_nvila_s2(n, "mlp_downsample_3x3_s2_new"),
}

if __name__ == "__main__":
    for case in sys.argv[1:] or CASES:
        CASES[case](case)
        print(case, sum(os.path.getsize(os.path.join(d, f)) for d, _, fs in os.walk(os.path.join(c.DATA, case, "model"))
                        for f in fs) // 1024, "KiB")

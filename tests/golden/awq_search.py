#!/usr/bin/env python3
"""Writes data/awq/: what the official AWQ and SmoothQuant code finds for fixed groups and tiny decoder blocks.

usage: LLM_AWQ=... tests/golden/awq_search.py

LLM_AWQ is mit-han-lab/llm-awq at d6e797a42b9ef7778de8ee2352116e0f48a78d61. Needs torch 2.4.1, transformers 4.46.0,
safetensors. Everything runs on the CPU; kernels the project imports are left out.

  rounding.safetensors     weight f16 [N, K] of awkward groups, and codes u8 [N, K], scales f16 [N, K/32], zeros u8
                           [N, K/32] of pseudo_quantize_tensor in f16
  llama.safetensors        a block with multi-head attention, in float32: TENSOR of its weights, x [B, T, D], y [B, T, D],
  qwen2.safetensors        scale.I for each entry of auto_scale_block, clip.NAME [N, K/G] of auto_clip_block; qwen2 has
                           grouped-query attention and biases
  smooth.safetensors       smooth_ln_fcs: norm weight and bias, three matrices, activation maxima before; all after
"""
import os
import pathlib
import sys
import types

import torch
import transformers  # before a folder named awq is known
import transformers.models.qwen2.modeling_qwen2
import transformers.models.llama.modeling_llama
from safetensors.torch import save_file

torch.set_grad_enabled(False)
torch.set_num_threads(1)
OUT = pathlib.Path(__file__).resolve().parent / "data" / "awq"
GROUP = 32

sys.modules["awq_inference_engine"] = types.ModuleType("awq_inference_engine")
sys.path.insert(0, os.environ["LLM_AWQ"])
torch.nn.Module.cuda = lambda self: self
torch.Tensor.cuda = lambda self: self
torch.cuda.empty_cache = lambda: None



package = types.ModuleType("awq")
package.__path__ = [os.path.join(os.environ["LLM_AWQ"], "awq")]
sys.modules["awq"] = package
quantize = types.ModuleType("awq.quantize")
quantize.__path__ = [os.path.join(os.environ["LLM_AWQ"], "awq/quantize")]
sys.modules["awq.quantize"] = quantize
from awq.quantize.auto_clip import apply_clip, auto_clip_block  # noqa: E402
from awq.quantize.auto_scale import apply_scale, auto_scale_block  # noqa: E402
from awq.quantize.quantizer import pseudo_quantize_tensor  # noqa: E402
from awq.quantize.smooth import smooth_ln_fcs  # noqa: E402


def rounding():
    torch.manual_seed(1)
    rows = [torch.randn(GROUP) * 0.05 for _ in range(16)]
    rows.append(torch.full((GROUP,), 0.5))                     # all equal
    rows.append(torch.zeros(GROUP))                            # all zero
    rows.append(torch.rand(GROUP) * 0.3 + 0.2)                 # all positive
    rows.append(-torch.rand(GROUP) * 0.3 - 0.2)                # all negative
    rows.append(torch.cat([torch.randn(GROUP - 1) * 0.05, torch.tensor([1e3])]))  # one outlier
    rows.append(torch.randn(GROUP) * 1e-6)                     # a range below 1e-5
    rows.append(torch.arange(GROUP) * 0.5 - 5.0)               # with the next, quotients at exactly .5
    rows.append(torch.cat([torch.arange(GROUP - 1) * 0.25, torch.tensor([7.5])]) * 0.5 - 1.0)
    ties = torch.tensor([-7.5, 7.5] + [0.5 + i for i in range(-7, 7)]).repeat(2)
    rows.append(ties)                                          # scale 1
    rows += [torch.randn(GROUP) * 10 ** (-i / 2) for i in range(12)]
    rows += [torch.randn(GROUP) * torch.rand(GROUP) ** 4 for _ in range(3)]
    weight = torch.stack(rows).half()
    fake, scales, zeros = pseudo_quantize_tensor(weight, n_bit=4, q_group_size=GROUP, get_scale_zp=True)
    codes = torch.clamp(torch.round(weight / scales) + zeros, 0, 15).to(torch.uint8)
    save_file({"weight": weight, "fake": fake.contiguous(), "codes": codes, "scales": scales.contiguous(),
               "zeros": zeros.to(torch.uint8)}, OUT / "rounding.safetensors")


def block(name):
    from transformers.models.llama.modeling_llama import LlamaDecoderLayer
    from transformers.models.qwen2.modeling_qwen2 import Qwen2DecoderLayer
    width = 64 if name == "llama" else 128
    common = dict(hidden_size=width, intermediate_size=128, num_attention_heads=4, vocab_size=32, rms_norm_eps=1e-6)
    torch.manual_seed(3)
    if name == "llama":
        config = transformers.LlamaConfig(num_key_value_heads=4, **common)
        config._attn_implementation = "eager"
        layer = LlamaDecoderLayer(config, 0)
    else:
        config = transformers.Qwen2Config(num_key_value_heads=2, rope_theta=1000000.0, use_sliding_window=False, **common)
        config._attn_implementation = "eager"
        layer = Qwen2DecoderLayer(config, 0)
    layer = layer.eval()
    for parameter in layer.parameters():
        if parameter.dim() == 1:
            parameter.copy_(1 + torch.randn_like(parameter) * 0.1)
            parameter[::13] *= 9  # channels that stand out
        else:
            parameter.copy_(torch.randn_like(parameter) * parameter.shape[1] ** -0.5)
    layer.mlp.up_proj.weight[::17] *= 6
    batch, tokens = 6, 100
    x = torch.randn(batch, tokens, width)
    position_ids = torch.arange(tokens).unsqueeze(0)
    mask = torch.triu(torch.full((tokens, tokens), torch.finfo(torch.float32).min), 1)[None, None].expand(batch, 1, -1, -1)
    kwargs = {"attention_mask": mask, "position_ids": position_ids}
    saved = {key: value.clone() for key, value in layer.state_dict().items() if "inv_freq" not in key}
    features = {}
    hooks = [module.register_forward_hook(lambda m, i, o, key=key: features.__setitem__(key, i[0].clone()))
             for key, module in layer.named_modules() if isinstance(module, torch.nn.Linear)]
    y = layer(x, **kwargs)[0]
    for hook in hooks:
        hook.remove()
    config_of = {"zero_point": True, "q_group_size": GROUP}
    scales = auto_scale_block(layer, kwargs, w_bit=4, q_config=config_of, input_feat=features)
    out = {**saved, "x": x, "y": y}
    for i, (_, _, scale) in enumerate(scales):
        out[f"scale.{i}"] = scale.clone().contiguous()
    apply_scale(layer, scales, input_feat_dict=features)
    clips = auto_clip_block(layer, w_bit=4, q_config=config_of, input_feat=features)
    for key, clip in clips:
        out[f"clip.{key}"] = clip.squeeze(-1).contiguous()
    apply_clip(layer, clips)
    save_file({key: value.contiguous() for key, value in out.items()}, OUT / f"{name}.safetensors",
              metadata={"scales": ";".join(prev + ":" + ",".join(layers) for prev, layers, _ in scales)})


def smooth():
    torch.manual_seed(5)
    norm = torch.nn.LayerNorm(48)
    norm.weight.copy_(1 + torch.randn(48) * 0.1)
    norm.bias.copy_(torch.randn(48) * 0.1)
    layers = [torch.nn.Linear(48, 40) for _ in range(3)]
    maxima = torch.rand(48) * 4
    maxima[7] = 80.0
    maxima[9] = 0.0
    out = {"norm.weight": norm.weight.clone(), "norm.bias": norm.bias.clone(), "maxima": maxima.clone()}
    for i, layer in enumerate(layers):
        out[f"{i}.weight"] = layer.weight.clone()
    smooth_ln_fcs(norm, layers, maxima, 0.3)
    out["smoothed.norm.weight"], out["smoothed.norm.bias"] = norm.weight.clone(), norm.bias.clone()
    for i, layer in enumerate(layers):
        out[f"smoothed.{i}.weight"] = layer.weight.clone()
    save_file(out, OUT / "smooth.safetensors")


OUT.mkdir(parents=True, exist_ok=True)
rounding()
block("llama")
block("qwen2")
smooth()

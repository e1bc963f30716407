#!/usr/bin/env python3
"""Writes data/quant/: matrices and tiny checkpoints in the 4-bit layouts of the field, packed by the official packers.

usage: AUTOAWQ=... LLM_AWQ=... AUTOGPTQ=... tests/golden/quant_layouts.py

| variable | repository | commit |
| --- | --- | --- |
| AUTOAWQ | casper-hansen/AutoAWQ | 88e4c76b20755db275574e6a03c83c84ba3bece5 |
| LLM_AWQ | mit-han-lab/llm-awq | d6e797a42b9ef7778de8ee2352116e0f48a78d61 |
| AUTOGPTQ | AutoGPTQ/AutoGPTQ | 9f7d37072917ab3a7545835f23e808294a542153 |

Needs torch 2.4.1, transformers 4.46.0, safetensors. Scales and zeros come from llm-awq's pseudo_quantize_tensor, packed
tensors from each project's own class, logits from transformers in float32 with the dequantised weights.

  matrices.safetensors   for groups of 128, 64 and 32, names gG.*: codes u8 [N, K], scales f16 [N, K/G], zeros u8
                         [N, K/G] and LAYOUT.{qweight,scales,zeros,...} as the packers leave them; also g64_bf16.
  CASE/                  checkpoints without a tokenizer: config.json, weights
  logits.safetensors     CASE.ids i64 [T], CASE.logits f32 [V] of the last position
"""
import importlib.util
import json
import os
import pathlib
import shutil
import sys
import types

import numpy as np
import torch
from safetensors.torch import save_file

torch.set_grad_enabled(False)
OUT = pathlib.Path(__file__).resolve().parent / "data" / "quant"


def load(path, name, parents=()):
    """One file of a checkout as a module; `parents` are (module name, attributes) it imports and does not need."""
    for parent, attributes in parents:
        module = types.ModuleType(parent)
        module.__path__ = []
        for key, value in attributes.items():
            setattr(module, key, value)
        sys.modules[parent] = module
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def packers():
    llm_awq, autoawq, autogptq = (pathlib.Path(os.environ[v]) for v in ("LLM_AWQ", "AUTOAWQ", "AUTOGPTQ"))
    qmodule = load(llm_awq / "awq/quantize/qmodule.py", "llm.awq.quantize.qmodule",
                   [("awq_inference_engine", {}), ("llm", {}), ("llm.awq", {}), ("llm.awq.quantize", {}),
                    ("llm.awq.utils", {}), ("llm.awq.utils.module", {"set_op_by_name": None})])
    quantizer = load(llm_awq / "awq/quantize/quantizer.py", "llm.awq.quantize.quantizer")
    stubs = [("awq", {}), ("awq.utils", {}), ("awq.utils.module", {"try_import": lambda name: (None, "")}),
             ("awq.utils.utils", {"get_best_device": lambda: "cpu"}),
             ("awq.utils.packing_utils", {"dequantize_gemm": None})]
    linear = autoawq / "awq/modules/linear"
    gemm = load(linear / "gemm.py", "auto_gemm", stubs)
    gemv = load(linear / "gemv.py", "auto_gemv")
    fast = load(linear / "gemv_fast.py", "auto_gemv_fast")
    gptq = load(autogptq / "auto_gptq/nn_modules/qlinear/qlinear_cuda.py", "auto_gptq_cuda")
    return quantizer.pseudo_quantize_tensor, {"v2": qmodule.WQLinear, "gemm": gemm.WQLinear_GEMM,
                                              "gemv": gemv.WQLinear_GEMV, "gemv_fast": fast.WQLinear_GEMVFast,
                                              "gptq": gptq.QuantLinear, "gptq_order": gptq.QuantLinear}


def fake_quantised(quantise, weight, group, least_zero):
    weight, scales, zeros = quantise(weight, n_bit=4, zero_point=True, q_group_size=group, get_scale_zp=True)
    if least_zero:   # GPTQ stores no zero of 0: move those grids by one
        zeros = zeros.clamp(min=least_zero)
        s, z = (t.repeat_interleave(group, 1) for t in (scales, zeros))
        weight = (torch.clamp(torch.round(weight / s) + z, 0, 15) - z) * s
    return weight, scales, zeros


def codes_of(weight, scales, zeros, group):
    s, z = (t.float().repeat_interleave(group, 1) for t in (scales, zeros))
    return torch.round(weight.float() / s + z).to(torch.uint8)


def packed(cls, layout, weight, scales, zeros, group, bias=None, g_idx=None):
    n, k = weight.shape
    linear = torch.nn.Linear(k, n, bias=bias is not None, dtype=weight.dtype)
    linear.weight.data = weight.clone()
    if bias is not None:
        linear.bias.data = bias.clone()
    if layout.startswith("gptq"):
        module = cls(4, group, k, n, bias is not None)
        module.pack(linear, scales.clone(), zeros.clone().to(torch.int32), g_idx)
    else:
        # "gemm" wants groups first.
        s, z = (scales.t().contiguous(), zeros.t().contiguous()) if layout == "gemm" else (scales, zeros)
        module = cls.from_linear(linear, 4, group, scales=s.clone(), zeros=z.clone())
    return {name: value.contiguous() for name, value in module.state_dict().items()}


def matrices(quantise, classes):
    out = {}
    torch.manual_seed(11)
    for group, dtype, name in ((128, torch.float16, "g128"), (64, torch.float16, "g64"), (32, torch.float16, "g32"),
                               (64, torch.bfloat16, "g64_bf16")):
        raw = (torch.randn(32, 256) * 0.05).to(dtype)
        raw[3] *= 1e-4   # scales near the smallest numbers of f16
        weight, scales, zeros = fake_quantised(quantise, raw, group, 1)
        out[f"{name}.codes"] = codes_of(weight, scales, zeros, group)
        out[f"{name}.scales"] = scales
        out[f"{name}.zeros"] = zeros.to(torch.uint8)
        for layout in ("v2",) if dtype == torch.bfloat16 else ("v2", "gemm", "gemv", "gemv_fast", "gptq"):
            for key, value in packed(classes[layout], layout, weight, scales, zeros, group).items():
                out[f"{name}.{layout}.{key}"] = value
    save_file(out, OUT / "matrices.safetensors")


def model_config(arch):
    import transformers
    common = dict(hidden_size=64, intermediate_size=128, num_attention_heads=4, num_key_value_heads=2, vocab_size=128,
                  max_position_embeddings=64, rms_norm_eps=1e-6, tie_word_embeddings=False)
    if arch == "qwen2":
        return transformers.Qwen2Config(num_hidden_layers=2, rope_theta=1000000.0, use_sliding_window=False, **common)
    return transformers.LlamaConfig(num_hidden_layers=1, **common)


def checkpoint(quantise, classes, arch, layout, group, logits):
    import transformers
    config = model_config(arch)
    torch.manual_seed(5)
    model = transformers.AutoModelForCausalLM.from_config(config, attn_implementation="eager").eval()
    for parameter in model.parameters():
        if parameter.dim() == 1:   # norm weights and biases start at one and zero
            parameter.add_(torch.randn_like(parameter) * 0.1)
        else:
            parameter.copy_(torch.randn_like(parameter) * 0.15)
    for parameter in model.parameters():   # not the buffers: rotary frequencies in half precision would be others
        parameter.data = parameter.data.half()
    order = torch.Generator().manual_seed(3)
    state = {}
    for name, module in model.named_modules():
        if not isinstance(module, torch.nn.Linear) or name == "lm_head":
            continue
        raw, k = module.weight.data, module.in_features
        g_idx = None
        if layout == "gptq_order":   # columns of a group lie anywhere
            g_idx = (torch.randperm(k, generator=order) // group).to(torch.int32)
            columns = torch.argsort(g_idx, stable=True)
            weight, scales, zeros = fake_quantised(quantise, raw[:, columns], group, 1)
            weight = weight[:, torch.argsort(columns)]
        else:
            weight, scales, zeros = fake_quantised(quantise, raw, group, 1 if layout == "gptq" else 0)
        module.weight.data = weight
        bias = None if module.bias is None else module.bias.data
        for key, value in packed(classes[layout], layout, weight, scales, zeros, group, bias, g_idx).items():
            state[f"{name}.{key}"] = value
        # What the codes mean, unrounded: (q - z) * s in float32.
        index = g_idx.long() if g_idx is not None else torch.arange(k) // group
        s, z = scales.float()[:, index], zeros.float()[:, index]
        module.weight.data = (torch.round(weight.float() / s + z) - z) * s
    packed_names = {name.rsplit(".", 1)[0] for name in state}
    for name, value in model.state_dict().items():
        if name.rsplit(".", 1)[0] not in packed_names:
            state[name] = value
    for parameter in model.parameters():
        parameter.data = parameter.data.float()
    ids = torch.randint(0, config.vocab_size, (12,), generator=torch.Generator().manual_seed(9))
    case = f"{arch}_{layout}"
    logits[f"{case}.ids"] = ids
    logits[f"{case}.logits"] = model(ids[None]).logits[0, -1].contiguous()

    folder = OUT / case
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    settings = config.to_dict()
    settings["architectures"] = [type(model).__name__]
    if layout == "v2":
        # As released: no word about the quantisation in config.json, the only weights in a file of torch.save.
        torch.save(state, folder / f"tiny-w4-g{group}-awq-v2.pt")
    else:
        save_file(state, folder / "model.safetensors", metadata={"format": "pt"})
    if layout == "gemv":   # files of 2023 say it in a file of their own
        (folder / "quant_config.json").write_text(json.dumps(
            {"zero_point": True, "q_group_size": group, "w_bit": 4, "version": "GEMV"}, indent=1) + "\n")
    elif layout.startswith("gptq"):
        settings["quantization_config"] = {
            "bits": 4, "group_size": group, "damp_percent": 0.01, "desc_act": layout == "gptq_order", "sym": False,
            "true_sequential": True, "quant_method": "gptq", "checkpoint_format": "gptq"}
    elif layout != "v2":
        settings["quantization_config"] = {"bits": 4, "group_size": group, "modules_to_not_convert": None,
                                           "quant_method": "awq", "version": layout, "zero_point": True}
    (folder / "config.json").write_text(json.dumps(settings, indent=1) + "\n")


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    quantise, classes = packers()
    matrices(quantise, classes)
    logits = {}
    for layout in ("v2", "gemm", "gemv", "gemv_fast", "gptq", "gptq_order"):
        checkpoint(quantise, classes, "qwen2", layout, 64, logits)
    for layout in ("v2", "gemm"):
        checkpoint(quantise, classes, "llama", layout, 32, logits)
    save_file(logits, OUT / "logits.safetensors")


if __name__ == "__main__":
    main()

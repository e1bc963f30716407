#!/usr/bin/env python3
"""Times a vision tower of published dimensions and random weights in PyTorch (pip install torch), for compare.py.

  torch_tower_bench.py siglip-448 --type int8 --threads 2

The plain encoder: patches, pre-norm layers with PyTorch's fused attention, no projector. `int8` has the layers' matrices
quantised by torch.ao.quantization.quantize_dynamic, activations while they come. One warm-up, then one tile timed;
prints one JSON object.
"""
import argparse
import json
import time

import torch
from torch import nn
from torch.nn import functional

from random_gguf import TOWERS

PATCH = 14


class Layer(nn.Module):
    def __init__(self, width, feed_forward, heads, eps, activation):
        super().__init__()
        self.heads, self.activation = heads, activation
        self.norm1, self.norm2 = nn.LayerNorm(width, eps), nn.LayerNorm(width, eps)
        self.q, self.k, self.v, self.out = (nn.Linear(width, width) for _ in range(4))
        self.up, self.down = nn.Linear(width, feed_forward), nn.Linear(feed_forward, width)

    def forward(self, x):
        tiles, tokens, width = x.shape
        normed = self.norm1(x)
        q, k, v = (f(normed).view(tiles, tokens, self.heads, -1).transpose(1, 2) for f in (self.q, self.k, self.v))
        attended = functional.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(tiles, tokens, width)
        x = x + self.out(attended)
        return x + self.down(self.activation(self.up(self.norm2(x))))


class Tower(nn.Module):
    def __init__(self, name):
        super().__init__()
        projector, side, width, feed_forward, heads, layers, eps = TOWERS[name]
        clip = projector == "mlp"
        quick_gelu = lambda x: x * torch.sigmoid(1.702 * x)
        activation = quick_gelu if clip else nn.GELU(approximate="tanh")
        self.patches = nn.Conv2d(3, width, PATCH, PATCH, bias=not clip)
        self.positions = nn.Parameter(torch.randn((side // PATCH) ** 2 + clip, width) * 0.02)
        self.first = nn.Parameter(torch.randn(1, 1, width)) if clip else None
        # The LLaVA projector reads what the last layer but one gives.
        self.layers = nn.Sequential(*(Layer(width, feed_forward, heads, eps, activation) for _ in range(layers - clip)))
        self.norm = nn.LayerNorm(width, eps)  # CLIP's comes first, SigLIP's last

    def forward(self, pixels):
        x = self.patches(pixels).flatten(2).transpose(1, 2)
        if self.first is None:
            return self.norm(self.layers(x + self.positions))
        x = torch.cat([self.first.expand(len(x), -1, -1), x], dim=1) + self.positions
        return self.layers(self.norm(x))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("tower", choices=sorted(TOWERS))
    p.add_argument("--type", choices=["f32", "bf16", "int8"], default="f32")
    p.add_argument("--threads", type=int, default=2)
    a = p.parse_args()
    torch.set_num_threads(a.threads)
    torch.manual_seed(1)
    tower = Tower(a.tower).eval()
    side = TOWERS[a.tower][1]
    pixels = torch.rand(1, 3, side, side) * 2 - 1
    if a.type == "bf16":
        tower, pixels = tower.to(torch.bfloat16), pixels.to(torch.bfloat16)
    if a.type == "int8":
        tower = torch.ao.quantization.quantize_dynamic(tower, {nn.Linear}, dtype=torch.qint8)
    with torch.inference_mode():
        tower(pixels)
        start, cpu = time.perf_counter(), time.process_time()
        tower(pixels)
        times = {"wall_ms": (time.perf_counter() - start) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}
    print(json.dumps({"version": torch.__version__, "engine": torch.backends.quantized.engine, "tower": times}))


if __name__ == "__main__":
    main()

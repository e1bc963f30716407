#!/usr/bin/env python3
"""Writes data/torch/*.pt: small files of the real torch.save for the torch reader's tests.

usage: tests/golden/torch_files.py    (needs PyTorch; recorded with the version in data/torch/version.txt)

Values are counted up from 0 in storage order, so the test knows them without a second file.
"""
import collections
import pathlib

import torch

OUT = pathlib.Path(__file__).resolve().parent / "data" / "torch"


def counted(*shape, dtype=torch.float32):
    count = 1
    for n in shape:
        count *= n
    return torch.arange(count).reshape(shape).to(dtype)


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    base = counted(4, 6)
    flat = collections.OrderedDict(
        f32=counted(2, 3), bf16=counted(2, 3, dtype=torch.bfloat16), f16=counted(5, dtype=torch.float16),
        f64=counted(2, dtype=torch.float64), i64=counted(3, dtype=torch.int64), i32=counted(3, dtype=torch.int32),
        i16=counted(3, dtype=torch.int16), i8=counted(3, dtype=torch.int8), u8=counted(3, dtype=torch.uint8),
        bool=counted(3, dtype=torch.bool), scalar=torch.tensor(7.0), empty=torch.zeros(0, 4),
        transposed=base.t(), rows=base[1:3], columns=base[:, 2:4], parameter=torch.nn.Parameter(counted(2, 2)),
        expanded=torch.tensor([3.0]).expand(4))
    torch.save(flat, OUT / "flat.pt")
    torch.save({"epoch": 3, "state_dict": dict(flat), "note": "x"}, OUT / "wrapped.pt")
    module = torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.LayerNorm(2))
    with torch.no_grad():
        for value in module.state_dict().values():
            value.copy_(counted(*value.shape))
    torch.save(module.state_dict(), OUT / "module_state_dict.pt")   # carries _metadata as an attribute
    torch.save({"w": counted(2, 3)}, OUT / "protocol_4.pt", pickle_protocol=4)
    torch.save({"w": counted(2, 3)}, OUT / "before_1_6.pt", _use_new_zipfile_serialization=False)
    torch.save(module, OUT / "whole_module.pt")                     # refers to classes: must be refused
    (OUT / "version.txt").write_text(torch.__version__ + "\n")


if __name__ == "__main__":
    main()

#!/usr/bin/env python3
"""Times prefill and decoding of llama.cpp through its Python package (pip install llama-cpp-python), for compare.py.

  llama_cpp_python_bench.py MODEL.gguf --threads 2 --prefill 512,1024 --depths 0,1024 --steps 32

Does what llama-bench does: one warm-up, then each task once on an emptied cache; prints one JSON object.
"""
import argparse
import ctypes
import json
import time

import llama_cpp as lib


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--prefill", default="512")
    p.add_argument("--depths", default="0")
    p.add_argument("--steps", type=int, default=32)
    p.add_argument("--flash-attention", action="store_true")
    a = p.parse_args()
    lengths = [int(n) for n in a.prefill.split(",")]
    depths = [int(n) for n in a.depths.split(",")]

    quiet = lib.llama_log_callback(lambda *_: None)
    lib.llama_log_set(quiet, ctypes.c_void_p(0))
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(a.model.encode(), lib.llama_model_default_params())
    if not model:
        raise SystemExit(f"{a.model}: cannot be loaded")
    params = lib.llama_context_default_params()
    warm_up = 32
    params.n_ctx = max([warm_up] + lengths + [d + a.steps for d in depths]) + 1
    params.n_batch = 2048
    params.n_ubatch = 512
    params.n_threads = params.n_threads_batch = a.threads
    params.flash_attn_type = 1 if a.flash_attention else 0
    ctx = lib.llama_init_from_model(model, params)
    if not ctx:
        raise SystemExit(f"{a.model}: no context of {params.n_ctx} tokens")
    vocabulary = lib.llama_vocab_n_tokens(lib.llama_model_get_vocab(model))
    longest = max([warm_up] + lengths + depths)
    ids = (lib.llama_token * (longest + 1))(*[(i * 7919 + 300) % vocabulary for i in range(longest + 1)])

    def clear():
        lib.llama_memory_clear(lib.llama_get_memory(ctx), True)

    def feed(count, at=0):
        tokens = ctypes.cast(ctypes.byref(ids, at * ctypes.sizeof(lib.llama_token)), ctypes.POINTER(lib.llama_token))
        if lib.llama_decode(ctx, lib.llama_batch_get_one(tokens, count)) != 0:
            raise SystemExit("llama_decode failed")
        lib.llama_synchronize(ctx)

    def timed(work):
        start, cpu = time.perf_counter(), time.process_time()
        work()
        return {"wall_ms": (time.perf_counter() - start) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}

    feed(warm_up)
    feed(1)
    out = {"system": lib.llama_print_system_info().decode(), "version": lib.__version__, "prefill": {}, "decode": {}}
    for length in lengths:
        clear()
        out["prefill"][length] = timed(lambda: feed(length))
    for depth in depths:
        clear()
        if depth:
            feed(depth)
        out["decode"][depth] = timed(lambda: [feed(1) for _ in range(a.steps)])
    print(json.dumps(out))


if __name__ == "__main__":
    main()

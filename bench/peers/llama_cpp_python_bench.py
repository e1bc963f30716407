#!/usr/bin/env python3
"""Times llama.cpp through its Python package (pip install llama-cpp-python), for compare.py.

  llama_cpp_python_bench.py MODEL.gguf --threads 2 --prefill 512,1024 --depths 0,1024 --steps 32
  llama_cpp_python_bench.py MODEL.gguf --threads 2 --mmproj TOWER.gguf --side 448

Does what llama-bench does: one warm-up, then each task once on an emptied cache; or one picture of noise through the
tower, after another that warms it up. Prints one JSON object.
"""
import argparse
import ctypes
import json
import random
import time

import llama_cpp as lib


def timed(work):
    start, cpu = time.perf_counter(), time.process_time()
    work()
    return {"wall_ms": (time.perf_counter() - start) * 1e3, "cpu_ms": (time.process_time() - cpu) * 1e3}


def time_tower(model, path, side, threads, quiet):
    """Tower and projector on one picture that needs no resizing."""
    from llama_cpp import mtmd_cpp as mtmd  # the package may come without its library

    mtmd.mtmd_log_set(quiet, ctypes.c_void_p(0))
    params = mtmd.mtmd_context_params_default()
    params.use_gpu = params.print_timings = params.warmup = False
    params.n_threads = threads
    ctx = mtmd.mtmd_init_from_file(path.encode(), model, params)
    if not ctx:
        raise SystemExit(f"{path}: cannot be loaded")
    pixels = (ctypes.c_uint8 * (side * side * 3)).from_buffer_copy(random.Random(1).randbytes(side * side * 3))
    bitmaps = (ctypes.c_void_p * 1)(mtmd.mtmd_bitmap_init(side, side, pixels))
    marker = mtmd.mtmd_default_marker()
    prompt = mtmd.mtmd_input_text(marker, len(marker), False, True)
    chunks = mtmd.mtmd_input_chunks_init()
    if mtmd.mtmd_tokenize(ctx, chunks, ctypes.byref(prompt), bitmaps, 1) != 0:
        raise SystemExit(f"{path}: mtmd_tokenize failed")
    pictures = [chunk for chunk in map(lambda i: mtmd.mtmd_input_chunks_get(chunks, i),
                                       range(mtmd.mtmd_input_chunks_size(chunks)))
                if mtmd.mtmd_input_chunk_get_type(chunk) == mtmd.MTMD_INPUT_CHUNK_TYPE_IMAGE]
    if len(pictures) != 1:
        raise SystemExit(f"{path}: {len(pictures)} chunks of one picture")

    def encode():
        if mtmd.mtmd_encode_chunk(ctx, pictures[0]) != 0:
            raise SystemExit("mtmd_encode_chunk failed")

    encode()
    return timed(encode)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("model")
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--prefill", default="512")
    p.add_argument("--depths", default="0")
    p.add_argument("--steps", type=int, default=32)
    p.add_argument("--flash-attention", action="store_true")
    p.add_argument("--mmproj", help="time this tower instead")
    p.add_argument("--side", type=int, default=448, help="of the tower's picture")
    a = p.parse_args()
    lengths = [int(n) for n in a.prefill.split(",")]
    depths = [int(n) for n in a.depths.split(",")]

    quiet = lib.llama_log_callback(lambda *_: None)
    lib.llama_log_set(quiet, ctypes.c_void_p(0))
    lib.llama_backend_init()
    model = lib.llama_model_load_from_file(a.model.encode(), lib.llama_model_default_params())
    if not model:
        raise SystemExit(f"{a.model}: cannot be loaded")
    out = {"system": lib.llama_print_system_info().decode(), "version": lib.__version__}
    if a.mmproj:
        print(json.dumps(out | {"tower": time_tower(model, a.mmproj, a.side, a.threads, quiet)}))
        return
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

    feed(warm_up)
    feed(1)
    out |= {"prefill": {}, "decode": {}}
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

#!/usr/bin/env python3
"""What each shipping mode costs: quantises a model in every mode and holds it against the float model on a text.

usage: scripts/quality.py MODEL --calib PATH [--calib PATH]... --text FILE [--galago build/release/galago] [--group 128]
                          [--window 1024] [--windows 0] [--calib-tokens 16384] [--threads 0] [--out DIR]

Prints the rows of docs/quality.md: perplexity, its rise over the float model, Kullback-Leibler divergence and top-1 agreement of
the next-token distributions. The text must not be part of the calibration. Exit 8 if AWQ is no better than rounding.
"""
import argparse
import hashlib
import json
import pathlib
import subprocess
import sys
import tempfile

# Name, flags of `quantize`, precision it is read with.
MODES = [
    ("w8", ["--decoder", "w8", "--method", "rtn"], "bf16"),
    ("w6", ["--decoder", "w6", "--method", "rtn"], "bf16"),
    ("w4 rtn", ["--decoder", "w4", "--method", "rtn"], "bf16"),
    ("w4 awq", ["--decoder", "w4"], "bf16"),
    ("w4 awq, int8 activations", ["--decoder", "w4"], "int8"),
    ("w4 awq, head w8", ["--decoder", "w4", "--head", "w8"], "bf16"),
    ("w4 awq, head w6", ["--decoder", "w4", "--head", "w6"], "bf16"),
    ("w4 awq, head w4", ["--decoder", "w4", "--head", "w4"], "bf16"),
]


def run(command):
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}: exit {result.returncode}")
    return result.stdout


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("--calib", action="append", required=True)
    parser.add_argument("--text", required=True)
    parser.add_argument("--galago", default="build/release/galago")
    parser.add_argument("--group", default="128")
    parser.add_argument("--window", default="1024")
    parser.add_argument("--windows", default="0")
    parser.add_argument("--calib-tokens", default="16384")
    parser.add_argument("--threads", default="0")
    parser.add_argument("--out", help="keep the models and searches here; a second run with the same options uses them")
    args = parser.parse_args()
    scratch = None if args.out else tempfile.TemporaryDirectory()
    out = pathlib.Path(args.out or scratch.name)
    made_by = json.dumps([str(pathlib.Path(args.model).resolve()), args.group, args.calib_tokens, args.calib])
    out /= hashlib.sha256(made_by.encode()).hexdigest()[:12]
    out.mkdir(parents=True, exist_ok=True)

    def perplexity(model, precision, *more):
        return json.loads(run([args.galago, "eval", "perplexity", args.text, "-m", model, "--precision", precision,
                               "--threads", args.threads,
                               "--window", args.window, "--windows", args.windows, "--json", "-", *more]))

    print("| mode | weights, MB | perplexity | rise | KL divergence | same first choice |")
    print("| --- | --- | --- | --- | --- | --- |")
    measured = {}
    for name, flags, precision in MODES:
        file = out / ("-".join(flags).replace("--", "") + ".galago")
        if not file.exists():
            calibration = [word for path in args.calib for word in ("--calib", path)]
            run([args.galago, "quantize", args.model, "-o", file, "--group", args.group, "--calib-tokens", args.calib_tokens,
                 "--search", out / "search", "--threads", args.threads, "--progress", "plain", *calibration, *flags])
        result = perplexity(file, precision, "--against", args.model)
        measured[name] = result
        rise = 100 * (result["perplexity"] / result["reference_perplexity"] - 1)
        print(f"| {name} | {file.stat().st_size / 1e6:.1f} | {result['perplexity']:.3f} | {rise:+.2f} % | "
              f"{result['kl_divergence']:.5f} | {100 * result['top1_agreement']:.2f} % |", flush=True)
    any_result = measured["w4 awq"]
    print(f"\nfloat: {any_result['reference_perplexity']:.3f}, {any_result['windows']} windows of {any_result['window']} tokens")
    return 8 if measured["w4 awq"]["perplexity"] >= measured["w4 rtn"]["perplexity"] else 0


sys.exit(main())

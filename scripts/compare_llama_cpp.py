#!/usr/bin/env python3
"""Compares greedy continuations of galago and llama.cpp on GGUF language models.

  scripts/compare_llama_cpp.py --float --galago build/release/galago --model smollm2.gguf --model qwen2.gguf

For each model ten prompts are continued greedily by both engines and the token ids are
compared. llama.cpp runs through the llama_cpp Python package (pip install llama-cpp-python),
or its recorded answers are read with --expected FILE (made earlier with --write-expected).

A prompt agrees when all generated ids are equal. For a prompt that differs, the table shows the
first differing step, both tokens, and the gap between llama.cpp's best two logits at that step:
a small gap is a near-tie that rounding alone can turn around.

llama.cpp rounds activations to 8 bits before it multiplies them with quantised weights; its answers from the
same weights dequantised to float beforehand differ from these in most prompts of a small 4-bit model. So the
comparison of the engines is --float: galago reads the quantised file in float32, llama.cpp a temporary F32 copy
of it (made with the gguf package). Without --float the table shows how far llama.cpp's rounding carries.

Exit status: 0 enough prompts agree for every model, 8 fewer than --need agree for some model,
1 an engine could not be run.
"""

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

PROMPTS = [
    "The capital of France is",
    "Once upon a time, there was a little",
    "def fibonacci(n):\n    ",
    "The three primary colours are red,",
    "Water boils at 100 degrees Celsius because",
    "List of planets in the solar system:\n1. Mercury\n2.",
    "Q: How many legs does a spider have?\nA:",
    "In 1969, Neil Armstrong became",
    "SELECT name, age FROM users WHERE",
    "Translate to French: Good morning, my friend.\nFrench:",
]


class Failure(Exception):
    pass


def llama_cpp_answers(model, prompts, n, n_ctx, threads):
    """Greedy answers of llama.cpp: argmax of the raw logits, never stopping."""
    import llama_cpp
    import numpy as np

    llm = llama_cpp.Llama(model_path=str(model), n_ctx=n_ctx, n_threads=threads,
                          n_threads_batch=threads, logits_all=False, verbose=False)
    answers = []
    for prompt in prompts:
        ids = llm.tokenize(prompt.encode("utf-8"), add_bos=True, special=True)
        llm.reset()
        out, gaps, seconds = [], [], []
        feed = ids
        for _ in range(n):
            llm.eval(feed)
            raw = llama_cpp.llama_get_logits_ith(llm._ctx.ctx, -1)
            logits = np.ctypeslib.as_array(raw, shape=(llm.n_vocab(),)).astype(np.float32)
            best = int(np.argmax(logits))
            rest = logits.copy()
            rest[best] = -np.inf
            second = int(np.argmax(rest))
            out.append(best)
            seconds.append(second)
            gaps.append(round(float(logits[best]) - float(logits[second]), 6))
            feed = [best]
        answers.append({"prompt": prompt, "prompt_ids": [int(i) for i in ids], "ids": out,
                        "second": seconds, "gap": gaps,
                        "text": llm.detokenize(out).decode("utf-8", "replace")})
    version = getattr(llama_cpp, "__version__", "unknown")
    llm.close()
    return {"model": Path(model).name, "engine": f"llama-cpp-python {version}", "answers": answers}


def write_float_copy(source, target):
    """The same model with every tensor dequantised to float32."""
    import gguf
    import numpy as np

    reader = gguf.GGUFReader(source)
    writer = gguf.GGUFWriter(target, reader.fields["general.architecture"].contents())
    for key, field in reader.fields.items():
        if key.startswith("GGUF.") or key == "general.architecture":
            continue
        kind = field.types[0]
        element = field.types[-1] if kind == gguf.GGUFValueType.ARRAY else None
        writer.add_key_value(key, 0 if key == "general.file_type" else field.contents(), kind, element)
    for tensor in reader.tensors:
        values = gguf.quants.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
        writer.add_tensor(tensor.name, values.reshape([int(n) for n in reversed(tensor.shape)]))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def galago_answers(galago, model, prompts, n, extra):
    answers = []
    for prompt in prompts:
        command = [galago, "run", "-m", str(model), "--raw", "-p", prompt, "-n", str(n),
                   "--temp", "0", "--ignore-eos", "--json", *extra]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=900)
        except (OSError, subprocess.TimeoutExpired) as e:
            raise Failure(f"{galago}: {e}") from e
        if run.returncode != 0:
            raise Failure(f"{' '.join(command[:4])}: exit {run.returncode}\n{run.stderr.strip()}")
        answers.append(token_ids(run.stdout))
    return answers


def token_ids(text):
    """The token_ids list of galago's JSON (one object, or the last line that has the key)."""
    try:
        return [int(i) for i in json.loads(text)["token_ids"]]
    except (ValueError, KeyError, TypeError):
        pass
    for line in reversed(text.splitlines()):
        try:
            return [int(i) for i in json.loads(line)["token_ids"]]
        except (ValueError, KeyError, TypeError):
            continue
    raise Failure("galago printed no JSON with token_ids")


def compare(expected, got):
    agree = 0
    print(f"{'#':>2}  {'same':>4}  {'step':>4}  {'galago':>7}  {'llama':>7}  {'second':>7}  {'gap':>9}  prompt")
    for i, (want, have) in enumerate(zip(expected["answers"], got)):
        ids = want["ids"]
        label = repr(want["prompt"])[:44]
        step = next((k for k in range(len(ids)) if k >= len(have) or have[k] != ids[k]), None)
        if step is None:
            agree += 1
            print(f"{i:>2}  {'yes':>4}  {'-':>4}  {'-':>7}  {'-':>7}  {'-':>7}  {min(want['gap']):>9.4f}  {label}")
        else:
            token = have[step] if step < len(have) else "none"
            print(f"{i:>2}  {'NO':>4}  {step:>4}  {token:>7}  {ids[step]:>7}  {want['second'][step]:>7}  "
                  f"{want['gap'][step]:>9.4f}  {label}")
    print(f"{expected['model']}: {agree} of {len(expected['answers'])} prompts agree "
          f"(for agreeing prompts 'gap' is the smallest over all steps)\n")
    return agree


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--galago", help="the galago program; without it only llama.cpp is run")
    p.add_argument("--model", action="append", default=[], required=True, help="a GGUF file; may be repeated")
    p.add_argument("--expected", action="append", default=[],
                   help="recorded llama.cpp answers, one per --model, instead of running llama.cpp")
    p.add_argument("--write-expected", action="append", default=[], help="write llama.cpp's answers, one per --model")
    p.add_argument("--float", dest="in_float", action="store_true",
                   help="llama.cpp runs a float32 copy of the model, galago the model itself in --precision f32")
    p.add_argument("-n", type=int, default=48, help="tokens per prompt (default 48)")
    p.add_argument("--need", type=int, default=9, help="prompts that must agree per model (default 9)")
    p.add_argument("--n-ctx", type=int, default=512)
    p.add_argument("--threads", type=int, default=2)
    p.add_argument("--galago-arg", action="append", default=[], help="extra argument for galago; may be repeated")
    a = p.parse_args()
    for name in ("expected", "write_expected"):
        given = getattr(a, name)
        if given and len(given) != len(a.model):
            p.error(f"--{name.replace('_', '-')} must be given once per --model")

    enough = True
    for i, model in enumerate(a.model):
        try:
            if a.expected:
                expected = json.loads(Path(a.expected[i]).read_text(encoding="utf-8"))
            elif a.in_float:
                with tempfile.TemporaryDirectory() as folder:
                    copy = Path(folder) / f"{Path(model).stem}-f32.gguf"
                    write_float_copy(model, copy)
                    expected = llama_cpp_answers(copy, PROMPTS, a.n, a.n_ctx, a.threads)
            else:
                expected = llama_cpp_answers(model, PROMPTS, a.n, a.n_ctx, a.threads)
            if a.write_expected:
                Path(a.write_expected[i]).write_text(json.dumps(expected, ensure_ascii=False, indent=1) + "\n",
                                                     encoding="utf-8")
            if not a.galago:
                for answer in expected["answers"]:
                    print(f"{min(answer['gap']):8.4f}  {answer['prompt']!r} -> {answer['text']!r}")
                continue
            prompts = [x["prompt"] for x in expected["answers"]]
            count = len(expected["answers"][0]["ids"])
            extra = ["--precision", "f32"] if a.in_float else []
            got = galago_answers(a.galago, model, prompts, count, extra + a.galago_arg)
        except (Failure, ImportError, OSError, ValueError) as e:
            print(f"compare_llama_cpp: {model}: {e}", file=sys.stderr)
            return 1
        enough &= compare(expected, got) >= a.need
    return 0 if enough else 8


if __name__ == "__main__":
    sys.exit(main())

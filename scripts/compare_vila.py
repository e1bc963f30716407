#!/usr/bin/env python3
"""Loads a model in the official NVILA code and in galago, and compares what they compute.

  scripts/compare_vila.py --vila VILA --s2 S2 --galago build/release/galago --model models/nano \\
      --ask picture.png "What is this?" --ask other.png "How many stars are there?"

VILA is a checkout of NVlabs/VILA (January to March 2025), S2 one of bfshi/scaling_on_scales. The official code runs on
the CPU in float32 with the packages that tests/golden/README.md names; galago runs with --precision f32 --parity.
For each question: token ids equal or not, the largest difference of the spliced embeddings and of the last position's
logits, each relative to the largest magnitude, and whether greedy decoding gives the same tokens up to the end of the
answer. A last line compares the names and shapes of all tensors with those the official classes ask for.

Exit status: 0 all agree, 8 something differs, 1 an engine could not be run.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

TOLERANCE = 2e-4  # of the largest magnitude, as in the parity tests


def galago_answer(program, model, image, question, tokens, trace):
    run = [program, "run", "-m", model, "--image", image, "-p", question, "--precision", "f32", "--parity", "--json",
           "-n", str(tokens), "--trace", trace]
    done = subprocess.run(run, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(run)} failed: {done.stderr.strip()}")
    return json.loads(done.stdout)


def relative(mine, theirs):
    return float((mine - theirs).abs().max() / theirs.abs().max())


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for name in ("--vila", "--s2", "--galago", "--model"):
        parser.add_argument(name, required=True)
    parser.add_argument("--ask", nargs=2, action="append", required=True, metavar=("PICTURE", "QUESTION"))
    parser.add_argument("--tokens", type=int, default=32)
    args = parser.parse_args()

    sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests" / "golden"))
    import common
    from safetensors import safe_open
    from safetensors.torch import load_file
    from vila_era_b import EraB
    from vila_prompts import user

    roots = os.pathsep.join(map(os.path.abspath, (args.vila, args.s2)))
    official = EraB(roots, os.path.abspath(args.model), "auto", {})
    stop = official.model.tokenizer.stop_token_ids
    failed = False
    for picture, question in args.ask:
        with tempfile.TemporaryDirectory() as folder:
            trace_file = os.path.join(folder, "trace.safetensors")
            mine = galago_answer(args.galago, args.model, picture, question, args.tokens, trace_file)
            trace = load_file(trace_file)
        record = official.run([user({"image": os.path.abspath(picture)}, {"text": question})], "/")
        embeds = record["inputs_embeds"]
        ids, gap = common.greedy(official.model.llm, embeds, official.rows, args.tokens)
        ends = [i for i, token in enumerate(ids) if token in stop]
        ids = ids[: ends[0]] if ends else ids
        _, logits = common.llm_trace(official.model.llm, embeds)  # of as many tokens as the tokenizer has
        rows = min(len(logits), len(trace["lm.logits"]))
        same_prompt = trace["lm.input_ids"].tolist() == official.spliced_ids(record).tolist()
        tokens = [token for token in mine["token_ids"] if token not in stop]
        parts = {
            "embeddings": relative(trace["lm.inputs_embeds"], embeds[0]) if same_prompt else float("nan"),
            "logits": relative(trace["lm.logits"][:rows], logits[:rows]),
        }
        good = same_prompt and tokens == ids and all(value <= TOLERANCE for value in parts.values())
        failed = failed or not good
        print(f"{'agrees ' if good else 'DIFFERS'}  {os.path.basename(picture)}  {question!r} -> "
              f"{official.model.tokenizer.decode(ids)!r}  prompt ids {'equal' if same_prompt else 'DIFFER'}, "
              + ", ".join(f"{name} {value:.1e}" for name, value in parts.items())
              + f", tokens {'equal' if tokens == ids else f'DIFFER {tokens} {ids}'} (smallest logit gap {gap:.3f})")

    tower = official.model.vision_tower.vision_tower
    wanted = {"llm": official.model.llm, "mm_projector": official.model.mm_projector, "vision_tower": tower}
    counted, missing = 0, []
    for part, module in wanted.items():
        shapes = {name: tuple(value.shape) for name, value in module.state_dict().items()}
        with safe_open(os.path.join(args.model, part, "model.safetensors"), framework="pt") as file:
            stored = {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}
        tied = {"lm_head.weight"} if part == "llm" and official.model.llm.config.tie_word_embeddings else set()
        counted += len(stored)
        missing += [f"{part}.{name}" for name in sorted(set(stored) ^ set(shapes)) if name not in tied]
        # The official loader cuts the vocabulary to the tokenizer's length.
        missing += [f"{part}.{name} {stored[name]} {shapes[name]}" for name in sorted(set(stored) & set(shapes))
                    if stored[name][1:] != shapes[name][1:]
                    or (stored[name] != shapes[name] and not name.endswith(("embed_tokens.weight", "lm_head.weight")))]
    print(f"{counted} tensors in the published layout, "
          + ("all of the names and shapes that the official classes have" if not missing else f"differing: {missing}"))
    return 8 if failed or missing else 0


if __name__ == "__main__":
    sys.exit(main())

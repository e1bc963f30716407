#!/usr/bin/env python3
"""What the official library makes of our tokenizer trainer: the merges of its own BPE trainer for the same text, and
the ids it gives with the files that `galago-train tokenizer` writes.

  tokenizer_trainer.py --galago-train PROGRAM --out data/tokenizer_trainer.json

Needs tokenizers and transformers (PACKAGES in the output says which).
"""

import argparse
import json
import subprocess
import tempfile
from pathlib import Path

import tokenizers
import transformers
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, trainers

SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
         r"|\s*[\r\n]+|\s+(?!\S)|\s+")
TEXT = """What colour is the small circle?
What colour is the big square to the left of the circle?
How many red circles are there in the picture?
There are 12 red circles, aaaa aaaaaa aaaaa.
Is there a blue triangle above the yellow star?  Yes, it's the one that isn't small.
The sacred stone bridge stands alone; nobody's banana is bananas.
Über naïve cafés: 3.50 € for 日本語, ok?
"""
CASES = ["What colour is the circle?", "sacred STONE Ünïcode \u212b 12.50 $3 bananas",
         "<|im_start|>user\n<image>How many?<|im_end|>\n<|im_start|>assistant\n<t5> <t9> red<|im_end|>\n",
         "  two  spaces\n\nnew line's don't 'Re", "日本語 🦊 naïve aaaaaaa", "<1.5> <t10> [PAD]<vila/video>", ""]
STYLES = {"words": ["--style", "words", "--min-share", "0.02", "--vocab-size", "400", "--time-tokens", "10"],
          "merges": ["--style", "merges", "--vocab-size", "400", "--time-tokens", "10"]}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--galago-train", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()

    official = Tokenizer(models.BPE())
    official.normalizer = normalizers.NFC()
    official.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(SPLIT), "isolated"),
         pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    # Line by line, as the program reads a file; pairs that occur once are no merge for either.
    official.train_from_iterator(TEXT.split("\n"), trainers.BpeTrainer(
        vocab_size=383, min_frequency=2, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False))
    merges = [m if isinstance(m, str) else " ".join(m) for m in json.loads(official.to_str())["model"]["merges"]]

    ids = {}
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "text.txt"
        text.write_text(TEXT, encoding="utf-8")
        for style, flags in STYLES.items():
            out = Path(folder) / style
            subprocess.run([args.galago_train, "tokenizer", out, "--text", text, *flags], check=True)
            loaded = transformers.AutoTokenizer.from_pretrained(out, use_fast=True, legacy=False)
            ids[style] = [loaded(case).input_ids for case in CASES]
    golden = {"packages": {"tokenizers": tokenizers.__version__, "transformers": transformers.__version__},
              "text": TEXT, "merges": merges, "cases": CASES, "ids": ids}
    args.out.write_text(json.dumps(golden, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()

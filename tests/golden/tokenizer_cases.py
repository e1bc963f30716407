#!/usr/bin/env python3
"""Writes the tokenizer goldens: ids and decoded texts of the official classes.

  tokenizer_cases.py DIR...      DIR holds tokenizer files; cases*.json are written beside them

Which classes are asked depends on the files in DIR:
  tokenizer.model                          LlamaTokenizer (slow), legacy true and false -> cases.json
                                           sentencepiece itself                          -> cases_sp.json
  vocab.json + merges.txt                  Qwen2Tokenizer (slow)                         -> cases.json
  tokenizer.json beside them               Qwen2TokenizerFast                            -> cases_fast.json
  tokenizer.json alone                     PreTrainedTokenizerFast                       -> cases.json
A case: text, add_special, [legacy], ids, decoded (tokenizer defaults), decoded_skip (special tokens
skipped), decoded_raw (no clean-up of spaces), and for some texts stream: what each id adds to the text
when the ids are decoded one by one and incomplete UTF-8 is held back (plus a last piece for the rest).
cases.json carries the packages in packages.json. Needs transformers >= 4.37 and sentencepiece.
"""

import argparse
import json
import logging
from pathlib import Path

import sentencepiece
import tokenizers
import transformers

import tokenizer_strings as strings

logging.disable(logging.WARNING)


def stream(decode, ids):
    pieces, shown = [], ""
    for k in range(1, len(ids) + 1):
        text = decode(ids[:k])
        if text.endswith("\ufffd"):
            pieces.append("")
            continue
        pieces.append(text[len(shown):])
        shown = text
    pieces.append(decode(ids)[len(shown):])
    return pieces


def cases(tok, texts, legacy=None):
    rows = []
    for text in texts:
        for add in (True, False):
            ids = tok(text, add_special_tokens=add).input_ids
            if add is False and rows and rows[-1]["text"] == text and rows[-1]["ids"] == ids:
                continue
            row = {"text": text, "add_special": add}
            if legacy is not None:
                row["legacy"] = legacy
            row["ids"] = [int(i) for i in ids]
            row["decoded"] = tok.decode(ids)
            row["decoded_skip"] = tok.decode(ids, skip_special_tokens=True)
            row["decoded_raw"] = tok.decode(ids, clean_up_tokenization_spaces=False)
            if text in strings.STREAM and add:
                row["stream"] = stream(lambda x: tok.decode(x, skip_special_tokens=True,
                                                            clean_up_tokenization_spaces=False), ids)
            rows.append(row)
    return rows


def dump(path, rows):
    lines = ",\n".join(json.dumps(r, ensure_ascii=True, separators=(",", ":")) for r in rows)
    path.write_text("[\n" + lines + "\n]\n", encoding="utf-8")
    print(path, len(rows), path.stat().st_size)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("dir", type=Path, nargs="+")
    a = p.parse_args()
    for d in a.dir:
        style = {"llama": strings.LLAMA, "llama3": strings.LLAMA3}.get(d.name)
        if style is None:
            style = strings.LLAMA if (d / "tokenizer.model").exists() and d.name != "yi" else strings.CHATML
        if d.name.endswith("llama-bpe"):
            style = strings.LLAMA3
        texts = strings.PLAIN + style
        used = {}
        if (d / "tokenizer.model").exists():
            from transformers import LlamaTokenizer
            rows = []
            for legacy in (True, False):
                rows += cases(LlamaTokenizer.from_pretrained(d, legacy=legacy), texts, legacy)
            dump(d / "cases.json", rows)
            sp = sentencepiece.SentencePieceProcessor(model_file=str(d / "tokenizer.model"))
            rows = [{"text": t, "ids": sp.encode(t), "decoded": sp.decode(sp.encode(t))} for t in texts]
            dump(d / "cases_sp.json", rows)
            used = {"cases.json": "LlamaTokenizer", "cases_sp.json": "SentencePieceProcessor"}
        elif (d / "merges.txt").exists():
            from transformers import Qwen2Tokenizer, Qwen2TokenizerFast
            dump(d / "cases.json", cases(Qwen2Tokenizer.from_pretrained(d), texts))
            used = {"cases.json": "Qwen2Tokenizer"}
            if (d / "tokenizer.json").exists():
                dump(d / "cases_fast.json", cases(Qwen2TokenizerFast.from_pretrained(d), texts))
                used["cases_fast.json"] = "Qwen2TokenizerFast"
        else:
            from transformers import PreTrainedTokenizerFast
            dump(d / "cases.json", cases(PreTrainedTokenizerFast.from_pretrained(d), texts))
            used = {"cases.json": "PreTrainedTokenizerFast"}
        (d / "packages.json").write_text(json.dumps({
            "classes": used, "transformers": transformers.__version__, "tokenizers": tokenizers.__version__,
            "sentencepiece": sentencepiece.__version__}, indent=1) + "\n")


if __name__ == "__main__":
    main()

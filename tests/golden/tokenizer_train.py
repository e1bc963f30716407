#!/usr/bin/env python3
"""Trains the tiny tokenizers below data/tokenizers/ (official tokenizers and sentencepiece trainers).

  tokenizer_train.py --out data/tokenizers TEXT_FILE...

Needs tokenizers >= 0.20 and sentencepiece. The training text is only a source of merges: the files
written here are committed, and the goldens are made from them by tokenizer_cases.py.
"""

import argparse
import json
from pathlib import Path

import sentencepiece as spm
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers

import tokenizer_strings as strings

QWEN2_SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*"
               r"|\s*[\r\n]+|\s+(?!\S)|\s+")
LLAMA3_SPLIT = QWEN2_SPLIT.replace(r"\p{N}|", r"\p{N}{1,3}|", 1)


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def added(content, special=True):
    return {"content": content, "lstrip": False, "normalized": False, "rstrip": False, "single_word": False,
            "special": special}


def added_type(content):
    """The spelling of transformers 4.31 to 4.33, as in LLaMA's files."""
    return {"__type": "AddedToken", **{k: v for k, v in added(content).items() if k != "special"}, "normalized": True}


def train_bpe(lines, pre, normalizer, vocab_size):
    t = Tokenizer(models.BPE())
    if normalizer is not None:
        t.normalizer = normalizer
    t.pre_tokenizer = pre
    t.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=vocab_size, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False))
    return t


def merges_of(t):
    model = json.loads(t.to_str())["model"]
    return model["vocab"], [m if isinstance(m, str) else " ".join(m) for m in model["merges"]]


def qwen2(out, lines):
    """vocab.json + merges.txt (+ tokenizer.json with merges as strings), like Qwen2's."""
    out.mkdir(parents=True, exist_ok=True)
    split = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(QWEN2_SPLIT), "isolated"),
                                     pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    t = train_bpe(lines, split, normalizers.NFC(), 900)
    vocab, merges = merges_of(t)
    write(out / "vocab.json", vocab)
    (out / "merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "[BOS]", "[PAD]"]
    ids = {s: len(vocab) + i for i, s in enumerate(specials)}
    write(out / "added_tokens.json", ids)
    write(out / "special_tokens_map.json", {"bos_token": added("[BOS]"), "eos_token": "<|im_end|>", "pad_token": "[PAD]",
                                            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})
    write(out / "tokenizer_config.json", {
        "add_prefix_space": False, "added_tokens_decoder": {str(i): added(s) for s, i in ids.items()},
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"], "bos_token": "[BOS]",
        "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>", "errors": "replace",
        "model_max_length": 32768, "pad_token": "[PAD]", "split_special_tokens": False,
        "tokenizer_class": "Qwen2Tokenizer", "unk_token": None})
    t.post_processor = processors.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    t.decoder = decoders.ByteLevel(add_prefix_space=False, trim_offsets=False, use_regex=False)
    from tokenizers import AddedToken
    t.add_special_tokens([AddedToken(s, special=True, normalized=False) for s in specials])
    j = json.loads(t.to_str())
    j["model"]["merges"] = merges  # the older spelling, one string per merge
    write(out / "tokenizer.json", j)


def llama3(out, lines):
    """tokenizer.json only: ignore_merges, BOS by template, merges as strings."""
    out.mkdir(parents=True, exist_ok=True)
    split = pre_tokenizers.Sequence([pre_tokenizers.Split(Regex(LLAMA3_SPLIT), "isolated"),
                                     pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=False)])
    t = train_bpe(lines, split, None, 700)
    vocab, merges = merges_of(t)
    # Words without a merge path: only ignore_merges finds them, and only as whole words.
    for word in ("Ġsupercalifragilistic", "ĠWorld", "çīĩéĩĮ", "ĠHELLO", "HELLO", "ĠWORLD", "'RE", "2024"):
        vocab.setdefault(word, len(vocab))
    specials = ["<|begin_of_text|>", "<|end_of_text|>", "<|reserved_special_token_0|>", "<|reserved_special_token_1|>",
                "<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_2|>", "<|eot_id|>"]
    ids = {s: len(vocab) + i for i, s in enumerate(specials)}
    j = json.loads(t.to_str())
    j["model"].update({"vocab": vocab, "merges": merges, "ignore_merges": True})
    j["added_tokens"] = [{"id": i, **added(s)} for s, i in ids.items()]
    bos = "<|begin_of_text|>"
    j["post_processor"] = {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"SpecialToken": {"id": bos, "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": bos, "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {bos: {"id": bos, "ids": [ids[bos]], "tokens": [bos]}}}]}
    j["decoder"] = {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}
    write(out / "tokenizer.json", j)
    write(out / "tokenizer_config.json", {
        "added_tokens_decoder": {str(i): added(s) for s, i in ids.items()}, "bos_token": bos,
        "clean_up_tokenization_spaces": True, "eos_token": "<|eot_id|>",
        "model_input_names": ["input_ids", "attention_mask"], "model_max_length": 8192,
        "tokenizer_class": "PreTrainedTokenizerFast"})
    write(out / "special_tokens_map.json", {"bos_token": bos, "eos_token": "<|eot_id|>"})


def smollm2(out, lines):
    """tokenizer.json with Digits + ByteLevel (the GPT-2 regex), merges as pairs; specials come first."""
    out.mkdir(parents=True, exist_ok=True)
    specials = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<repo_name>", "<file_sep>"]
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True),
        pre_tokenizers.ByteLevel(add_prefix_space=False, trim_offsets=True, use_regex=True)])
    t.train_from_iterator(lines, trainers.BpeTrainer(
        vocab_size=700, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()), show_progress=False,
        special_tokens=specials))
    t.decoder = decoders.ByteLevel(add_prefix_space=True, trim_offsets=True, use_regex=True)
    write(out / "tokenizer.json", json.loads(t.to_str()))
    write(out / "tokenizer_config.json", {
        "add_prefix_space": False, "added_tokens_decoder": {str(i): added(s) for i, s in enumerate(specials)},
        "additional_special_tokens": ["<|im_start|>", "<|im_end|>"], "bos_token": "<|im_start|>",
        "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>", "model_max_length": 8192,
        "pad_token": "<|im_end|>", "tokenizer_class": "GPT2Tokenizer", "unk_token": "<|endoftext|>", "vocab_size": 700})
    write(out / "special_tokens_map.json", {"bos_token": "<|im_start|>", "eos_token": "<|im_end|>",
                                            "additional_special_tokens": ["<|im_start|>", "<|im_end|>"]})


def sentencepiece_bpe(out, lines, vocab_size, bos, eos, prefix, symbols=()):
    out.mkdir(parents=True, exist_ok=True)
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(x for x in lines if x.strip() and "\0" not in x), model_prefix=str(out / "tokenizer"), vocab_size=vocab_size,
        model_type="bpe", byte_fallback=True, character_coverage=0.995, split_digits=True,
        allow_whitespace_only_pieces=True, normalization_rule_name="identity", remove_extra_whitespaces=False,
        add_dummy_prefix=prefix, unk_piece="<unk>", bos_piece=bos, eos_piece=eos, pad_id=-1,
        user_defined_symbols=list(symbols), num_threads=1, max_sentence_length=20000, minloglevel=2)
    (out / "tokenizer.vocab").unlink()
    from sentencepiece import sentencepiece_model_pb2
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((out / "tokenizer.model").read_bytes())
    proto.trainer_spec.model_prefix = "tokenizer"  # no folder of the machine it was made on
    (out / "tokenizer.model").write_bytes(proto.SerializeToString())


def llama(out, lines, vocab_size=1000):
    sentencepiece_bpe(out, lines, vocab_size, "<s>", "</s>", True)
    write(out / "tokenizer_config.json", {
        "add_bos_token": True, "add_eos_token": False, "bos_token": added_type("<s>"), "clean_up_tokenization_spaces": False,
        "eos_token": added_type("</s>"), "model_max_length": 2048, "pad_token": None, "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer", "unk_token": added_type("<unk>")})
    plain = {s: {k: v for k, v in added_type(s).items() if k != "__type"} for s in ("<s>", "</s>", "<unk>")}
    write(out / "special_tokens_map.json", {"bos_token": plain["<s>"], "eos_token": plain["</s>"], "pad_token": "<unk>",
                                            "unk_token": plain["<unk>"]})


def yi(out, lines):
    """No dummy prefix, ChatML specials that are ordinary pieces of the model, no BOS."""
    sentencepiece_bpe(out, lines, 1000, "<|startoftext|>", "<|endoftext|>", False,
                      ["<|Human|>", "<|Assistant|>", "<|System|>", "<|im_start|>", "<|im_end|>"])
    sp = spm.SentencePieceProcessor(model_file=str(out / "tokenizer.model"))
    ids = {s: sp.piece_to_id(s) for s in ("<unk>", "<|startoftext|>", "<|endoftext|>", "<|im_start|>", "<|im_end|>")}
    write(out / "tokenizer_config.json", {
        "add_bos_token": False, "add_eos_token": False, "added_tokens_decoder": {str(i): added(s) for s, i in ids.items()},
        "bos_token": "<|startoftext|>", "clean_up_tokenization_spaces": False, "eos_token": "<|im_end|>",
        "legacy": True, "model_max_length": 4096, "pad_token": "<unk>", "sp_model_kwargs": {},
        "tokenizer_class": "LlamaTokenizer", "unk_token": "<unk>"})
    write(out / "special_tokens_map.json", {"bos_token": "<|startoftext|>", "eos_token": "<|im_end|>",
                                            "pad_token": "<unk>", "unk_token": "<unk>"})


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--out", type=Path, required=True)
    p.add_argument("--only", help="train only this one")
    p.add_argument("text", type=Path, nargs="+")
    a = p.parse_args()
    lines = []
    for f in a.text:
        lines += f.read_text(encoding="utf-8", errors="replace").splitlines(keepends=False)
    lines += [x for x in strings.PLAIN if len(x) < 200] * 3
    for name, make in (("qwen2", qwen2), ("llama3", llama3), ("smollm2", smollm2), ("llama", llama), ("yi", yi)):
        if a.only in (None, name):
            make(a.out / name, lines)
            print(name, {f.name: f.stat().st_size for f in sorted((a.out / name).iterdir())})


if __name__ == "__main__":
    main()

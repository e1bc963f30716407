"""Goldens of the HF-native single-folder layouts (`nvila_lite`, `nvila`).

usage: vila_hf.py --vila DIR --s2 DIR [--vila-commit ID] nvila_lite_hf|nvila_hf

The Hugging Face code of these layouts is not public in any repository at hand; what is known of it (tensor names,
feature path, and for Lite the prompt expansion) agrees with the classic code. So a classic tiny checkpoint is run by
the reference, for prompts where both layouts must agree, and then re-saved under the single-folder names.
"""

import argparse
import os
import shutil
import sys
import tempfile

from safetensors.torch import load_file

import common as c
import vila_era_b
import vila_models
from vila_prompts import image_prompts, video_prompts

PROMPTS = [p for p in image_prompts(("two_images",)) if p["name"] not in ("image_last", "palette")] + [video_prompts()[0]]
KINDS = {
    "nvila_lite_hf": ("nvila_lite", "NVILALite"),
    "nvila_hf": ("nvila", "NVILA"),
}


def resave(case, classic, tokenizer, out):
    kind, prefix = KINDS[case]
    os.makedirs(out)
    tensors = {}
    for part in ("llm", "vision_tower", "mm_projector"):
        for k, v in load_file(os.path.join(classic, part, "model.safetensors")).items():
            tensors[f"{part}.{k}"] = v
    c.write_tensors(os.path.join(out, "model.safetensors"), tensors, {"format": "pt"})
    text = c.read_json(os.path.join(classic, "llm", "config.json"))
    vision = c.read_json(os.path.join(classic, "vision_tower", "config.json"))
    for cfg in (text, vision):
        cfg.pop("_name_or_path")
        cfg.pop("transformers_version")
    module = "nvila_lite" if kind == "nvila_lite" else "nvila"
    c.write_json(os.path.join(out, "config.json"), {
        "architectures": [prefix + "ForConditionalGeneration"],
        "auto_map": {
            "AutoConfig": f"configuration_{module}.{prefix}Config",
            "AutoModel": f"modeling_{module}.{prefix}ForConditionalGeneration",
            "AutoModelForCausalLM": f"modeling_{module}.{prefix}ForConditionalGeneration",
        },
        "image_token_id": tokenizer.media_token_ids["image"],
        "model_type": kind,
        "text_config": text,
        "torch_dtype": "bfloat16",
        "transformers_version": "4.51.3",
        "video_token_id": tokenizer.media_token_ids["video"],
        "vision_config": vision,
    })
    tokenizer.save_pretrained(out)
    cfg = c.read_json(os.path.join(out, "tokenizer_config.json"))
    cfg.update(image_token="<image>", video_token="<vila/video>",
               extra_special_tokens={"image_token": "<image>", "video_token": "<vila/video>"})
    c.write_json(os.path.join(out, "tokenizer_config.json"), cfg)
    shutil.copy(os.path.join(classic, "vision_tower", "preprocessor_config.json"), out)
    shutil.copy(os.path.join(classic, "llm", "generation_config.json"), out)
    c.write_json(os.path.join(out, "processor_config.json"), {
        "auto_map": {"AutoProcessor": f"processing_{module}.{prefix}Processor"}, "processor_class": prefix + "Processor"})


def main(case, root, commit):
    vila_models.CASES[case](case)
    model_dir = os.path.join(c.DATA, case, "model")
    scratch = tempfile.mkdtemp(prefix="nvila_classic_")
    classic = os.path.join(scratch, "classic")
    shutil.move(model_dir, classic)
    e = vila_era_b.EraB(root, classic, "auto", {})
    resave(case, classic, e.model.tokenizer, model_dir)
    vila_era_b.record_case(e, case, dict(code="main", prompts=PROMPTS), commit, "model")
    shutil.rmtree(scratch)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--vila", default=os.environ.get("VILA_ERA_B_DIR"))
    ap.add_argument("--s2", default=os.environ.get("S2_DIR"))
    ap.add_argument("--vila-commit", default="unknown")
    ap.add_argument("case", choices=KINDS)
    a = ap.parse_args()
    main(a.case, os.pathsep.join(map(os.path.abspath, (a.vila, a.s2))), a.vila_commit)

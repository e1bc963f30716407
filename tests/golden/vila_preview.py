"""Golden of the remote-code layout (`model_type: vila`).

usage: vila_preview.py --vila DIR --s2 DIR [--vila-commit ID]

A tiny classic checkpoint is turned into the remote-code layout by the reference's own converter, loaded through
AutoModel with remote code, and run through its generate_content. The copied Python files are not kept.
"""

import argparse
import os
import shutil
import sys
import tempfile

import torch

import common as c
import vila_era_b
import vila_models
from vila_prompts import Q, im, image_prompts, user, video_prompts

PROMPTS = image_prompts(("two_images",), odd=True) + [
    {"name": "image_only", "trace": False, "messages": [user(im("{p}"))]},
    {"name": "two_images_last", "trace": True, "messages": [user(Q, im("gradient_57x41.png"), im("rgba_130x87.png"))]},
] + video_prompts()


class Preview(vila_era_b.EraB):
    def __init__(self, root, source, out):
        c.install_stubs()
        sys.path[:0] = root.split(os.pathsep)
        c.patch_device_and_dtype()
        torch.nn.Module.cuda = lambda self, *a, **k: self
        import llava.remote_code.modeling_vila as modeling
        from transformers import AutoModel

        modeling.VILAPretrainedModel.convert_vila_dev_ckpt_to_remote(source, out, vila_version="nvila", copy=True)
        with c.half_is_float():
            self.model = AutoModel.from_pretrained(out, trust_remote_code=True, device_map="cpu")
        self.model.eval()
        self.arch = sys.modules[type(self.model).__module__]
        package = self.arch.__name__.rsplit(".", 1)[0]
        self.media_lib = sys.modules[package + ".media"]
        self.tok_lib = sys.modules[package + ".tokenizer_utils"]
        self.llava = self.media_lib
        self.rows = c.read_json(os.path.join(out, "llm", "config.json"))["vocab_size"]
        self.clips = c.read_json(os.path.join(c.MEDIA, "index.json"))["clips"]
        assert all(p.dtype == torch.float32 for p in self.model.parameters())

    def spliced_ids(self, rec):
        """As the parent, without the ids that the fusion drops at the start of a text segment."""
        names = {v: k for k, v in self.model.tokenizer.media_token_ids.items()}
        at, out, start = {}, [], True
        for i in rec["input_ids"].tolist():
            if i in names:
                k = names[i]
                out += [c.MEDIA_ROW] * rec["enc"][k][at.get(k, 0)].shape[0]
                at[k] = at.get(k, 0) + 1
                start = True
            elif not (start and i in self.model.pad_token_list):
                out.append(i)
                start = False
        out = torch.tensor(out)
        assert out.numel() == rec["inputs_embeds"].shape[1], (out.numel(), rec["inputs_embeds"].shape)
        text = out >= 0
        assert torch.equal(self.model.llm.model.embed_tokens(out[text]), rec["inputs_embeds"][0][text])
        return out


def main(root, commit):
    case = "nvila_preview"
    vila_models.CASES[case](case)
    model_dir = os.path.join(c.DATA, case, "model")
    scratch = tempfile.mkdtemp(prefix="nvila_preview_")
    out = os.path.join(scratch, "NVILA_Lite_tiny_hf_preview")
    e = Preview(root, model_dir, out)
    shutil.rmtree(model_dir)
    shutil.copytree(out, model_dir, ignore=shutil.ignore_patterns("*.py", "README.md", "__pycache__", "*.jinja"))
    vila_era_b.record_case(e, case, dict(code="tsp", prompts=PROMPTS), commit, "model",
                           {"pad_token_list": [t for t in e.model.pad_token_list]})
    shutil.rmtree(scratch)


if __name__ == "__main__":
    ap = argparse.ArgumentParser()
    ap.add_argument("--vila", default=os.environ.get("VILA_ERA_B_DIR"))
    ap.add_argument("--s2", default=os.environ.get("S2_DIR"))
    ap.add_argument("--vila-commit", default="unknown")
    a = ap.parse_args()
    main(os.pathsep.join(map(os.path.abspath, (a.vila, a.s2))), a.vila_commit)

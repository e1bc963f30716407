#!/usr/bin/env bash
# finetune.sh GALAGO_TRAIN MODEL OUT: fine-tunes a model on what World wrote, pictures and videos with times, and adds the
# adapter to the model once more: both ways give the same weights.
set -euo pipefail
program=$1 model=$2 out=$3
rm -rf "$out"
mkdir -p "$out"
cd "$out"

"$program" world data --tasks dials:12,temporal:4 --seed 3
"$program" finetune "$model" --data data --steps 3 --batch 4 --micro-batch 2 --out run
"$program" merge "$model" run/adapter merged
for part in llm mm_projector vision_tower; do
  cmp "merged/$part/model.safetensors" "run/model/$part/model.safetensors"
done
# No way at all and the whole way between two models, and half of it, which is neither.
"$program" average run/model "$model" whole --share 1
"$program" average run/model "$model" none-of-it --share 0
"$program" average run/model "$model" half
cmp none-of-it/llm/model.safetensors run/model/llm/model.safetensors
for end in whole none-of-it; do
  if cmp -s "half/llm/model.safetensors" "$end/llm/model.safetensors"; then
    echo "the mean is one of the two" >&2
    exit 1
  fi
done
# The first step has rate 0: another run of that step alone is the model as it was.
"$program" finetune "$model" --data data --steps 1 --batch 4 --micro-batch 2 --out still
if cmp -s still/model/llm/model.safetensors run/model/llm/model.safetensors; then
  echo "nothing was learnt" >&2
  exit 1
fi
# Where it runs is no part of the record; a folder that World did not write, or not to train on, is refused.
"$program" finetune "$model" --data data --steps=1 --batch 4 --micro-batch 2 --out=elsewhere --threads 1
"$program" finetune "$model" --data data --steps=1 --batch 4 --micro-batch 2 --threads=2 --out again
grep -q -e '--steps=1' again/recipe.toml
cmp again/recipe.toml elsewhere/recipe.toml
"$program" world test --split heldout --tasks dials:2
code=0
"$program" finetune "$model" --data test --out none 2> refused || code=$?
[ "$code" -eq 2 ] && grep -q "training split" refused && [ ! -e none ]
mkdir other
code=0
"$program" finetune "$model" --data other --out none 2> refused || code=$?
[ "$code" -ne 0 ] && grep -q world.json refused && [ ! -e none ]

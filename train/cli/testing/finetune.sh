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
# A folder that World did not write is refused, and nothing is made.
mkdir other
code=0
"$program" finetune "$model" --data other --out none 2> refused || code=$?
[ "$code" -ne 0 ] && grep -q world.json refused && [ ! -e none ]

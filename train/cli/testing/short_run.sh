#!/usr/bin/env bash
# short_run.sh GALAGO_TRAIN RECIPE OUT MAX_LOSS: trains the recipe from the beginning, is interrupted once on the way,
# goes on, and must end with a mean loss of the last ten steps below MAX_LOSS and with a finished model.
set -euo pipefail
program=$1 recipe=$2 out=$3 max_loss=$4
rm -rf "$out"
# In bf16 where the processor multiplies it; elsewhere that takes twice as long, and other tests see it.
precision=bf16
grep -q avx512bw /proc/cpuinfo || precision=f32
recipe=("$recipe" --set "defaults.precision=$precision")

"$program" run "${recipe[@]}" --out "$out" &
pid=$!
# After the tenth step, or ten minutes on a machine that is busy with other things.
for _ in $(seq 6000); do
  [ "$(wc -l < "$out/metrics.jsonl" 2>/dev/null || echo 0)" -ge 10 ] && break
  sleep 0.1
done
kill -INT "$pid"
code=0
wait "$pid" || code=$?
[ "$code" -eq 130 ] || { echo "interrupted with code $code, 130 expected" >&2; exit 1; }

"$program" run "${recipe[@]}" --out "$out" --export "$out/interim"
[ -f "$out/interim/llm/model.safetensors" ]

"$program" run "${recipe[@]}" --out "$out"
loss=$(tail -n 10 "$out/metrics.jsonl" | sed 's/.*"loss":\([0-9.eE+-]*\).*/\1/' | awk '{ sum += $1 } END { print sum / NR }')
echo "mean loss of the last ten steps: $loss, at most $max_loss wanted"
[ -f "$out/model/config.json" ] && [ -f "$out/report.html" ]
"$program" run "${recipe[@]}" --out "$out" --export "$out/final"
cmp "$out/final/llm/model.safetensors" "$out/model/llm/model.safetensors"
if cmp -s "$out/interim/llm/model.safetensors" "$out/model/llm/model.safetensors"; then
  echo "nothing was learnt after the interruption" >&2
  exit 1
fi
awk -v loss="$loss" -v max="$max_loss" 'BEGIN { exit !(loss < max) }'

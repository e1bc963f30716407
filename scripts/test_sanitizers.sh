#!/usr/bin/env bash
# Builds with sanitizers and runs every test: addresses, leaks and undefined behaviour (asan), then data races (tsan).
#   scripts/test_sanitizers.sh [asan|tsan]...
set -euo pipefail
cd "$(dirname "$0")/.."
[[ $# -gt 0 ]] || set -- asan tsan
for preset in "$@"; do
  cmake --preset "$preset" >/dev/null
  cmake --build --preset "$preset"
  ctest --preset "$preset"
done

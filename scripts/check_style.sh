#!/usr/bin/env bash
# Formatting of every source file, and clang-tidy on the files changed since a revision:
#   scripts/check_style.sh [REV]     without REV only the formatting
set -euo pipefail
cd "$(dirname "$0")/.."
mapfile -t files < <(git ls-files '*.cc' '*.h')
clang-format-14 --dry-run -Werror "${files[@]}"
[ $# -eq 0 ] && exit 0
cmake --preset release >/dev/null
mapfile -t changed < <(git diff --name-only --diff-filter=AM "$1" -- 'src/*.cc' 'apps/*.cc' ':!*_test.cc' ':!src/kernels/cpu')
[ ${#changed[@]} -eq 0 ] || clang-tidy-14 -p build/release --quiet --extra-arg=-Wno-unknown-warning-option "${changed[@]}"

#!/bin/sh
# Builds the kernels for 64-bit Arm and runs their parity tests under emulation. Needs g++-aarch64-linux-gnu, qemu-user
# and googletest (sources).
set -eu
root=$(cd "$(dirname "$0")/.." && pwd)
build="$root/build/arm64"
cmake -S "$root/tests/arm64" -B "$build" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo \
  -DCMAKE_CXX_FLAGS_RELWITHDEBINFO="-O2 -g1" -DCMAKE_TOOLCHAIN_FILE="$root/cmake/aarch64.cmake"
cmake --build "$build" --parallel 2
ctest --test-dir "$build" --output-on-failure

#!/bin/sh
# Builds the kernels for 64-bit Arm and runs their parity tests under emulation. Needs g++-aarch64-linux-gnu, qemu-user
# and googletest (sources).
set -eu
cd "$(dirname "$0")/.."
cmake --preset arm64
cmake --build --preset arm64 --parallel 2
ctest --preset arm64

#!/usr/bin/env bash
# Installs what is missing of Galago's Debian packages: install_deps.sh [build|train|test]. Does nothing when all are there.
set -euo pipefail

build=(g++ cmake ninja-build pkg-config git ca-certificates lld ccache
  libabsl-dev libfmt-dev nlohmann-json3-dev libssl-dev
  libjpeg-dev libpng-dev libwebp-dev
  libavcodec-dev libavformat-dev libavutil-dev libswscale-dev
  libsentencepiece-dev libprotobuf-dev libpcre2-dev libicu-dev)
train=(libtorch-dev libopenblas0-openmp libopenmpi-dev openmpi-bin libtomlplusplus-dev libjemalloc-dev libcairo2-dev libpango1.0-dev
  fonts-dejavu fonts-liberation fonts-roboto-unhinted fonts-lato fonts-cabin fonts-tuffy fonts-sil-gentium-basic
  fonts-b612 fonts-courier-prime fonts-averia-serif-gwf fonts-comic-neue fonts-comfortaa fonts-dosis fonts-quicksand
  fonts-league-spartan fonts-open-sans fonts-cantarell fonts-go fonts-crosextra-caladea fonts-play
  fonts-averia-sans-gwf
  tuxpaint-stamps-default)
test=("${train[@]}" libgtest-dev libgmock-dev googletest libbenchmark-dev python3 clang-format-14 clang-tidy-14 clang-14 libclang-rt-14-dev
  g++-aarch64-linux-gnu qemu-user)

packages=("${build[@]}")
case "${1:-build}" in
  build) ;;
  train) packages+=("${train[@]}") ;;
  test) packages+=("${test[@]}") ;;
  *) echo "usage: install_deps.sh [build|train|test]" >&2; exit 2 ;;
esac

missing=()
for package in "${packages[@]}"; do
  state=$(dpkg-query -W -f='${db:Status-Abbrev}' "$package" 2>/dev/null || true)
  [ "${state:0:2}" = ii ] || missing+=("$package")
done
[ ${#missing[@]} -eq 0 ] && exit 0

echo "installing: ${missing[*]}" >&2
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || { echo "run as root, or install sudo: packages are missing: ${missing[*]}" >&2; exit 2; }
  as_root=(sudo)
fi
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -qq
"${as_root[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null

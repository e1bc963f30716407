#include "src/media/decode/exif.h"

#include <algorithm>
#include <cstdint>
#include <utility>

#include "src/base/check.h"

namespace galago::media {
namespace {

constexpr uint16_t kOrientationTag = 274;
constexpr uint16_t kShort = 3;

}  // namespace

int ExifOrientation(std::span<const std::byte> tiff) {
  if (tiff.size() < 8) return 1;
  const bool little = tiff[0] == std::byte{'I'} && tiff[1] == std::byte{'I'};
  if (!little && !(tiff[0] == std::byte{'M'} && tiff[1] == std::byte{'M'})) return 1;
  const auto read = [&](size_t at, size_t size) {  // callers have checked that it fits
    uint32_t value = 0;
    for (size_t i = 0; i < size; ++i) {
      value = value << 8 | static_cast<uint32_t>(tiff[at + (little ? size - 1 - i : i)]);
    }
    return value;
  };
  if (read(2, 2) != 42) return 1;
  const size_t directory = read(4, 4);
  if (directory > tiff.size() - 2) return 1;
  const size_t count = read(directory, 2);
  constexpr size_t kEntrySize = 12;
  for (size_t i = 0; i < count; ++i) {
    const size_t entry = directory + 2 + i * kEntrySize;
    if (tiff.size() < kEntrySize || entry > tiff.size() - kEntrySize) return 1;
    if (read(entry, 2) != kOrientationTag) continue;
    const uint32_t value = read(entry + 8, 2);
    return read(entry + 2, 2) == kShort && value >= 1 && value <= 8 ? static_cast<int>(value) : 1;
  }
  return 1;
}

Image Upright(Image image, int orientation) {
  CHECK(orientation >= 1 && orientation <= 8);
  if (orientation == 1) return image;
  // The eight values are a transposition (5 to 8) followed by mirrors.
  const bool transpose = orientation >= 5;
  const bool mirror_x = orientation == 2 || orientation == 3 || orientation == 6 || orientation == 7;
  const bool mirror_y = orientation == 3 || orientation == 4 || orientation == 7 || orientation == 8;
  Image out(transpose ? image.height : image.width, transpose ? image.width : image.height);
  for (int64_t y = 0; y < out.height; ++y) {
    const int64_t v = mirror_y ? out.height - 1 - y : y;
    for (int64_t x = 0; x < out.width; ++x) {
      const int64_t u = mirror_x ? out.width - 1 - x : x;
      const uint8_t* from = transpose ? image.Row(u) + 3 * v : image.Row(v) + 3 * u;
      std::copy_n(from, 3, out.Row(y) + 3 * x);
    }
  }
  return out;
}

}  // namespace galago::media

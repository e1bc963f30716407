#include <cstddef>
#include <cstdint>
#include <span>

#include "src/base/check.h"
#include "src/media/decode/decode_image.h"

// Any bytes either decode to a picture of the size that probing announced, or are refused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::media;
  const auto bytes = std::as_bytes(std::span(data, size));
  DecodeOptions options = {.limits = {.max_pixels = 300'000, .max_side = 4096}, .exif = ExifMode::kAuto};
  if (size % 2 == 0) options.background = Colour{255, 255, 255};
  const auto probed = ProbeImage(bytes, "fuzz", options);
  const auto decoded = DecodeImage(bytes, "fuzz", options);
  if (!decoded.ok()) return 0;
  CHECK(probed.ok());
  const Image& image = decoded->image;
  CHECK_EQ(image.width, probed->width);
  CHECK_EQ(image.height, probed->height);
  CHECK_LE(image.width * image.height, options.limits.max_pixels);
  CHECK_EQ(image.rgb.size(), static_cast<size_t>(image.width * image.height * 3));
  return 0;
}

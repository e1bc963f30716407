#include <png.h>

#include <cstddef>
#include <cstdint>

#include "src/base/check.h"
#include "train/world/encode.h"

namespace galago::world {

std::string EncodePng(const media::Image& image) {
  png_image header = {};
  header.version = PNG_IMAGE_VERSION;
  header.width = static_cast<png_uint_32>(image.width);
  header.height = static_cast<png_uint_32>(image.height);
  header.format = PNG_FORMAT_RGB;
  std::string bytes(PNG_IMAGE_PNG_SIZE_MAX(header), '\0');
  png_alloc_size_t size = bytes.size();
  // The buffer holds the worst case, so only a picture we made wrong can fail.
  CHECK(png_image_write_to_memory(&header, bytes.data(), &size, 0, image.rgb.data(), 0, nullptr) != 0);
  bytes.resize(size);
  return bytes;
}

}  // namespace galago::world

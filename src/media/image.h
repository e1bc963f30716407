#ifndef GALAGO_MEDIA_IMAGE_H_
#define GALAGO_MEDIA_IMAGE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace galago::media {

using Colour = std::array<uint8_t, 3>;  // R, G, B

// A picture or video frame: 8-bit RGB, interleaved, rows from the top without padding.
struct Image {
  int64_t width = 0;
  int64_t height = 0;
  std::vector<uint8_t> rgb;  // [height, width, 3]

  Image() = default;
  Image(int64_t w, int64_t h) : width(w), height(h), rgb(static_cast<size_t>(w) * static_cast<size_t>(h) * 3) {}
  const uint8_t* Row(int64_t y) const { return rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3; }
  uint8_t* Row(int64_t y) { return rgb.data() + static_cast<size_t>(y) * static_cast<size_t>(width) * 3; }
  bool operator==(const Image&) const = default;
};

}  // namespace galago::media

#endif  // GALAGO_MEDIA_IMAGE_H_

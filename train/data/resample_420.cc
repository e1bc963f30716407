#include "train/data/resample_420.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace galago::train {
namespace {

// ITU-R BT.601: luma weights, and the scale of 8-bit studio range.
constexpr float kRed = 0.299f, kGreen = 0.587f, kBlue = 0.114f;
constexpr float kLuma = 219.0f / 255.0f, kChroma = 224.0f / 255.0f;

float Rounded(float value, float low, float high) { return std::clamp(std::nearbyint(value), low, high); }
uint8_t Byte(float value) { return static_cast<uint8_t>(Rounded(value, 0.0f, 255.0f)); }

}  // namespace

void Resample420(media::Image& frame) {
  for (int64_t y0 = 0; y0 < frame.height; y0 += 2) {
    for (int64_t x0 = 0; x0 < frame.width; x0 += 2) {
      std::array<uint8_t*, 4> block = {};
      std::array<float, 4> luma = {};
      size_t count = 0;
      float red = 0.0f, blue = 0.0f, grey = 0.0f;
      for (int64_t y = y0; y < std::min(y0 + 2, frame.height); ++y) {
        for (int64_t x = x0; x < std::min(x0 + 2, frame.width); ++x) {
          uint8_t* const pixel = frame.Row(y) + 3 * x;
          const float value = kRed * pixel[0] + kGreen * pixel[1] + kBlue * pixel[2];
          luma[count] = Rounded(16.0f + kLuma * value, 16.0f, 235.0f);
          block[count++] = pixel;
          red += pixel[0];
          blue += pixel[2];
          grey += value;
        }
      }
      const auto n = static_cast<float>(count);
      const float cb = Rounded(kChroma * (blue - grey) / (n * 2.0f * (1.0f - kBlue)), -112.0f, 112.0f) / kChroma;
      const float cr = Rounded(kChroma * (red - grey) / (n * 2.0f * (1.0f - kRed)), -112.0f, 112.0f) / kChroma;
      for (size_t i = 0; i < count; ++i) {
        const float value = (luma[i] - 16.0f) / kLuma;
        const float r = value + 2.0f * (1.0f - kRed) * cr;
        const float b = value + 2.0f * (1.0f - kBlue) * cb;
        block[i][0] = Byte(r);
        block[i][1] = Byte((value - kRed * r - kBlue * b) / kGreen);
        block[i][2] = Byte(b);
      }
    }
  }
}

}  // namespace galago::train

#include <algorithm>
#include <cmath>

#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {
namespace {

void DepthwiseConv3x3(const DepthwiseArgs& args) noexcept {
  for (int64_t x = 0; x < args.out_w; ++x) {
    for (int64_t c = 0; c < args.channels; ++c) {
      double sum = args.bias != nullptr ? args.bias[c] : 0.0;
      for (int64_t tap = 0; tap < 9; ++tap) {
        const int64_t in_y = args.y * args.stride + tap / 3 - 1;
        const int64_t in_x = x * args.stride + tap % 3 - 1;
        if (in_y < 0 || in_y >= args.h || in_x < 0 || in_x >= args.w) continue;
        sum += static_cast<double>(args.x[(in_y * args.w + in_x) * args.channels + c]) *
               args.weight[tap * args.channels + c];
      }
      args.out[x * args.channels + c] = static_cast<float>(sum);
    }
  }
}

// Sums are float32 in row-major order, as PyTorch's adaptive_avg_pool2d takes them: the result is part of what a model
// is when the pooling enlarges.
void AreaPool(const AreaPoolArgs& args) noexcept {
  const int64_t y0 = args.y * args.h / args.out_h;
  const int64_t y1 = ((args.y + 1) * args.h + args.out_h - 1) / args.out_h;
  for (int64_t x = 0; x < args.out_w; ++x) {
    const int64_t x0 = x * args.w / args.out_w;
    const int64_t x1 = ((x + 1) * args.w + args.out_w - 1) / args.out_w;
    for (int64_t c = 0; c < args.channels; ++c) {
      float sum = 0.0f;
      for (int64_t in_y = y0; in_y < y1; ++in_y) {
        for (int64_t in_x = x0; in_x < x1; ++in_x) sum += args.x[(in_y * args.w + in_x) * args.ldx + c];
      }
      args.out[x * args.ld_out + c] = sum / static_cast<float>(y1 - y0) / static_cast<float>(x1 - x0);
    }
  }
}

void MeanGroups(const MeanArgs& args) noexcept {
  for (int64_t o = 0; o < args.outer; ++o) {
    for (int64_t i = 0; i < args.inner; ++i) {
      float sum = 0.0f;
      for (int64_t g = 0; g < args.group; ++g) sum += args.x[(o * args.group + g) * args.inner + i];
      args.out[o * args.inner + i] = sum / static_cast<float>(args.group);
    }
  }
}

// Weights of the 4 taps around a point `t` after the second one.
struct CubicTaps {
  int64_t first;
  float weight[4];
};
CubicTaps TapsAt(int64_t i, int64_t in, int64_t out) {
  constexpr float kA = -0.75f;
  const auto near = [](float x) { return ((kA + 2.0f) * x - (kA + 3.0f)) * x * x + 1.0f; };
  const auto far = [](float x) { return ((kA * x - 5.0f * kA) * x + 8.0f * kA) * x - 4.0f * kA; };
  const float scale = static_cast<float>(in) / static_cast<float>(out);
  const float source = scale * (static_cast<float>(i) + 0.5f) - 0.5f;
  const float floor = std::floor(source);
  const float t = source - floor;
  return {static_cast<int64_t>(floor) - 1, {far(t + 1.0f), near(t), near(1.0f - t), far(2.0f - t)}};
}

void ResizeBicubic(const BicubicArgs& args) noexcept {
  for (int64_t y = 0; y < args.out_h; ++y) {
    const CubicTaps rows = TapsAt(y, args.h, args.out_h);
    for (int64_t x = 0; x < args.out_w; ++x) {
      const CubicTaps cols = TapsAt(x, args.w, args.out_w);
      float sum = 0.0f;
      for (int64_t r = 0; r < 4; ++r) {
        const float* row = args.x + std::clamp<int64_t>(rows.first + r, 0, args.h - 1) * args.w;
        float line = 0.0f;
        for (int64_t c = 0; c < 4; ++c) {
          line += row[std::clamp<int64_t>(cols.first + c, 0, args.w - 1)] * cols.weight[c];
        }
        sum += line * rows.weight[r];
      }
      args.out[y * args.out_w + x] = sum;
    }
  }
}

}  // namespace

void FillGrid(KernelTable& table) {
  table.depthwise_conv3x3 = DepthwiseConv3x3;
  table.area_pool = AreaPool;
  table.mean_groups = MeanGroups;
  table.resize_bicubic = ResizeBicubic;
}

}  // namespace galago::kernels::ref

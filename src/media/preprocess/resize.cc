#include "src/media/preprocess/resize.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <functional>
#include <vector>

#include "src/base/check.h"

namespace galago::media {
namespace {

constexpr int kFractionBits = 22;  // Pillow's PRECISION_BITS = 32 - 8 - 2
constexpr int32_t kHalf = 1 << (kFractionBits - 1);

double Cubic(double t) {
  constexpr double kA = -0.5;
  t = std::abs(t);
  if (t < 1.0) return ((kA + 2.0) * t - (kA + 3.0)) * t * t + 1.0;
  if (t < 2.0) return (((t - 5.0) * t + 8.0) * t - 4.0) * kA;
  return 0.0;
}

// The filter of one axis, for the outputs of a window. Weights on the canvas' plain part are summed up apart, so that
// only picture pixels are touched: integer sums come out the same in any order.
struct Axis {
  struct Output {
    int64_t first;    // picture coordinate of the first tap
    int64_t taps;     // may be 0: all taps lie on plain surface
    size_t weights;   // where they begin
    int32_t outside;  // sum of the weights on plain surface
  };
  std::vector<Output> outputs;
  std::vector<int32_t> weights;  // fixed point with kFractionBits
};

// canvas: size before; out: size after; picture: its extent on the canvas.
Axis MakeAxis(int64_t canvas, int64_t out, int64_t window_begin, int64_t window_size, int64_t picture_begin,
              int64_t picture_size) {
  Axis axis;
  axis.outputs.reserve(static_cast<size_t>(window_size));
  const double scale = static_cast<double>(canvas) / static_cast<double>(out);
  const double filter_scale = std::max(scale, 1.0);
  const double support = 2.0 * filter_scale;
  const double inverse_scale = 1.0 / filter_scale;
  std::vector<double> weights;
  for (int64_t o = window_begin; o < window_begin + window_size; ++o) {
    int64_t low = o, high = o + 1;  // identity when the size stays
    weights.assign(1, 1.0);
    if (canvas != out) {
      const double center = (static_cast<double>(o) + 0.5) * scale;
      low = std::max<int64_t>(0, static_cast<int64_t>(center - support + 0.5));
      high = std::min(canvas, static_cast<int64_t>(center + support + 0.5));
      weights.clear();
      double sum = 0.0;
      for (int64_t i = low; i < high; ++i) {
        weights.push_back(Cubic((static_cast<double>(i) - center + 0.5) * inverse_scale));
        sum += weights.back();
      }
      for (double& weight : weights) weight /= sum;
    }
    Axis::Output output = {std::max(low, picture_begin) - picture_begin, 0, axis.weights.size(), 0};
    for (int64_t i = low; i < high; ++i) {
      const double scaled = weights[static_cast<size_t>(i - low)] * (1 << kFractionBits);
      const auto fixed = static_cast<int32_t>(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
      if (i < picture_begin || i >= picture_begin + picture_size) {
        output.outside += fixed;
      } else {
        axis.weights.push_back(fixed);
        ++output.taps;
      }
    }
    axis.outputs.push_back(output);
  }
  return axis;
}

inline uint8_t Clamp8(int32_t sum) { return static_cast<uint8_t>(std::clamp(sum >> kFractionBits, 0, 255)); }

// The two inner loops have a fixed length, so the compiler turns them into vectors.
constexpr int64_t kLanes = 16;

// sums[l] += sum_j in[j * stride + l] * weights[j]
using Accumulate = void (*)(const uint8_t* in, int64_t stride, const int32_t* weights, int64_t taps, int32_t* sums);

[[gnu::always_inline]] inline void AccumulateBody(const uint8_t* in, int64_t stride, const int32_t* weights,
                                                  int64_t taps, int32_t* sums) {
  int32_t lanes[kLanes];
  for (int64_t l = 0; l < kLanes; ++l) lanes[l] = sums[l];
  for (int64_t j = 0; j < taps; ++j) {
    const int32_t weight = weights[j];
    const uint8_t* row = in + j * stride;
    for (int64_t l = 0; l < kLanes; ++l) lanes[l] += row[l] * weight;
  }
  for (int64_t l = 0; l < kLanes; ++l) sums[l] = lanes[l];
}

void AccumulatePlain(const uint8_t* in, int64_t stride, const int32_t* weights, int64_t taps, int32_t* sums) {
  AccumulateBody(in, stride, weights, taps, sums);
}
#if defined(__x86_64__)
[[gnu::target("avx2")]] void AccumulateAvx2(const uint8_t* in, int64_t stride, const int32_t* weights, int64_t taps,
                                            int32_t* sums) {
  AccumulateBody(in, stride, weights, taps, sums);
}
#endif

// Integer arithmetic: every choice gives the same sums.
Accumulate ChooseAccumulate() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return AccumulateAvx2;
#endif
  return AccumulatePlain;
}

void ForEach(ThreadPool* pool, int64_t count, const std::function<void(int64_t)>& body) {
  if (pool != nullptr) {
    pool->ParallelFor(count, body);
  } else {
    for (int64_t i = 0; i < count; ++i) body(i);
  }
}

// Rows [first_row, first_row + num_rows) of the picture through the horizontal filter -> [num_rows, outputs, 3].
std::vector<uint8_t> HorizontalPass(const Image& image, const Axis& axis, Colour fill, int64_t first_row,
                                    int64_t num_rows, ThreadPool* pool) {
  const auto out_width = static_cast<int64_t>(axis.outputs.size());
  int64_t first = image.width, last = 0;  // the columns some output needs
  for (const Axis::Output& output : axis.outputs) {
    if (output.taps == 0) continue;
    first = std::min(first, output.first);
    last = std::max(last, output.first + output.taps);
  }
  const int64_t num_samples = 3 * std::max<int64_t>(last - first, 0);
  std::vector<uint8_t> out(static_cast<size_t>(num_rows * out_width * 3));
  const Accumulate accumulate = ChooseAccumulate();
  ForEach(pool, (num_rows + kLanes - 1) / kLanes, [&](int64_t block) {
    // kLanes rows side by side: sample s of row l is at [s * kLanes + l].
    const int64_t row = block * kLanes, rows = std::min(kLanes, num_rows - row);
    std::vector<uint8_t> lanes(static_cast<size_t>(num_samples * kLanes));
    for (int64_t l = 0; l < rows; ++l) {
      const uint8_t* in = image.Row(first_row + row + l) + 3 * first;
      for (int64_t s = 0; s < num_samples; ++s) lanes[static_cast<size_t>(s * kLanes + l)] = in[s];
    }
    for (int64_t x = 0; x < out_width; ++x) {
      const Axis::Output& output = axis.outputs[static_cast<size_t>(x)];
      for (int64_t c = 0; c < 3; ++c) {
        std::array<int32_t, kLanes> sums;
        sums.fill(kHalf + output.outside * fill[static_cast<size_t>(c)]);
        if (output.taps > 0) {
          accumulate(lanes.data() + (3 * (output.first - first) + c) * kLanes, 3 * kLanes,
                     axis.weights.data() + output.weights, output.taps, sums.data());
        }
        uint8_t* to = out.data() + (row * out_width + x) * 3 + c;
        for (int64_t l = 0; l < rows; ++l) to[l * out_width * 3] = Clamp8(sums[static_cast<size_t>(l)]);
      }
    }
  });
  return out;
}

}  // namespace

Canvas SquareCanvas(int64_t width, int64_t height, Colour fill) {
  const int64_t side = std::max(width, height);
  return {side, side, (side - width) / 2, (side - height) / 2, fill};
}

Image ResizeBicubic(const Image& image, int64_t width, int64_t height, ThreadPool* pool) {
  if (image.width == width && image.height == height) return image;
  return ResizeBicubic(image, {.width = image.width, .height = image.height}, width, height,
                       {.width = width, .height = height}, pool);
}

Image ResizeBicubic(const Image& image, const Canvas& canvas, int64_t width, int64_t height, const Window& window,
                    ThreadPool* pool) {
  CHECK_GT(image.width, 0);
  CHECK_GT(image.height, 0);
  CHECK(canvas.x >= 0 && canvas.y >= 0);
  CHECK_LE(canvas.x + image.width, canvas.width);
  CHECK_LE(canvas.y + image.height, canvas.height);
  CHECK(window.x >= 0 && window.y >= 0 && window.width > 0 && window.height > 0);
  CHECK_LE(window.x + window.width, width);
  CHECK_LE(window.y + window.height, height);

  const Axis columns = MakeAxis(canvas.width, width, window.x, window.width, canvas.x, image.width);
  const Axis rows = MakeAxis(canvas.height, height, window.y, window.height, canvas.y, image.height);
  int64_t first_row = image.height, last_row = 0;  // the rows the vertical pass needs
  for (const Axis::Output& output : rows.outputs) {
    if (output.taps == 0) continue;
    first_row = std::min(first_row, output.first);
    last_row = std::max(last_row, output.first + output.taps);
  }
  const int64_t num_rows = std::max<int64_t>(last_row - first_row, 0);
  const std::vector<uint8_t> middle = HorizontalPass(image, columns, canvas.fill, first_row, num_rows, pool);

  // A plain row stays plain under the horizontal filter: its weights sum to 2^22 within half a unit a tap, which moves
  // a sample by less than the rounding. So the plain rows' share of the sum is known without them.
  Image out(window.width, window.height);
  const int64_t row_size = window.width * 3;
  const Accumulate accumulate = ChooseAccumulate();
  ForEach(pool, window.height, [&](int64_t y) {
    const Axis::Output& output = rows.outputs[static_cast<size_t>(y)];
    const int32_t* weights = rows.weights.data() + output.weights;
    uint8_t* to = out.Row(y);
    const uint8_t* in = output.taps == 0 ? nullptr : middle.data() + (output.first - first_row) * row_size;
    int64_t s = 0;
    for (; s + kLanes <= row_size; s += kLanes) {
      std::array<int32_t, kLanes> sums;
      for (int64_t l = 0; l < kLanes; ++l) {
        sums[static_cast<size_t>(l)] = kHalf + output.outside * canvas.fill[static_cast<size_t>((s + l) % 3)];
      }
      if (output.taps > 0) accumulate(in + s, row_size, weights, output.taps, sums.data());
      for (int64_t l = 0; l < kLanes; ++l) to[s + l] = Clamp8(sums[static_cast<size_t>(l)]);
    }
    for (; s < row_size; ++s) {
      int32_t sum = kHalf + output.outside * canvas.fill[static_cast<size_t>(s % 3)];
      for (int64_t j = 0; j < output.taps; ++j) sum += in[j * row_size + s] * weights[j];
      to[s] = Clamp8(sum);
    }
  });
  return out;
}

}  // namespace galago::media

#include "src/media/decode/frame_sampling.h"

#include <algorithm>
#include <cmath>

#include "src/base/check.h"

namespace galago::media {
namespace {

// numpy.linspace(0, last, count): the end is exact, a single value is the start.
std::vector<double> Linspace(int64_t last, int64_t count) {
  std::vector<double> values(static_cast<size_t>(count));
  if (count == 1) return values;
  const double step = static_cast<double>(last) / static_cast<double>(count - 1);
  for (size_t k = 0; k < values.size(); ++k) values[k] = static_cast<double>(k) * step;
  values.back() = static_cast<double>(last);
  return values;
}

}  // namespace

std::vector<int64_t> UniformFrames(int64_t num_frames, int64_t count) {
  CHECK_GT(num_frames, 0);
  CHECK_GT(count, 0);
  std::vector<int64_t> indices;
  for (const double value : Linspace(num_frames - 1, count)) {
    indices.push_back(static_cast<int64_t>(std::nearbyint(value)));  // the default rounding mode is half to even
  }
  return indices;
}

std::vector<int64_t> FpsFrames(int64_t num_frames, double video_fps, double fps, int64_t count) {
  CHECK_GT(num_frames, 0);
  CHECK_GT(count, 0);
  CHECK(fps > 0.0 && video_fps > 0.0);
  const double duration = static_cast<double>(num_frames) / video_fps;
  const double step = 1.0 / fps;
  // numpy.arange: ceil(stop / step) values k * step, so the last may reach the end by rounding.
  const double length = std::min(std::ceil(duration / step), static_cast<double>(count));
  std::vector<int64_t> indices;
  for (int64_t k = 0; static_cast<double>(k) < length; ++k) {
    indices.push_back(static_cast<int64_t>(static_cast<double>(k) * step * video_fps));
  }
  return indices;
}

EraAFrames SampleEraA(int64_t num_frames, int64_t count, EraASampling sampling) {
  CHECK_GE(num_frames, 0);
  CHECK_GT(count, 0);
  EraAFrames out;
  if (num_frames == 0 || (num_frames == 1 && count > 1)) {
    out.black_frames = count;
    return out;
  }
  if (num_frames < count) {
    if (sampling == EraASampling::kMay2024) out.black_frames = count - num_frames;
    for (int64_t i = 0; i < num_frames; ++i) out.indices.push_back(i);
    return out;
  }
  const int64_t last = num_frames - (sampling == EraASampling::kMay2024 ? 2 : 1);
  for (const double value : Linspace(last, count)) {
    const auto index = static_cast<int64_t>(value);
    // The reference passes once over the video, so an index counts once.
    if (out.indices.empty() || index != out.indices.back()) out.indices.push_back(index);
  }
  return out;
}

}  // namespace galago::media

#include "train/modules/media_rows.h"

#include <ATen/ATen.h>

#include <cmath>
#include <optional>

#include "src/spec/media_layout.h"

namespace galago::train {
namespace {

using Media = std::vector<std::shared_ptr<const MediaInput>>;

int64_t SquareSide(int64_t rows) { return std::llround(std::sqrt(static_cast<double>(rows))); }

// Pixels [tiles, 3, S, S], without a copy.
Tensor Pixels(const MediaInput& media) {
  const std::span<const float> floats = media.pixels.pixels.f32();
  const std::span<const int64_t> dims = media.pixels.pixels.shape().dims();
  // from_blob wants a non-const pointer; nothing writes to pixels.
  return at::from_blob(const_cast<float*>(floats.data()), at::IntArrayRef(dims.data(), dims.size()),
                       at::TensorOptions(at::kFloat));
}

// Maps [rows * columns, N, C] of tiles side by side -> [1, C, rows * g, columns * g].
Tensor Stitch(const Tensor& tiles, int64_t rows, int64_t columns) {
  const int64_t side = SquareSide(tiles.size(1));
  const int64_t channels = tiles.size(2);
  return tiles.reshape({rows, columns, side, side, channels})
      .permute({4, 0, 2, 1, 3})
      .reshape({1, channels, rows * side, columns * side});
}

// The reverse: [1, C, rows * side, columns * side] -> [rows * columns, side^2, C].
Tensor Split(const Tensor& map, int64_t rows, int64_t columns) {
  const int64_t channels = map.size(1);
  const int64_t side = map.size(2) / rows;
  return map.reshape({channels, rows, side, columns, side})
      .permute({1, 3, 2, 4, 0})
      .reshape({rows * columns, side * side, channels});
}

// One picture [B, 3, L, L] at all scales (bfshi/scaling_on_scales: s2wrapper/core.py) -> [B, grid^2, scales * C].
Tensor StaticS2Features(const spec::StaticS2& s2, const VisionTower& tower, const Tensor& pixels,
                        const VisionTower::Options& options) {
  const int64_t pictures = pixels.size(0);
  const auto tiles_at = [&s2](int64_t scale) { return (scale + s2.max_split_size - 1) / s2.max_split_size; };
  const int64_t grid = tower.spec().grid();
  const int64_t out = grid * tiles_at(spec::ScaleAt(s2.scales, s2.resize_output_to_scale_idx));
  std::vector<Tensor> maps;
  for (const int64_t side : s2.scales) {
    const Tensor resized =
        side == pixels.size(2) ? pixels : at::upsample_bicubic2d(pixels, {side, side}, /*align_corners=*/false);
    const int64_t n = tiles_at(side);
    const int64_t small = side / n;
    const Tensor cut = resized.reshape({pictures, 3, n, small, n, small})
                           .permute({0, 2, 4, 1, 3, 5})
                           .reshape({pictures * n * n, 3, small, small})
                           .contiguous();
    const Tensor features = tower(cut, options).contiguous().view({pictures, n * n, grid * grid, -1});
    std::vector<Tensor> stitched;
    for (int64_t i = 0; i < pictures; ++i) stitched.push_back(Stitch(features[i], n, n));
    maps.push_back(at::adaptive_avg_pool2d(at::cat(stitched), {out, out}));
  }
  return at::cat(maps, 1).flatten(2).transpose(1, 2);
}

// Features of one picture's tiles [T, N, C], scale after scale -> [blocks, N, scales * C] (NVlabs/VILA:
// llava/model/llava_arch.py, merge_features_for_dynamic_s2).
Tensor DynamicS2Features(const spec::DynamicS2& s2, std::array<int64_t, 2> block, const Tensor& tiles) {
  const std::array<int64_t, 2> target = spec::ProjectedBlock(s2, block);
  const int64_t grid = SquareSide(tiles.size(1));
  std::vector<Tensor> merged;
  int64_t first = 0;
  for (size_t i = 0; i < s2.scales.size(); ++i) {
    const int64_t side = s2.scales[i] / s2.scales.front();
    const std::array<int64_t, 2> here = i + 1 == s2.scales.size() ? block : std::array{side, side};
    const Tensor map = Stitch(tiles.narrow(0, first, here[0] * here[1]), here[0], here[1]);
    first += here[0] * here[1];
    merged.push_back(here == target ? map : at::adaptive_avg_pool2d(map, {grid * target[0], grid * target[1]}));
  }
  CHECK_EQ(first, tiles.size(0));
  return Split(at::cat(merged, 1), target[0], target[1]);
}

// What the projector takes, medium after medium, and how much of it is each one's.
struct Features {
  Tensor inputs;  // [T, N, M] f32
  std::vector<int64_t> counts;
};

Features Encode(const spec::ModelSpec& spec, const VisionTower& tower, const Media& media,
                const VisionTower::Options& options) {
  std::vector<Tensor> pixels;
  Features features;
  for (const auto& medium : media) {
    pixels.push_back(Pixels(*medium));
    features.counts.push_back(pixels.back().size(0));
  }
  const Tensor all = pixels.size() == 1 ? pixels[0] : at::cat(pixels);
  if (const auto* s2 = std::get_if<spec::StaticS2>(&spec.scales)) {
    features.inputs = StaticS2Features(*s2, tower, all, options);
    return features;
  }
  features.inputs = tower(all, options);
  const auto* s2 = std::get_if<spec::DynamicS2>(&spec.scales);
  if (s2 == nullptr) return features;
  std::vector<Tensor> inputs;
  const std::vector<Tensor> parts = features.inputs.split_with_sizes(features.counts);
  for (size_t i = 0; i < media.size(); ++i) {
    const Tensor& tiles = parts[i];
    if (const auto& block = media[i]->pixels.layout.block) {
      inputs.push_back(DynamicS2Features(*s2, *block, tiles));
    } else {  // one of several pictures, or a frame: the same features for every scale
      inputs.push_back(at::cat(std::vector<Tensor>(s2->scales.size(), tiles), 2));
    }
    features.counts[i] = inputs.back().size(0);
  }
  features.inputs = at::cat(inputs);
  return features;
}

// Appends rows to a medium's list: text, and rows of the tensor that is being put together.
class Writer {
 public:
  Writer(std::vector<int32_t>& sources, int64_t& next) : sources_(sources), next_(next) {}
  void Text(const std::vector<int32_t>& ids) { sources_.insert(sources_.end(), ids.begin(), ids.end()); }
  void Rows(int64_t count) {
    for (int64_t i = 0; i < count; ++i) sources_.push_back(static_cast<int32_t>(-1 - next_++));
  }

 private:
  std::vector<int32_t>& sources_;
  int64_t& next_;
};

// Frames [T, side^2, D] -> means over time, rows and columns, [T / pt, (side / ph) * (side / pw), D]
// (NVlabs/VILA: llava/model/encoders/video/tsp.py).
Tensor Pool(const Tensor& frames, const std::array<int64_t, 3>& size) {
  const auto [time, rows, columns] = size;
  const int64_t side = SquareSide(frames.size(1));
  return frames.reshape({frames.size(0) / time, time, side / rows, rows, side / columns, columns, frames.size(2)})
      .mean(at::IntArrayRef{1, 3, 5})
      .flatten(1, 2);
}

}  // namespace

MediaRows EncodeMedia(const spec::ModelSpec& spec, const VisionTower& tower, const Projector& projector,
                      const Media& media, const Framing& framing, const MediaOptions& options) {
  MediaRows result;
  if (media.empty()) return result;
  CHECK(spec.vision && spec.projector);
  Features features;
  {
    const torch::AutoGradMode graph(torch::GradMode::is_enabled() && options.train_vision);
    features = Encode(spec, tower, media, {.type = options.type, .recompute = options.recompute});
  }
  Tensor projected;
  {
    const torch::AutoGradMode graph(torch::GradMode::is_enabled() && (options.train_vision || options.train_projector));
    projected = projector(features.inputs, options.type);
  }
  const torch::AutoGradMode graph(torch::GradMode::is_enabled() && projected.requires_grad());
  const int64_t per_input = projected.size(1);
  const int64_t width = projected.size(2);
  const bool era_a = spec.prompt.era == spec::Era::kA;
  const auto* tsp = std::get_if<spec::TspEncoder>(&spec.video.encoder);
  const auto* s2 = std::get_if<spec::DynamicS2>(&spec.scales);
  const std::vector<Tensor> parts = projected.split_with_sizes(features.counts);
  std::vector<Tensor> rows;
  bool as_projected = true;  // nothing is pooled or stitched: the rows are the projector's
  int64_t next = 0;
  for (size_t i = 0; i < media.size(); ++i) {
    const spec::MediaLayout& layout = media[i]->pixels.layout;
    const int64_t count = features.counts[i];
    const Tensor& mine = parts[i];
    Writer writer(result.sources.emplace_back(), next);
    if (!era_a && layout.kind == spec::MediaKind::kVideo && tsp != nullptr && !spec.video.frames_as_images) {
      as_projected = false;
      for (const auto& size : tsp->pool_sizes) {
        const Tensor pooled = Pool(mine, size);
        for (int64_t frame = 0; frame < pooled.size(0); ++frame) {
          writer.Text(framing.start);
          writer.Rows(pooled.size(1));
          writer.Text(framing.end);
        }
        writer.Text(framing.sep);
        rows.push_back(pooled.reshape({-1, width}));
      }
      continue;
    }
    if (!era_a && layout.kind == spec::MediaKind::kImage && s2 != nullptr && layout.block) {
      as_projected = false;
      const auto [block_rows, block_columns] = spec::ProjectedBlock(*s2, *layout.block);
      writer.Text(framing.start);
      writer.Rows(count * per_input);
      writer.Text(framing.end);
      rows.push_back(Stitch(mine, block_rows, block_columns).flatten(2).transpose(1, 2).reshape({-1, width}));
      continue;
    }
    for (int64_t input = 0; input < count; ++input) {
      if (!era_a) writer.Text(framing.start);
      writer.Rows(per_input);
      if (!era_a) writer.Text(framing.end);
    }
    rows.push_back(mine.reshape({-1, width}));
  }
  result.rows = as_projected ? projected.reshape({-1, width}) : at::cat(rows);
  return result;
}

}  // namespace galago::train

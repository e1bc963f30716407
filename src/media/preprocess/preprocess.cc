#include "src/media/preprocess/preprocess.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <functional>
#include <optional>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/media/preprocess/resize.h"
#include "src/media/preprocess/tiling.h"

namespace galago::media {
namespace {

using spec::AspectMode;

// Beyond these a checkpoint's configuration is damaged rather than large.
constexpr int64_t kMaxSize = 8192;
constexpr int64_t kMaxTiles = 1024;

Status Validate(const spec::PreprocessSpec& spec) {
  if (spec.size < 1 || spec.size > kMaxSize) {
    return InvalidArgument(StrCat("preprocessing: size ", spec.size, " is outside [1, ", kMaxSize, "]"));
  }
  if (spec.max_tiles < 1 || spec.max_tiles > kMaxTiles || spec.video_max_tiles > kMaxTiles) {
    return InvalidArgument(StrCat("preprocessing: max_tiles ", spec.max_tiles, " and video_max_tiles ",
                                  spec.video_max_tiles, " must lie in [1, ", kMaxTiles, "]"));
  }
  for (size_t c = 0; c < 3; ++c) {
    if (!(spec.image_mean[c] >= 0.0 && spec.image_mean[c] <= 1.0)) {
      return InvalidArgument(StrCat("preprocessing: image_mean ", spec.image_mean[c], " is outside [0, 1]"));
    }
  }
  if (spec.image_aspect_ratio == AspectMode::kDynamicS2) {
    if (spec.scales.empty()) return InvalidArgument("preprocessing: dynamic_s2 without scales");
    int64_t previous = 0;
    for (const int64_t scale : spec.scales) {
      if (scale <= previous || scale > kMaxSize) {
        return InvalidArgument(
            StrCat("preprocessing: scales ", ShapeText(spec.scales), " must ascend within ", kMaxSize));
      }
      previous = scale;
    }
    const int64_t ratio = spec.scales.back() / spec.scales.front();
    if (ratio * ratio > kMaxTiles) {
      return InvalidArgument(StrCat("preprocessing: scales ", ShapeText(spec.scales), " need ", ratio * ratio,
                                    " tiles, the limit is ", kMaxTiles));
    }
  }
  return OkStatus();
}

Status ValidateSize(int64_t width, int64_t height) {
  if (width > 0 && height > 0) return OkStatus();
  return InvalidArgument(StrCat("a picture of ", width, " x ", height, " pixels has nothing to show"));
}

// What to cut for the encoder. Each grid means: resize the whole picture to the grid's size and cut its tiles row by
// row.
struct Plan {
  std::vector<TileGrid> cuts;  // in the order the encoder sees them; empty: no tiling
  spec::MediaLayout layout;
};

Plan PlanDynamic(const spec::PreprocessSpec& spec, int64_t width, int64_t height, int64_t max_tiles) {
  const TileGrid grid = ClosestTileGrid(width, height, spec.min_tiles, max_tiles, spec.size);
  Plan plan;
  plan.cuts.push_back(grid);
  plan.layout.grid = {grid.columns, grid.rows};
  plan.layout.tiles = grid.tiles();
  if (grid.tiles() > 1) {  // the thumbnail comes last
    plan.cuts.push_back(TileGrid{});
    ++plan.layout.tiles;
  }
  return plan;
}

Plan PlanDynamicS2(const spec::PreprocessSpec& spec, int64_t width, int64_t height) {
  Plan plan;
  plan.layout.tiles = 0;
  for (size_t i = 0; i + 1 < spec.scales.size(); ++i) {
    const int64_t side = spec.scales[i] / spec.scales[0];
    plan.cuts.push_back({side, side});
    plan.layout.tiles += side * side;
  }
  const int64_t ratio = spec.scales.back() / spec.scales.front();
  const TileGrid grid = ClosestTileGrid(width, height, ratio * ratio, spec.max_tiles, spec.size);
  plan.cuts.push_back(grid);
  plan.layout.tiles += grid.tiles();
  plan.layout.grid = {grid.columns, grid.rows};
  plan.layout.block = {grid.rows, grid.columns};
  return plan;
}

Plan PlanPicture(const spec::PreprocessSpec& spec, int64_t width, int64_t height, Turn turn) {
  if (turn == Turn::kOnlyImage && spec.image_aspect_ratio == AspectMode::kDynamic) {
    return PlanDynamic(spec, width, height, spec.max_tiles);
  }
  if (turn == Turn::kOnlyImage && spec.image_aspect_ratio == AspectMode::kDynamicS2) {
    return PlanDynamicS2(spec, width, height);
  }
  return Plan{};
}

// A frame of a video: the era B encoders' video_max_tiles (spec/vila.md 7.4). dynamic_s2 ignores the limit for videos,
// as the reference does, and forgets the blocks.
Plan PlanFrame(const spec::PreprocessSpec& spec, int64_t width, int64_t height) {
  Plan plan;
  if (spec.video_max_tiles > 1 && spec.image_aspect_ratio == AspectMode::kDynamic) {
    plan = PlanDynamic(spec, width, height, spec.video_max_tiles);
  } else if (spec.video_max_tiles > 1 && spec.image_aspect_ratio == AspectMode::kDynamicS2) {
    plan = PlanDynamicS2(spec, width, height);
  }
  plan.layout.grid.reset();
  plan.layout.block.reset();
  return plan;
}

// value of a sample -> normalised float, for each channel. 256 entries are exact by construction.
using Lut = std::array<std::array<float, 256>, 3>;

Lut MakeLut(const spec::PreprocessSpec& spec) {
  Lut lut;
  for (size_t c = 0; c < 3; ++c) {
    const auto mean = static_cast<float>(spec.image_mean[c]), std = static_cast<float>(spec.image_std[c]);
    for (size_t value = 0; value < 256; ++value) {
      const float rescaled = spec.rescale == spec::Rescale::kMultiply
                                 ? static_cast<float>(static_cast<double>(value) * spec.rescale_factor)
                                 : static_cast<float>(value) / 255.0f;
      lut[c][value] = (rescaled - mean) / std;
    }
  }
  return lut;
}

// Tile (column, row) of `image`, side x side, as planes at out [3, side, side].
void WriteTile(const Image& image, int64_t column, int64_t row, int64_t side, const Lut& lut, float* out) {
  for (int64_t y = 0; y < side; ++y) {
    const uint8_t* in = image.Row(row * side + y) + 3 * column * side;
    for (size_t c = 0; c < 3; ++c) {
      float* plane = out + (static_cast<int64_t>(c) * side + y) * side;
      for (int64_t x = 0; x < side; ++x) plane[x] = lut[c][in[3 * x + static_cast<int64_t>(c)]];
    }
  }
}

void WriteTiles(const Image& image, const TileGrid& grid, int64_t side, const Lut& lut, float* out, ThreadPool* pool) {
  const std::function<void(int64_t)> write = [&](int64_t tile) {
    WriteTile(image, tile % grid.columns, tile / grid.columns, side, lut, out + tile * 3 * side * side);
  };
  if (pool != nullptr) {
    pool->ParallelFor(grid.tiles(), write);
  } else {
    for (int64_t tile = 0; tile < grid.tiles(); ++tile) write(tile);
  }
}

// The picture as the processor alone (with `pad` or `resize` before it) makes it: size x size.
Image Squared(const spec::PreprocessSpec& spec, const Image& image, ThreadPool* pool) {
  const int64_t size = spec.size;
  const Window whole = {.width = size, .height = size};
  if (spec.image_aspect_ratio == AspectMode::kPad) {
    Colour fill;
    for (size_t c = 0; c < 3; ++c) fill[c] = static_cast<uint8_t>(spec.image_mean[c] * 255.0);
    Canvas canvas = SquareCanvas(image.width, image.height, fill);
    if (spec.pad_bottom_right) canvas.x = canvas.y = 0;
    return ResizeBicubic(image, canvas, size, size, whole, pool);
  }
  if (spec.image_aspect_ratio == AspectMode::kResize || spec.processor == spec::Processor::kSquash) {
    return ResizeBicubic(image, size, size, pool);
  }
  // Shortest edge to `size`, the other one truncated (huggingface/transformers: image_transforms.py,
  // get_resize_output_image_size), then the middle.
  const int64_t shorter = std::min(image.width, image.height), longer = std::max(image.width, image.height);
  const auto scaled = static_cast<int64_t>(static_cast<double>(size * longer) / static_cast<double>(shorter));
  const int64_t width = image.width <= image.height ? size : scaled;
  const int64_t height = image.width <= image.height ? scaled : size;
  const Window middle = {(width - size) / 2, (height - size) / 2, size, size};
  return ResizeBicubic(image, {.width = image.width, .height = image.height}, width, height, middle, pool);
}

Tensor MakePixels(const spec::PreprocessSpec& spec, const Image& image, const Plan& plan, ThreadPool* pool) {
  const int64_t side = spec.size;
  const Lut lut = MakeLut(spec);
  Tensor pixels = Tensor::F32({plan.layout.tiles, 3, side, side});
  float* out = pixels.f32().data();
  if (plan.cuts.empty()) {
    WriteTiles(Squared(spec, image, pool), TileGrid{}, side, lut, out, pool);
    return pixels;
  }
  for (const TileGrid& grid : plan.cuts) {
    const Image resized = ResizeBicubic(image, grid.columns * side, grid.rows * side, pool);
    WriteTiles(resized, grid, side, lut, out, pool);
    out += grid.tiles() * 3 * side * side;
  }
  return pixels;
}

}  // namespace

StatusOr<spec::MediaLayout> PlanImage(const spec::PreprocessSpec& spec, int64_t width, int64_t height, Turn turn) {
  RETURN_IF_ERROR(Validate(spec));
  RETURN_IF_ERROR(ValidateSize(width, height));
  return PlanPicture(spec, width, height, turn).layout;
}

StatusOr<Preprocessed> PreprocessImage(const spec::PreprocessSpec& spec, const Image& image, Turn turn,
                                       ThreadPool* pool) {
  RETURN_IF_ERROR(Validate(spec));
  RETURN_IF_ERROR(ValidateSize(image.width, image.height));
  Plan plan = PlanPicture(spec, image.width, image.height, turn);
  Tensor pixels = MakePixels(spec, image, plan, pool);
  return Preprocessed{std::move(plan.layout), std::move(pixels)};
}

Status FrameStack::Add(const Image& frame, int64_t copies) {
  CHECK_GT(copies, 0);
  RETURN_IF_ERROR(Validate(spec_));
  RETURN_IF_ERROR(ValidateSize(frame.width, frame.height));
  entries_.push_back({MakePixels(spec_, frame, PlanFrame(spec_, frame.width, frame.height), pool_), copies});
  return OkStatus();
}

Preprocessed FrameStack::Finish() {
  CHECK(!entries_.empty());
  Preprocessed out;
  out.layout.kind = spec::MediaKind::kVideo;
  out.layout.tiles = 0;
  for (const Entry& entry : entries_) out.layout.tiles += entry.pixels.shape()[0] * entry.copies;
  out.pixels = Tensor::F32({out.layout.tiles, 3, spec_.size, spec_.size});
  std::byte* to = out.pixels.data();
  for (Entry& entry : entries_) {
    for (int64_t copy = 0; copy < entry.copies; ++copy) {
      std::memcpy(to, entry.pixels.data(), entry.pixels.num_bytes());
      to += entry.pixels.num_bytes();
    }
    entry.pixels = Tensor();
  }
  entries_.clear();
  return out;
}

StatusOr<Preprocessed> PreprocessFrames(const spec::PreprocessSpec& spec, std::span<const Image> frames,
                                        ThreadPool* pool) {
  if (frames.empty()) return InvalidArgument("a video needs at least one frame");
  FrameStack stack(spec, pool);
  for (const Image& frame : frames) RETURN_IF_ERROR(stack.Add(frame));
  return stack.Finish();
}

StatusOr<spec::MediaLayout> PlanFrames(const spec::PreprocessSpec& spec, int64_t width, int64_t height,
                                       int64_t num_frames) {
  RETURN_IF_ERROR(Validate(spec));
  RETURN_IF_ERROR(ValidateSize(width, height));
  if (num_frames < 1) return InvalidArgument(StrCat("a video of ", num_frames, " frames"));
  spec::MediaLayout layout = PlanFrame(spec, width, height).layout;
  layout.kind = spec::MediaKind::kVideo;
  layout.tiles *= num_frames;
  return layout;
}

}  // namespace galago::media

#include "train/world/stamps.h"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <string>
#include <utility>

#include "src/base/check.h"
#include "src/base/file.h"
#include "src/base/hash.h"
#include "src/base/strings.h"
#include "src/media/decode/codec.h"

namespace galago::world {
namespace {

// The largest level: a little more than the largest size that is drawn.
constexpr int64_t kLargestSide = 128;
constexpr int64_t kSmallestSide = 32;
constexpr size_t kMaxFileBytes = size_t{16} << 20;

struct Box {
  int64_t left = 0, top = 0, right = 0, bottom = 0;  // right and bottom excluded
};

// What is not transparent; nothing at all gives an empty box.
Box VisiblePart(int64_t width, int64_t height, std::span<const uint8_t> rgba) {
  Box box = {width, height, 0, 0};
  for (int64_t y = 0; y < height; ++y) {
    for (int64_t x = 0; x < width; ++x) {
      if (rgba[static_cast<size_t>((y * width + x) * 4 + 3)] < 16) continue;
      box.left = std::min(box.left, x);
      box.right = std::max(box.right, x + 1);
      box.top = std::min(box.top, y);
      box.bottom = std::max(box.bottom, y + 1);
    }
  }
  return box;
}

uint32_t Pack(double alpha, double red, double green, double blue) {
  const auto byte = [](double value) { return static_cast<uint32_t>(std::clamp(std::lround(value), 0L, 255L)); };
  const uint32_t a = byte(alpha);
  // Cairo wants colour at most alpha.
  const auto colour = [&](double value) { return std::min(byte(value), a); };
  return a << 24 | colour(red) << 16 | colour(green) << 8 | colour(blue);
}

// Area average of the box to [height, width], alpha multiplied in.
std::vector<uint32_t> Shrink(const Box& box, int64_t stride, std::span<const uint8_t> rgba, int64_t width,
                             int64_t height) {
  std::vector<uint32_t> out(static_cast<size_t>(width * height));
  const double step_x = static_cast<double>(box.right - box.left) / static_cast<double>(width);
  const double step_y = static_cast<double>(box.bottom - box.top) / static_cast<double>(height);
  for (int64_t y = 0; y < height; ++y) {
    const double top = static_cast<double>(box.top) + static_cast<double>(y) * step_y;
    const double bottom = top + step_y;
    for (int64_t x = 0; x < width; ++x) {
      const double left = static_cast<double>(box.left) + static_cast<double>(x) * step_x;
      const double right = left + step_x;
      double sum[4] = {};
      double area = 0.0;
      for (auto v = static_cast<int64_t>(top); v < box.bottom && static_cast<double>(v) < bottom; ++v) {
        const double tall = std::min(bottom, static_cast<double>(v + 1)) - std::max(top, static_cast<double>(v));
        for (auto u = static_cast<int64_t>(left); u < box.right && static_cast<double>(u) < right; ++u) {
          const double part =
              tall * (std::min(right, static_cast<double>(u + 1)) - std::max(left, static_cast<double>(u)));
          const uint8_t* pixel = rgba.data() + static_cast<size_t>((v * stride + u) * 4);
          const double alpha = part * pixel[3];
          sum[0] += alpha;
          for (int c = 0; c < 3; ++c) sum[c + 1] += alpha * pixel[c] / 255.0;
          area += part;
        }
      }
      out[static_cast<size_t>(y * width + x)] = Pack(sum[0] / area, sum[1] / area, sum[2] / area, sum[3] / area);
    }
  }
  return out;
}

StatusOr<Stamp> LoadStamp(const std::filesystem::path& directory, const StampFile& file) {
  const std::filesystem::path path = directory / file.path;
  auto contents = ReadFile(path, kMaxFileBytes);
  if (!contents.ok()) {
    if (contents.status().code() != StatusCode::kNotFound) return contents.status();
    return NotFound(StrCat(path.string(), " is missing; it comes with the Debian package ", kStampsPackage));
  }
  const std::span<const std::byte> bytes = std::as_bytes(std::span(*contents));
  if (Fnv1a64(bytes) != file.hash) {
    return DataLoss(StrCat(path.string(), " (", contents->size(), " bytes) is not the picture that the package ",
                           kStampsPackage, " 2022.06.04-1 has there; install that version"));
  }
  const std::string name = path.string();
  ASSIGN_OR_RETURN(media::CodecOutput picture,
                   media::DecodePng({.bytes = bytes, .name = name, .limits = {}, .want_alpha = true}));
  if (picture.channels != 4) return DataLoss(StrCat(name, ": a stamp without transparency"));
  return Stamp(picture.width, picture.height, picture.pixels);
}

}  // namespace

Stamp::Stamp(int64_t width, int64_t height, std::span<const uint8_t> rgba) {
  const Box box = VisiblePart(width, height, rgba);
  CHECK(box.right > box.left && box.bottom > box.top);
  const auto wide = static_cast<double>(box.right - box.left);
  const auto tall = static_cast<double>(box.bottom - box.top);
  const double longer = std::max(wide, tall);
  width_ = wide / longer;
  height_ = tall / longer;
  for (int64_t side = kLargestSide; side >= kSmallestSide; side /= 2) {
    Level level;
    level.width = std::max<int64_t>(1, std::llround(width_ * static_cast<double>(side)));
    level.height = std::max<int64_t>(1, std::llround(height_ * static_cast<double>(side)));
    level.argb = Shrink(box, width, rgba, level.width, level.height);
    levels_.push_back(std::move(level));
  }
}

void Stamp::Draw(const Canvas& canvas, const Placement& placement) const {
  // The smallest level that is not enlarged: bilinear filtering then reduces by less than 2.
  size_t index = levels_.size() - 1;
  while (index > 0 && static_cast<double>(kLargestSide >> index) < placement.size) --index;
  const Level& level = levels_[index];

  std::vector<uint32_t> pixels = level.argb;
  if (placement.gain != std::array{1.0, 1.0, 1.0}) {
    for (uint32_t& pixel : pixels) {
      const auto scaled = [&](int shift, double gain) { return gain * static_cast<double>(pixel >> shift & 0xFF); };
      pixel = Pack(scaled(24, 1.0), scaled(16, placement.gain[0]), scaled(8, placement.gain[1]),
                   scaled(0, placement.gain[2]));
    }
  }
  // ARGB32 rows are 4 * width bytes: Cairo's own stride.
  cairo_surface_t* surface = cairo_image_surface_create_for_data(
      reinterpret_cast<unsigned char*>(pixels.data()), CAIRO_FORMAT_ARGB32, static_cast<int>(level.width),
      static_cast<int>(level.height), static_cast<int>(level.width * 4));
  CHECK(cairo_surface_status(surface) == CAIRO_STATUS_SUCCESS);
  cairo_t* cairo = canvas.cairo();
  cairo_save(cairo);
  cairo_translate(cairo, placement.x, placement.y);
  cairo_rotate(cairo, placement.radians);
  const double scale = placement.size / static_cast<double>(std::max(level.width, level.height));
  cairo_scale(cairo, placement.mirrored ? -scale : scale, scale);
  cairo_set_source_surface(cairo, surface, -static_cast<double>(level.width) / 2,
                           -static_cast<double>(level.height) / 2);
  cairo_pattern_set_filter(cairo_get_source(cairo), CAIRO_FILTER_BILINEAR);
  cairo_paint(cairo);
  cairo_restore(cairo);
  // The context may still name the surface as its source; its pixels end here.
  cairo_set_source_rgb(cairo, 0.0, 0.0, 0.0);
  cairo_surface_destroy(surface);
}

StatusOr<std::shared_ptr<const StampSet>> StampSet::Load(const std::filesystem::path& directory) {
  std::error_code error;
  if (!std::filesystem::is_directory(directory, error)) {
    return NotFound(StrCat(directory.string(), " is not there: World's things need the Debian package ", kStampsPackage,
                           " (apt-get install ", kStampsPackage, ")"));
  }
  auto set = std::make_shared<StampSet>();
  for (const ThingClass& thing : ThingClasses()) {
    std::vector<Stamp>& stamps = set->stamps_.emplace_back();
    for (const StampFile& file : thing.files) {
      ASSIGN_OR_RETURN(Stamp stamp, LoadStamp(directory, file));
      stamps.push_back(std::move(stamp));
    }
  }
  return std::shared_ptr<const StampSet>(std::move(set));
}

}  // namespace galago::world

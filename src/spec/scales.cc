#include <algorithm>
#include <charconv>

#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

// "448,896,1344" or [448, 896, 1344], sorted as the reference sorts them.
StatusOr<std::vector<int64_t>> ScaleList(const Config& model) {
  const Json* value = model.Find("s2_scales");
  if (value == nullptr) return model.Missing("s2_scales");
  std::vector<int64_t> scales;
  const auto refuse = [&model] { return DataLoss(StrCat(model.Name("s2_scales"), " is not a list of picture sizes")); };
  if (value->is_string()) {
    for (const std::string& part : Split(value->get_ref<const std::string&>(), ',')) {
      const std::string_view digits = Trim(part);
      int64_t scale = 0;
      const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), scale);
      if (error != std::errc() || end != digits.data() + digits.size()) return refuse();
      scales.push_back(scale);
    }
  } else if (value->is_array()) {
    for (const Json& item : *value) {
      if (!item.is_number_integer() || item > kMaxImageSize) return refuse();
      scales.push_back(item.get<int64_t>());
    }
  } else {
    return refuse();
  }
  if (scales.empty() || scales.size() > 16) return refuse();
  std::ranges::sort(scales);
  if (scales.front() < 1 || scales.back() > kMaxImageSize || std::ranges::adjacent_find(scales) != scales.end()) {
    return refuse();
  }
  return scales;
}

}  // namespace

int64_t NumScales(const ScalesSpec& scales) {
  if (const auto* s2 = std::get_if<StaticS2>(&scales)) return static_cast<int64_t>(s2->scales.size());
  if (const auto* s2 = std::get_if<DynamicS2>(&scales)) return static_cast<int64_t>(s2->scales.size());
  return 1;
}

StatusOr<ScalesSpec> ParseScales(const Config& model, const VisionSpec& vision) {
  // The scales are meaningful only where a switch is on: VILA1.5-3b has s2 false and left-over numbers.
  ASSIGN_OR_RETURN(const bool s2, model.BoolOr("s2", false));
  ASSIGN_OR_RETURN(const bool dynamic_s2, model.BoolOr("dynamic_s2", false));
  if (!s2 && !dynamic_s2) return ScalesSpec();
  if (s2 && dynamic_s2) return DataLoss(StrCat(model.what(), ": s2 and dynamic_s2 are both true"));
  if (vision.names == VisionNames::kInternVit && dynamic_s2) {
    return Unimplemented(StrCat(model.what(), ": dynamic_s2 with an InternViT tower does not exist in the reference"));
  }
  ASSIGN_OR_RETURN(const std::vector<int64_t> scales, ScaleList(model));
  const auto count = static_cast<int64_t>(scales.size());
  ASSIGN_OR_RETURN(const int64_t index, model.IntOr("s2_resize_output_to_scale_idx", 0, -1, count - 1));
  if (dynamic_s2) {
    if (scales.front() != vision.image_size) {
      return DataLoss(StrCat(model.what(), ": the smallest of s2_scales is ", scales.front(),
                             ", the tower takes pictures of ", vision.image_size));
    }
    for (const int64_t scale : scales) {
      if (scale % scales.front() == 0) continue;
      return DataLoss(StrCat(model.what(), ": s2_scales ", scale, " is not a multiple of ", scales.front()));
    }
    return ScalesSpec(DynamicS2{.scales = scales, .resize_output_to_scale_idx = index});
  }
  ASSIGN_OR_RETURN(const int64_t split, model.Int("s2_max_split_size", 1, kMaxImageSize));
  for (const int64_t scale : scales) {
    const int64_t tiles = (scale + split - 1) / split;
    if (scale % tiles == 0 && scale / tiles == vision.image_size) continue;
    return DataLoss(StrCat(model.what(), ": s2_scales ", scale, " cut into ", tiles, " x ", tiles,
                           " does not give the tower's picture size ", vision.image_size));
  }
  return ScalesSpec(StaticS2{.scales = scales, .max_split_size = split, .resize_output_to_scale_idx = index});
}

}  // namespace galago::spec

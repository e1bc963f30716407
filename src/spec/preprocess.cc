#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

// A side in pixels, written as a number, {"height", "width"} or {"shortest_edge"}.
StatusOr<int64_t> Side(const Config& processor, std::string_view key) {
  const Json* value = processor.Find(key);
  if (value == nullptr || !value->is_object()) return processor.Int(key, 1, kMaxImageSize);
  ASSIGN_OR_RETURN(const Config size, processor.Sub(key));
  if (size.Has("shortest_edge")) return size.Int("shortest_edge", 1, kMaxImageSize);
  ASSIGN_OR_RETURN(const int64_t height, size.Int("height", 1, kMaxImageSize));
  ASSIGN_OR_RETURN(const int64_t width, size.Int("width", 1, kMaxImageSize));
  if (height != width) return Unimplemented(StrCat(size.what(), " is ", height, " x ", width, ", not a square"));
  return height;
}

Status ReadTriple(const Config& processor, std::string_view key, bool positive, std::array<double, 3>& out) {
  const Json* value = processor.Find(key);
  if (value == nullptr) return OkStatus();
  bool good = value->is_array() && value->size() == 3;
  for (size_t i = 0; good && i < 3; ++i) {
    good = (*value)[i].is_number();
    if (!good) break;
    out[i] = (*value)[i].get<double>();
    good = out[i] <= 1e6 && out[i] >= (positive ? 1e-6 : -1e6);
  }
  if (good) return OkStatus();
  return DataLoss(StrCat(processor.Name(key), " is not a list of three ", positive ? "positive numbers" : "numbers"));
}

Status RequireTrue(const Config& processor, std::string_view key) {
  ASSIGN_OR_RETURN(const bool value, processor.BoolOr(key, true));
  if (!value) return Unimplemented(StrCat(processor.Name(key), " false is not supported"));
  return OkStatus();
}

Status ReadProcessor(const Config& processor, const VisionSpec& vision, PreprocessSpec& spec) {
  spec.size = vision.image_size;
  if (vision.names == VisionNames::kInternVit) {  // its class has constants only
    spec.processor = Processor::kSquash;
    spec.rescale = Rescale::kDivide255;
    spec.image_mean = {0.485, 0.456, 0.406};
    spec.image_std = {0.229, 0.224, 0.225};
    return OkStatus();
  }
  const bool clip = vision.architecture == "clip";
  if (clip) {
    spec.image_mean = {0.48145466, 0.4578275, 0.40821073};
    spec.image_std = {0.26862954, 0.26130258, 0.27577711};
  }
  spec.processor = clip ? Processor::kShortestCrop : Processor::kSquash;
  ASSIGN_OR_RETURN(const int64_t resample, processor.IntOr("resample", 3, 0, 16));
  if (resample != 3) {
    return Unimplemented(StrCat(processor.Name("resample"), " is ", resample, ", only 3 (bicubic) is supported"));
  }
  for (const std::string_view key : {"do_resize", "do_rescale", "do_normalize"})
    RETURN_IF_ERROR(RequireTrue(processor, key));
  if (clip) RETURN_IF_ERROR(RequireTrue(processor, "do_center_crop"));
  ASSIGN_OR_RETURN(spec.rescale_factor, processor.PositiveOr("rescale_factor", spec.rescale_factor));
  RETURN_IF_ERROR(ReadTriple(processor, "image_mean", false, spec.image_mean));
  RETURN_IF_ERROR(ReadTriple(processor, "image_std", true, spec.image_std));
  if (processor.Has("size")) {
    ASSIGN_OR_RETURN(spec.size, Side(processor, "size"));
  }
  if (clip && processor.Has("crop_size")) {
    ASSIGN_OR_RETURN(const int64_t crop, Side(processor, "crop_size"));
    if (crop != spec.size) {
      return Unimplemented(StrCat(processor.what(), ": shortest edge ", spec.size, " and crop_size ", crop,
                                  " differ, which is not supported"));
    }
  }
  return OkStatus();
}

}  // namespace

StatusOr<PreprocessSpec> ParsePreprocess(const Config& processor, const Config& model, const VisionSpec& vision,
                                         const ScalesSpec& scales) {
  PreprocessSpec spec;
  RETURN_IF_ERROR(ReadProcessor(processor, vision, spec));
  ASSIGN_OR_RETURN(const std::string mode, model.StringOr("image_aspect_ratio", ""));
  spec.image_aspect_ratio = mode == "resize"       ? AspectMode::kResize
                            : mode == "pad"        ? AspectMode::kPad
                            : mode == "dynamic"    ? AspectMode::kDynamic
                            : mode == "dynamic_s2" ? AspectMode::kDynamicS2
                                                   : AspectMode::kProcessorOnly;
  ASSIGN_OR_RETURN(spec.min_tiles, model.IntOr("min_tiles", 1, 1, 256));
  ASSIGN_OR_RETURN(spec.max_tiles, model.IntOr("max_tiles", 12, 1, 256));
  ASSIGN_OR_RETURN(spec.video_max_tiles, model.IntOr("video_max_tiles", 1, 1, 256));
  if (spec.min_tiles > spec.max_tiles) {
    return DataLoss(StrCat(model.what(), ": min_tiles ", spec.min_tiles, " exceeds max_tiles ", spec.max_tiles));
  }
  const auto* s2 = std::get_if<DynamicS2>(&scales);
  if (spec.image_aspect_ratio == AspectMode::kDynamicS2 && s2 == nullptr) {
    return DataLoss(StrCat(model.what(), ": image_aspect_ratio is dynamic_s2, but dynamic_s2 is not true"));
  }
  if (s2 != nullptr && spec.image_aspect_ratio == AspectMode::kDynamic) {
    return DataLoss(StrCat(model.what(), ": image_aspect_ratio is dynamic, but dynamic_s2 is true"));
  }
  if (s2 != nullptr) {
    spec.scales = s2->scales;
    const int64_t ratio = s2->scales.back() / s2->scales.front();
    if (spec.image_aspect_ratio == AspectMode::kDynamicS2 && ratio * ratio > spec.max_tiles) {
      return DataLoss(StrCat(model.what(), ": the largest scale needs at least ", ratio * ratio,
                             " tiles, max_tiles is ", spec.max_tiles));
    }
  }
  // The reference sets the processor to the scales, whatever its file says.
  if (const auto* fixed = std::get_if<StaticS2>(&scales)) {
    spec.size = fixed->scales.back();
  } else if (s2 != nullptr) {
    spec.size = s2->scales.front();
  } else if (spec.size != vision.image_size) {
    return DataLoss(StrCat(processor.what(), ": pictures are made ", spec.size, " pixels wide, the tower takes ",
                           vision.image_size));
  }
  return spec;
}

}  // namespace galago::spec

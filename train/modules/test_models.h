#ifndef GALAGO_TRAIN_MODULES_TEST_MODELS_H_
#define GALAGO_TRAIN_MODULES_TEST_MODELS_H_

#include <random>
#include <string>
#include <utility>
#include <vector>

#include "src/spec/media_layout.h"
#include "train/modules/vlm.h"

// Tiny models and batches the tests of this folder share.
namespace galago::train::testing {

inline spec::LanguageModelSpec TinyLanguage() {
  return {.model_type = "qwen2",
          .hidden_size = 32,
          .intermediate_size = 48,
          .num_hidden_layers = 2,
          .num_attention_heads = 4,
          .num_key_value_heads = 2,
          .head_dim = 8,
          .vocab_size = 90,
          .max_position_embeddings = 512,
          .attention_bias = true,
          .tie_word_embeddings = true};
}

inline spec::VisionSpec TinySiglip(int64_t image_size = 56) {
  return {.architecture = "siglip",
          .image_size = image_size,
          .patch_size = 14,
          .hidden_size = 24,
          .intermediate_size = 40,
          .num_hidden_layers = 3,
          .num_attention_heads = 3,
          .num_layers_run = 2};
}

inline spec::VisionSpec TinyClip() {
  spec::VisionSpec spec = TinySiglip();
  spec.architecture = "clip";
  spec.layer_norm_eps = 1e-5;
  spec.hidden_act = spec::Activation::kQuickGelu;
  spec.has_class_token = true;
  spec.has_pre_layernorm = true;
  spec.patch_bias = false;
  spec.select_feature = spec::SelectFeature::kPatch;
  return spec;
}

inline spec::VisionSpec TinyInternVit() {
  spec::VisionSpec spec = TinySiglip();
  spec.names = spec::VisionNames::kInternVit;
  spec.architecture = "internvit";
  spec.norm = spec::NormKind::kRmsNorm;
  spec.hidden_act = spec::Activation::kGeluErf;
  spec.has_class_token = true;
  spec.fused_qkv = true;
  spec.qkv_bias = false;
  spec.qk_normalization = true;
  spec.layer_scale = true;
  spec.num_layers_run = 3;
  spec.select_feature = spec::SelectFeature::kPatch;
  return spec;
}

using ProjectorKind = decltype(spec::ProjectorSpec::kind);

inline spec::ModelSpec TinyModel(const spec::VisionSpec& vision = TinySiglip(),
                                 const ProjectorKind& projector = spec::DownsampleProjector{.widths = {32}},
                                 int64_t scales = 1) {
  spec::ModelSpec spec;
  spec.family = spec::Family::kNvila;
  spec.language = TinyLanguage();
  spec.vision = vision;
  spec.projector = spec::ProjectorSpec{.prefix = "layers.",
                                       .kind = projector,
                                       .mm_hidden_size = vision.hidden_size * scales,
                                       .hidden_size = spec.language.hidden_size};
  spec.preprocess.size = vision.image_size;
  return spec;
}

// Random pixels of a layout, and the rows of its slots.
inline std::shared_ptr<const MediaInput> RandomMedia(const spec::ModelSpec& spec, const spec::MediaLayout& layout,
                                                     std::mt19937& random,
                                                     const spec::FramingLengths& framing = {.end = 1}) {
  auto media = std::make_shared<MediaInput>();
  const int64_t side = spec.preprocess.size;
  media->pixels = {.layout = layout, .pixels = ::galago::Tensor::F32({layout.tiles, 3, side, side})};
  std::normal_distribution<float> normal;
  for (float& pixel : media->pixels.pixels.f32()) pixel = normal(random);
  media->slot_rows = spec::SlotRows(spec, layout, framing).value();
  return media;
}

// A segment: a medium or none, then tokens, the later half of which carry labels.
struct Segment {
  std::shared_ptr<const MediaInput> media;
  std::vector<int32_t> ids;
};

inline Packed PackSegments(const std::vector<Segment>& segments) {
  Packed packed;
  packed.cu_seqlens.push_back(0);
  for (const Segment& segment : segments) {
    const size_t begin = packed.ids.size();
    if (segment.media) {
      int64_t rows = 0;
      for (const int64_t slot : segment.media->slot_rows) rows += slot;
      packed.spans.push_back({.at = static_cast<int64_t>(begin),
                              .media = static_cast<int64_t>(packed.media.size()),
                              .first_row = 0,
                              .count = rows});
      packed.media.push_back(segment.media);
      packed.ids.resize(begin + static_cast<size_t>(rows), kMediaRow);
    }
    packed.labels.resize(packed.ids.size(), kIgnore);
    for (size_t i = 0; i < segment.ids.size(); ++i) {
      packed.ids.push_back(segment.ids[i]);
      packed.labels.push_back(i >= segment.ids.size() / 2 ? segment.ids[i] : kIgnore);
    }
    packed.labels[begin] = kIgnore;
    for (size_t i = begin; i < packed.ids.size(); ++i) {
      packed.positions.push_back(static_cast<int32_t>(i - begin));
      packed.num_labels += packed.labels[i] == kIgnore ? 0 : 1;
    }
    packed.cu_seqlens.push_back(static_cast<int32_t>(packed.ids.size()));
    packed.max_seqlen = std::max(packed.max_seqlen, static_cast<int64_t>(packed.ids.size() - begin));
  }
  return packed;
}

inline std::vector<int32_t> RandomIds(int64_t count, int64_t vocab, std::mt19937& random) {
  std::uniform_int_distribution<int32_t> uniform(0, static_cast<int32_t>(vocab) - 1);
  std::vector<int32_t> ids(static_cast<size_t>(count));
  for (int32_t& id : ids) id = uniform(random);
  return ids;
}

// Every parameter a little away from its symmetric start, so that no gradient is zero by accident.
inline void Shake(Vlm& model, uint32_t seed) {
  std::mt19937 random(seed);
  std::normal_distribution<float> normal;
  for (Parameter& parameter : model.parameters()) {
    float* values = parameter.value.data_ptr<float>();
    for (int64_t i = 0; i < parameter.value.numel(); ++i) values[i] += 0.1f * normal(random);
  }
  model.WeightsChanged();
}

inline std::unique_ptr<Vlm> MakeModel(const spec::ModelSpec& spec, Precision precision = Precision::kF32) {
  auto model = Vlm::Init(spec, 7).value();
  model->SetFraming({}, {3}, {});
  model->SetOptions({.precision = precision});
  Shake(*model, 11);
  return model;
}

// The largest difference relative to the largest entry of `want`.
inline double RelativeError(const torch::Tensor& got, const torch::Tensor& want) {
  const double largest = want.abs().max().item<double>();
  const double error = (got - want).abs().max().item<double>();
  return largest > 0.0 ? error / largest : error;
}

}  // namespace galago::train::testing

#endif  // GALAGO_TRAIN_MODULES_TEST_MODELS_H_

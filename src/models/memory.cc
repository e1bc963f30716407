#include "src/models/memory.h"

#include <algorithm>
#include <variant>

#include "src/base/overloaded.h"
#include "src/models/scales.h"
#include "src/models/vlm_runner.h"
#include "src/spec/media_layout.h"

namespace galago::models {
namespace {

constexpr int64_t kFloat = sizeof(float);

int64_t LanguageElements(const spec::LanguageModelSpec& lm) {
  const int64_t q = lm.num_attention_heads * lm.head_dim;
  const int64_t kv = lm.num_key_value_heads * lm.head_dim;
  const int64_t layer = lm.hidden_size * (2 * q + 2 * kv + 3 * lm.intermediate_size + 2);
  const int64_t tables = lm.tie_word_embeddings ? 1 : 2;
  return tables * lm.vocab_size * lm.hidden_size + lm.num_hidden_layers * layer;
}

int64_t VisionElements(const spec::VisionSpec& vision) {
  const int64_t c = vision.hidden_size;
  const int64_t layer = c * (4 * c + 2 * vision.intermediate_size + 8);
  return c * (3 * vision.patch_size * vision.patch_size + vision.num_positions()) + vision.num_layers_run * layer;
}

int64_t ProjectorElements(const spec::ProjectorSpec& projector) {
  const int64_t m = projector.mm_hidden_size;
  const int64_t d = projector.hidden_size;
  return std::visit(Overloaded{[](const spec::IdentityProjector&) { return int64_t{0}; },
                               [&](const spec::LinearProjector&) { return m * d; },
                               [&](const spec::MlpProjector& mlp) { return m * d + (mlp.depth - 1) * d * d; },
                               [&](const spec::DownsampleProjector& down) {
                                 int64_t width = down.factor * down.factor * m;
                                 int64_t total = 0;
                                 for (const int64_t next : down.widths) {
                                   total += width * (next + 2);
                                   width = next;
                                 }
                                 return total + width * d;
                               },
                               [&](const spec::LdpProjector& ldp) {
                                 return m * d + d * d + 2 * (d * d + 2 * d * ldp.squeeze + 14 * d);
                               },
                               [&](const spec::LdpV2Projector&) { return m * d + d * d + 10 * d; }},
                    projector.kind);
}

// Peak of running `rows` rows of width c with hidden width f through a layer: input, its normalised copy, and the wider
// of what attention and MLP hold; bf16 copies of the operands.
int64_t LayerBytes(int64_t rows, int64_t c, int64_t attention, int64_t f) {
  return rows * (kFloat * (2 * c + std::max(attention, f)) + 2 * std::max(c, f));
}

int64_t VisionWorkspace(const spec::ModelSpec& spec) {
  const spec::VisionSpec& vision = *spec.vision;
  const int64_t c = vision.hidden_size;
  const int64_t patches = vision.grid() * vision.grid();
  const int64_t d = spec.language.hidden_size;
  const int64_t m = spec.projector->mm_hidden_size;
  const int64_t batch = std::max<int64_t>(1, kRowsPerBatch / vision.num_positions());
  const int64_t encode = LayerBytes(batch * vision.num_positions(), c, 3 * c, vision.intermediate_size) +
                         kFloat * patches * 3 * vision.patch_size * vision.patch_size;
  const int64_t rows = spec::RowsPerTile(spec);
  if (const auto* s2 = std::get_if<spec::DynamicS2>(&spec.scales)) {
    // The merged map of the largest block, and of one lower scale its native and its enlarged map.
    const int64_t blocks = spec.preprocess.max_tiles;
    const int64_t merged = kFloat * blocks * patches * m;
    const int64_t lower = s2->scales.size() > 1 ? s2->scales[s2->scales.size() - 2] / s2->scales.front() : 1;
    const int64_t resize = kFloat * c * patches * (blocks + 2 * lower * lower);
    return merged + std::max(encode, resize) + 3 * kFloat * blocks * rows * d;
  }
  if (const auto* s2 = std::get_if<spec::StaticS2>(&spec.scales)) {
    const int64_t side = s2->scales.back();
    const int64_t tiles = side / vision.image_size * (side / vision.image_size);
    const int64_t grid = spec::GridPerCall(spec);
    return encode + kFloat * (6 * side * side + 2 * tiles * patches * c + grid * grid * m + 2 * rows * d);
  }
  const bool tiled = spec.preprocess.image_aspect_ratio == spec::AspectMode::kDynamic;
  const int64_t tiles = tiled ? spec.preprocess.max_tiles + 1 : 1;
  const int64_t features = kFloat * std::min(tiles, kTilesPerGroup) * vision.num_selected() * m;
  return encode + features + 2 * kFloat * tiles * rows * d;
}

}  // namespace

MemoryNeeds PlanMemory(const spec::ModelSpec& spec) {
  MemoryNeeds needs;
  const spec::LanguageModelSpec& lm = spec.language;
  int64_t elements = LanguageElements(lm);
  if (spec.vision && spec.projector) {
    elements += VisionElements(*spec.vision) + ProjectorElements(*spec.projector);
    needs.vision_workspace = static_cast<uint64_t>(VisionWorkspace(spec));
  }
  needs.weights = static_cast<uint64_t>(elements) * 2;  // published checkpoints hold 16-bit matrices
  if (lm.quantization) {
    // 4 bits a weight and 32 a group in place of 16, in all layers.
    const int64_t group =
        lm.quantization->group_size < 0 ? 128 : std::clamp<int64_t>(lm.quantization->group_size, 32, 128);
    const int64_t layers = LanguageElements(lm) - (lm.tie_word_embeddings ? 1 : 2) * lm.vocab_size * lm.hidden_size;
    needs.weights -= static_cast<uint64_t>(layers * 2 - layers / 2 - layers / group * 4);
  }
  if (spec.weight_bytes != 0) needs.weights = spec.weight_bytes;
  const int64_t attention = (lm.num_attention_heads + 2 * lm.num_key_value_heads) * lm.head_dim;
  needs.activations = static_cast<uint64_t>(
      LayerBytes(kPrefillChunk, lm.hidden_size, attention, 2 * lm.intermediate_size) + kFloat * lm.vocab_size);
  return needs;
}

uint64_t RandomWeightBytes(const spec::ModelSpec& spec, const RandomFormat& format) {
  const auto bytes = [](int64_t elements, DType type) {
    const DTypeInfo& info = InfoOf(type);
    return static_cast<double>(elements) * static_cast<double>(info.block_bytes) /
           static_cast<double>(info.block_elements);
  };
  const spec::LanguageModelSpec& lm = spec.language;
  const int64_t tables = (lm.tie_word_embeddings ? 1 : 2) * lm.vocab_size * lm.hidden_size;
  double total = bytes(tables, format.head) + bytes(LanguageElements(lm) - tables, format.decoder);
  if (spec.vision && spec.projector) {
    total +=
        bytes(VisionElements(*spec.vision), format.tower) + bytes(ProjectorElements(*spec.projector), DType::kBF16);
  }
  return static_cast<uint64_t>(total);
}

}  // namespace galago::models

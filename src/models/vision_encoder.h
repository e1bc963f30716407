#ifndef GALAGO_MODELS_VISION_ENCODER_H_
#define GALAGO_MODELS_VISION_ENCODER_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/models/weights.h"
#include "src/nn/encoder.h"
#include "src/spec/model_spec.h"

namespace galago::models {

// Rows of tower tiles worked on together: enough to keep the matrix kernels busy, few enough to keep the workspace
// small (a tile of SigLIP at 448 pixels has 1024).
inline constexpr int64_t kRowsPerBatch = 1024;

// Collects the tower's hidden states over several calls; only made when somebody looks.
class HiddenStates {
 public:
  explicit HiddenStates(size_t levels) : levels_(levels) {}
  void Add(size_t level, std::span<const float> values) {
    levels_[level].insert(levels_[level].end(), values.begin(), values.end());
  }
  // Reports "vision.I.hidden.L" [calls, positions, width].
  void Report(ops::Observer& observer, int64_t media_index, int64_t positions, int64_t width) const;

 private:
  std::vector<std::vector<float>> levels_;
};

// A pre-norm vision transformer without mask: SigLIP, CLIP or InternViT, as the spec says.
class VisionEncoder {
 public:
  static StatusOr<VisionEncoder> Load(const spec::VisionSpec& spec, Weights& weights);

  const spec::VisionSpec& spec() const { return spec_; }
  std::span<const nn::EncoderLayer> layers() const { return layers_; }
  size_t num_hidden_states() const { return layers_.size() + 1; }

  // pixels [tiles, 3, S, S] -> the selected features, out [tiles * N, C]. Tiles are taken a few at a time, so the
  // workspace does not grow with them. `hidden` may be null. Fails only when cancelled.
  Status Encode(const ops::ExecContext& ctx, std::span<const float> pixels, int64_t tiles, ops::View out,
                HiddenStates* hidden) const;

 private:
  Status EncodeBatch(const ops::ExecContext& ctx, std::span<const float> pixels, int64_t batch, ops::View out,
                     HiddenStates* hidden) const;
  // Patches, class token and positions of one tile: h [P, C].
  void Embed(const ops::ExecContext& ctx, std::span<const float> pixels, ops::View h) const;

  spec::VisionSpec spec_;
  nn::PatchEmbed patch_embed_;
  std::span<const float> class_token_;  // [C] or empty
  std::span<const float> positions_;    // [P, C]
  std::optional<nn::Norm> pre_norm_;
  std::vector<nn::EncoderLayer> layers_;
};

}  // namespace galago::models

#endif  // GALAGO_MODELS_VISION_ENCODER_H_

#ifndef GALAGO_MODELS_VLM_RUNNER_H_
#define GALAGO_MODELS_VLM_RUNNER_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "galago/status.h"
#include "src/models/language_model.h"
#include "src/models/projector.h"
#include "src/models/runner.h"
#include "src/models/tsp.h"
#include "src/models/vision_encoder.h"
#include "src/models/weights.h"

namespace galago::models {

// Tiles or frames whose features are held at a time on their way to the projector. Dynamic S2 needs all of a picture's.
inline constexpr int64_t kTilesPerGroup = 8;

// What the parts are called in a .galago file.
inline constexpr std::string_view kLanguagePart = "language";
inline constexpr std::string_view kVisionPart = "vision";
inline constexpr std::string_view kProjectorPart = "projector";

struct ModelWeights {
  Weights language;
  Weights vision;     // unused for text models
  Weights projector;  // likewise
};

// The one Runner there is: vision tower -> projector -> language model, each as the spec says.
class VlmRunner : public Runner {
 public:
  static StatusOr<std::unique_ptr<const VlmRunner>> Load(const spec::ModelSpec& spec, ModelWeights weights,
                                                         LoadReport& report);

  const spec::ModelSpec& spec() const override { return spec_; }
  const ModelWeights& weights() const { return weights_; }
  const LanguageModel& language() const { return language_; }
  const std::optional<VisionEncoder>& vision() const { return vision_; }
  StatusOr<EncodedMedia> EncodeMedia(const ops::ExecContext& ctx, const EncodeRequest& request) const override;
  Status EmbedTokens(const ops::ExecContext& ctx, std::span<const int32_t> ids, std::span<float> out) const override;
  Status Forward(const ops::ExecContext& ctx, std::span<float> hidden, int64_t num_rows, int64_t past,
                 const nn::KvView& kv, std::span<float> logits) const override;

 private:
  VlmRunner(const spec::ModelSpec& spec, ModelWeights weights) : spec_(spec), weights_(std::move(weights)) {}

  Status CheckPixels(const EncodeRequest& request) const;
  // Projector inputs of a request: for dynamic S2 the blocks of the merged map, else its tiles.
  int64_t NumProjected(const spec::MediaLayout& layout) const;
  // Features of tiles [first, first + count) of the request, all of them if it is one dynamic S2 picture.
  Status EncodeFeatures(const ops::ExecContext& ctx, const EncodeRequest& request, int64_t first, int64_t count,
                        ops::View features, HiddenStates* hidden) const;
  // All projected rows, [projected inputs * R, D].
  Status Project(const ops::ExecContext& ctx, const EncodeRequest& request, ops::View projected) const;
  StatusOr<FramingRows> EmbedFraming(const ops::ExecContext& ctx, const FramingIds& framing) const;
  void WriteRows(const ops::ExecContext& ctx, const spec::MediaLayout& layout, ops::ConstView projected,
                 const FramingRows& framing, RowWriter& out) const;

  spec::ModelSpec spec_;
  ModelWeights weights_;  // what the parts below borrow
  std::optional<VisionEncoder> vision_;
  std::optional<Projector> projector_;
  LanguageModel language_;
};

// LoadRunner (runner.h) for who wants the weights too.
StatusOr<std::unique_ptr<const VlmRunner>> LoadVlmRunner(const spec::ModelSpec& spec, const LoadOptions& options,
                                                         LoadReport& report);

}  // namespace galago::models

#endif  // GALAGO_MODELS_VLM_RUNNER_H_

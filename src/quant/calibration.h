#ifndef GALAGO_QUANT_CALIBRATION_H_
#define GALAGO_QUANT_CALIBRATION_H_

#include <cstdint>
#include <span>
#include <string>

#include "galago/message.h"
#include "galago/model.h"
#include "galago/quantize.h"
#include "galago/status.h"
#include "src/models/runner.h"
#include "src/ops/exec_context.h"
#include "src/quant/layer_search.h"

// From texts and conversations to the rows the decoder's first layer gets, by the steps of an answer.
namespace galago::quant {

// A model whose parts are at hand: tokenizer and spec, and the runner that embeds.
struct CalibrationModel {
  const Model::Parts& parts;
  const models::Runner& runner;
};

// Pieces of `length` tokens, at most `tokens` in all and about as many of each text; rests are dropped (mit-han-lab/
// llm-awq: awq/utils/calib_data.py). InvalidArgument if not one piece comes of it.
StatusOr<Sequences> EmbedTexts(const ops::ExecContext& ctx, const CalibrationModel& model,
                               std::span<const std::string> texts, int64_t tokens, int64_t length);

// Prompt and answer of one sample; `media` counts its pictures and videos. ctx.observer sees the tower at work.
StatusOr<Tensor> EmbedSample(const ops::ExecContext& ctx, const CalibrationModel& model,
                             const CalibrationSample& sample, int64_t& media);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_CALIBRATION_H_

#ifndef GALAGO_QUANTIZE_H_
#define GALAGO_QUANTIZE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "galago/bench.h"
#include "galago/message.h"
#include "galago/model.h"
#include "galago/status.h"

// Making a model small: weights of 4, 6 or 8 bits for the decoder, 8 for the vision tower.
namespace galago {

enum class QuantizeMethod {
  kAwq,  // activation-aware: scales and limits searched on a calibration set
  kRtn   // round to nearest, for comparison; needs no calibration
};

// What a model is shown to learn which of its channels matter. `answer` is what it would say.
struct CalibrationSample {
  std::vector<Message> conversation;  // ends with a user message
  std::string answer;
};

struct QuantizeProgress {
  std::string stage;  // "calibration", "decoder", "tower", "writing"
  int64_t done = 0, total = 0;
};

struct QuantizeOptions {
  WeightFormat decoder = WeightFormat::kW4;  // kBf16 leaves it as it is
  WeightFormat tower = WeightFormat::kBf16;  // kBf16 (as it is) or kW8
  WeightFormat head = WeightFormat::kBf16;   // the tables of the vocabulary
  QuantizeMethod method = QuantizeMethod::kAwq;
  int64_t group = 128;                     // of 4-bit weights: 32, 64 or 128
  std::vector<std::string> texts;          // calibration: plain text
  std::vector<CalibrationSample> samples;  // calibration: conversations, with pictures or without
  int64_t calibration_tokens = 16384;      // at most, half of them from texts where there are both
  int64_t sequence = 512;                  // tokens of a piece of text
  int64_t loss_tokens = 1024;              // the candidates of a search are compared on about so many
  double smoothing = 0.3;                  // of the tower: the part of the difficulty that moves to the weights
  std::string search;                      // directory of what was found before: read and added to; empty: none
  int threads = 0;
  std::string isa;
  std::function<void(const QuantizeProgress&)> on_progress;
  const std::atomic<bool>* cancel = nullptr;
};

// One search of AWQ: mean squared error of a layer group's outputs on the calibration.
struct SearchReport {
  int64_t layer = 0;
  std::string point;  // "attention", "out", "mlp", "down"
  double rounding_loss = 0, loss = 0;
  double exponent = 0;  // of the channels' mean magnitudes
};

struct QuantizeReport {
  uint64_t bytes_before = 0, bytes = 0;  // of the weights, as the kernels read them
  int64_t calibration_tokens = 0, calibration_media = 0;
  int64_t resumed_layers = 0;  // found in `search`
  std::vector<SearchReport> searches;
  std::vector<std::string> notes;
  double ms = 0;
};

// Quantises `model` (whatever Model::Open takes but a quantised one) and writes it to `output`, beside its name first:
// one file if that ends in ".galago", else a Hugging Face directory that readers of AutoAWQ load (4-bit decoder,
// everything else as it was). InvalidArgument for options that make no sense and shapes that groups do not divide;
// DataLoss for weights or activations that are not finite.
StatusOr<QuantizeReport> QuantizeModel(const std::string& model, const ModelOptions& model_options,
                                       const std::string& output, const QuantizeOptions& options);

}  // namespace galago

#endif  // GALAGO_QUANTIZE_H_

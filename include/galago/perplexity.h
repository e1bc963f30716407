#ifndef GALAGO_PERPLEXITY_H_
#define GALAGO_PERPLEXITY_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "galago/model.h"
#include "galago/status.h"

// How well a model foretells a text, and how far a quantised model is from the one it was made of.
namespace galago {

struct PerplexityOptions {
  int64_t window = 2048;    // tokens that see each other, 2 or more; windows do not overlap and a rest is dropped
  int64_t max_windows = 0;  // 0: all
  int threads = 0;
  std::string isa;
  std::function<void(int64_t done, int64_t total)> on_window;
  const std::atomic<bool>* cancel = nullptr;
};

// Of a model's next-token distributions against another's, over the same positions.
struct Agreement {
  double kl_divergence = 0;  // mean of sum p_reference log(p_reference / p), nats
  double top1 = 0;           // share of positions with the same likeliest token
};

struct PerplexityResult {
  int64_t windows = 0, window = 0;
  double perplexity = 0;      // exp of the mean over windows of the mean loss of their tokens but the first
  double standard_error = 0;  // of that mean loss, from the spread of the windows; 0 for a single one
  std::optional<double> reference_perplexity;
  std::optional<Agreement> agreement;
};

// The protocol of mit-han-lab/llm-awq: awq/entry.py: the text is encoded once. Weights are loaded; `reference` may be
// null and has the same vocabulary. InvalidArgument if the text is shorter than a window.
StatusOr<PerplexityResult> MeasurePerplexity(const Model& model, const Model* reference, const std::string& text,
                                             const PerplexityOptions& options);

}  // namespace galago

#endif  // GALAGO_PERPLEXITY_H_

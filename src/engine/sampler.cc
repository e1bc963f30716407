#include "src/engine/sampler.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::engine {

Status CheckSampling(const SamplingOptions& options, int64_t vocab_size) {
  const auto finite = [](float value) { return std::isfinite(value); };
  if (!finite(options.temperature) || options.temperature < 0) {
    return InvalidArgument(StrCat("temperature is ", options.temperature, ", expected 0 (greedy) or more"));
  }
  if (options.top_k < 0) return InvalidArgument(StrCat("top-k is ", options.top_k, ", expected 0 (off) or more"));
  if (!(options.top_p > 0 && options.top_p <= 1)) {
    return InvalidArgument(StrCat("top-p is ", options.top_p, ", expected more than 0 and at most 1"));
  }
  if (!(options.min_p >= 0 && options.min_p <= 1)) {
    return InvalidArgument(StrCat("min-p is ", options.min_p, ", expected 0 to 1"));
  }
  if (!(finite(options.repeat_penalty) && options.repeat_penalty > 0)) {
    return InvalidArgument(StrCat("repeat penalty is ", options.repeat_penalty, ", expected more than 0 (1 is off)"));
  }
  if (options.repeat_last_n < 0) {
    return InvalidArgument(StrCat("repeat window is ", options.repeat_last_n, ", expected 0 or more tokens"));
  }
  if (!finite(options.presence_penalty) || !finite(options.frequency_penalty)) {
    return InvalidArgument("presence and frequency penalties must be finite");
  }
  for (const auto& [id, bias] : options.logit_bias) {
    if (id < 0 || id >= vocab_size) {
      return InvalidArgument(StrCat("logit bias on token ", id, ", the model has tokens 0 to ", vocab_size - 1));
    }
    if (std::isnan(bias) || bias == INFINITY) return InvalidArgument(StrCat("logit bias on token ", id, " is ", bias));
  }
  return OkStatus();
}

Sampler::Sampler(const SamplingOptions& options, int64_t vocab_size, uint64_t seed)
    : options_(options),
      counts_(static_cast<size_t>(vocab_size)),
      penalised_(static_cast<size_t>(vocab_size)),
      random_(seed) {
  generated_.reserve(static_cast<size_t>(std::min<int64_t>(vocab_size, 4096)));
  recent_.reserve(static_cast<size_t>(std::min(options_.repeat_last_n, 4096)));
  if (options_.temperature > 0) {
    candidates_.reserve(static_cast<size_t>(vocab_size));
    weights_.reserve(static_cast<size_t>(vocab_size));
  }
}

void Sampler::AcceptPrompt(std::span<const int32_t> ids) {
  const auto window = static_cast<size_t>(options_.repeat_last_n);
  if (window == 0) return;
  for (const int32_t id : ids) {
    if (recent_.size() < window) {
      recent_.push_back(id);
    } else {
      recent_[recent_next_] = id;
      recent_next_ = (recent_next_ + 1) % window;
    }
  }
}

void Sampler::Accept(int32_t id) {
  AcceptPrompt({&id, 1});
  int32_t& count = counts_[static_cast<size_t>(id)];
  if (count++ == 0) generated_.push_back(id);
}

void Sampler::Penalise(std::span<float> logits) {
  if (options_.repeat_penalty != 1.0f) {
    for (const int32_t id : recent_) {
      // Once per distinct token, as in the paper (CTRL) and in transformers.
      if (std::exchange(penalised_[static_cast<size_t>(id)], true)) continue;
      float& logit = logits[static_cast<size_t>(id)];
      logit = logit > 0 ? logit / options_.repeat_penalty : logit * options_.repeat_penalty;
    }
    for (const int32_t id : recent_) penalised_[static_cast<size_t>(id)] = false;
  }
  if (options_.presence_penalty != 0.0f || options_.frequency_penalty != 0.0f) {
    for (const int32_t id : generated_) {
      const auto count = static_cast<float>(counts_[static_cast<size_t>(id)]);
      logits[static_cast<size_t>(id)] -= options_.presence_penalty + count * options_.frequency_penalty;
    }
  }
  for (const auto& [id, bias] : options_.logit_bias) logits[static_cast<size_t>(id)] += bias;
}

int32_t Sampler::Choose(std::span<float> logits) {
  DCHECK(logits.size() == counts_.size());
  Penalise(logits);
  if (options_.temperature == 0.0f) {
    return static_cast<int32_t>(std::max_element(logits.begin(), logits.end()) - logits.begin());
  }
  return Draw(logits);
}

int32_t Sampler::Draw(std::span<const float> logits) {
  const auto more_likely = [](const Candidate& a, const Candidate& b) {
    return a.logit != b.logit ? a.logit > b.logit : a.id < b.id;
  };
  candidates_.clear();
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > -INFINITY) candidates_.push_back({logits[i], static_cast<int32_t>(i)});
  }
  if (candidates_.empty()) return 0;
  size_t keep = candidates_.size();
  if (options_.top_k > 0) keep = std::min(keep, static_cast<size_t>(options_.top_k));
  std::partial_sort(candidates_.begin(), candidates_.begin() + static_cast<std::ptrdiff_t>(keep), candidates_.end(),
                    more_likely);
  candidates_.resize(keep);

  const double highest = candidates_.front().logit;
  weights_.clear();
  double total = 0;
  for (const Candidate& candidate : candidates_) {
    weights_.push_back(std::exp((candidate.logit - highest) / options_.temperature));
    total += weights_.back();
  }
  // top-p keeps the smallest head whose probability reaches top_p, then min-p what is at least min_p of the best.
  double head = 0;
  size_t count = 0;
  while (count < keep && (count == 0 || head < options_.top_p * total) &&
         weights_[count] >= options_.min_p * weights_.front()) {
    head += weights_[count++];
  }
  double left = static_cast<double>(random_() >> 11) * 0x1p-53 * head;
  for (size_t i = 0; i + 1 < count; ++i) {
    left -= weights_[i];
    if (left < 0) return candidates_[i].id;
  }
  return candidates_[count - 1].id;
}

}  // namespace galago::engine

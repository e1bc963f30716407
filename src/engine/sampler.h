#ifndef GALAGO_ENGINE_SAMPLER_H_
#define GALAGO_ENGINE_SAMPLER_H_

#include <cstdint>
#include <random>
#include <span>
#include <vector>

#include "galago/session.h"
#include "galago/status.h"

namespace galago::engine {

// Refuses options that mean nothing: negative temperature, top_p outside (0, 1], a bias on a token the model lacks, ...
Status CheckSampling(const SamplingOptions& options, int64_t vocab_size);

// Chooses the next token from logits. Order of steps: repetition, presence and frequency penalties, logit bias, then
// greedy (temperature 0; ties take the lowest id) or temperature, top-k, top-p, min-p and a draw, which is the order of
// huggingface/transformers' warpers. Equal seeds and logits give equal tokens on every platform.
class Sampler {
 public:
  // `options` must have passed CheckSampling.
  Sampler(const SamplingOptions& options, int64_t vocab_size, uint64_t seed);

  // Prompt tokens count for the repetition penalty only, generated ones for all three.
  void AcceptPrompt(std::span<const int32_t> ids);
  void Accept(int32_t id);

  // logits [vocab_size], changed in place.
  int32_t Choose(std::span<float> logits);

 private:
  void Penalise(std::span<float> logits);
  int32_t Draw(std::span<const float> logits);

  struct Candidate {
    float logit;
    int32_t id;
  };

  SamplingOptions options_;
  std::vector<int32_t> recent_;  // ring of the last repeat_last_n tokens
  size_t recent_next_ = 0;
  std::vector<int32_t> counts_;        // [vocab_size] generated so far
  std::vector<char> penalised_;        // [vocab_size] scratch of one step, all false between steps
  std::vector<int32_t> generated_;     // ids with a count
  std::vector<Candidate> candidates_;  // scratch, kept so that a step allocates nothing
  std::vector<double> weights_;
  std::mt19937_64 random_;
};

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_SAMPLER_H_

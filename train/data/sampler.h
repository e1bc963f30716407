#ifndef GALAGO_TRAIN_DATA_SAMPLER_H_
#define GALAGO_TRAIN_DATA_SAMPLER_H_

#include <cstdint>
#include <span>
#include <vector>

namespace galago::train {

// How samples are divided among ranks.
enum class Division {
  kChunks,  // each rank reads a contiguous chunk of every data set, as the reference does
  kSteps,   // each optimiser step holds the same samples on any number of ranks, which share them out
};

struct SamplerOptions {
  int64_t world_size = 1;  // W: ranks
  int64_t rank = 0;
  int64_t micro_batch = 1;   // B: draws per micro-batch of a rank
  int64_t accumulation = 1;  // A: micro-batches per optimiser step
  uint64_t seed = 1;
  Division division = Division::kChunks;
};

// Draws a rank sees in one epoch: of every dataset the most that fill whole global batches.
int64_t EpochLength(std::span<const int64_t> lengths, const SamplerOptions& options);

// The order in which a rank sees the concatenation of datasets of these lengths in an epoch, EpochLength indices: each
// dataset cut into one contiguous chunk per rank, shuffled, and spread evenly over the epoch. A function of its
// arguments alone (NVlabs/VILA: llava/train/llava_trainer.py, VILADistributedSampler).
std::vector<int64_t> EpochOrder(std::span<const int64_t> lengths, const SamplerOptions& options, int64_t epoch);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_SAMPLER_H_

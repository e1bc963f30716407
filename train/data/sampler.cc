#include "train/data/sampler.h"

#include <algorithm>
#include <numeric>

#include "src/base/check.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

int64_t PerRank(int64_t length, const SamplerOptions& options) {
  const int64_t per_step = options.micro_batch * options.accumulation;
  return length / (options.world_size * per_step) * per_step;
}

// This rank's part of each step of the order that one rank would see.
std::vector<int64_t> ShareOfSteps(std::span<const int64_t> lengths, const SamplerOptions& options, int64_t epoch) {
  SamplerOptions alone = options;
  alone.world_size = 1;
  alone.rank = 0;
  alone.accumulation = options.accumulation * options.world_size;
  const std::vector<int64_t> all = EpochOrder(lengths, alone, epoch);
  const auto share = static_cast<size_t>(options.micro_batch * options.accumulation);
  const size_t step = share * static_cast<size_t>(options.world_size);
  std::vector<int64_t> order;
  for (size_t at = static_cast<size_t>(options.rank) * share; at < all.size(); at += step) {
    order.insert(order.end(), all.begin() + static_cast<std::ptrdiff_t>(at),
                 all.begin() + static_cast<std::ptrdiff_t>(at + share));
  }
  return order;
}

}  // namespace

int64_t EpochLength(std::span<const int64_t> lengths, const SamplerOptions& options) {
  int64_t total = 0;
  for (const int64_t length : lengths) total += PerRank(length, options);
  return total;
}

std::vector<int64_t> EpochOrder(std::span<const int64_t> lengths, const SamplerOptions& options, int64_t epoch) {
  CHECK(options.world_size > 0 && options.micro_batch > 0 && options.accumulation > 0);
  CHECK(options.rank >= 0 && options.rank < options.world_size);
  if (options.division == Division::kSteps && options.world_size > 1) return ShareOfSteps(lengths, options, epoch);
  // The chunk of every dataset, shuffled; all with the same generator state, as the reference seeds it per dataset.
  std::vector<std::vector<int64_t>> chunks(lengths.size());
  int64_t offset = 0;
  for (size_t d = 0; d < lengths.size(); ++d) {
    const int64_t count = PerRank(lengths[d], options);
    chunks[d].resize(static_cast<size_t>(count));
    std::iota(chunks[d].begin(), chunks[d].end(), offset + options.rank * count);
    world::Rng rng(options.seed + static_cast<uint64_t>(epoch));
    rng.Shuffle(chunks[d]);
    offset += lengths[d];
  }
  std::vector<size_t> by_size(lengths.size());
  std::iota(by_size.begin(), by_size.end(), size_t{0});
  std::stable_sort(by_size.begin(), by_size.end(),
                   [&](size_t a, size_t b) { return chunks[a].size() > chunks[b].size(); });

  std::vector<int64_t> order(static_cast<size_t>(EpochLength(lengths, options)), -1);
  std::vector<size_t> free(order.size());
  std::iota(free.begin(), free.end(), size_t{0});
  for (const size_t d : by_size) {
    const std::vector<int64_t>& chunk = chunks[d];
    if (chunk.empty()) continue;
    for (size_t i = 0; i < chunk.size(); ++i) order[free[i * free.size() / chunk.size()]] = chunk[i];
    std::erase_if(free, [&](size_t slot) { return order[slot] >= 0; });
  }
  CHECK(free.empty());
  return order;
}

}  // namespace galago::train

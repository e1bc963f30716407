#include "train/world/rng.h"

#include <bit>

namespace galago::world {
namespace {

uint64_t SplitMix(uint64_t& state) {
  state += 0x9E3779B97F4A7C15U;
  uint64_t z = state;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(uint64_t seed) {
  for (uint64_t& word : state_) word = SplitMix(seed);
}

uint64_t Rng::Next() {
  const uint64_t result = std::rotl(state_[1] * 5, 7) * 9;
  const uint64_t shifted = state_[1] << 17;
  state_[2] ^= state_[0];
  state_[3] ^= state_[1];
  state_[1] ^= state_[2];
  state_[0] ^= state_[3];
  state_[2] ^= shifted;
  state_[3] = std::rotl(state_[3], 45);
  return result;
}

int64_t Rng::Int(int64_t low, int64_t high) {
  CHECK_LE(low, high);
  const uint64_t range = static_cast<uint64_t>(high) - static_cast<uint64_t>(low) + 1;
  if (range == 0) return static_cast<int64_t>(Next());
  // Values beyond the last whole multiple of the range would favour small results.
  const uint64_t limit = UINT64_MAX - (UINT64_MAX % range + 1) % range;
  uint64_t value = Next();
  while (value > limit) value = Next();
  return static_cast<int64_t>(static_cast<uint64_t>(low) + value % range);
}

double Rng::Uniform() { return static_cast<double>(Next() >> 11) * 0x1.0p-53; }

uint64_t MixSeed(uint64_t seed, std::string_view text, uint64_t number) {
  uint64_t state = seed;
  uint64_t mixed = SplitMix(state);
  for (const char c : text) {
    state = mixed ^ static_cast<uint8_t>(c);
    mixed = SplitMix(state);
  }
  state = mixed ^ number;
  return SplitMix(state);
}

}  // namespace galago::world

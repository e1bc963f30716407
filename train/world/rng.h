#ifndef GALAGO_TRAIN_WORLD_RNG_H_
#define GALAGO_TRAIN_WORLD_RNG_H_

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "src/base/check.h"

namespace galago::world {

// xoshiro256** seeded through splitmix64: the same numbers on every machine and with every standard library.
class Rng {
 public:
  explicit Rng(uint64_t seed);

  uint64_t Next();
  // Uniform in [low, high], both included.
  int64_t Int(int64_t low, int64_t high);
  // Uniform in [0, 1) and in [low, high).
  double Uniform();
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  bool Chance(double probability) { return Uniform() < probability; }

  template <class T>
  const T& Pick(std::span<const T> items) {
    CHECK(!items.empty());
    return items[static_cast<size_t>(Int(0, static_cast<int64_t>(items.size()) - 1))];
  }
  template <class T>
  const T& Pick(const std::vector<T>& items) {
    return Pick(std::span<const T>(items));
  }
  template <class T, size_t kSize>
  const T& Pick(const std::array<T, kSize>& items) {
    return Pick(std::span<const T>(items));
  }
  template <class T>
  T Pick(std::initializer_list<T> items) {
    return Pick(std::span<const T>(items.begin(), items.size()));
  }
  template <class T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[static_cast<size_t>(Int(0, static_cast<int64_t>(i) - 1))]);
    }
  }

 private:
  std::array<uint64_t, 4> state_;
};

// A seed of its own for every (seed, text, number): samples can be drawn in any order, on any thread.
uint64_t MixSeed(uint64_t seed, std::string_view text, uint64_t number);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_RNG_H_

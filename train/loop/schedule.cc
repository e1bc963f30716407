#include "train/loop/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace galago::train {

int64_t Schedule::num_warmup_steps() const {
  return static_cast<int64_t>(std::ceil(warmup_ratio * static_cast<double>(num_steps)));
}

double Schedule::Factor(int64_t step) const {
  const int64_t warmup = num_warmup_steps();
  if (step < warmup) return static_cast<double>(step) / static_cast<double>(std::max<int64_t>(1, warmup));
  const bool stable = decay_ratio > 0.0;
  const auto decay = static_cast<int64_t>(std::ceil(decay_ratio * static_cast<double>(num_steps)));
  const int64_t first = stable ? std::max(warmup, num_steps - decay) : warmup;  // of the way down
  const double rest = static_cast<double>(std::max<int64_t>(1, num_steps - first));
  const double progress = std::clamp(static_cast<double>(step - first) / rest, 0.0, 1.0);
  const double left = stable ? 1.0 - progress : 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return min_lr_ratio + (1.0 - min_lr_ratio) * left;
}

}  // namespace galago::train

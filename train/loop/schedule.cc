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
  const double rest = static_cast<double>(std::max<int64_t>(1, num_steps - warmup));
  const double progress = std::min(1.0, static_cast<double>(step - warmup) / rest);
  const double cosine = 0.5 * (1.0 + std::cos(std::numbers::pi * progress));
  return min_lr_ratio + (1.0 - min_lr_ratio) * cosine;
}

}  // namespace galago::train

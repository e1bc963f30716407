#ifndef GALAGO_TRAIN_LOOP_SCHEDULE_H_
#define GALAGO_TRAIN_LOOP_SCHEDULE_H_

#include <cstdint>

namespace galago::train {

// Linear warm-up over ceil(warmup_ratio * num_steps) steps, then half a cosine to peak * min_lr_ratio; with a
// decay_ratio the peak instead, and a straight line down over the last ceil(decay_ratio * num_steps) steps (warm-up,
// stable, decay). `step` counts the optimiser steps done, so the first step of a warm-up has rate 0
// (huggingface/transformers: src/transformers/optimization.py, get_cosine_schedule_with_warmup, get_wsd_schedule).
struct Schedule {
  int64_t num_steps = 0;
  double warmup_ratio = 0.03;
  double decay_ratio = 0.0;
  double min_lr_ratio = 0.0;

  int64_t num_warmup_steps() const;
  // The factor on the peak rate.
  double Factor(int64_t step) const;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_SCHEDULE_H_

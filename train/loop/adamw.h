#ifndef GALAGO_TRAIN_LOOP_ADAMW_H_
#define GALAGO_TRAIN_LOOP_ADAMW_H_

#include <cstdint>
#include <span>

namespace galago::train {

struct AdamWOptions {
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
};

// One step of AdamW with bias correction and decoupled decay over parameters that share a rate (pytorch/pytorch:
// torch/optim/adamw.py), `step` counted from 1. All spans have one length. Element by element, so the result depends on
// neither the cut into spans nor the instruction set.
void AdamWStep(std::span<float> values, std::span<const float> gradients, std::span<float> exp_avg,
               std::span<float> exp_avg_sq, const AdamWOptions& options, double lr, double weight_decay,
               float gradient_scale, int64_t step);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_ADAMW_H_

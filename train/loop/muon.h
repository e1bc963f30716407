#ifndef GALAGO_TRAIN_LOOP_MUON_H_
#define GALAGO_TRAIN_LOOP_MUON_H_

#include <cstdint>
#include <span>

namespace galago::train {

struct MuonOptions {
  double momentum = 0.95;
};

// One step of Muon on the weight [rows, columns] of a linear layer (KellerJordan/Muon: muon.py): the Nesterov momentum
// of the gradients is replaced by about the nearest matrix with orthogonal rows or columns, in five Newton-Schulz
// iterations. The step is scaled to the size AdamW's steps have, 0.2 sqrt(max(rows, columns)), so that both share a
// rate and a decay (arXiv 2502.16982, section 2.2). Float32 throughout. Where all gradients are zero (a tower and a
// step without pictures) nothing moves: the step's size would not follow them. `averages` is the mean of the gradients
// weighted by momentum; the spans have rows * columns elements.
void MuonStep(std::span<float> values, std::span<const float> gradients, std::span<float> averages, int64_t rows,
              int64_t columns, const MuonOptions& options, double lr, double weight_decay, float gradient_scale);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_MUON_H_

#ifndef GALAGO_TRAIN_LOOP_AVERAGE_H_
#define GALAGO_TRAIN_LOOP_AVERAGE_H_

#include "galago/status.h"
#include "train/modules/vlm.h"

namespace galago::train {

// Moves every trained tensor of `model` by `share` of the way to `other`: 0.5 is the mean of both. Of two models of
// which one was trained on from the other, the mean often answers better than either (Wortsman et al., "Model soups"
// and "Robust fine-tuning of zero-shot models", 2022). InvalidArgument, with nothing changed, if the tensors of the two
// have other names or shapes.
Status MoveTowards(Vlm& model, Vlm& other, double share);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_AVERAGE_H_

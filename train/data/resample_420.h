#ifndef GALAGO_TRAIN_DATA_RESAMPLE_420_H_
#define GALAGO_TRAIN_DATA_RESAMPLE_420_H_

#include "src/media/image.h"

namespace galago::train {

// What is left of a frame's colours in a video file: luma of every pixel, chroma of every 2 x 2 block (BT.601, studio
// range, as the usual encoders write 4:2:0). Frames drawn in memory are passed through this, so that the model sees in
// training what a decoder gives it later.
void Resample420(media::Image& frame);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_RESAMPLE_420_H_

#ifndef GALAGO_TRAIN_DATA_PREPARE_MEDIA_H_
#define GALAGO_TRAIN_DATA_PREPARE_MEDIA_H_

#include "galago/status.h"
#include "src/media/preprocess/preprocess.h"
#include "src/spec/model_spec.h"
#include "train/data/record.h"

namespace galago::train {

// Pixels as the engine would see them at inference, and how long a video lasts.
struct PreparedMedium {
  media::Preprocessed pixels;
  double duration_s = 0.0;  // 0: a picture, or not known
};

// Decodes and preprocesses one medium; `turn` says whether its record holds a single picture. Errors name the medium.
StatusOr<PreparedMedium> PrepareMedium(const spec::ModelSpec& model, const Medium& medium, media::Turn turn,
                                       std::optional<int64_t> max_tiles);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_PREPARE_MEDIA_H_

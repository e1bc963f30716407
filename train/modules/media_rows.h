#ifndef GALAGO_TRAIN_MODULES_MEDIA_ROWS_H_
#define GALAGO_TRAIN_MODULES_MEDIA_ROWS_H_

#include <memory>
#include <vector>

#include "src/spec/model_spec.h"
#include "train/data/sequence.h"
#include "train/modules/projector.h"
#include "train/modules/vision_tower.h"

// Pictures and videos to rows of the language model: tower, S2 merging, projector, temporal pooling, framing. The same
// steps as the engine's src/models.
namespace galago::train {

// Ids of the text around each picture or frame.
struct Framing {
  std::vector<int32_t> start, end, sep;
};

struct MediaRows {
  Tensor rows;  // [M, D] f32, all that came out of the projector and the pooling
  // For each medium its rows in order: token ids (framing), or -1 - r for row r of `rows`.
  std::vector<std::vector<int32_t>> sources;
};

struct MediaOptions {
  torch::ScalarType type = torch::kFloat;
  bool recompute = false;
  bool train_vision = true;     // false: the tower runs without a graph
  bool train_projector = true;  // both false: the projector, too
};

MediaRows EncodeMedia(const spec::ModelSpec& spec, const VisionTower& tower, const Projector& projector,
                      const std::vector<std::shared_ptr<const MediaInput>>& media, const Framing& framing,
                      const MediaOptions& options);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_MEDIA_ROWS_H_

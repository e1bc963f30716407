#ifndef GALAGO_TRAIN_WORLD_GALLERY_H_
#define GALAGO_TRAIN_WORLD_GALLERY_H_

#include <string>

#include "galago/status.h"
#include "train/world/plan.h"
#include "train/world/task.h"

namespace galago::world {

// One HTML page that needs no other file: the samples of the plan with their pictures (videos as strips of frames),
// questions and answers, for a person to look at.
StatusOr<std::string> GalleryPage(const Plan& plan, const Assets& assets = {});

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_GALLERY_H_

#ifndef GALAGO_TRAIN_WORLD_SAMPLE_JSON_H_
#define GALAGO_TRAIN_WORLD_SAMPLE_JSON_H_

#include <span>
#include <string>

#include "src/base/json.h"
#include "train/world/sample.h"

// Samples in the published record formats (docs/world.md).
namespace galago::world {

// One record: LLaVA conversation, or text with the list of its pictures for a document. `paths` name the media in
// order, pictures and videos alike.
Json RecordJson(const Sample& sample, const std::string& id, std::span<const std::string> paths);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_SAMPLE_JSON_H_

#ifndef GALAGO_MODELS_MEMORY_H_
#define GALAGO_MODELS_MEMORY_H_

#include <cstdint>

#include "src/models/runner.h"
#include "src/spec/model_spec.h"

namespace galago::models {

// Bytes a model needs besides the key/value cache, computed from the spec alone.
struct MemoryNeeds {
  uint64_t weights = 0;  // as the spec says; where it does not, 2 bytes a matrix element of the layers that run
  uint64_t vision_workspace = 0;  // peak of encoding one picture with the most tiles
  uint64_t activations = 0;       // peak of prefilling one chunk of kPrefillChunk positions
};

inline constexpr int64_t kPrefillChunk = 512;

MemoryNeeds PlanMemory(const spec::ModelSpec& spec);

// Bytes of a model's matrices when they are made up in these types.
uint64_t RandomWeightBytes(const spec::ModelSpec& spec, const RandomFormat& format);

}  // namespace galago::models

#endif  // GALAGO_MODELS_MEMORY_H_

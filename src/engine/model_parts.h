#ifndef GALAGO_ENGINE_MODEL_PARTS_H_
#define GALAGO_ENGINE_MODEL_PARTS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "galago/model.h"
#include "src/models/runner.h"
#include "src/spec/model_spec.h"
#include "src/text/prompt.h"
#include "src/text/tokenizer.h"

namespace galago {

// What a Model is made of; the engine's side of the opaque pointer.
struct Model::Parts {
  std::string name;
  ModelOptions options;
  spec::ModelSpec spec;
  std::shared_ptr<const text::Tokenizer> tokenizer;
  text::FramingIds image_framing;
  text::FramingIds video_framing;
  std::vector<int32_t> stop_ids;
  std::vector<std::string> stop_strings;
  std::optional<models::RandomFormat> random;    // weights are made up instead of read
  std::shared_ptr<const models::Runner> runner;  // null until the weights are loaded
  uint64_t token_bytes = 0, vision_bytes = 0;    // of models::LoadReport, likewise
};

namespace engine {

inline ops::Precision OpsPrecision(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return ops::Precision::kF32;
    case Precision::kBf16:
      return ops::Precision::kBf16;
    case Precision::kInt8:
      return ops::Precision::kInt8;
  }
  return ops::Precision::kF32;
}

// Type of the cached keys and values at this precision.
inline DType KvDType(Precision precision) { return precision == Precision::kF32 ? DType::kF32 : DType::kBF16; }

}  // namespace engine
}  // namespace galago

#endif  // GALAGO_ENGINE_MODEL_PARTS_H_

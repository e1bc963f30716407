#ifndef GALAGO_ENGINE_MAKE_MODEL_H_
#define GALAGO_ENGINE_MAKE_MODEL_H_

#include <memory>
#include <optional>
#include <string>

#include "galago/model.h"
#include "src/models/runner.h"
#include "src/spec/parse.h"
#include "src/text/tokenizer.h"

namespace galago::engine {

StatusOr<spec::ParseOptions> ParseOptionsFor(const ModelOptions& options);

// What a model is made of before its weights are loaded.
struct ModelParts {
  std::string name;
  ModelOptions options;
  spec::ModelSpec spec;
  std::unique_ptr<text::Tokenizer> tokenizer;
  std::optional<models::RandomFormat> random;  // weights are made up instead of read
};
StatusOr<std::shared_ptr<Model>> MakeModel(ModelParts parts);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_MAKE_MODEL_H_

#ifndef GALAGO_SPEC_DESCRIBE_H_
#define GALAGO_SPEC_DESCRIBE_H_

#include <string>

#include "src/base/json.h"
#include "src/spec/model_spec.h"

namespace galago::spec {

// Positions the model was made for, less if its tokenizer states a smaller limit; 2048 where neither is stated.
int64_t ContextLimit(const ModelSpec& spec);

// Everything a spec says, with the field names of model_spec.h: `galago inspect --json`.
Json Describe(const ModelSpec& spec);

// The same for people: one line for each part, then the notes.
std::string DescribeText(const ModelSpec& spec);

}  // namespace galago::spec

#endif  // GALAGO_SPEC_DESCRIBE_H_

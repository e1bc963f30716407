#ifndef GALAGO_SPEC_PUBLISHED_H_
#define GALAGO_SPEC_PUBLISHED_H_

#include <span>
#include <string>
#include <string_view>

#include "galago/status.h"
#include "src/spec/parse.h"

// Published checkpoints by their dimensions, as their own config files state them: for measuring speed and memory
// without the weights.
namespace galago::spec {

struct PublishedShape {
  std::string_view name;  // as its repository is called
  std::string_view what;  // one line for people
};
std::span<const PublishedShape> PublishedShapes();

// The files of that checkpoint as far as the parsers read them, parsed: everything but vocabulary and weights. Names
// match whatever their case; NotFound lists what there is.
StatusOr<ModelSpec> ParsePublished(std::string_view name, const ParseOptions& options = {});

}  // namespace galago::spec

#endif  // GALAGO_SPEC_PUBLISHED_H_

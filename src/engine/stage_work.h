#ifndef GALAGO_ENGINE_STAGE_WORK_H_
#define GALAGO_ENGINE_STAGE_WORK_H_

#include <cstdint>

#include "src/spec/model_spec.h"

// Operations of the computing stages, from a model's dimensions alone. A multiply-add counts two; norms, activations
// and softmax are left out, as the literature does.
namespace galago::engine {

// `tokens` positions after `past` others through the decoder, and the head on the last of them.
double DecoderOperations(const spec::LanguageModelSpec& spec, int64_t tokens, int64_t past);

// One tile (or frame) through tower and projector, all its scales included.
double TileOperations(const spec::ModelSpec& spec);

// Bytes of the cached keys and values that `tokens` positions after `past` others read or write, each counted once for
// every chunk of `chunk` positions.
double CacheBytes(const spec::LanguageModelSpec& spec, int64_t tokens, int64_t past, int64_t chunk,
                  int64_t element_bytes);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_STAGE_WORK_H_

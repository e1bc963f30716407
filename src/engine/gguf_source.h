#ifndef GALAGO_ENGINE_GGUF_SOURCE_H_
#define GALAGO_ENGINE_GGUF_SOURCE_H_

#include "galago/status.h"
#include "src/io/gguf.h"
#include "src/spec/parse.h"
#include "src/text/tokenizer.h"

// What a GGUF file holds, in the words of the folders that may not know the container.
namespace galago::engine {

// Metadata and tensor shapes. Arrays of more than 4096 elements (the vocabulary) are left out.
StatusOr<spec::GgufFacts> FactsOf(const io::GgufFile& file, const std::filesystem::path& path);

// The tokenizer.ggml.* values.
StatusOr<text::GgufVocab> VocabOf(const io::GgufFile& file);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_GGUF_SOURCE_H_

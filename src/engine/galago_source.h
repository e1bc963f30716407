#ifndef GALAGO_ENGINE_GALAGO_SOURCE_H_
#define GALAGO_ENGINE_GALAGO_SOURCE_H_

#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "galago/status.h"
#include "src/io/galago_file.h"
#include "src/spec/parse.h"
#include "src/text/tokenizer.h"

// What a .galago file holds beside weights, in the words of the folders that may not know the container.
namespace galago::engine {

struct SpecAndTokenizer {
  spec::ModelSpec spec;
  std::unique_ptr<text::Tokenizer> tokenizer;
};

// Reads what GalagoTextsOf stored.
StatusOr<SpecAndTokenizer> ReadGalago(const io::GalagoFile& file, const std::filesystem::path& path,
                                      const spec::ParseOptions& options);

// The facts and small files of a checkpoint: all that parsers and tokenizers may ask for, below 128 MiB each.
struct GalagoTexts {
  std::string facts;
  std::map<std::string, std::string> files;
};
// Of the checkpoint that `spec` was read from, a directory or GGUF files.
StatusOr<GalagoTexts> GalagoTextsOf(const spec::ModelSpec& spec);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_GALAGO_SOURCE_H_

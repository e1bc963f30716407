#ifndef GALAGO_SPEC_PARSE_H_
#define GALAGO_SPEC_PARSE_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/json.h"
#include "src/spec/model_spec.h"

// From a checkpoint's own files to a ModelSpec. Which family it is follows from what the files contain, never from how
// they are called; what cannot be run is refused here, by name, before any weight is touched.
namespace galago::spec {

struct ParseOptions {
  // Which reference behaviour a VILA-1.5 checkpoint gets. Unset: era A, the code it was trained with.
  std::optional<Vila15Compat> vila15_compat;
  // Overrides the conversation template found in the files.
  std::optional<Template> chat_template;
  // Which of its two historical forms `llama_3` takes where the files only say that the tokenizer is Llama-3's.
  Template llama_3_form = Template::kLlama3Form2;
  // Deviations of llama.cpp, for comparing with it. All off: the reference's behaviour.
  LlamaCppCompat llama_cpp;
};

// The files of a checkpoint directory, by names relative to it ("llm/config.json"). A seam: tests and the fuzzer hold
// them in memory.
class FileSource {
 public:
  virtual ~FileSource() = default;
  virtual bool Exists(std::string_view name) const = 0;  // a file or a folder
  virtual StatusOr<std::string> Read(std::string_view name) const = 0;
  // What a file is called in messages.
  virtual std::string NameOf(std::string_view name) const { return std::string(name); }
};

// The files below a directory.
std::unique_ptr<const FileSource> FilesBelow(const std::filesystem::path& root);

// Reads a checkpoint directory: VILA-1.5 and NVILA in sub-folders, HF-native NVILA, MobileVLM, or a text-only Llama or
// Qwen2 model.
StatusOr<ModelSpec> ParseDirectory(const std::filesystem::path& path, const ParseOptions& options = {});
StatusOr<ModelSpec> ParseFiles(const FileSource& files, const std::filesystem::path& path,
                               const ParseOptions& options = {});

// What a GGUF file says about itself, without io's types. Metadata values are JSON scalars or arrays (long arrays such
// as the vocabulary may be left out); shapes are row-major, slowest dimension first.
struct GgufFacts {
  std::filesystem::path path;
  std::map<std::string, Json, std::less<>> metadata;
  std::map<std::string, std::vector<int64_t>, std::less<>> tensors;
};

// A language model in GGUF and, if `mmproj` is given, its vision tower and projector.
StatusOr<ModelSpec> ParseGguf(const GgufFacts& llm, const GgufFacts* mmproj, const ParseOptions& options = {});

}  // namespace galago::spec

#endif  // GALAGO_SPEC_PARSE_H_

#include "src/base/strings.h"
#include "src/spec/sections.h"

// A bare LlamaForCausalLM or Qwen2ForCausalLM folder.
namespace galago::spec {

StatusOr<ModelSpec> ParseText(const FileSource& files, const std::filesystem::path& path, const Config& config,
                              const ParseOptions& options) {
  ModelSpec spec;
  spec.family = Family::kText;
  spec.layout = Layout::kSingleFolder;
  spec.path = path;
  ASSIGN_OR_RETURN(spec.language, ParseLanguage(config, spec.notes));
  ASSIGN_OR_RETURN(spec.language.quantization, ParseQuantization(files, "", config));
  ASSIGN_OR_RETURN(const TokenizerFiles tokenizer, ParseTokenizer(files, "", path, true));
  spec.tokenizer = tokenizer.spec;
  OwnTemplate(tokenizer, spec.prompt);
  OverrideTemplate(options, spec.prompt, spec.notes);
  spec.prompt.model_max_length = tokenizer.model_max_length;
  return spec;
}

}  // namespace galago::spec

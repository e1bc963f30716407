#ifndef GALAGO_TEXT_TOKENIZER_FILES_H_
#define GALAGO_TEXT_TOKENIZER_FILES_H_

#include <memory>
#include <string_view>

#include "galago/status.h"
#include "src/text/side_files.h"
#include "src/text/tokenizer.h"

// One reader per kind of vocabulary file, from bytes. LoadTokenizer finds the files and calls these.
namespace galago::text {

struct SentencePieceOptions {
  bool legacy = true;  // spec::TokenizerSpec::legacy
  bool add_bos_token = true;
  bool fast = false;  // spec::TokenizerSpec::fast
};

// tokenizer.model (a protobuf), as transformers' slow LlamaTokenizer reads it. BPE models without a character map only:
// that is all Llama-like models have.
StatusOr<std::unique_ptr<Tokenizer>> MakeSentencePieceTokenizer(std::string_view model, const SideFiles& side,
                                                                const SentencePieceOptions& options);

// vocab.json and merges.txt, as transformers' slow Qwen2Tokenizer reads them.
StatusOr<std::unique_ptr<Tokenizer>> MakeVocabMergesTokenizer(std::string_view vocab_json, std::string_view merges_txt,
                                                              const SideFiles& side);

// tokenizer.json of huggingface/tokenizers, byte-level BPE.
StatusOr<std::unique_ptr<Tokenizer>> MakeTokenizerJson(std::string_view json, const SideFiles& side);

}  // namespace galago::text

#endif  // GALAGO_TEXT_TOKENIZER_FILES_H_

#ifndef GALAGO_TRAIN_DATA_TOKENIZER_FILES_H_
#define GALAGO_TRAIN_DATA_TOKENIZER_FILES_H_

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>

#include "galago/status.h"
#include "train/data/bpe_trainer.h"

namespace galago::train {

struct TokenizerFileOptions {
  int64_t num_time_tokens = 100;  // <t0>, <t1>, ...
  int64_t model_max_length = 4096;
};

// The files of a tokenizer as an NVILA checkpoint has them in llm/: tokenizer.json, vocab.json, merges.txt,
// tokenizer_config.json, special_tokens_map.json, by name. Behind the vocabulary come <|endoftext|>, <|im_start|>,
// <|im_end|> (end of an answer and of text), [PAD], <vila/sentinel>, <image>, <vila/video> and the time tokens, which
// are no special tokens, so that answers show them. The chat template is ChatML without a system text of its own.
std::map<std::string, std::string> TokenizerFiles(const BpeVocab& vocab, const TokenizerFileOptions& options);

// Writes them, each beside and then renamed.
Status WriteTokenizer(const BpeVocab& vocab, const TokenizerFileOptions& options, const std::filesystem::path& folder);

// How many tokens come behind the vocabulary.
int64_t NumAddedTokens(const TokenizerFileOptions& options);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_TOKENIZER_FILES_H_

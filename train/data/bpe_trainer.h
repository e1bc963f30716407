#ifndef GALAGO_TRAIN_DATA_BPE_TRAINER_H_
#define GALAGO_TRAIN_DATA_BPE_TRAINER_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "galago/status.h"
#include "train/data/word_counts.h"

namespace galago::train {

// A byte-level vocabulary in its file spelling (src/text/byte_level.h): the 256 bytes in the order of their characters,
// then the other tokens.
struct BpeVocab {
  std::vector<std::string> tokens;                          // by id
  std::vector<std::pair<std::string, std::string>> merges;  // best first
  bool whole_words = false;  // a word that is a token is never cut: "ignore_merges" of the files
};

// Byte-pair encoding: the most frequent pair of neighbours becomes a token, until there are `vocab_size` or no pair
// occurs `min_count` times. Ties go to the pair with the lower ids. Equal to the official trainer
// (huggingface/tokenizers: tokenizers/src/models/bpe/trainer.rs) with the byte alphabet.
BpeVocab TrainBpe(const WordCounts& counts, int64_t vocab_size, int64_t min_count = 1);

// The bytes and these words, nothing in between.
BpeVocab VocabOfWords(const std::vector<std::string>& words);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_BPE_TRAINER_H_

#ifndef GALAGO_TEXT_TOKENIZER_PARTS_H_
#define GALAGO_TEXT_TOKENIZER_PARTS_H_

#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "src/text/normalizer.h"
#include "src/text/pre_tokenizer.h"
#include "src/text/side_files.h"
#include "src/text/subword_model.h"
#include "src/text/token_matcher.h"
#include "src/text/tokenizer.h"
#include "src/text/vocab.h"

namespace galago::text {

// Where SentencePiece's dummy prefix (one U+2581) goes.
enum class SpacePrefix {
  kNone,
  kEveryStretch,      // of text between special tokens: transformers' legacy behaviour
  kTextStart,         // transformers' legacy=False
  kStartAndSpecials,  // at the start and after special tokens: llama.cpp
};

// When added tokens are searched.
enum class Normalizing {
  kStretches,  // first in raw text; what is left is normalized and searched for `normalized` tokens: tokenizers
  kFirst,      // the whole text is normalized first: transformers' slow classes
};

struct Tokenizer::Parts {
  Vocab vocab;  // subword pieces and added tokens
  std::unique_ptr<const SubwordModel> model;
  std::vector<AddedToken> added;
  std::unordered_set<int32_t> special;  // ids never made from untrusted text
  // Ids left out of answers. transformers' slow classes skip only tokens that a setting names (bos_token, ...,
  // additional_special_tokens), whatever flag the others carry.
  std::unordered_set<int32_t> skipped;
  std::unordered_set<int32_t> added_ids;
  std::optional<PreTokenizer> pre_tokenizer;
  Normalization normalization = Normalization::kNone;
  Normalizing normalizing = Normalizing::kStretches;
  DecodeStyle decode_style = DecodeStyle::kByteLevel;
  SpacePrefix space_prefix = SpacePrefix::kNone;  // SentencePiece only
  bool no_prefix_before_tokens =
      false;                           // kTextStart: a text that begins with an added token gets none (the fast class)
  bool byte_pieces = false;            // <0xNN> are bytes
  bool decodes_as_slow_llama = false;  // with the habits of transformers' LlamaTokenizer
  bool clean_up_tokenization_spaces = false;
  std::optional<int32_t> bos_id, eos_id, unk_id, pad_id;
  std::string unk_token;               // its spelling
  std::vector<int32_t> before, after;  // what add_special puts around the ids

  // Built by Index().
  TokenMatcher raw_all, raw_plain;                // all added tokens; those that are not special
  TokenMatcher normalized_all, normalized_plain;  // kStretches only
  TokenMatcher special_spellings;

  // Registers a token: new ones must have a free id (DataLoss otherwise); a known spelling becomes an added token.
  Status Add(AddedToken token);
  // The added tokens of the side files, then the named ones (bos, eos, ...) that are new, each with the next id: the
  // order of transformers' PreTrainedTokenizer.__init__.
  Status AddFrom(const SideSettings& settings);
  // After the last Add: builds the matchers.
  void Index();
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_TOKENIZER_PARTS_H_

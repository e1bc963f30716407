#ifndef GALAGO_TEXT_SENTENCEPIECE_FILE_H_
#define GALAGO_TEXT_SENTENCEPIECE_FILE_H_

#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/text/spm_model.h"

namespace galago::text {

// What we need of a tokenizer.model (google/sentencepiece: src/sentencepiece_model.proto).
struct SentencePieceFile {
  std::vector<Piece> pieces;
  bool byte_fallback = false;
  bool add_dummy_prefix = true;
  bool remove_extra_whitespaces = true;
  bool escape_whitespaces = true;
};

// Our own reader rather than the library's: it never trusts a length, and one encoder then serves this file and GGUF.
// Unimplemented for unigram, word and char models, and for normalization by a character map.
StatusOr<SentencePieceFile> ParseSentencePieceFile(std::string_view bytes);

}  // namespace galago::text

#endif  // GALAGO_TEXT_SENTENCEPIECE_FILE_H_

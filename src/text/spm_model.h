#ifndef GALAGO_TEXT_SPM_MODEL_H_
#define GALAGO_TEXT_SPM_MODEL_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "galago/status.h"
#include "src/text/subword_model.h"
#include "src/text/token_matcher.h"
#include "src/text/vocab.h"

namespace galago::text {

inline constexpr std::string_view kSpaceSymbol = "\xe2\x96\x81";  // U+2581: a space inside pieces

// Values on disk, in tokenizer.model and in tokenizer.ggml.token_type.
enum class PieceType { kNormal = 1, kUnknown = 2, kControl = 3, kUserDefined = 4, kUnused = 5, kByte = 6 };

struct Piece {
  std::string text;
  float score = 0.0f;
  PieceType type = PieceType::kNormal;
};

// "<0x1F>" -> 31.
std::optional<unsigned char> ByteOfPiece(std::string_view text);

// SentencePiece's BPE (google/sentencepiece: src/bpe_model.cc): starts from characters and merges the neighbours whose
// union is the piece of the highest score, leftmost first; characters without a piece become bytes or the unknown
// piece.
class SpmModel : public SubwordModel {
 public:
  struct Options {
    bool byte_fallback = true;
    bool match_user_defined = true;  // user-defined pieces in the text are taken whole (not llama.cpp)
  };
  // Pieces by id. `keep_out` are ids this model must never produce: tokens that only the caller may ask for.
  static StatusOr<SpmModel> Make(const std::vector<Piece>& pieces, const Options& options,
                                 const std::vector<int32_t>& keep_out);

  // Spaces must have become kSpaceSymbol.
  void Encode(std::string_view text, std::vector<int32_t>& ids) const override;
  void EncodeBytes(std::string_view text, std::vector<int32_t>& ids) const override;

 private:
  struct Entry {
    int32_t id;
    float score;
    bool unused;
  };

  std::unordered_map<std::string, Entry> mergeable_;
  size_t longest_ = 0;  // bytes of the longest mergeable piece
  std::array<int32_t, 256> byte_ids_;
  int32_t unk_id_ = -1;
  bool byte_fallback_ = true;
  TokenMatcher user_defined_;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_SPM_MODEL_H_

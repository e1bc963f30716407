#ifndef GALAGO_TEXT_SUBWORD_MODEL_H_
#define GALAGO_TEXT_SUBWORD_MODEL_H_

#include <cstdint>
#include <string_view>
#include <vector>

namespace galago::text {

// Cuts a word (or a whole stretch of text, for SentencePiece) into tokens of the vocabulary. Both kinds merge
// neighbours best first, with a priority queue over a linked list: n log n for any text.
class SubwordModel {
 public:
  virtual ~SubwordModel() = default;
  // `text` is well-formed UTF-8. Appends to `ids`.
  virtual void Encode(std::string_view text, std::vector<int32_t>& ids) const = 0;
  // The same text without any merge: single bytes, or what the vocabulary has for unknown ones.
  virtual void EncodeBytes(std::string_view text, std::vector<int32_t>& ids) const = 0;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_SUBWORD_MODEL_H_

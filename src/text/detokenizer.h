#ifndef GALAGO_TEXT_DETOKENIZER_H_
#define GALAGO_TEXT_DETOKENIZER_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "src/text/tokenizer.h"

namespace galago::text {

// Token ids, one by one, to text that is whole UTF-8. An incomplete character is held back; bytes that can no longer
// become one are U+FFFD. All pieces together are Tokenizer::Decode of all ids.
class Detokenizer {
 public:
  explicit Detokenizer(std::shared_ptr<const Tokenizer> tokenizer, bool skip_special = true);

  // What this id adds; may be empty.
  std::string Push(int32_t id);
  // The rest, once no more ids follow. The detokenizer is then as new.
  std::string Finish();

 private:
  friend class Tokenizer;
  Detokenizer(const Tokenizer& tokenizer, bool skip_special);
  void PushByteLevel(int32_t id, std::string& out);
  void PushSentencePiece(int32_t id, std::string& out);
  std::string CleanUp(std::string text, bool last);

  std::shared_ptr<const Tokenizer> owner_;
  const Tokenizer* tokenizer_;
  bool skip_special_;
  void Show(std::string_view text, std::string& out);
  bool first_ = true;    // no piece has come yet
  bool strip_ = true;    // SentencePiece itself would still drop a leading space
  bool shown_ = false;   // some text is out
  bool join_ = false;    // a space is due before the next text
  std::string bytes_;    // the start of a character
  std::string unclean_;  // text that a later character may still change (clean_up_tokenization_spaces)
};

// Finds stop strings in streamed text, wherever the pieces are cut. Text that may be the beginning of a stop string is
// held back, so that no part of one is ever shown.
class StopMatcher {
 public:
  // Empty strings are ignored.
  explicit StopMatcher(std::vector<std::string> stops);

  struct Result {
    std::string text;      // safe to show
    bool stopped = false;  // a stop string was complete; it and all after it are dropped
    std::string stop;      // which one: the earliest in the text, of those the longest
  };
  Result Push(std::string_view text);
  // What was held back: it is ordinary text after all.
  std::string Finish();

 private:
  std::vector<std::string> stops_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_DETOKENIZER_H_

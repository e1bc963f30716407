#include "src/engine/answer_stream.h"

#include <utility>

#include "src/text/prompt.h"

namespace galago::engine {
namespace {
constexpr std::string_view kSpace = " \t\n\r\f\v";
}

AnswerStream::AnswerStream(std::shared_ptr<const text::Tokenizer> tokenizer, const spec::VideoSpec& video,
                           Options options, const OnText& on_text)
    : detokenizer_(std::move(tokenizer)),
      matcher_(options.stops),
      video_(video),
      options_(std::move(options)),
      on_text_(on_text) {}

void AnswerStream::Reserve(size_t ids) {
  constexpr size_t kBytesOfId = 8;  // English has about four
  text_.reserve(ids * kBytesOfId);
}

bool AnswerStream::Push(int32_t id) {
  std::string piece = detokenizer_.Push(id);
  // Time tokens are tokens of their own, so each arrives whole.
  if (video_.num_time_tokens > 0) piece = text::ReplaceTimeTokens(video_, piece, options_.video_duration_s);
  text::StopMatcher::Result matched = matcher_.Push(piece);
  Show(std::move(matched.text));
  return !matched.stopped && !stopped_by_caller_;
}

void AnswerStream::Finish() {
  text::StopMatcher::Result matched = matcher_.Push(detokenizer_.Finish());
  Show(std::move(matched.text));
  if (!matched.stopped) Show(matcher_.Finish());
}

void AnswerStream::Show(std::string piece) {
  if (options_.trim) {
    piece = std::exchange(held_space_, {}) + piece;
    if (text_.empty()) piece.erase(0, std::min(piece.find_first_not_of(kSpace), piece.size()));
    const size_t last = piece.find_last_not_of(kSpace);
    const size_t keep = last == std::string::npos ? 0 : last + 1;
    held_space_ = piece.substr(keep);
    piece.resize(keep);
  }
  if (piece.empty() || stopped_by_caller_) return;
  text_ += piece;
  if (on_text_ && on_text_(piece) == Flow::kStop) stopped_by_caller_ = true;
}

}  // namespace galago::engine

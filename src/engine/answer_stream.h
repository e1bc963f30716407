#ifndef GALAGO_ENGINE_ANSWER_STREAM_H_
#define GALAGO_ENGINE_ANSWER_STREAM_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "galago/session.h"
#include "src/spec/model_spec.h"
#include "src/text/detokenizer.h"

namespace galago::engine {

// Generated ids to shown text: detokenize, replace time tokens, stop at stop strings, and hold white space back at both
// ends, so that what was streamed is the final answer to the byte.
class AnswerStream {
 public:
  struct Options {
    std::vector<std::string> stops;
    bool trim = true;             // the reference strips answers; raw completions are left as they are
    double video_duration_s = 0;  // of the last video, for time tokens
  };
  AnswerStream(std::shared_ptr<const text::Tokenizer> tokenizer, const spec::VideoSpec& video, Options options,
               const OnText& on_text);

  // Room for the text of this many ids.
  void Reserve(size_t ids);
  // False once a stop string is complete or on_text asked to stop; nothing more may be pushed then.
  bool Push(int32_t id);
  // What was held back and is text after all. Call once, unless Push returned false.
  void Finish();

  const std::string& text() const { return text_; }
  bool stopped_by_caller() const { return stopped_by_caller_; }

 private:
  void Show(std::string piece);

  text::Detokenizer detokenizer_;
  text::StopMatcher matcher_;
  const spec::VideoSpec& video_;
  Options options_;
  const OnText& on_text_;
  std::string held_space_;
  std::string text_;
  bool stopped_by_caller_ = false;
};

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_ANSWER_STREAM_H_

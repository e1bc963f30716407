#ifndef GALAGO_EVAL_WORLD_RUN_H_
#define GALAGO_EVAL_WORLD_RUN_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "eval/world_set.h"
#include "galago/message.h"
#include "galago/session.h"
#include "galago/status.h"

namespace galago::eval {

// What evaluation needs of an engine: the public API's PlaceMedia, and Session::Generate without streaming.
struct Asker {
  std::function<StatusOr<UserMessage>(const std::string& text, std::vector<Part> media)> place_media;
  std::function<StatusOr<GenerateResult>(const std::vector<Message>& conversation, const GenerateOptions& options)>
      generate;
};

struct Answer {
  size_t record = 0, question = 0;  // indices into the set
  std::string reply;
  double score = 0;  // 0 to 1 by the question's metric; intersection over union for times
  double ttft_ms = 0;
  bool operator==(const Answer&) const = default;
};

struct RunOptions {
  MediaOptions media;                              // the defaults give the reference's pixels
  const std::atomic<bool>* cancel = nullptr;       // ends the run after, or within, the present question
  std::function<Status(const Answer&)> on_answer;  // a failure ends the run
};

// Longest reply in tokens: replies are a few words; a sentence around them still fits.
int64_t MaxNewTokens(Metric metric);

// The reply's worth for this question of this record.
double Score(const Record& record, const Question& question, std::string_view reply);

// Asks every question that `answers` does not hold yet, alone and as the first turn of a conversation, greedily, in the
// order of the set, so that questions about the same picture follow each other and the engine encodes it once. Answers
// are appended. Cancelled when stopped; other failures name the question.
Status RunWorld(const WorldSet& set, const Asker& asker, const RunOptions& options, std::vector<Answer>& answers);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_WORLD_RUN_H_

#include "eval/world_run.h"

#include <set>
#include <span>
#include <utility>

#include "eval/interval.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

StatusOr<GenerateResult> Ask(const WorldSet& set, const Record& record, const Question& question, const Asker& asker,
                             const RunOptions& options) {
  std::vector<Part> media;
  for (const Medium& medium : record.media) {
    const std::string source = (set.dir / medium.path).string();
    media.push_back(medium.kind == PartKind::kVideo ? Part::Video(source, options.media)
                                                    : Part::Image(source, options.media));
  }
  Message message;
  if (question.in_place) {
    ASSIGN_OR_RETURN(UserMessage placed, asker.place_media(question.text, std::move(media)));
    message = std::move(placed.message);
  } else {
    message.parts = std::move(media);
    message.parts.push_back(Part::Text(question.text));
  }
  GenerateOptions generate{.max_tokens = MaxNewTokens(question.metric)};
  generate.cancel = options.cancel;
  return asker.generate({std::move(message)}, generate);
}

}  // namespace

int64_t MaxNewTokens(Metric metric) { return metric == Metric::kRelaxed ? 16 : 32; }

double Score(const Record& record, const Question& question, std::string_view reply) {
  switch (question.metric) {
    case Metric::kExact:
      return ExactMatch(reply, question.answer);
    case Metric::kRelaxed:
      return RelaxedAccuracy(reply, question.answer);
    case Metric::kAnls:
      return Anls(reply, std::span(&question.answer, 1));
    case Metric::kTime:
      return IntersectionOverUnion(IntervalOfReply(reply, record.duration_s),
                                   IntervalOfReply(question.answer, record.duration_s));
  }
  return 0;
}

Status RunWorld(const WorldSet& set, const Asker& asker, const RunOptions& options, std::vector<Answer>& answers) {
  std::set<std::pair<size_t, size_t>> known;
  for (const Answer& answer : answers) known.emplace(answer.record, answer.question);
  const auto cancelled = [&] { return options.cancel != nullptr && *options.cancel; };
  for (size_t r = 0; r < set.records.size(); ++r) {
    const Record& record = set.records[r];
    for (size_t q = 0; q < record.questions.size(); ++q) {
      if (known.contains({r, q})) continue;
      if (cancelled()) return Cancelled("stopped");
      const Question& question = record.questions[q];
      const StatusOr<GenerateResult> result = Ask(set, record, question, asker, options);
      if (!result.ok()) return Annotate(result.status(), question.id);
      // Half a reply says nothing about the model.
      if (result->finish_reason == FinishReason::kCancelled) return Cancelled("stopped");
      answers.push_back({.record = r,
                         .question = q,
                         .reply = result->text,
                         .score = Score(record, question, result->text),
                         .ttft_ms = result->timings.ttft_ms});
      if (options.on_answer) RETURN_IF_ERROR(options.on_answer(answers.back()));
    }
  }
  return OkStatus();
}

}  // namespace galago::eval

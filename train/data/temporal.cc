#include "train/data/temporal.h"

#include <array>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "train/data/marks.h"
#include "train/data/record.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

using Wordings = std::span<const std::string_view>;

constexpr std::array<std::string_view, 4> kDescribe = {
    "Tell in detail what happens in this video.", "Go through the video and describe every event in it.",
    "Write down everything that happens in the video.", "Summarise this video event by event."};
constexpr std::array<std::string_view, 3> kTimeEverySentence = {
    "Begin every sentence with the times at which its event starts and ends.",
    "Put the start time and the end time in front of each sentence.",
    "Each sentence starts with two times: when the event begins and when it is over."};
constexpr std::array<std::string_view, 4> kWhen = {
    "When does \"{event}\" happen in the video?", "At what time does \"{event}\" take place?",
    "In which part of the video does \"{event}\" happen?", "Find the moment in which \"{event}\" happens."};
constexpr std::array<std::string_view, 3> kTimesOnly = {"Answer with the start time and the end time only.",
                                                        "Give nothing but the two times: start and end.",
                                                        "Say only when it starts and when it ends."};

constexpr JsonLimits kMapLimits = {.max_bytes = size_t{1} << 30};
constexpr double kMaxSeconds = 1e7;

struct Event {
  double start_s = 0.0, end_s = 0.0;
  std::string sentence;
};

std::string Seconds(double seconds) { return StrCat("<", seconds, ">"); }

StatusOr<std::vector<Event>> ReadEvents(const Json& record) {
  const Json* times = JsonFind(record, "timestamps");
  const Json* sentences = JsonFind(record, "sentences");
  if (times == nullptr || sentences == nullptr || !times->is_array() || !sentences->is_array()) {
    return DataLoss("lacks a list \"timestamps\" or \"sentences\"");
  }
  if (times->size() != sentences->size() || times->empty()) {
    return DataLoss(StrCat("has ", times->size(), " times for ", sentences->size(), " sentences"));
  }
  std::vector<Event> events;
  for (size_t i = 0; i < times->size(); ++i) {
    const Json& pair = (*times)[i];
    const Json& sentence = (*sentences)[i];
    if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number() || !pair[1].is_number() || !sentence.is_string()) {
      return DataLoss(StrCat("event ", i + 1, " is not two times and a sentence"));
    }
    Event event{pair[0].get<double>(), pair[1].get<double>(), std::string(Trim(sentence.get<std::string>()))};
    if (!(event.start_s >= 0 && event.end_s <= kMaxSeconds && event.start_s <= event.end_s) || event.sentence.empty()) {
      return DataLoss(StrCat("event ", i + 1, " from ", event.start_s, " s to ", event.end_s, " s cannot be"));
    }
    events.push_back(std::move(event));
  }
  return events;
}

struct Question {
  std::string question, answer;
};

StatusOr<std::vector<Question>> ReadQuestions(const Json& record) {
  const Json* list = JsonFind(record, "QA");
  if (list == nullptr || !list->is_array() || list->empty()) return DataLoss("has no list \"QA\"");
  std::vector<Question> out;
  for (const Json& item : *list) {
    ASSIGN_OR_RETURN(auto q, JsonString(item, "q", "\"QA\""));
    ASSIGN_OR_RETURN(auto a, JsonString(item, "a", "\"QA\""));
    if (!q || !a) return DataLoss("an entry of \"QA\" lacks \"q\" or \"a\"");
    out.push_back({*std::move(q), *std::move(a)});
  }
  return out;
}

// "A man runs." -> "a man runs"
std::string AsClause(std::string sentence) {
  if (sentence.ends_with('.')) sentence.pop_back();
  if (!sentence.empty() && sentence[0] >= 'A' && sentence[0] <= 'Z') {
    sentence[0] = static_cast<char>(sentence[0] - 'A' + 'a');
  }
  return sentence;
}

class TemporalDataset : public Dataset {
 public:
  struct Draw {
    std::string id;
    size_t record = 0;
    size_t question = 0;  // kReasoning
  };

  TemporalDataset(std::string name, TemporalOptions options, std::vector<Json> records, std::vector<Draw> draws)
      : name_(std::move(name)), options_(std::move(options)), records_(std::move(records)), draws_(std::move(draws)) {}

  int64_t size() const override { return static_cast<int64_t>(draws_.size()); }

  std::string Source(int64_t i) const override {
    return StrCat(name_, ":", Printable(draws_[static_cast<size_t>(i)].id));
  }

  StatusOr<std::vector<Record>> Get(int64_t i) const override {
    StatusOr<Record> record = Read(i);
    if (!record.ok()) return Annotate(record.status(), Source(i));
    std::vector<Record> out;
    out.push_back(*std::move(record));
    return out;
  }

 private:
  StatusOr<Record> Read(int64_t i) const {
    const Draw& draw = draws_[static_cast<size_t>(i)];
    const Json& json = records_[draw.record];
    Record record;
    record.source = Source(i);
    record.times = options_.task != TemporalTask::kQuestions;
    ASSIGN_OR_RETURN(const auto file, JsonString(json, "video", "the record"));
    const std::filesystem::path path = options_.media_dir / file.value_or(draw.id + options_.extension);
    Medium& video =
        record.media.emplace_back(Medium{.kind = spec::MediaKind::kVideo, .from = path, .name = path.string()});
    ASSIGN_OR_RETURN(video.duration_s, JsonNumber(json, "duration", "the record"));
    if (video.duration_s && !(*video.duration_s > 0 && *video.duration_s <= kMaxSeconds)) {
      return DataLoss(StrCat("a duration of ", *video.duration_s, " s cannot be"));
    }
    ASSIGN_OR_RETURN(const std::vector<Question> questions, Ask(json, draw, i));
    for (const Question& question : questions) {
      std::vector<text::Part> parts = {text::Part(question.question)};
      if (record.turns.empty()) parts = MediaInFront(record.media, question.question);
      record.turns.push_back({.role = text::Role::kUser, .parts = std::move(parts)});
      record.turns.push_back({.role = text::Role::kAssistant, .parts = {text::Part(question.answer)}});
    }
    return record;
  }

  StatusOr<std::vector<Question>> Ask(const Json& json, const Draw& draw, int64_t i) const {
    world::Rng rng(world::MixSeed(options_.seed, name_, static_cast<uint64_t>(i)));
    switch (options_.task) {
      case TemporalTask::kDenseCaptions: {
        ASSIGN_OR_RETURN(const std::vector<Event> events, ReadEvents(json));
        std::string answer;
        for (const Event& event : events) {
          answer +=
              StrCat(answer.empty() ? "" : " ", Seconds(event.start_s), " ", Seconds(event.end_s), " ", event.sentence);
        }
        return std::vector<Question>{{StrCat(rng.Pick(kDescribe), " ", rng.Pick(kTimeEverySentence)), answer}};
      }
      case TemporalTask::kEventLocalization: {
        ASSIGN_OR_RETURN(const std::vector<Event> events, ReadEvents(json));
        const Event& event = rng.Pick(events);
        const std::string question = ReplaceAll(std::string(rng.Pick(kWhen)), "{event}", AsClause(event.sentence));
        return std::vector<Question>{
            {StrCat(question, " ", rng.Pick(kTimesOnly)), StrCat(Seconds(event.start_s), " ", Seconds(event.end_s))}};
      }
      case TemporalTask::kReasoning: {
        ASSIGN_OR_RETURN(std::vector<Question> questions, ReadQuestions(json));
        return std::vector<Question>{questions[draw.question]};
      }
      case TemporalTask::kQuestions:
        break;
    }
    ASSIGN_OR_RETURN(std::vector<Question> questions, ReadQuestions(json));
    if (!options_.question_suffix.empty()) {
      for (Question& question : questions) question.question += StrCat("\n", options_.question_suffix);
    }
    return questions;
  }

  const std::string name_;
  const TemporalOptions options_;
  const std::vector<Json> records_;
  const std::vector<Draw> draws_;
};

}  // namespace

StatusOr<std::unique_ptr<const Dataset>> OpenTemporal(const std::filesystem::path& path,
                                                      const TemporalOptions& options) {
  ASSIGN_OR_RETURN(Json json, ReadJsonFile(path, kMapLimits));
  std::vector<Json> records;
  std::vector<TemporalDataset::Draw> draws;
  const auto add = [&](std::string id, Json record) {
    size_t count = 1;
    if (const Json* list = JsonFind(record, "QA"); options.task == TemporalTask::kReasoning && list != nullptr) {
      count = std::max<size_t>(1, list->is_array() ? list->size() : 1);
    }
    for (size_t i = 0; i < count; ++i) draws.push_back({id, records.size(), i});
    records.push_back(std::move(record));
  };
  if (json.is_object()) {
    for (auto& [id, record] : json.items()) add(id, std::move(record));
  } else if (json.is_array()) {
    for (size_t i = 0; i < json.size(); ++i) {
      const Json* id = JsonFind(json[i], "id");
      const bool named = id != nullptr && id->is_string();
      add(named ? id->get<std::string>() : StrCat("record ", i + 1), std::move(json[i]));
    }
  } else {
    return DataLoss(StrCat(path.string(), ": is neither a map nor a list of videos"));
  }
  return std::make_unique<TemporalDataset>(path.string(), options, std::move(records), std::move(draws));
}

}  // namespace galago::train

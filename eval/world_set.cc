#include "eval/world_set.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "eval/interval.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

constexpr std::string_view kFormat = "galago-world";
constexpr int64_t kVersion = 1;
constexpr size_t kMaxTaskBytes = size_t{1} << 30;
constexpr std::array<std::string_view, 2> kMarkers = {"<image>", "<video>"};
constexpr int64_t kMaxInt = std::numeric_limits<int64_t>::max();

size_t CountOf(std::string_view text, std::string_view marker) {
  size_t count = 0;
  for (size_t at = text.find(marker); at != std::string_view::npos; at = text.find(marker, at + marker.size())) ++count;
  return count;
}

size_t NumMarkers(std::string_view text) { return CountOf(text, kMarkers[0]) + CountOf(text, kMarkers[1]); }

// Text after the markers and white space at its front.
std::string_view WithoutLeadingMarkers(std::string_view text) {
  for (bool found = true; found;) {
    found = false;
    text = Trim(text);
    for (const std::string_view marker : kMarkers) {
      if (!text.starts_with(marker)) continue;
      text.remove_prefix(marker.size());
      found = true;
    }
  }
  return text;
}

StatusOr<std::string> NeededString(const Json& object, std::string_view key, const std::string& what) {
  ASSIGN_OR_RETURN(std::optional<std::string> value, JsonString(object, key, what));
  if (!value) return DataLoss(StrCat(what, ": ", key, " is missing"));
  return *std::move(value);
}

// Foreign paths stay below the World directory.
StatusOr<std::filesystem::path> RelativePath(const std::string& text, const std::string& what) {
  std::filesystem::path path = text;
  const bool climbs = std::find(path.begin(), path.end(), "..") != path.end();
  if (text.empty() || path.is_absolute() || climbs) {
    return DataLoss(StrCat(what, ": '", Printable(text), "' is no path below the World directory"));
  }
  return path;
}

Status AddMedia(const Json& json, std::string_view key, PartKind kind, const std::string& what, Record& record) {
  const Json* const value = JsonFind(json, key);
  if (value == nullptr) return OkStatus();
  const Json list = value->is_array() ? *value : Json::array({*value});
  for (const Json& item : list) {
    if (!item.is_string()) return DataLoss(StrCat(what, ": ", key, " is neither a path nor a list of paths"));
    ASSIGN_OR_RETURN(std::filesystem::path path, RelativePath(item.get<std::string>(), what));
    record.media.push_back({.kind = kind, .path = std::move(path)});
  }
  return OkStatus();
}

StatusOr<std::string> Turn(const Json& turns, size_t index, std::string_view role, const std::string& what) {
  const std::string where = StrCat(what, ", turn ", index + 1);
  ASSIGN_OR_RETURN(const std::string from, NeededString(turns[index], "from", where));
  if (from != role) return DataLoss(StrCat(where, ": from '", Printable(from), "', ", role, " was expected"));
  return NeededString(turns[index], "value", where);
}

StatusOr<Question> ParseQuestion(const Json& exchange, const Record& record, const std::string& what) {
  Question question;
  ASSIGN_OR_RETURN(question.kind, NeededString(exchange, "kind", what));
  ASSIGN_OR_RETURN(const std::string metric, NeededString(exchange, "metric", what));
  const std::optional<Metric> known = MetricNamed(metric);
  if (!known) {
    return Unimplemented(StrCat(what, ": metric '", Printable(metric), "' is none of exact, relaxed, anls, time"));
  }
  question.metric = *known;
  if (question.metric == Metric::kTime && record.duration_s <= 0) {
    return DataLoss(StrCat(what, ": a question about times needs the duration of the video"));
  }
  return question;
}

StatusOr<WorldSet> ReadHead(const std::filesystem::path& dir, std::vector<std::pair<std::string, int64_t>>& tasks) {
  const std::filesystem::path path = dir / "world.json";
  const std::string what = path.string();
  StatusOr<Json> read = ReadJsonFile(path);
  if (read.status().code() == StatusCode::kNotFound) {
    return NotFound(StrCat(dir.string(), ": no World directory: world.json is missing"));
  }
  ASSIGN_OR_RETURN(const Json head, std::move(read));
  ASSIGN_OR_RETURN(const std::string format, NeededString(head, "format", what));
  if (format != kFormat) {
    return DataLoss(StrCat(what, ": format is '", Printable(format), "', ", kFormat, " is needed"));
  }
  ASSIGN_OR_RETURN(const std::optional<int64_t> version, JsonInt(head, "version", what, 0, kMaxInt));
  if (version != kVersion) {
    return Unimplemented(StrCat(what, ": format version ", version.value_or(0), ", this program reads ", kVersion));
  }
  ASSIGN_OR_RETURN(const std::optional<std::string> layout, JsonString(head, "layout", what));
  if (layout.value_or("files") != "files") {
    return Unimplemented(StrCat(what, ": the layout is ", Printable(*layout), ", evaluation reads files only"));
  }
  WorldSet set{.dir = dir};
  ASSIGN_OR_RETURN(set.split, NeededString(head, "split", what));
  ASSIGN_OR_RETURN(const std::optional<int64_t> seed, JsonInt(head, "seed", what, 0, kMaxInt));
  set.seed = seed.value_or(0);
  const Json* const listed = JsonFind(head, "tasks");
  if (listed == nullptr || !listed->is_object()) return DataLoss(StrCat(what, ": tasks is no object"));
  for (const auto& item : listed->items()) {
    ASSIGN_OR_RETURN(const std::optional<int64_t> count, JsonInt(*listed, item.key(), what, 0, kMaxInt));
    // The name becomes a file name.
    ASSIGN_OR_RETURN(const std::filesystem::path name, RelativePath(item.key(), what));
    if (name.has_parent_path()) return DataLoss(StrCat(what, ": '", Printable(item.key()), "' is no name of a task"));
    tasks.emplace_back(item.key(), count.value_or(0));
  }
  return set;
}

Status CheckMedia(const std::filesystem::path& dir, const Record& record, const std::string& what) {
  for (const Medium& medium : record.media) {
    std::error_code error;
    const std::filesystem::path path = dir / medium.path;
    const bool there = std::filesystem::is_regular_file(path, error) ||
                       (medium.kind == PartKind::kVideo && std::filesystem::is_directory(path, error));
    if (there) continue;
    const std::string_view kind = medium.kind == PartKind::kVideo ? "video" : "picture";
    return NotFound(StrCat(what, ": the ", kind, " ", path.string(), " is missing"));
  }
  return OkStatus();
}

// `expected`: how many records world.json promises.
Status ReadTask(const std::string& task, int64_t expected, int64_t limit, std::set<std::string>& ids, WorldSet& set) {
  const std::filesystem::path path = set.dir / StrCat(task, ".json");
  ASSIGN_OR_RETURN(const Json records, ReadJsonFile(path, {.max_bytes = kMaxTaskBytes}));
  if (!records.is_array()) return DataLoss(StrCat(path.string(), ": is no array of records"));
  if (static_cast<int64_t>(records.size()) != expected) {
    return DataLoss(StrCat(path.string(), ": ", records.size(), " records, world.json says ", expected));
  }
  int64_t num_questions = 0;
  for (size_t i = 0; i < records.size() && (limit == 0 || num_questions < limit); ++i) {
    ASSIGN_OR_RETURN(Record record, ParseRecord(records[i], task, StrCat(path.string(), ": record ", i + 1)));
    const std::string what = StrCat(path.string(), ": ", Printable(record.id));
    if (!ids.insert(record.id).second) return DataLoss(StrCat(what, ": two records have this id"));
    if (record.questions.empty()) {
      ++set.num_unscored;
      continue;
    }
    RETURN_IF_ERROR(CheckMedia(set.dir, record, what));
    if (limit != 0 && std::cmp_greater(record.questions.size(), limit - num_questions)) {
      record.questions.resize(static_cast<size_t>(limit - num_questions));
    }
    num_questions += static_cast<int64_t>(record.questions.size());
    set.records.push_back(std::move(record));
  }
  return OkStatus();
}

}  // namespace

int64_t WorldSet::num_questions() const {
  int64_t sum = 0;
  for (const Record& record : records) sum += static_cast<int64_t>(record.questions.size());
  return sum;
}

StatusOr<Record> ParseRecord(const Json& json, const std::string& task, const std::string& what) {
  if (!json.is_object()) return DataLoss(StrCat(what, ": is no object"));
  Record record{.task = task};
  ASSIGN_OR_RETURN(record.id, NeededString(json, "id", what));
  const std::string where = StrCat(what, " (", Printable(record.id), ")");
  RETURN_IF_ERROR(AddMedia(json, "image", PartKind::kImage, where, record));
  RETURN_IF_ERROR(AddMedia(json, "video", PartKind::kVideo, where, record));
  const Json* const turns = JsonFind(json, "conversations");
  if (turns == nullptr && JsonFind(json, "text") != nullptr) return record;  // a document
  if (turns == nullptr || !turns->is_array() || turns->empty() || turns->size() % 2 != 0) {
    return DataLoss(StrCat(where, ": conversations is no list of questions and answers"));
  }
  const Json* const world = JsonFind(json, "world");
  if (world == nullptr) return DataLoss(StrCat(where, ": world is missing"));
  const Json* const exchanges = JsonFind(*world, "exchanges");
  if (exchanges == nullptr || !exchanges->is_array() || exchanges->size() != turns->size() / 2) {
    return DataLoss(StrCat(where, ": world.exchanges does not list the ", turns->size() / 2, " exchanges"));
  }
  ASSIGN_OR_RETURN(const std::optional<double> duration, JsonNumber(*world, "duration", where));
  record.duration_s = duration.value_or(0);
  if (!std::isfinite(record.duration_s) || record.duration_s < 0) {
    return DataLoss(StrCat(where, ": the duration is ", record.duration_s, " seconds"));
  }
  for (size_t i = 0; i < exchanges->size(); ++i) {
    const std::string place = StrCat(where, ", exchange ", i + 1);
    ASSIGN_OR_RETURN(const std::string asked, Turn(*turns, 2 * i, "human", where));
    ASSIGN_OR_RETURN(std::string answer, Turn(*turns, 2 * i + 1, "gpt", where));
    const size_t num_markers = NumMarkers(asked);
    if (num_markers != (i == 0 ? record.media.size() : 0)) {
      return DataLoss(StrCat(place, ": ", num_markers, " media markers, ", i == 0 ? record.media.size() : 0,
                             " media belong to it"));
    }
    const std::string_view text = WithoutLeadingMarkers(asked);
    if (text.empty()) continue;  // a caption: nothing is asked
    ASSIGN_OR_RETURN(Question question, ParseQuestion((*exchanges)[i], record, place));
    question.id = StrCat(record.id, "#", i + 1);
    question.in_place = NumMarkers(text) > 0;
    question.text = std::string(question.in_place ? std::string_view(asked) : text);
    question.answer = std::move(answer);
    if (question.metric == Metric::kTime && !FindInterval(question.answer, record.duration_s)) {
      return DataLoss(StrCat(place, ": the answer '", Printable(question.answer), "' does not hold two times"));
    }
    record.questions.push_back(std::move(question));
  }
  return record;
}

StatusOr<WorldSet> ReadWorldSet(const std::filesystem::path& dir, const WorldChoice& choice) {
  std::vector<std::pair<std::string, int64_t>> tasks;
  ASSIGN_OR_RETURN(WorldSet set, ReadHead(dir, tasks));
  for (const std::string& name : choice.tasks) {
    const auto is_it = [&](const auto& task) { return task.first == name; };
    if (std::any_of(tasks.begin(), tasks.end(), is_it)) continue;
    std::string known;
    for (const auto& task : tasks) known += StrCat(known.empty() ? "" : ", ", task.first);
    return InvalidArgument(
        StrCat(dir.string(), ": no task '", Printable(name), "'; there are ", Printable(known, 512)));
  }
  std::set<std::string> ids;
  for (const auto& [task, count] : tasks) {
    const bool chosen =
        choice.tasks.empty() || std::find(choice.tasks.begin(), choice.tasks.end(), task) != choice.tasks.end();
    if (!chosen) continue;
    set.tasks.push_back(task);
    RETURN_IF_ERROR(ReadTask(task, count, choice.limit, ids, set));
  }
  if (set.records.empty()) return DataLoss(StrCat(dir.string(), ": there is nothing to ask"));
  return set;
}

}  // namespace galago::eval

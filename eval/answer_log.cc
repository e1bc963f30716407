#include "eval/answer_log.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

constexpr std::string_view kSchema = "galago.answers/1";
constexpr size_t kMaxBytes = size_t{1} << 30;

Status SystemError(const std::string& name, std::string_view action) {
  const int error = errno;
  const std::string message = StrCat(name, ": cannot ", action, ": ", std::strerror(error));
  const bool full = error == ENOSPC || error == EDQUOT || error == EFBIG || error == EMFILE || error == ENFILE;
  return full ? ResourceExhausted(message) : Unavailable(message);
}

using Place = std::pair<size_t, size_t>;  // record and question

std::map<std::string, Place> PlacesOf(const WorldSet& set) {
  std::map<std::string, Place> places;
  for (size_t r = 0; r < set.records.size(); ++r) {
    for (size_t q = 0; q < set.records[r].questions.size(); ++q) places[set.records[r].questions[q].id] = {r, q};
  }
  return places;
}

Status CheckHead(std::string_view line, const std::string& model, const std::string& where) {
  ASSIGN_OR_RETURN(const Json head, ParseJson(line, where));
  ASSIGN_OR_RETURN(const std::optional<std::string> schema, JsonString(head, "schema", where));
  if (schema != kSchema) return DataLoss(StrCat(where, ": is no file of answers, schema ", kSchema, " is missing"));
  ASSIGN_OR_RETURN(const std::optional<std::string> given, JsonString(head, "model", where));
  if (given == model) return OkStatus();
  return FailedPrecondition(StrCat(where, ": the answers are of ", Printable(given.value_or(""), 256),
                                   ", the present model is ", Printable(model, 256)));
}

// One answer of the file; nullopt if the set does not ask it.
StatusOr<std::optional<Answer>> ParseLine(std::string_view line, const WorldSet& set,
                                          const std::map<std::string, Place>& places, const std::string& where) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line, where));
  const auto text = [&](std::string_view key) -> StatusOr<std::string> {
    ASSIGN_OR_RETURN(std::optional<std::string> value, JsonString(json, key, where));
    if (!value) return DataLoss(StrCat(where, ": ", key, " is missing"));
    return *std::move(value);
  };
  ASSIGN_OR_RETURN(const std::string id, text("id"));
  ASSIGN_OR_RETURN(const std::string asked, text("question"));
  ASSIGN_OR_RETURN(const std::string expected, text("expected"));
  ASSIGN_OR_RETURN(std::string reply, text("reply"));
  ASSIGN_OR_RETURN(const std::optional<double> ttft_ms, JsonNumber(json, "ttft_ms", where));
  const auto found = places.find(id);
  if (found == places.end()) return std::nullopt;
  const auto [r, q] = found->second;
  const Record& record = set.records[r];
  const Question& question = record.questions[q];
  if (question.text != asked || question.answer != expected) {
    return FailedPrecondition(StrCat(where, ": ", Printable(id), " is another question in this World"));
  }
  const double score = Score(record, question, reply);
  return Answer{.record = r, .question = q, .reply = std::move(reply), .score = score, .ttft_ms = ttft_ms.value_or(0)};
}

}  // namespace

StatusOr<std::unique_ptr<AnswerLog>> AnswerLog::Create(const std::filesystem::path& path, const std::string& model) {
  const std::string name = path.string();
  const int fd = ::open(name.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (fd < 0 && errno == EEXIST) return FailedPrecondition(StrCat(name, ": exists; --resume goes on with it"));
  if (fd < 0) return SystemError(name, "create");
  std::unique_ptr<AnswerLog> log(new AnswerLog(fd, name));
  RETURN_IF_ERROR(log->WriteLine({{"schema", kSchema}, {"model", model}}));
  return log;
}

StatusOr<std::unique_ptr<AnswerLog>> AnswerLog::Resume(const std::filesystem::path& path, const std::string& model,
                                                       const WorldSet& set, std::vector<Answer>& answers) {
  const std::string name = path.string();
  StatusOr<std::string> read = ReadFile(path, kMaxBytes);
  if (read.status().code() == StatusCode::kNotFound) return Create(path, model);
  ASSIGN_OR_RETURN(const std::string contents, std::move(read));
  const std::map<std::string, Place> places = PlacesOf(set);
  std::set<Place> seen;
  size_t whole = 0;  // bytes of complete lines
  for (int64_t number = 1;; ++number) {
    const size_t end = contents.find('\n', whole);
    if (end == std::string::npos) break;
    const std::string_view line = std::string_view(contents).substr(whole, end - whole);
    const std::string where = StrCat(name, ":", number);
    whole = end + 1;
    if (number == 1) {
      RETURN_IF_ERROR(CheckHead(line, model, where));
      continue;
    }
    ASSIGN_OR_RETURN(std::optional<Answer> answer, ParseLine(line, set, places, where));
    if (answer && seen.emplace(answer->record, answer->question).second) answers.push_back(*std::move(answer));
  }
  if (whole == 0 && !contents.empty()) return DataLoss(StrCat(name, ": is no file of answers, its first line is cut"));
  const int fd = ::open(name.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (fd < 0) return SystemError(name, "open");
  std::unique_ptr<AnswerLog> log(new AnswerLog(fd, name));
  if (whole < contents.size() && ::ftruncate(fd, static_cast<off_t>(whole)) != 0) return SystemError(name, "shorten");
  if (whole == 0) RETURN_IF_ERROR(log->WriteLine({{"schema", kSchema}, {"model", model}}));
  return log;
}

AnswerLog::~AnswerLog() { ::close(fd_); }

Status AnswerLog::Append(const WorldSet& set, const Answer& answer) {
  const Question& question = set.records[answer.record].questions[answer.question];
  return WriteLine({{"id", question.id},
                    {"question", question.text},
                    {"expected", question.answer},
                    {"reply", answer.reply},
                    {"score", answer.score},
                    {"ttft_ms", answer.ttft_ms}});
}

Status AnswerLog::WriteLine(const Json& json) {
  const std::string text = json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
  for (std::string_view rest = text; !rest.empty();) {
    const ssize_t put = ::write(fd_, rest.data(), rest.size());
    if (put >= 0) {
      rest.remove_prefix(static_cast<size_t>(put));
    } else if (errno != EINTR) {
      return SystemError(name_, "write");
    }
  }
  return OkStatus();
}

}  // namespace galago::eval

#ifndef GALAGO_EVAL_ANSWER_LOG_H_
#define GALAGO_EVAL_ANSWER_LOG_H_

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "eval/world_run.h"
#include "eval/world_set.h"
#include "galago/status.h"
#include "src/base/json.h"

namespace galago::eval {

// A file of JSON lines that answers are appended to as they come, so that an interrupted evaluation goes on where it
// stopped. The first line says which model gave them.
class AnswerLog {
 public:
  // A new file. FailedPrecondition if there is something already. `model` identifies checkpoint and arithmetic.
  static StatusOr<std::unique_ptr<AnswerLog>> Create(const std::filesystem::path& path, const std::string& model);

  // Goes on with a file, or begins it. Answers to questions of the set are appended to `answers`, scored anew; those to
  // other questions stay in the file and count for nothing. A last line that was cut short is dropped.
  // FailedPrecondition if the answers are another model's, or were given to another question of the same id.
  static StatusOr<std::unique_ptr<AnswerLog>> Resume(const std::filesystem::path& path, const std::string& model,
                                                     const WorldSet& set, std::vector<Answer>& answers);
  AnswerLog(const AnswerLog&) = delete;
  AnswerLog& operator=(const AnswerLog&) = delete;
  ~AnswerLog();

  // Handed to the system when it returns: a crash of this program loses nothing.
  Status Append(const WorldSet& set, const Answer& answer);

 private:
  AnswerLog(int fd, std::string name) : fd_(fd), name_(std::move(name)) {}
  Status WriteLine(const Json& json);
  int fd_;
  std::string name_;
};

}  // namespace galago::eval

#endif  // GALAGO_EVAL_ANSWER_LOG_H_

#ifndef GALAGO_EVAL_WORLD_SET_H_
#define GALAGO_EVAL_WORLD_SET_H_

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "eval/scorers.h"
#include "galago/message.h"
#include "galago/status.h"
#include "src/base/json.h"

// A World directory as questions to ask (docs/evaluation.md): world.json, and for each task a file of conversations
// with paths of pictures and videos.
namespace galago::eval {

struct Question {
  std::string id;    // "scenes-000012#2": the record and which of its exchanges, from 1
  std::string kind;  // "count", "colour", ...; unique within the task
  Metric metric = Metric::kExact;
  std::string text;  // without media markers, unless in_place
  std::string answer;
  bool in_place = false;  // the text's markers say where the media stand; else they go in front
  bool operator==(const Question&) const = default;
};

// A query without the examples that tell its rule: what four examples give is measured against it, and no model can
// know its answer. It counts in its kind alone.
inline bool IsBaseline(const Question& question) { return question.kind == "0-shot"; }

struct Medium {
  PartKind kind = PartKind::kImage;
  std::filesystem::path path;  // below the World directory
  bool operator==(const Medium&) const = default;
};

// What one picture, video or group of pictures is asked. Never empty.
struct Record {
  std::string id;
  std::string task;
  std::vector<Medium> media;
  double duration_s = 0;  // of the video; 0 without one
  std::vector<Question> questions;
};

struct WorldSet {
  std::filesystem::path dir;
  std::string split;
  int64_t seed = 0;
  std::vector<std::string> tasks;  // those chosen, in the order of world.json
  std::vector<Record> records;     // task by task
  int64_t num_unscored = 0;        // records without a question: captions and documents to learn from
  int64_t num_questions() const;
};

struct WorldChoice {
  std::vector<std::string> tasks;  // empty: all
  int64_t limit = 0;               // questions a task; 0: all
};

// Reads and checks everything but the media, of which only the presence is checked. InvalidArgument for a task that the
// directory lacks; NotFound, DataLoss and Unimplemented name file and record.
StatusOr<WorldSet> ReadWorldSet(const std::filesystem::path& dir, const WorldChoice& choice);

// One record of TASK.json. `what` names file and place for messages. A record without questions to ask comes back
// empty.
StatusOr<Record> ParseRecord(const Json& json, const std::string& task, const std::string& what);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_WORLD_SET_H_

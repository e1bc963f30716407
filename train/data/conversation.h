#ifndef GALAGO_TRAIN_DATA_CONVERSATION_H_
#define GALAGO_TRAIN_DATA_CONVERSATION_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "galago/status.h"
#include "src/base/json.h"
#include "train/data/dataset.h"
#include "train/data/record.h"

namespace galago::train {

// Where the media of a conversation go.
enum class MediaPlace {
  kFront,    // in front of the first question, marks deleted (LLaVADataset)
  kMarks,    // where the marks are, as many as there are media (LLaVANextDataset)
  kAsMarked  // kFront if all marks stand in front of the first question's words, else kMarks (World)
};

struct ConversationOptions {
  std::filesystem::path media_dir;  // media paths are relative to it
  MediaPlace place = MediaPlace::kFront;
  std::optional<int64_t> max_media;  // the rest of a record's list is left out (kFront alone)
  std::optional<int64_t> max_tiles;
  bool no_system_prompt = false;
  bool times = false;           // <seconds> in the text become time tokens
  std::string question_suffix;  // behind every question, after a new line: "Answer with one word."
};

// A LLaVA record: "conversations" [{"from": "human" | "gpt", "value": text}, ...], with "image" or "images" and
// "video", each a path or a list of paths. Also World's documents, {"text": ..., "image": [...]}, which have no
// conversation and are learnt whole, and captions, whose only question holds nothing but marks: both with kAsMarked.
// Wrong shapes are DataLoss; `source` is stored, not put in front of messages.
StatusOr<Record> ConversationRecord(const Json& json, const ConversationOptions& options, const std::string& source);

// Records with a question and an answer: {"question", "answer"} and "image", the FLAN shape, or "conversations".
StatusOr<Record> QuestionRecord(const Json& json, const ConversationOptions& options, const std::string& source);

// Turns a parsed line into records.
using ReadRecord = std::function<StatusOr<std::vector<Record>>(const Json& json, const std::string& source)>;

// A data set of a file of records, or of all NAME.json and .jsonl files of a folder in name order.
StatusOr<std::unique_ptr<const Dataset>> OpenRecords(const std::filesystem::path& path, ReadRecord read);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_CONVERSATION_H_

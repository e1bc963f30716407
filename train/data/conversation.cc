#include "train/data/conversation.h"

#include <algorithm>
#include <numeric>

#include "src/base/strings.h"
#include "train/data/marks.h"
#include "train/data/record_file.h"

namespace galago::train {
namespace {

constexpr size_t kMaxMedia = 256;
constexpr std::string_view kRecord = "the record";

// Appends the paths under `key`: a string or a list of strings.
Status AddMedia(const Json& json, std::string_view key, spec::MediaKind kind, const std::filesystem::path& media_dir,
                std::vector<Medium>& out) {
  const Json* value = JsonFind(json, key);
  if (value == nullptr) return OkStatus();
  const auto add = [&](const Json& path) -> Status {
    if (!path.is_string() || path.get_ref<const std::string&>().empty()) {
      return DataLoss(StrCat("\"", key, "\" holds something that is not a path"));
    }
    if (out.size() == kMaxMedia) return OutOfRange(StrCat("has more than ", kMaxMedia, " pictures"));
    std::filesystem::path full = media_dir / path.get<std::string>();
    std::string name = full.string();
    out.push_back({.kind = kind, .from = std::move(full), .name = std::move(name)});
    return OkStatus();
  };
  if (!value->is_array()) return add(*value);
  for (const Json& path : *value) RETURN_IF_ERROR(add(path));
  return OkStatus();
}

// In the reference's order: image, images, video.
Status AddAllMedia(const Json& json, const ConversationOptions& options, Record& record) {
  RETURN_IF_ERROR(AddMedia(json, "image", spec::MediaKind::kImage, options.media_dir, record.media));
  RETURN_IF_ERROR(AddMedia(json, "images", spec::MediaKind::kImage, options.media_dir, record.media));
  RETURN_IF_ERROR(AddMedia(json, "video", spec::MediaKind::kVideo, options.media_dir, record.media));
  if (options.max_media && options.place == MediaPlace::kFront &&
      static_cast<int64_t>(record.media.size()) > *options.max_media) {
    record.media.erase(record.media.begin() + *options.max_media, record.media.end());
  }
  return OkStatus();
}

struct RawTurn {
  text::Role role = text::Role::kUser;
  std::string value;
};

StatusOr<std::vector<RawTurn>> ReadTurns(const Json& list) {
  if (!list.is_array()) return DataLoss("\"conversations\" is not a list");
  std::vector<RawTurn> turns;
  for (size_t i = 0; i < list.size(); ++i) {
    const std::string what = StrCat("turn ", i + 1);
    if (!list[i].is_object()) return DataLoss(StrCat(what, " is not an object"));
    ASSIGN_OR_RETURN(const auto from, JsonString(list[i], "from", what));
    ASSIGN_OR_RETURN(auto value, JsonString(list[i], "value", what));
    if (!from || !value) return DataLoss(StrCat(what, " lacks \"from\" or \"value\""));
    RawTurn& turn = turns.emplace_back();
    if (*from == "human" || *from == "user") {
      turn.role = text::Role::kUser;
    } else if (*from == "gpt" || *from == "assistant") {
      turn.role = text::Role::kAssistant;
    } else if (*from == "system" && i == 0) {
      turn.role = text::Role::kSystem;
    } else {
      return DataLoss(StrCat(what, " is from \"", Printable(*from), "\", expected human or gpt"));
    }
    turn.value = *std::move(value);
  }
  return turns;
}

Record NewRecord(const ConversationOptions& options, const std::string& source) {
  Record record;
  record.source = source;
  record.max_tiles = options.max_tiles;
  record.times = options.times;
  if (options.no_system_prompt) record.system = "";
  return record;
}

// Text with its media in place, all of it learnt.
StatusOr<Record> WholeText(Record record, std::string_view text) {
  record.style = Style::kCaption;
  record.system.reset();
  size_t next = record.media.size();
  std::vector<text::Part> parts;
  if (MarksLead(text)) {
    parts = MediaInFront(record.media, text);
  } else {
    next = 0;
    ASSIGN_OR_RETURN(parts, MediaInPlace(record.media, text, next));
  }
  if (next != record.media.size()) {
    return DataLoss(StrCat("has ", next, " media marks for ", record.media.size(), " pictures or videos"));
  }
  if (WithoutMarks(text).empty()) return DataLoss("has no text");
  record.turns.push_back({.role = text::Role::kUser, .parts = std::move(parts)});
  return record;
}

Status AddTurns(const std::vector<RawTurn>& turns, const ConversationOptions& options, Record& record) {
  bool in_front = options.place == MediaPlace::kFront;
  if (options.place == MediaPlace::kAsMarked) in_front = turns.empty() || MarksLead(turns.front().value);
  size_t next = in_front ? record.media.size() : 0;
  for (const RawTurn& raw : turns) {
    text::Turn& turn = record.turns.emplace_back(text::Turn{.role = raw.role, .parts = {}});
    const bool first = record.turns.size() == 1;
    if (in_front && first) {
      turn.parts = MediaInFront(record.media, raw.value);
    } else if (in_front || raw.role != text::Role::kUser) {
      turn.parts.emplace_back(WithoutMarks(raw.value));
    } else {
      ASSIGN_OR_RETURN(turn.parts, MediaInPlace(record.media, raw.value, next));
    }
    if (raw.role == text::Role::kUser && !options.question_suffix.empty()) {
      turn.parts.emplace_back(StrCat("\n", options.question_suffix));
    }
  }
  if (next != record.media.size()) {
    return DataLoss(StrCat("has ", next, " media marks for ", record.media.size(), " pictures or videos"));
  }
  return OkStatus();
}

StatusOr<Record> FromTurns(Record record, std::vector<RawTurn> turns, const ConversationOptions& options) {
  if (!turns.empty() && turns.front().role == text::Role::kSystem) {
    record.system = std::move(turns.front().value);
    turns.erase(turns.begin());
  }
  if (turns.empty()) return DataLoss("has an empty conversation");
  const bool caption = options.place == MediaPlace::kAsMarked && turns.size() == 2 &&
                       WithoutMarks(turns[0].value).empty() && turns[1].role == text::Role::kAssistant;
  if (caption) return WholeText(std::move(record), turns[1].value);
  RETURN_IF_ERROR(AddTurns(turns, options, record));
  return record;
}

class RecordsDataset : public Dataset {
 public:
  RecordsDataset(std::vector<RecordFile> files, ReadRecord read) : files_(std::move(files)), read_(std::move(read)) {
    for (const RecordFile& file : files_) ends_.push_back(size() + file.size());
  }

  int64_t size() const override { return ends_.empty() ? 0 : ends_.back(); }

  StatusOr<std::vector<Record>> Get(int64_t i) const override {
    const auto [file, local] = Locate(i);
    ASSIGN_OR_RETURN(const Json json, file->Get(local));
    const std::string source = file->Source(local);
    StatusOr<std::vector<Record>> records = read_(json, source);
    return records.ok() ? std::move(records) : Annotate(records.status(), source);
  }

  std::string Source(int64_t i) const override {
    const auto [file, local] = Locate(i);
    return file->Source(local);
  }

 private:
  std::pair<const RecordFile*, int64_t> Locate(int64_t i) const {
    const auto at = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), i) - ends_.begin());
    return {&files_[at], i - (at == 0 ? 0 : ends_[at - 1])};
  }

  const std::vector<RecordFile> files_;
  const ReadRecord read_;
  std::vector<int64_t> ends_;
};

}  // namespace

StatusOr<Record> ConversationRecord(const Json& json, const ConversationOptions& options, const std::string& source) {
  Record record = NewRecord(options, source);
  RETURN_IF_ERROR(AddAllMedia(json, options, record));
  const Json* conversation = JsonFind(json, "conversations");
  if (conversation == nullptr && options.place == MediaPlace::kAsMarked) {
    ASSIGN_OR_RETURN(const auto text, JsonString(json, "text", kRecord));
    if (text) return WholeText(std::move(record), *text);
  }
  if (conversation == nullptr) return DataLoss("has no \"conversations\"");
  ASSIGN_OR_RETURN(std::vector<RawTurn> turns, ReadTurns(*conversation));
  return FromTurns(std::move(record), std::move(turns), options);
}

StatusOr<Record> QuestionRecord(const Json& json, const ConversationOptions& options, const std::string& source) {
  if (JsonFind(json, "conversations") != nullptr) return ConversationRecord(json, options, source);
  Record record = NewRecord(options, source);
  RETURN_IF_ERROR(AddAllMedia(json, options, record));
  ASSIGN_OR_RETURN(auto question, JsonString(json, "question", kRecord));
  ASSIGN_OR_RETURN(auto answer, JsonString(json, "answer", kRecord));
  if (!question || !answer) return DataLoss("lacks \"question\" or \"answer\"");
  return FromTurns(std::move(record),
                   {{text::Role::kUser, *std::move(question)}, {text::Role::kAssistant, *std::move(answer)}}, options);
}

StatusOr<std::unique_ptr<const Dataset>> OpenRecords(const std::filesystem::path& path, ReadRecord read) {
  std::vector<std::filesystem::path> paths = {path};
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) {
    paths.clear();
    for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
      const std::filesystem::path& name = entry.path();
      if (name.extension() == ".json" || name.extension() == ".jsonl") paths.push_back(name);
    }
    std::sort(paths.begin(), paths.end());
    if (paths.empty()) return NotFound(StrCat(path.string(), ": holds no .json or .jsonl file"));
  }
  std::vector<RecordFile> files;
  for (const std::filesystem::path& file : paths) {
    ASSIGN_OR_RETURN(RecordFile opened, RecordFile::Open(file));
    files.push_back(std::move(opened));
  }
  return std::make_unique<RecordsDataset>(std::move(files), std::move(read));
}

}  // namespace galago::train

#include "train/data/open_dataset.h"

#include <limits>

#include "src/base/strings.h"
#include "train/data/conversation.h"
#include "train/data/documents.h"
#include "train/data/settings.h"
#include "train/data/shards.h"
#include "train/data/temporal.h"
#include "train/data/world_dataset.h"
#include "train/world/task.h"

namespace galago::train {
namespace {

using Opened = StatusOr<std::unique_ptr<const Dataset>>;

constexpr int64_t kMaxCount = int64_t{1} << 30;
constexpr int64_t kMaxTiles = 1024;

StatusOr<std::vector<Record>> OneRecord(StatusOr<Record> record) {
  if (!record.ok()) return record.status();
  std::vector<Record> out;
  out.push_back(*std::move(record));
  return out;
}

// Drawn on the fly: task, count; seed, first, split, shuffle, media, rows.
Opened OpenWorld(Settings& settings) {
  const std::string name = settings.RequiredText("task");
  WorldOptions options;
  options.count = settings.Whole("count", 0, 1, kMaxCount);
  options.first = settings.Whole("first", 0, 0, std::numeric_limits<int64_t>::max() / 2);
  options.seed = static_cast<uint64_t>(settings.Whole("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  options.shuffle = settings.Flag("shuffle", true);
  options.media = settings.Flag("media", true);
  options.rows = settings.Flag("rows", false);
  const std::string split = settings.Text("split", "train");
  if (split == world::Name(world::Split::kHeldout)) {
    options.split = world::Split::kHeldout;
  } else if (split != world::Name(world::Split::kTrain)) {
    settings.Refuse("split", "is neither train nor heldout");
  }
  const world::Assets assets{.stamps = settings.Path("stamps")};
  if (options.rows && name != "cells") settings.Refuse("rows", "is for the task \"cells\" alone");
  if (options.rows && !options.media) settings.Refuse("rows", "has no pictures with media = false");
  if (options.count == 0) settings.Refuse("count", "is missing");
  RETURN_IF_ERROR(settings.Finish());
  ASSIGN_OR_RETURN(std::unique_ptr<const world::Task> task, world::MakeTask(name, assets));
  return MakeWorldDataset(std::move(task), options);
}

// Keys of conversations wherever they lie.
ConversationOptions ReadConversationOptions(Settings& settings, MediaPlace place) {
  ConversationOptions options;
  options.place = place;
  options.media_dir = settings.Path("media_dir");
  options.max_media = settings.OptionalWhole("max_num_images", 1, kMaxCount);
  options.max_tiles = settings.OptionalWhole("max_tiles", 1, kMaxTiles);
  options.no_system_prompt = settings.Flag("no_system_prompt", false);
  options.times = settings.Flag("times", false);
  options.question_suffix = settings.Text("question_suffix", "");
  return options;
}

using ToRecord = StatusOr<Record> (*)(const Json& json, const ConversationOptions& options, const std::string& source);

Opened OpenConversationFile(Settings& settings, MediaPlace place, ToRecord to_record) {
  const std::filesystem::path path = settings.RequiredPath("path");
  const ConversationOptions options = ReadConversationOptions(settings, place);
  RETURN_IF_ERROR(settings.Finish());
  return OpenRecords(path, [options, to_record](const Json& json, const std::string& source) {
    return OneRecord(to_record(json, options, source));
  });
}

// LLaVA JSON or JSONL, media in front of the first question: path, media_dir, ...
Opened OpenConversations(Settings& settings) {
  return OpenConversationFile(settings, MediaPlace::kFront, ConversationRecord);
}

// The same with media where the marks are.
Opened OpenInterleaved(Settings& settings) {
  return OpenConversationFile(settings, MediaPlace::kMarks, ConversationRecord);
}

// "question" and "answer", with or without "image".
Opened OpenQuestions(Settings& settings) { return OpenConversationFile(settings, MediaPlace::kFront, QuestionRecord); }

// One task of a directory that `galago-train world` wrote, as files or as shards: path, task.
Opened OpenWorldDirectory(Settings& settings) {
  const std::filesystem::path path = settings.RequiredPath("path");
  const std::string task = settings.RequiredText("task");
  ShardOptions options;
  options.conversation = {.media_dir = path, .place = MediaPlace::kAsMarked, .times = true};
  RETURN_IF_ERROR(settings.Finish());
  std::error_code error;
  if (std::filesystem::is_directory(path / task, error)) {
    options.conversation.media_dir.clear();
    return OpenShards(path / task, options);
  }
  return OpenRecords(path / StrCat(task, ".json"), [options](const Json& json, const std::string& source) {
    return OneRecord(ConversationRecord(json, options.conversation, source));
  });
}

// Tar shards: path; samples_per_index, begin, end, recaptions, and the keys of conversations.
Opened OpenShardFolder(Settings& settings) {
  const std::filesystem::path path = settings.RequiredPath("path");
  ShardOptions options;
  options.conversation = ReadConversationOptions(settings, MediaPlace::kAsMarked);
  options.conversation.media_dir.clear();
  options.samples_per_index = settings.Whole("samples_per_index", 1, 1, 1024);
  options.begin = settings.Number("begin", 0.0, 0.0, 1.0);
  options.end = settings.Number("end", 1.0, 0.0, 1.0);
  options.recaptions = settings.Path("recaptions");
  if (options.end < options.begin) settings.Refuse("end", "lies before \"begin\"");
  RETURN_IF_ERROR(settings.Finish());
  return OpenShards(path, options);
}

using ToDocument = StatusOr<Record> (*)(const Json& json, const DocumentOptions& options, const std::string& source);

Opened OpenDocumentFile(Settings& settings, ToDocument to_record) {
  const std::filesystem::path path = settings.RequiredPath("path");
  DocumentOptions options;
  options.media_dir = settings.Path("media_dir");
  options.max_pictures = settings.Whole("max_num_images", options.max_pictures, 0, kMaxCount);
  options.max_tiles = settings.Whole("max_tiles", *options.max_tiles, 1, kMaxTiles);
  RETURN_IF_ERROR(settings.Finish());
  return OpenRecords(path, [options, to_record](const Json& json, const std::string& source) {
    return OneRecord(to_record(json, options, source));
  });
}

// MMC4's documents: path, media_dir, max_num_images, max_tiles.
Opened OpenDocuments(Settings& settings) { return OpenDocumentFile(settings, DocumentRecord); }

// Pictures with captions, a record each: the same keys.
Opened OpenCaptions(Settings& settings) { return OpenDocumentFile(settings, CaptionRecord); }

template <TemporalTask kTask>
Opened OpenTemporalMap(Settings& settings) {
  const std::filesystem::path path = settings.RequiredPath("path");
  TemporalOptions options{.task = kTask};
  options.media_dir = settings.Path("media_dir");
  options.extension = settings.Text("extension", options.extension);
  options.seed = static_cast<uint64_t>(settings.Whole("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  options.question_suffix = settings.Text("question_suffix", "");
  RETURN_IF_ERROR(settings.Finish());
  return OpenTemporal(path, options);
}

constexpr struct {
  std::string_view kind;
  Opened (*open)(Settings& settings);
} kKinds[] = {
    {"world", OpenWorld},
    {"world_directory", OpenWorldDirectory},
    {"conversations", OpenConversations},
    {"interleaved", OpenInterleaved},
    {"questions", OpenQuestions},
    {"shards", OpenShardFolder},
    {"documents", OpenDocuments},
    {"captions", OpenCaptions},
    {"dense_captions", OpenTemporalMap<TemporalTask::kDenseCaptions>},
    {"event_localization", OpenTemporalMap<TemporalTask::kEventLocalization>},
    {"reasoning_localization", OpenTemporalMap<TemporalTask::kReasoning>},
    {"video_questions", OpenTemporalMap<TemporalTask::kQuestions>},
};

}  // namespace

Opened OpenDataset(const Json& json, std::string_view where, const std::filesystem::path& folder) {
  Settings settings(json, where, folder);
  ASSIGN_OR_RETURN(const auto kind, JsonString(json, "kind", where));
  std::string all;
  for (const auto& [name, open] : kKinds) {
    if (kind == name) {
      Opened opened = open(settings);
      return opened.ok() ? std::move(opened) : Annotate(opened.status(), where);
    }
    all += StrCat(all.empty() ? "" : ", ", name);
  }
  return InvalidArgument(StrCat(where, ": \"kind\" is \"", Printable(kind.value_or("")), "\", known are ", all));
}

}  // namespace galago::train

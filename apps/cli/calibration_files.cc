#include "apps/cli/calibration_files.h"

#include <algorithm>
#include <filesystem>
#include <utility>
#include <vector>

#include "eval/world_set.h"
#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::cli {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxText = size_t{64} << 20;
constexpr size_t kMaxConversations = size_t{512} << 20;

Part MediaPart(PartKind kind, const fs::path& path) {
  return kind == PartKind::kVideo ? Part::Video(path.string()) : Part::Image(path.string());
}

Status AddText(const fs::path& path, QuantizeOptions& options) {
  ASSIGN_OR_RETURN(std::string text, ReadFile(path, kMaxText));
  if (Utf8Sanitize(text) != text) return DataLoss(StrCat(path.string(), ": is no UTF-8 text"));
  if (text.empty()) return DataLoss(StrCat(path.string(), ": is empty"));
  options.texts.push_back(std::move(text));
  return OkStatus();
}

Status AddFolder(const fs::path& path, QuantizeOptions& options) {
  std::vector<fs::path> files;
  std::error_code error;
  for (fs::directory_iterator it(path, error), end; !error && it != end; it.increment(error)) {
    const fs::path extension = it->path().extension();
    if (extension == ".txt" || extension == ".md") files.push_back(it->path());
  }
  if (error) return NotFound(StrCat(path.string(), ": cannot be listed: ", error.message()));
  if (files.empty()) return NotFound(StrCat(path.string(), ": has neither world.json nor texts (*.txt, *.md)"));
  std::ranges::sort(files);
  for (const fs::path& file : files) RETURN_IF_ERROR(AddText(file, options));
  return OkStatus();
}

Status AddSample(Engine& engine, const std::string& question, std::vector<Part> media, std::string answer,
                 QuantizeOptions& options) {
  ASSIGN_OR_RETURN(UserMessage user, engine.PlaceMedia(question, std::move(media)));
  options.samples.push_back({.conversation = {std::move(user.message)}, .answer = std::move(answer)});
  return OkStatus();
}

// The first question of every record.
Status AddWorld(Engine& engine, const fs::path& path, QuantizeOptions& options) {
  ASSIGN_OR_RETURN(const eval::WorldSet set, eval::ReadWorldSet(path, {}));
  for (const eval::Record& record : set.records) {
    std::vector<Part> media;
    for (const eval::Medium& medium : record.media) media.push_back(MediaPart(medium.kind, path / medium.path));
    const eval::Question& question = record.questions.front();
    RETURN_IF_ERROR(AddSample(engine, question.text, std::move(media), question.answer, options));
  }
  if (set.records.empty()) return DataLoss(StrCat(path.string(), ": has no questions"));
  return OkStatus();
}

// "image" or "video" of a LLaVA record: a path or a list of them.
StatusOr<std::vector<Part>> MediaOf(const Json& record, const fs::path& folder, const std::string& what) {
  std::vector<Part> media;
  for (const auto& [key, kind] : {std::pair{"image", PartKind::kImage}, std::pair{"video", PartKind::kVideo}}) {
    const Json* value = JsonFind(record, key);
    if (value == nullptr || value->is_null()) continue;
    const Json list = value->is_array() ? *value : Json::array({*value});
    for (const Json& item : list) {
      if (!item.is_string()) return DataLoss(StrCat(what, ": ", key, " is no path"));
      media.push_back(MediaPart(kind, folder / item.get<std::string>()));
    }
  }
  return media;
}

// [{"image": PATH, "conversations": [{"from": "human", "value": ...}, {"from": "gpt", "value": ...}, ...]}, ...]: the
// first exchange of each.
Status AddConversations(Engine& engine, const fs::path& path, QuantizeOptions& options) {
  ASSIGN_OR_RETURN(const Json records, ReadJsonFile(path, {.max_bytes = kMaxConversations}));
  if (!records.is_array() || records.empty()) {
    return DataLoss(StrCat(path.string(), ": is not a list of LLaVA conversations"));
  }
  for (size_t i = 0; i < records.size(); ++i) {
    const std::string what = StrCat(path.string(), ": record ", i);
    const Json* turns = JsonFind(records[i], "conversations");
    if (turns == nullptr || !turns->is_array() || turns->empty())
      return DataLoss(StrCat(what, " has no conversations"));
    std::vector<std::string> said;
    for (size_t t = 0; t < turns->size() && t < 2; ++t) {
      const Json* value = JsonFind((*turns)[t], "value");
      if (value == nullptr || !value->is_string()) return DataLoss(StrCat(what, ": turn ", t, " has no text"));
      said.push_back(value->get<std::string>());
    }
    ASSIGN_OR_RETURN(std::vector<Part> media, MediaOf(records[i], path.parent_path(), what));
    RETURN_IF_ERROR(Annotate(
        AddSample(engine, said[0], std::move(media), said.size() > 1 ? said[1] : std::string(), options), what));
  }
  return OkStatus();
}

}  // namespace

Status AddCalibration(Engine& engine, const std::string& path, QuantizeOptions& options) {
  const fs::path place = path;
  std::error_code error;
  if (fs::is_directory(place, error)) {
    return fs::exists(place / "world.json", error) ? AddWorld(engine, place, options) : AddFolder(place, options);
  }
  return place.extension() == ".json" ? AddConversations(engine, place, options) : AddText(place, options);
}

}  // namespace galago::cli

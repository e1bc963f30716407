#include "tests/parity/golden.h"

#include <algorithm>

#include "src/base/json.h"
#include "src/base/strings.h"

namespace galago::parity {
namespace {

// The files are ours; nlohmann's exceptions on a malformed one fail the test, which is what should happen.
std::optional<std::array<int64_t, 2>> PairOf(const Json& json, const char* key) {
  if (!json.contains(key) || json[key].is_null()) return std::nullopt;
  return std::array<int64_t, 2>{json[key][0].get<int64_t>(), json[key][1].get<int64_t>()};
}

Part PartOf(const Json& json, const std::filesystem::path& folder) {
  if (json.contains("text")) return Part::Text(json["text"].get<std::string>());
  MediaOptions options;
  if (json.contains("frames")) options.frames = json["frames"].get<int64_t>();
  if (json.contains("fps")) options.fps = json["fps"].get<double>();
  if (json.contains("image")) return Part::Image((folder / json["image"].get<std::string>()).string(), options);
  return Part::Video((folder / json["video"].get<std::string>()).string(), options);
}

Role RoleOf(const std::string& name) {
  return name == "system" ? Role::kSystem : name == "assistant" ? Role::kAssistant : Role::kUser;
}

// User text that spells <image> places the media given beside it, as on the command line.
StatusOr<Message> MessageOfTurn(const Json& turn, const std::filesystem::path& folder) {
  Message message{.role = RoleOf(turn["role"].get<std::string>()), .parts = {}};
  std::string text;
  std::vector<Part> media;
  for (const Json& part : turn["parts"]) {
    message.parts.push_back(PartOf(part, folder));
    if (message.parts.back().kind == PartKind::kText) {
      text += message.parts.back().text;
    } else {
      media.push_back(message.parts.back());
    }
  }
  if (message.role != Role::kUser || text.find("<image>") == std::string::npos || media.empty()) return message;
  ASSIGN_OR_RETURN(UserMessage placed, PlaceMedia(text, std::move(media)));
  return std::move(placed.message);
}

StatusOr<GoldenPrompt> PromptOf(const Json& json, const std::filesystem::path& folder) {
  GoldenPrompt prompt;
  prompt.name = json["name"].get<std::string>();
  prompt.raw = json.contains("raw");
  if (prompt.raw) prompt.conversation = {{Role::kUser, {Part::Text(json["raw"].get<std::string>())}}};
  for (const Json& turn : json.value("messages", Json::array())) {
    ASSIGN_OR_RETURN(Message message, MessageOfTurn(turn, folder));
    prompt.conversation.push_back(std::move(message));
  }
  prompt.rendered = json[prompt.raw ? "raw" : "rendered"].get<std::string>();
  prompt.input_ids = json["input_ids"].get<std::vector<int64_t>>();
  for (const Json& item : json.value("media", Json::array())) {
    GoldenMedia media;
    media.tiles = item["tiles"].get<int64_t>();
    media.rows = (item.contains("rows") ? item["rows"] : item["tokens"]).get<int64_t>();
    media.tokens = item["tokens"].get<int64_t>();
    media.grid = PairOf(item, "grid");
    if (item.contains("frame_indices")) media.frame_indices = item["frame_indices"].get<std::vector<int64_t>>();
    if (item.contains("pixel_fnv1a64")) media.pixel_fnv1a64 = item["pixel_fnv1a64"].get<std::string>();
    prompt.media.push_back(std::move(media));
  }
  prompt.greedy = json["greedy"].get<std::vector<int32_t>>();
  prompt.min_gap = json["min_gap"].get<double>();
  if (json.contains("trace") && json["trace"].is_string()) prompt.trace = folder / json["trace"].get<std::string>();
  return prompt;
}

// "mobilevlm_v2/mmproj-peg-f16.gguf" -> "gguf_mobilevlm_v2_mmproj_peg_f16"
std::string GgufName(const Json& entry) {
  std::string name = entry.contains("mmproj") ? entry["mmproj"].get<std::string>() : entry["llm"].get<std::string>();
  name = "gguf_" + name.substr(0, name.rfind('.'));
  for (char& letter : name) letter = letter == '/' || letter == '-' ? '_' : letter;
  return name;
}

StatusOr<Golden> LoadGoldenFile(const std::filesystem::path& file) {
  const std::filesystem::path folder = file.parent_path();
  ASSIGN_OR_RETURN(const Json json, ReadJsonFile(file));
  Golden golden;
  golden.model = folder / json["model"].get<std::string>();
  const std::string commit =
      json["upstream"][0].contains("commit") ? json["upstream"][0]["commit"].get<std::string>() : "";
  if (json["compat"] == "eraB") golden.options.vila15 = Vila15::kEraB;
  // The last commits of era A sample video frames differently.
  if (json["compat"] == "eraA" && commit.starts_with("54c9706")) golden.options.vila15 = Vila15::kEraAAug2024;
  if (json["template"].is_string() && json["template"] != "raw")
    golden.options.chat_template = json["template"].get<std::string>();
  for (const Json& item : json["prompts"]) {
    ASSIGN_OR_RETURN(GoldenPrompt prompt, PromptOf(item, folder));
    golden.prompts.push_back(std::move(prompt));
  }
  return golden;
}

}  // namespace

std::filesystem::path DataDirectory() { return std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data"; }

std::vector<std::string> GoldenNames() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(DataDirectory())) {
    if (std::filesystem::exists(entry.path() / "golden.json")) names.push_back(entry.path().filename().string());
  }
  // GGUF files whose tensors are those of a golden: gguf_<file without its extension>.
  const StatusOr<Json> index = ReadJsonFile(DataDirectory() / "gguf/index.json");
  if (index.ok()) {
    for (const Json& entry : *index) {
      if (entry.contains("golden")) names.push_back(GgufName(entry));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

StatusOr<Golden> LoadGolden(const std::string& name) {
  if (!name.starts_with("gguf_")) return LoadGoldenFile(DataDirectory() / name / "golden.json");
  const std::filesystem::path folder = DataDirectory() / "gguf";
  ASSIGN_OR_RETURN(const Json index, ReadJsonFile(folder / "index.json"));
  for (const Json& entry : index) {
    if (!entry.contains("golden") || GgufName(entry) != name) continue;
    ASSIGN_OR_RETURN(Golden golden, LoadGoldenFile(folder / entry["golden"].get<std::string>()));
    golden.model = folder / entry["llm"].get<std::string>();
    if (entry.contains("mmproj")) golden.options.mmproj = (folder / entry["mmproj"].get<std::string>()).string();
    return golden;
  }
  return NotFound(name);
}

}  // namespace galago::parity

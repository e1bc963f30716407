#include "apps/cli/chat_file.h"

#include <array>
#include <utility>

#include "apps/cli/json_output.h"
#include "apps/cli/values.h"
#include "src/base/json.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

constexpr std::string_view kSchema = "galago.chat/1";
// Embedded videos are large; a conversation larger than this is not one.
constexpr size_t kMaxBytes = size_t{1} << 30;

template <class T, size_t N>
std::string_view NameIn(const std::array<std::pair<std::string_view, T>, N>& names, T value) {
  for (const auto& [name, candidate] : names) {
    if (candidate == value) return name;
  }
  return "";
}

template <class T, size_t N>
Status ReadName(const Json& object, std::string_view key, std::string_view what,
                const std::array<std::pair<std::string_view, T>, N>& names, T& out) {
  ASSIGN_OR_RETURN(const auto text, JsonString(object, key, what));
  if (!text) return OkStatus();
  for (const auto& [name, value] : names) {
    if (name == *text) {
      out = value;
      return OkStatus();
    }
  }
  return DataLoss(StrCat(what, ": ", key, " is '", Printable(*text), "', which is unknown"));
}

constexpr std::array<std::pair<std::string_view, Exif>, 2> kExif = {{{"auto", Exif::kAuto}, {"ignore", Exif::kIgnore}}};
constexpr std::array<std::pair<std::string_view, Alpha>, 3> kAlpha = {
    {{"drop", Alpha::kDrop}, {"white", Alpha::kWhite}, {"black", Alpha::kBlack}}};
constexpr std::array<std::pair<std::string_view, Aspect>, 4> kAspect = {
    {{"model", Aspect::kModel}, {"crop", Aspect::kCrop}, {"resize", Aspect::kResize}, {"pad", Aspect::kPad}}};

Json PartToJson(const Part& part) {
  if (part.kind == PartKind::kText) return {{"type", "text"}, {"text", part.text}};
  const MediaOptions& media = part.media;
  Json out = {{"type", part.kind == PartKind::kVideo ? "video" : "image"},
              {"source", part.source},
              {"exif", NameIn(kExif, media.exif)},
              {"alpha", NameIn(kAlpha, media.alpha)},
              {"aspect", NameIn(kAspect, media.aspect)}};
  if (part.at_marker) out["at_marker"] = true;
  if (media.max_tiles) out["max_tiles"] = *media.max_tiles;
  if (media.video_max_tiles) out["video_max_tiles"] = *media.video_max_tiles;
  if (media.frames) out["frames"] = *media.frames;
  if (media.fps) out["fps"] = *media.fps;
  if (media.start_s) out["start_s"] = *media.start_s;
  if (media.end_s) out["end_s"] = *media.end_s;
  return out;
}

StatusOr<Part> PartFromJson(const Json& json, std::string_view what) {
  if (!json.is_object()) return DataLoss(StrCat(what, ": a part of a message is not an object"));
  ASSIGN_OR_RETURN(const auto type, JsonString(json, "type", what));
  if (type == "text") {
    ASSIGN_OR_RETURN(const auto text, JsonString(json, "text", what));
    if (!text) return DataLoss(StrCat(what, ": a text part has no text"));
    return Part::Text(*text);
  }
  if (type != "image" && type != "video") {
    return DataLoss(StrCat(what, ": a part has type '", Printable(type.value_or("")), "', not text, image or video"));
  }
  ASSIGN_OR_RETURN(const auto source, JsonString(json, "source", what));
  if (!source || source->empty()) return DataLoss(StrCat(what, ": an ", *type, " part has no source"));
  MediaOptions media;
  RETURN_IF_ERROR(ReadName(json, "exif", what, kExif, media.exif));
  RETURN_IF_ERROR(ReadName(json, "alpha", what, kAlpha, media.alpha));
  RETURN_IF_ERROR(ReadName(json, "aspect", what, kAspect, media.aspect));
  ASSIGN_OR_RETURN(media.max_tiles, JsonInt(json, "max_tiles", what, 1, MediaOptions::kMaxTiles));
  ASSIGN_OR_RETURN(media.video_max_tiles, JsonInt(json, "video_max_tiles", what, 1, MediaOptions::kMaxTiles));
  ASSIGN_OR_RETURN(media.frames, JsonInt(json, "frames", what, 1, MediaOptions::kMaxFrames));
  ASSIGN_OR_RETURN(media.fps, JsonNumber(json, "fps", what));
  ASSIGN_OR_RETURN(media.start_s, JsonNumber(json, "start_s", what));
  ASSIGN_OR_RETURN(media.end_s, JsonNumber(json, "end_s", what));
  ASSIGN_OR_RETURN(const auto at_marker, JsonBool(json, "at_marker", what));
  Part part = type == "video" ? Part::Video(*source, media) : Part::Image(*source, media);
  part.at_marker = at_marker.value_or(false);
  return part;
}

StatusOr<std::vector<Part>> PartsFromJson(const Json* json, std::string_view what) {
  std::vector<Part> parts;
  if (json == nullptr) return parts;
  if (!json->is_array()) return DataLoss(StrCat(what, ": the content of a message is not an array"));
  for (const Json& item : *json) {
    ASSIGN_OR_RETURN(Part part, PartFromJson(item, what));
    parts.push_back(std::move(part));
  }
  return parts;
}

Json PartsToJson(const std::vector<Part>& parts) {
  Json out = Json::array();
  for (const Part& part : parts) out.push_back(PartToJson(part));
  return out;
}

}  // namespace

std::string ChatToText(const SavedChat& chat) {
  Json messages = Json::array();
  for (const Message& turn : chat.turns) {
    messages.push_back(
        {{"role", turn.role == Role::kUser ? "user" : "assistant"}, {"content", PartsToJson(turn.parts)}});
  }
  Json out = {{"schema", kSchema}, {"model", chat.model}};
  if (chat.system) out["system"] = *chat.system;
  out["messages"] = std::move(messages);
  if (!chat.pending.empty()) out["pending"] = PartsToJson(chat.pending);
  return StrCat(Dump(out), "\n");
}

StatusOr<SavedChat> ChatFromText(std::string_view text, std::string_view what) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(text, what, {.max_bytes = kMaxBytes}));
  if (!json.is_object()) return DataLoss(StrCat(what, ": is not a JSON object"));
  ASSIGN_OR_RETURN(const auto schema, JsonString(json, "schema", what));
  if (schema != kSchema) {
    return Unimplemented(
        StrCat(what, ": schema is '", Printable(schema.value_or("")), "', this program reads ", kSchema));
  }
  SavedChat chat;
  ASSIGN_OR_RETURN(const auto model, JsonString(json, "model", what));
  chat.model = model.value_or("");
  ASSIGN_OR_RETURN(chat.system, JsonString(json, "system", what));
  ASSIGN_OR_RETURN(chat.pending, PartsFromJson(JsonFind(json, "pending"), what));
  const Json* messages = JsonFind(json, "messages");
  if (messages == nullptr || !messages->is_array()) return DataLoss(StrCat(what, ": has no array of messages"));
  for (const Json& item : *messages) {
    ASSIGN_OR_RETURN(const auto role, JsonString(item.is_object() ? item : Json::object(), "role", what));
    const Role expected = chat.turns.size() % 2 == 0 ? Role::kUser : Role::kAssistant;
    if (role != (expected == Role::kUser ? "user" : "assistant")) {
      return DataLoss(StrCat(what, ": message ", chat.turns.size() + 1, " has role '", Printable(role.value_or("")),
                             "'; user and assistant take turns"));
    }
    ASSIGN_OR_RETURN(std::vector<Part> parts, PartsFromJson(JsonFind(item, "content"), what));
    chat.turns.push_back({.role = expected, .parts = std::move(parts)});
  }
  if (chat.turns.size() % 2 != 0) return DataLoss(StrCat(what, ": the last message has no answer"));
  return chat;
}

Status EmbedMedia(SavedChat& chat, const ReadBytes& read) {
  const auto embed = [&](Part& part) -> Status {
    if (part.kind == PartKind::kText || part.source.starts_with("data:")) return OkStatus();
    ASSIGN_OR_RETURN(const std::string bytes, read(part.source));
    part.source = StrCat("data:", MediaType(bytes), ";base64,", Base64(bytes));
    return OkStatus();
  };
  for (Message& turn : chat.turns) {
    for (Part& part : turn.parts) RETURN_IF_ERROR(embed(part));
  }
  for (Part& part : chat.pending) RETURN_IF_ERROR(embed(part));
  return OkStatus();
}

std::string_view MediaType(std::string_view bytes) {
  const auto at = [&](size_t offset, std::string_view magic) {
    return bytes.size() > offset && bytes.substr(offset).starts_with(magic);
  };
  if (at(0, "\xff\xd8\xff")) return "image/jpeg";
  if (at(0, "\x89PNG\r\n")) return "image/png";
  if (at(0, "RIFF") && at(8, "WEBP")) return "image/webp";
  if (at(0, "GIF87a") || at(0, "GIF89a")) return "image/gif";
  if (at(0, "BM") && bytes.size() > 26) return "image/bmp";
  const bool netpbm = bytes.size() > 3 && bytes[0] == 'P' && bytes[1] >= '1' && bytes[1] <= '6';
  if (netpbm && (bytes[2] == '\n' || bytes[2] == ' ')) return "image/x-portable-anymap";
  if (at(0, "RIFF") && at(8, "AVI ")) return "video/x-msvideo";
  if (at(4, "ftyp")) return "video/mp4";
  if (at(0, "\x1a\x45\xdf\xa3")) return "video/webm";
  return "application/octet-stream";
}

}  // namespace galago::cli

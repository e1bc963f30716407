#include "src/text/side_files.h"

#include <algorithm>
#include <charconv>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/text/vocab.h"

namespace galago::text {
namespace {

constexpr size_t kMaxSideFile = size_t{16} << 20;

StatusOr<std::optional<std::string>> ReadIfThere(const spec::FileSource& files, std::string_view name) {
  if (!files.Exists(name)) return std::optional<std::string>();
  ASSIGN_OR_RETURN(std::string text, files.Read(name));
  if (text.size() > kMaxSideFile) {
    return OutOfRange(StrCat(files.NameOf(name), ": ", text.size(), " bytes, the limit is ", kMaxSideFile));
  }
  return std::optional<std::string>(std::move(text));
}

// A token is written as a string or as an object with flags.
StatusOr<AddedToken> ParseToken(const Json& value, std::string_view what, bool special) {
  AddedToken token;
  token.special = special;
  if (value.is_string()) {
    token.content = value.get<std::string>();
    token.normalized = !special;
    return token;
  }
  if (!value.is_object()) return DataLoss(StrCat(what, " is neither a string nor an object"));
  ASSIGN_OR_RETURN(const auto content, JsonString(value, "content", what));
  if (!content) return DataLoss(StrCat(what, ": \"content\" is missing"));
  token.content = *content;
  const auto flag = [&](std::string_view key, bool& field) -> Status {
    ASSIGN_OR_RETURN(const auto set, JsonBool(value, key, what));
    if (set) field = *set;
    return OkStatus();
  };
  RETURN_IF_ERROR(flag("special", token.special));
  token.normalized = !token.special;
  RETURN_IF_ERROR(flag("normalized", token.normalized));
  RETURN_IF_ERROR(flag("lstrip", token.lstrip));
  RETURN_IF_ERROR(flag("rstrip", token.rstrip));
  RETURN_IF_ERROR(flag("single_word", token.single_word));
  return token;
}

Status ParseDecoder(const Json& decoder, SideSettings& out) {
  constexpr std::string_view kWhat = "tokenizer_config.json: \"added_tokens_decoder\"";
  if (!decoder.is_object()) return DataLoss(StrCat(kWhat, " is not an object"));
  for (const auto& [key, value] : decoder.items()) {
    int64_t id = -1;
    const auto end = key.data() + key.size();
    if (const auto parsed = std::from_chars(key.data(), end, id); parsed.ec != std::errc() || parsed.ptr != end) {
      return DataLoss(StrCat(kWhat, ": \"", Printable(key), "\" is not an id"));
    }
    if (id < 0 || id > kMaxTokenId) return DataLoss(StrCat(kWhat, ": id ", id, " is not in [0, ", kMaxTokenId, "]"));
    ASSIGN_OR_RETURN(AddedToken token, ParseToken(value, StrCat(kWhat, " ", id), /*special=*/false));
    token.id = static_cast<int32_t>(id);
    out.added.push_back(std::move(token));
  }
  std::stable_sort(out.added.begin(), out.added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return OkStatus();
}

Status ParseAddedTokens(const Json& json, SideSettings& out) {
  constexpr std::string_view kWhat = "added_tokens.json";
  if (!json.is_object()) return DataLoss(StrCat(kWhat, " is not an object"));
  for (const auto& [content, value] : json.items()) {
    if (!value.is_number_integer())
      return DataLoss(StrCat(kWhat, ": \"", Printable(content), "\" has no whole number"));
    const auto id = value.get<int64_t>();
    if (id < 0 || id > kMaxTokenId) return DataLoss(StrCat(kWhat, ": id ", id, " is not in [0, ", kMaxTokenId, "]"));
    AddedToken token{.content = content, .id = static_cast<int32_t>(id)};
    token.special =
        std::any_of(out.named.begin(), out.named.end(), [&](const auto& t) { return t.content == token.content; });
    token.normalized = !token.special;
    out.added.push_back(std::move(token));
  }
  std::stable_sort(out.added.begin(), out.added.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return OkStatus();
}

// Finds a key in the map (which overrides, when it is read at all) or in the configuration. Unlike JsonFind, null is a
// value here: it says that there is no such token.
const Json* Setting(const Json& config, const Json* map, std::string_view key) {
  for (const Json* from : {map, &config}) {
    if (from == nullptr || !from->is_object()) continue;
    const auto& members = from->get_ref<const Json::object_t&>();
    for (auto it = members.rbegin(); it != members.rend(); ++it) {
      if (it->first == key) return &it->second;
    }
  }
  return nullptr;
}

}  // namespace

StatusOr<SideFiles> SideFiles::Read(const spec::FileSource& files) {
  SideFiles side;
  ASSIGN_OR_RETURN(side.tokenizer_config, ReadIfThere(files, "tokenizer_config.json"));
  ASSIGN_OR_RETURN(side.special_tokens_map, ReadIfThere(files, "special_tokens_map.json"));
  ASSIGN_OR_RETURN(side.added_tokens, ReadIfThere(files, "added_tokens.json"));
  return side;
}

StatusOr<SideSettings> ParseSideFiles(const SideFiles& files, const NamedTokens& defaults) {
  constexpr std::string_view kConfig = "tokenizer_config.json";
  Json config = Json::object();
  if (files.tokenizer_config) {
    ASSIGN_OR_RETURN(config, ParseJson(*files.tokenizer_config, kConfig));
  }
  SideSettings out;
  const Json* decoder = JsonFind(config, "added_tokens_decoder");
  std::optional<Json> map;
  if (decoder == nullptr && files.special_tokens_map) {
    ASSIGN_OR_RETURN(map, ParseJson(*files.special_tokens_map, "special_tokens_map.json"));
  }
  const Json* map_or_null = map ? &*map : nullptr;

  const auto named = [&](std::string_view key, const std::optional<std::string>& fallback,
                         std::optional<std::string>* name) -> Status {
    const Json* value = Setting(config, map_or_null, key);
    if (value == nullptr) {
      if (!fallback) return OkStatus();
      out.named.push_back({.content = *fallback, .special = true});
      if (name != nullptr) *name = *fallback;
      return OkStatus();
    }
    if (value->is_null()) return OkStatus();
    ASSIGN_OR_RETURN(AddedToken token, ParseToken(*value, StrCat(kConfig, ": \"", key, "\""), /*special=*/true));
    token.special = true;
    if (token.content.empty()) return OkStatus();
    if (name != nullptr) *name = token.content;
    out.named.push_back(std::move(token));
    return OkStatus();
  };
  RETURN_IF_ERROR(named("bos_token", defaults.bos, &out.names.bos));
  RETURN_IF_ERROR(named("eos_token", defaults.eos, &out.names.eos));
  RETURN_IF_ERROR(named("unk_token", defaults.unk, &out.names.unk));
  RETURN_IF_ERROR(named("sep_token", std::nullopt, nullptr));
  RETURN_IF_ERROR(named("pad_token", defaults.pad, &out.names.pad));
  RETURN_IF_ERROR(named("cls_token", std::nullopt, nullptr));
  RETURN_IF_ERROR(named("mask_token", std::nullopt, nullptr));
  if (const Json* more = Setting(config, map_or_null, "additional_special_tokens");
      more != nullptr && more->is_array()) {
    for (const Json& value : *more) {
      ASSIGN_OR_RETURN(AddedToken token, ParseToken(value, "\"additional_special_tokens\"", /*special=*/true));
      token.special = true;
      if (!token.content.empty()) out.named.push_back(std::move(token));
    }
  }

  if (decoder != nullptr) {
    out.added_from = kConfig;
    RETURN_IF_ERROR(ParseDecoder(*decoder, out));
  } else if (files.added_tokens) {
    out.added_from = "added_tokens.json";
    ASSIGN_OR_RETURN(const Json added, ParseJson(*files.added_tokens, out.added_from));
    RETURN_IF_ERROR(ParseAddedTokens(added, out));
  }
  ASSIGN_OR_RETURN(const auto add_eos, JsonBool(config, "add_eos_token", kConfig));
  out.add_eos_token = add_eos.value_or(false);
  ASSIGN_OR_RETURN(const auto clean_up, JsonBool(config, "clean_up_tokenization_spaces", kConfig));
  out.clean_up_tokenization_spaces = clean_up.value_or(true);
  return out;
}

}  // namespace galago::text

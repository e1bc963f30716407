#include "train/data/config_file.h"

#include <algorithm>
#include <cmath>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "train/data/toml.h"

namespace galago::train {
namespace {

constexpr size_t kMaxConfigBytes = size_t{16} << 20;

// The parser itself limits how deep values nest.
StatusOr<Json> ToJson(const toml::node& node, std::string_view what) {
  if (const toml::table* table = node.as_table()) {
    Json object = Json::object();
    for (const auto& [key, value] : *table) {
      ASSIGN_OR_RETURN(object[std::string(key.str())], ToJson(value, what));
    }
    return object;
  }
  if (const toml::array* array = node.as_array()) {
    Json list = Json::array();
    for (const toml::node& value : *array) {
      ASSIGN_OR_RETURN(list.emplace_back(), ToJson(value, what));
    }
    return list;
  }
  if (const auto* text = node.as_string()) return Json(text->get());
  if (const auto* whole = node.as_integer()) return Json(whole->get());
  if (const auto* flag = node.as_boolean()) return Json(flag->get());
  if (const auto* number = node.as_floating_point(); number != nullptr && std::isfinite(number->get())) {
    return Json(number->get());
  }
  return InvalidArgument(StrCat(what, ":", node.source().begin.line, ": dates, times and numbers that are not finite ",
                                "are not understood"));
}

}  // namespace

StatusOr<Json> ParseConfig(std::string_view text, std::string_view what) {
  const toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const toml::parse_error& error = parsed.error();
    return InvalidArgument(StrCat(what, ":", error.source().begin.line, ":", error.source().begin.column, ": ",
                                  Printable(error.description(), 200)));
  }
  return ToJson(parsed.table(), what);
}

StatusOr<Json> ReadConfigFile(const std::filesystem::path& path) {
  if (path.extension() == ".json") return ReadJsonFile(path);
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxConfigBytes));
  return ParseConfig(text, path.string());
}

Status CheckKeys(const Json& object, std::span<const std::string_view> known, std::string_view what) {
  if (!object.is_object()) return InvalidArgument(StrCat(what, " is not a table"));
  for (const auto& [key, value] : object.items()) {
    if (std::find(known.begin(), known.end(), key) != known.end()) continue;
    std::string all;
    for (const std::string_view name : known) all += StrCat(all.empty() ? "" : ", ", name);
    return InvalidArgument(StrCat(what, ": unknown key \"", Printable(key), "\"; known are ", all));
  }
  return OkStatus();
}

}  // namespace galago::train

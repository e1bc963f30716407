#include "src/spec/config.h"

#include <algorithm>

#include "src/base/strings.h"

namespace galago::spec {

StatusOr<Config> Config::Read(const FileSource& files, std::string_view name) {
  ASSIGN_OR_RETURN(const std::string text, files.Read(name));
  std::string what = files.NameOf(name);
  ASSIGN_OR_RETURN(Json json, ParseJson(text, what));
  if (!json.is_object()) return DataLoss(StrCat(what, ": not a JSON object"));
  return Config(std::move(json), std::move(what));
}

StatusOr<Config> Config::ReadIfPresent(const FileSource& files, std::string_view name) {
  if (!files.Exists(name)) return Config(Json::object(), files.NameOf(name));
  return Read(files, name);
}

bool Config::Mentions(std::string_view key) const {
  if (!object_.is_object()) return false;
  const auto& members = object_.get_ref<const Json::object_t&>();
  return std::ranges::any_of(members, [key](const auto& member) { return member.first == key; });
}

StatusOr<Config> Config::Sub(std::string_view key) const {
  const Json* value = Find(key);
  if (value == nullptr) return Missing(key);
  if (!value->is_object()) return DataLoss(StrCat(Name(key), " is not an object"));
  return Config(*value, StrCat(what_, ": ", key));
}

StatusOr<int64_t> Config::Int(std::string_view key, int64_t min, int64_t max) const {
  ASSIGN_OR_RETURN(const auto value, JsonInt(object_, key, what_, min, max));
  if (!value) return Missing(key);
  return *value;
}

StatusOr<int64_t> Config::IntOr(std::string_view key, int64_t fallback, int64_t min, int64_t max) const {
  ASSIGN_OR_RETURN(const auto value, JsonInt(object_, key, what_, min, max));
  return value.value_or(fallback);
}

StatusOr<double> Config::PositiveOr(std::string_view key, double fallback) const {
  ASSIGN_OR_RETURN(const auto value, JsonNumber(object_, key, what_));
  if (value && !(*value > 0.0)) return DataLoss(StrCat(Name(key), " is ", *value, ", expected a number above 0"));
  return value.value_or(fallback);
}

StatusOr<bool> Config::BoolOr(std::string_view key, bool fallback) const {
  ASSIGN_OR_RETURN(const auto value, JsonBool(object_, key, what_));
  return value.value_or(fallback);
}

StatusOr<std::string> Config::String(std::string_view key) const {
  ASSIGN_OR_RETURN(const auto value, JsonString(object_, key, what_));
  if (!value) return Missing(key);
  return *value;
}

StatusOr<std::string> Config::StringOr(std::string_view key, std::string_view fallback) const {
  ASSIGN_OR_RETURN(const auto value, JsonString(object_, key, what_));
  return value.value_or(std::string(fallback));
}

Status Config::Missing(std::string_view key) const { return DataLoss(StrCat(Name(key), " is missing")); }

std::string Config::Name(std::string_view key) const { return StrCat(what_, ": \"", key, "\""); }

}  // namespace galago::spec

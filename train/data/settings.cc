#include "train/data/settings.h"

#include "src/base/strings.h"
#include "train/data/config_file.h"

namespace galago::train {

const Json* Settings::Find(std::string_view key) {
  known_.push_back(key);
  return error_.ok() ? JsonFind(object_, key) : nullptr;
}

template <class T>
std::optional<T> Settings::Take(StatusOr<std::optional<T>> value) {
  if (value.ok()) return *std::move(value);
  if (error_.ok()) error_ = InvalidArgument(MessageOf(value.status()));
  return std::nullopt;
}

std::string Settings::Text(std::string_view key, std::string fallback) {
  if (Find(key) == nullptr) return fallback;
  return Take(JsonString(object_, key, where_)).value_or(std::move(fallback));
}

std::string Settings::RequiredText(std::string_view key) {
  if (Find(key) != nullptr) return Take(JsonString(object_, key, where_)).value_or(std::string());
  if (error_.ok()) error_ = InvalidArgument(StrCat(where_, ": \"", key, "\" is missing"));
  return {};
}

std::filesystem::path Settings::Path(std::string_view key) {
  const std::string text = Text(key, "");
  return text.empty() ? std::filesystem::path() : folder_ / text;
}

std::filesystem::path Settings::RequiredPath(std::string_view key) { return folder_ / RequiredText(key); }

bool Settings::Flag(std::string_view key, bool fallback) {
  if (Find(key) == nullptr) return fallback;
  return Take(JsonBool(object_, key, where_)).value_or(fallback);
}

int64_t Settings::Whole(std::string_view key, int64_t fallback, int64_t min, int64_t max) {
  return OptionalWhole(key, min, max).value_or(fallback);
}

std::optional<int64_t> Settings::OptionalWhole(std::string_view key, int64_t min, int64_t max) {
  if (Find(key) == nullptr) return std::nullopt;
  return Take(JsonInt(object_, key, where_, min, max));
}

double Settings::Number(std::string_view key, double fallback, double min, double max) {
  if (Find(key) == nullptr) return fallback;
  const double value = Take(JsonNumber(object_, key, where_)).value_or(fallback);
  if (!(value >= min && value <= max)) Refuse(key, StrCat("is ", value, ", expected ", min, " to ", max));
  return value;
}

void Settings::Refuse(std::string_view key, std::string_view why) {
  if (error_.ok()) error_ = InvalidArgument(StrCat(where_, ": \"", key, "\" ", why));
}

Status Settings::Finish() const {
  RETURN_IF_ERROR(error_);
  return CheckKeys(object_, known_, where_);
}

}  // namespace galago::train

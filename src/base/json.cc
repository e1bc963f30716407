#include "src/base/json.h"

#include <cmath>
#include <limits>
#include <vector>

#include "src/base/file.h"
#include "src/base/strings.h"

namespace galago {
namespace {

// Builds a document while counting depth, so that hostile nesting ends with an error and not with our stack.
class LimitedBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit LimitedBuilder(int max_depth) : max_depth_(max_depth) {}

  bool null() override { return Put(nullptr); }
  bool boolean(bool value) override { return Put(value); }
  bool number_integer(number_integer_t value) override { return Put(value); }
  bool number_unsigned(number_unsigned_t value) override { return Put(value); }
  bool number_float(number_float_t value, const string_t&) override { return Put(value); }
  bool string(string_t& value) override { return Put(std::move(value)); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return Open(Json::object()); }
  bool start_array(std::size_t) override { return Open(Json::array()); }
  bool end_object() override { return Close(); }
  bool end_array() override { return Close(); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    std::string reason = error.what();
    // nlohmann's text: "[json.exception...] parse error at line 1, column 2: reason"
    if (const size_t at = reason.find("parse error"); at != std::string::npos) reason.erase(0, at);
    error_ = StrCat("byte ", position, ": ", Printable(reason, 160));
    return false;
  }

  Json root;
  const std::string& error() const { return error_; }

 private:
  bool Open(Json value) {
    if (static_cast<int>(stack_.size()) >= max_depth_) {
      error_ = StrCat("nested more than ", max_depth_, " deep");
      return false;
    }
    Json* placed = Place(std::move(value));
    stack_.push_back(placed);
    return true;
  }
  bool Close() {
    stack_.pop_back();
    return true;
  }
  template <class T>
  bool Put(T&& value) {
    Place(Json(std::forward<T>(value)));
    return true;
  }
  Json* Place(Json value) {
    if (stack_.empty()) {
      root = std::move(value);
      return &root;
    }
    Json& parent = *stack_.back();
    if (parent.is_array()) {
      parent.push_back(std::move(value));
      return &parent.back();
    }
    // ordered_json looks keys up one by one: quadratic for huge objects, which PutMember avoids by appending. Python
    // keeps the last of two equal keys; JsonFind therefore searches from the back.
    auto& members = parent.get_ref<Json::object_t&>();
    static_cast<std::vector<std::pair<const std::string, Json>>&>(members).emplace_back(std::move(key_),
                                                                                        std::move(value));
    return &members.back().second;
  }

  int max_depth_;
  std::string key_;
  std::string error_;
  std::vector<Json*> stack_;
};

std::string KeyName(std::string_view what, std::string_view key) { return StrCat(what, ": \"", key, "\""); }

}  // namespace

StatusOr<Json> ParseJson(std::string_view text, std::string_view what, const JsonLimits& limits) {
  if (text.size() > limits.max_bytes) {
    return DataLoss(StrCat(what, ": JSON of ", text.size(), " bytes, the limit is ", limits.max_bytes));
  }
  LimitedBuilder builder(limits.max_depth);
  if (!Json::sax_parse(text.begin(), text.end(), &builder)) {
    return DataLoss(StrCat(what, ": not valid JSON: ", builder.error().empty() ? "malformed" : builder.error()));
  }
  return std::move(builder.root);
}

StatusOr<Json> ReadJsonFile(const std::filesystem::path& path, const JsonLimits& limits) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, limits.max_bytes));
  return ParseJson(text, path.string(), limits);
}

const Json* JsonFind(const Json& object, std::string_view key) {
  if (!object.is_object()) return nullptr;
  const auto& members = object.get_ref<const Json::object_t&>();
  for (auto it = members.rbegin(); it != members.rend(); ++it) {
    if (it->first == key) return it->second.is_null() ? nullptr : &it->second;
  }
  return nullptr;
}

StatusOr<std::optional<int64_t>> JsonInt(const Json& object, std::string_view key, std::string_view what, int64_t min,
                                         int64_t max) {
  const Json* value = JsonFind(object, key);
  if (value == nullptr) return std::optional<int64_t>();
  if (!value->is_number()) return DataLoss(StrCat(KeyName(what, key), " is not a number"));
  std::optional<int64_t> whole;
  if (value->is_number_unsigned()) {
    const auto number = value->get<uint64_t>();
    if (number <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) whole = static_cast<int64_t>(number);
  } else if (value->is_number_integer()) {
    whole = value->get<int64_t>();
  } else if (const auto number = value->get<double>(); number >= -0x1p63 && number < 0x1p63) {
    if (number == std::floor(number)) whole = static_cast<int64_t>(number);
  }
  if (!whole || *whole < min || *whole > max) {
    return DataLoss(
        StrCat(KeyName(what, key), " is ", value->dump(), ", expected a whole number from ", min, " to ", max));
  }
  return whole;
}

StatusOr<std::optional<double>> JsonNumber(const Json& object, std::string_view key, std::string_view what) {
  const Json* value = JsonFind(object, key);
  if (value == nullptr) return std::optional<double>();
  if (!value->is_number()) return DataLoss(StrCat(KeyName(what, key), " is not a number"));
  const double number = value->get<double>();
  if (!std::isfinite(number)) return DataLoss(StrCat(KeyName(what, key), " is not finite"));
  return std::optional<double>(number);
}

StatusOr<std::optional<bool>> JsonBool(const Json& object, std::string_view key, std::string_view what) {
  const Json* value = JsonFind(object, key);
  if (value == nullptr) return std::optional<bool>();
  if (!value->is_boolean()) return DataLoss(StrCat(KeyName(what, key), " is neither true nor false"));
  return std::optional<bool>(value->get<bool>());
}

StatusOr<std::optional<std::string>> JsonString(const Json& object, std::string_view key, std::string_view what) {
  const Json* value = JsonFind(object, key);
  if (value == nullptr) return std::optional<std::string>();
  if (!value->is_string()) return DataLoss(StrCat(KeyName(what, key), " is not a string"));
  return std::optional<std::string>(value->get<std::string>());
}

}  // namespace galago

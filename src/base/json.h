#ifndef GALAGO_BASE_JSON_H_
#define GALAGO_BASE_JSON_H_

#include <cstdint>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "galago/status.h"

namespace galago {

using Json = nlohmann::ordered_json;

struct JsonLimits {
  size_t max_bytes = size_t{64} << 20;
  int max_depth = 64;
};

// Parses foreign JSON. Errors name `what` (a file name), the byte offset and the cause; duplicate keys: the last one
// wins, as in Python.
StatusOr<Json> ParseJson(std::string_view text, std::string_view what, const JsonLimits& limits = {});
StatusOr<Json> ReadJsonFile(const std::filesystem::path& path, const JsonLimits& limits = {});

// Typed look-ups in an object. A missing key or null gives nullopt / the default; a value of another type, or a number
// that is not a whole number or lies outside [min, max], is an error naming `what` and the key.
StatusOr<std::optional<int64_t>> JsonInt(const Json& object, std::string_view key, std::string_view what, int64_t min,
                                         int64_t max);
StatusOr<std::optional<double>> JsonNumber(const Json& object, std::string_view key, std::string_view what);
StatusOr<std::optional<bool>> JsonBool(const Json& object, std::string_view key, std::string_view what);
StatusOr<std::optional<std::string>> JsonString(const Json& object, std::string_view key, std::string_view what);

// The value under key if present and not null, else nullptr. `object` may be any JSON value.
const Json* JsonFind(const Json& object, std::string_view key);

}  // namespace galago

#endif  // GALAGO_BASE_JSON_H_

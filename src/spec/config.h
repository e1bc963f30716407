#ifndef GALAGO_SPEC_CONFIG_H_
#define GALAGO_SPEC_CONFIG_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "galago/status.h"
#include "src/base/json.h"
#include "src/spec/parse.h"

namespace galago::spec {

// Largest values believed. Generous against every published model, small enough that products of four stay in 64 bits.
inline constexpr int64_t kMaxWidth = int64_t{1} << 17;
inline constexpr int64_t kMaxFeedForward = int64_t{1} << 19;
inline constexpr int64_t kMaxLayers = 1024;
inline constexpr int64_t kMaxHeads = 4096;
inline constexpr int64_t kMaxVocab = int64_t{1} << 24;
inline constexpr int64_t kMaxPositions = int64_t{1} << 31;
inline constexpr int64_t kMaxImageSize = 8192;

// One JSON object of a checkpoint and the name it goes by in messages. A key that is null counts as absent, as it does
// in the reference.
class Config {
 public:
  Config(Json object, std::string what) : object_(std::move(object)), what_(std::move(what)) {}
  // Reads and parses a file, which must hold an object.
  static StatusOr<Config> Read(const FileSource& files, std::string_view name);
  // The same, or an empty object if the file does not exist.
  static StatusOr<Config> ReadIfPresent(const FileSource& files, std::string_view name);

  const std::string& what() const { return what_; }
  const Json& json() const { return object_; }
  bool Has(std::string_view key) const { return JsonFind(object_, key) != nullptr; }
  // The key is written in the file, be its value null.
  bool Mentions(std::string_view key) const;
  const Json* Find(std::string_view key) const { return JsonFind(object_, key); }
  // The object under `key`, named "what: key"; DataLoss if absent or not an object.
  StatusOr<Config> Sub(std::string_view key) const;

  StatusOr<int64_t> Int(std::string_view key, int64_t min, int64_t max) const;  // must be there
  StatusOr<int64_t> IntOr(std::string_view key, int64_t fallback, int64_t min, int64_t max) const;
  StatusOr<double> PositiveOr(std::string_view key, double fallback) const;  // finite and above zero
  StatusOr<bool> BoolOr(std::string_view key, bool fallback) const;
  StatusOr<std::string> String(std::string_view key) const;  // must be there
  StatusOr<std::string> StringOr(std::string_view key, std::string_view fallback) const;
  // "what: "key" is absent"
  Status Missing(std::string_view key) const;
  // `what: "key" ...`
  std::string Name(std::string_view key) const;

 private:
  Json object_;
  std::string what_;
};

}  // namespace galago::spec

#endif  // GALAGO_SPEC_CONFIG_H_

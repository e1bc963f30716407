#ifndef GALAGO_TRAIN_DATA_SETTINGS_H_
#define GALAGO_TRAIN_DATA_SETTINGS_H_

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/json.h"

namespace galago::train {

// Typed look-ups in a registry entry. Every key that was asked for is known; Finish refuses the others, so a reader
// states its keys only once. The first error is kept, values read after it are defaults.
class Settings {
 public:
  // Borrows all three.
  Settings(const Json& object, std::string_view where, const std::filesystem::path& folder)
      : object_(object), where_(where), folder_(folder) {
    if (!object.is_object()) error_ = InvalidArgument(std::string(where) + " is not a table");
  }

  std::string Text(std::string_view key, std::string fallback);
  std::string RequiredText(std::string_view key);
  std::filesystem::path Path(std::string_view key);          // empty if absent
  std::filesystem::path RequiredPath(std::string_view key);  // relative to the folder
  bool Flag(std::string_view key, bool fallback);
  int64_t Whole(std::string_view key, int64_t fallback, int64_t min, int64_t max);
  std::optional<int64_t> OptionalWhole(std::string_view key, int64_t min, int64_t max);
  double Number(std::string_view key, double fallback, double min, double max);
  // Anything else about a value that was read.
  void Refuse(std::string_view key, std::string_view why);
  Status Finish() const;

 private:
  const Json* Find(std::string_view key);
  template <class T>
  std::optional<T> Take(StatusOr<std::optional<T>> value);
  const Json& object_;
  const std::string_view where_;
  const std::filesystem::path& folder_;
  std::vector<std::string_view> known_ = {"kind"};
  Status error_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_SETTINGS_H_

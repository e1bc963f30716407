#ifndef GALAGO_TRAIN_DATA_CONFIG_FILE_H_
#define GALAGO_TRAIN_DATA_CONFIG_FILE_H_

#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "galago/status.h"
#include "src/base/json.h"

// Configuration files in TOML, read into the JSON values that the rest of the code knows.
namespace galago::train {

// Tables become objects, arrays arrays. Dates and times are refused. Errors name `what`, line and column.
StatusOr<Json> ParseConfig(std::string_view text, std::string_view what);
// By extension: .json, else TOML.
StatusOr<Json> ReadConfigFile(const std::filesystem::path& path);

// InvalidArgument, naming `what`, unless every key of the object is one of `known`.
Status CheckKeys(const Json& object, std::span<const std::string_view> known, std::string_view what);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_CONFIG_FILE_H_

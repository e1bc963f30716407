#ifndef GALAGO_CLI_CONFIG_FILE_H_
#define GALAGO_CLI_CONFIG_FILE_H_

#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

namespace galago::cli {

// One `key = value` of a configuration file.
struct ConfigEntry {
  std::string section;              // "" before the first [section]
  std::string key;                  // dashes, even where the file has underscores
  std::vector<std::string> values;  // several for an array
  int line = 0;
};

// The part of TOML that flat settings need: comments, [section], and key = string, number, true/false, or an array of
// these, which may span lines. Errors name `what` and the line.
StatusOr<std::vector<ConfigEntry>> ParseConfig(std::string_view text, std::string_view what);

}  // namespace galago::cli

#endif  // GALAGO_CLI_CONFIG_FILE_H_

#ifndef GALAGO_CLI_VALUES_H_
#define GALAGO_CLI_VALUES_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/base/base64.h"

// What people type as the value of a flag, a setting or a configuration key. Errors say what was expected; the caller
// puts the flag's name in front.
namespace galago::cli {

StatusOr<int64_t> ParseInt(std::string_view text, int64_t min, int64_t max);
StatusOr<double> ParseNumber(std::string_view text, double min, double max);
StatusOr<bool> ParseBool(std::string_view text);         // 1/0, true/false, on/off, yes/no
StatusOr<double> ParseDuration(std::string_view text);   // seconds: "90", "1.5s", "250ms", "2m", "1h"
StatusOr<uint64_t> ParseSize(std::string_view text);     // bytes: "4096", "512M", "1.5GiB" (powers of 1024)
StatusOr<double> ParseTimestamp(std::string_view text);  // seconds: a duration, "MM:SS" or "HH:MM:SS"

// Words as a shell would split them: quotes group, a backslash keeps the next character. InvalidArgument when a quote
// stays open.
StatusOr<std::vector<std::string>> SplitWords(std::string_view text);

// The candidate that needs the fewest edits to become `word`; empty when none is near.
std::string Nearest(std::string_view word, std::span<const std::string> candidates);

// What the engine opens for a medium as people give it: file:// becomes a path, http(s):// is refused (nothing is
// fetched), paths, data: URIs and "-" stay.
StatusOr<std::string> MediaSource(const std::string& source);

// The shortest text that reads back as this number.
std::string NumberText(float number);

}  // namespace galago::cli

#endif  // GALAGO_CLI_VALUES_H_

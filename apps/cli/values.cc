#include "apps/cli/values.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>
#include <utility>

#include "src/base/strings.h"

namespace galago::cli {
namespace {

std::string Quoted(std::string_view text) { return StrCat("'", Printable(text), "'"); }

std::string Lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

// The number at the front of `text` and what follows it.
StatusOr<std::pair<double, std::string_view>> LeadingNumber(std::string_view text, std::string_view kind) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || !std::isfinite(value) || value < 0) {
    return InvalidArgument(StrCat(Quoted(text), " is not a ", kind));
  }
  return std::pair(value, text.substr(static_cast<size_t>(end - text.data())));
}

// Insertions, deletions, replacements and swaps of neighbours (optimal string alignment).
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), above(b.size() + 1), row(b.size() + 1);
  std::iota(row.begin(), row.end(), size_t{0});
  for (size_t i = 1; i <= a.size(); ++i) {
    before = std::exchange(above, row);
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({above[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1), above[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

}  // namespace

StatusOr<int64_t> ParseInt(std::string_view text, int64_t min, int64_t max) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size()) {
    return InvalidArgument(StrCat(Quoted(text), " is not a whole number"));
  }
  if (error != std::errc() || value < min || value > max) {
    return InvalidArgument(StrCat(Printable(text), " lies outside ", min, " to ", max));
  }
  return value;
}

StatusOr<double> ParseNumber(std::string_view text, double min, double max) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc::invalid_argument || end != text.data() + text.size() || std::isnan(value)) {
    return InvalidArgument(StrCat(Quoted(text), " is not a number"));
  }
  if (error != std::errc() || value < min || value > max) {
    return InvalidArgument(StrCat(Printable(text), " lies outside ", min, " to ", max));
  }
  return value;
}

StatusOr<bool> ParseBool(std::string_view text) {
  const std::string word = Lower(text);
  if (word == "1" || word == "true" || word == "on" || word == "yes") return true;
  if (word == "0" || word == "false" || word == "off" || word == "no") return false;
  return InvalidArgument(StrCat(Quoted(text), " is neither on nor off"));
}

StatusOr<double> ParseDuration(std::string_view text) {
  ASSIGN_OR_RETURN(const auto parsed, LeadingNumber(text, "duration such as 30s, 250ms, 2m or 1h"));
  const auto [value, unit] = parsed;
  if (unit.empty() || unit == "s") return value;
  if (unit == "ms") return value / 1000.0;
  if (unit == "m" || unit == "min") return value * 60.0;
  if (unit == "h") return value * 3600.0;
  return InvalidArgument(StrCat(Quoted(text), " is not a duration such as 30s, 250ms, 2m or 1h"));
}

StatusOr<uint64_t> ParseSize(std::string_view text) {
  ASSIGN_OR_RETURN(const auto parsed, LeadingNumber(text, "size such as 512M or 1.5G"));
  const std::string unit = Lower(parsed.second);
  double scale = 0;
  if (unit.empty() || unit == "b") scale = 1;
  constexpr std::string_view kPrefixes = "kmgt";
  for (size_t i = 0; i < kPrefixes.size(); ++i) {
    const std::string prefix(1, kPrefixes[i]);
    if (unit == prefix || unit == prefix + "b" || unit == prefix + "ib") scale = std::pow(1024.0, i + 1.0);
  }
  // 2^63 is far above any machine and still exact in a double.
  if (scale == 0 || parsed.first * scale >= 9223372036854775808.0) {
    return InvalidArgument(StrCat(Quoted(text), " is not a size such as 512M or 1.5G"));
  }
  return static_cast<uint64_t>(parsed.first * scale);
}

StatusOr<double> ParseTimestamp(std::string_view text) {
  if (text.find(':') == std::string_view::npos) return ParseDuration(text);
  const std::vector<std::string> fields = Split(text, ':');
  double seconds = 0;
  for (size_t i = 0; i < fields.size(); ++i) {
    const bool last = i + 1 == fields.size();
    const auto field = ParseNumber(fields[i], 0, i == 0 ? 1e6 : 59.999999);
    if (!field.ok() || fields.size() > 3 || (!last && *field != std::floor(*field))) {
      return InvalidArgument(StrCat(Quoted(text), " is not a time such as 12.5, 1:30 or 1:02:03"));
    }
    seconds = seconds * 60 + *field;
  }
  return seconds;
}

StatusOr<std::vector<std::string>> SplitWords(std::string_view text) {
  std::vector<std::string> words;
  bool in_word = false;
  char quote = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool space = c == ' ' || c == '\t';
    if (quote == 0 && space) {
      in_word = false;
      continue;
    }
    if (!std::exchange(in_word, true)) words.emplace_back();
    if (c == '\\' && quote != '\'' && i + 1 < text.size()) {
      words.back() += text[++i];
    } else if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (quote != 0 && c == quote) {
      quote = 0;
    } else {
      words.back() += c;
    }
  }
  if (quote != 0) return InvalidArgument(StrCat("a ", quote, " is not closed"));
  return words;
}

std::string Nearest(std::string_view word, std::span<const std::string> candidates) {
  std::string best;
  size_t best_distance = std::max<size_t>(2, word.size() / 3) + 1;
  for (const std::string& candidate : candidates) {
    const size_t distance = EditDistance(word, candidate);
    // Less than the word's own length, or any short word would do.
    if (distance < best_distance && distance < std::max(word.size(), candidate.size()) - 1) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

StatusOr<std::string> MediaSource(const std::string& source) {
  if (source.starts_with("http://") || source.starts_with("https://")) {
    return Unimplemented(StrCat(Printable(source), ": media are not fetched from the network; give a file"));
  }
  constexpr std::string_view kFile = "file://";
  if (!source.starts_with(kFile)) return source;
  const std::string_view rest = std::string_view(source).substr(kFile.size());
  std::string path;
  for (size_t i = 0; i < rest.size(); ++i) {
    if (rest[i] != '%') {
      path += rest[i];
      continue;
    }
    int byte = 0;
    const auto hex = rest.substr(i + 1, 2);
    const auto [end, error] = std::from_chars(hex.data(), hex.data() + hex.size(), byte, 16);
    if (error != std::errc() || end != hex.data() + 2 || byte == 0) {
      return InvalidArgument(StrCat(Printable(source), ": a % in a file:// address is followed by two hex digits"));
    }
    path += static_cast<char>(byte);
    i += 2;
  }
  return path;
}

std::string NumberText(float number) { return StrCat(number); }

}  // namespace galago::cli

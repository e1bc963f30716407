#include "eval/scorers.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <limits>
#include <utility>
#include <vector>

#include "eval/text.h"
#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

constexpr std::array<std::pair<Metric, std::string_view>, 4> kMetrics = {
    {{Metric::kExact, "exact"}, {Metric::kRelaxed, "relaxed"}, {Metric::kAnls, "anls"}, {Metric::kTime, "time"}}};

constexpr double kRelaxedTolerance = 0.05;
constexpr double kAnlsThreshold = 0.5;

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// Python's float(): spaces around, a sign, digits with single underscores between them, inf, infinity, nan.
std::optional<double> PythonFloat(std::string_view text) {
  text = Trim(text);
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  const double sign = negative ? -1.0 : 1.0;
  const std::string lower = Lower(text);
  if (lower == "inf" || lower == "infinity") return sign * std::numeric_limits<double>::infinity();
  if (lower == "nan") return std::numeric_limits<double>::quiet_NaN();
  std::string digits;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '_') {
      digits += text[i];
    } else if (i == 0 || i + 1 == text.size() || !IsDigit(text[i - 1]) || !IsDigit(text[i + 1])) {
      return std::nullopt;
    }
  }
  // What from_chars would take and Python refuses begins with a letter or a second sign.
  if (digits.empty() || (!IsDigit(digits[0]) && digits[0] != '.')) return std::nullopt;
  double value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [stop, error] = std::from_chars(digits.data(), end, value);
  if (stop != end) return std::nullopt;
  if (error == std::errc::result_out_of_range) {
    // Python rounds: to infinity above, to zero below.
    const size_t exponent = lower.find('e');
    const bool tiny = exponent != std::string::npos && lower.compare(exponent + 1, 1, "-") == 0;
    return sign * (tiny ? 0.0 : std::numeric_limits<double>::infinity());
  }
  if (error != std::errc()) return std::nullopt;
  return sign * value;
}

}  // namespace

std::string_view Name(Metric metric) {
  for (const auto& [value, name] : kMetrics) {
    if (value == metric) return name;
  }
  return "";
}

std::optional<Metric> MetricNamed(std::string_view name) {
  for (const auto& [value, known] : kMetrics) {
    if (known == name) return value;
  }
  return std::nullopt;
}

std::string NormaliseAnswer(std::string_view text) {
  std::string out = Lower(CollapseSpaces(text));
  if (out.size() > 1 && out.ends_with('.')) out.pop_back();
  return out;
}

double ExactMatch(std::string_view reply, std::string_view reference) {
  return NormaliseAnswer(reply) == NormaliseAnswer(reference) ? 1.0 : 0.0;
}

std::optional<double> NumberIn(std::string_view text) {
  if (!text.ends_with('%')) return PythonFloat(text);
  while (text.ends_with('%')) text.remove_suffix(1);
  const std::optional<double> percent = PythonFloat(text);
  return percent ? std::optional(*percent / 100.0) : std::nullopt;
}

double RelaxedAccuracy(std::string_view reply, std::string_view reference) {
  reply = Trim(reply);
  reference = Trim(reference);
  const std::optional<double> predicted = NumberIn(reply), target = NumberIn(reference);
  if (predicted && target && *target != 0) {
    return std::abs(*predicted - *target) / std::abs(*target) <= kRelaxedTolerance ? 1.0 : 0.0;
  }
  return Lower(reply) == Lower(reference) ? 1.0 : 0.0;
}

size_t EditDistance(std::u32string_view a, std::u32string_view b) {
  std::vector<size_t> row(b.size() + 1);  // distances of a[:i] from b[:0], b[:1], ...
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = std::exchange(row[0], i);
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = std::exchange(row[j], std::min({row[j] + 1, row[j - 1] + 1, replaced}));
    }
  }
  return row[b.size()];
}

double Anls(std::string_view reply, std::span<const std::string> references) {
  CHECK(!references.empty());
  reply = Trim(reply);
  const std::u32string predicted = CodePoints(Lower(CollapseSpaces(reply)));
  double best = 0;
  for (const std::string& reference : references) {
    // The distance is of the collapsed texts, the length of the raw ones, as in the reference.
    const size_t length = std::max(CodePoints(reference).size(), CodePoints(reply).size());
    if (length == 0) return 1;
    const size_t distance = EditDistance(CodePoints(Lower(CollapseSpaces(reference))), predicted);
    best = std::max(best, 1.0 - static_cast<double>(distance) / static_cast<double>(length));
  }
  return best < kAnlsThreshold ? 0 : best;
}

}  // namespace galago::eval

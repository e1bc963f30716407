#include "eval/interval.h"

#include <algorithm>
#include <charconv>
#include <cstddef>

namespace galago::eval {
namespace {

// The number inside "<...>" at the front: digits with at most one point, at least one digit; else nullopt. `size`
// becomes the length with brackets.
std::optional<double> BracketedTime(std::string_view text, size_t& size) {
  size_t at = 1, digits = 0, points = 0;
  for (; at < text.size() && (text[at] == '.' || (text[at] >= '0' && text[at] <= '9')); ++at) {
    ++(text[at] == '.' ? points : digits);
  }
  if (at == text.size() || text[at] != '>' || digits == 0 || points > 1) return std::nullopt;
  size = at + 1;
  double seconds = 0;
  // The grammar holds, so the one possible failure is a number too large for any video: taken as its end.
  const auto [stop, error] = std::from_chars(text.data() + 1, text.data() + at, seconds);
  return error == std::errc() ? seconds : 1e300;
}

}  // namespace

std::optional<Interval> FindInterval(std::string_view text, double duration_s) {
  std::optional<double> first;
  for (size_t at = text.find('<'); at != std::string_view::npos; at = text.find('<', at)) {
    size_t size = 1;
    const std::optional<double> time = BracketedTime(text.substr(at), size);
    at += size;
    if (!time) continue;
    const double clamped = std::clamp(*time, 0.0, duration_s);
    if (first) return Interval{std::min(*first, clamped), std::max(*first, clamped)};
    first = clamped;
  }
  return std::nullopt;
}

Interval IntervalOfReply(std::string_view reply, double duration_s) {
  return FindInterval(reply, duration_s).value_or(Interval{0, duration_s});
}

double IntersectionOverUnion(const Interval& a, const Interval& b) {
  const double both = std::max(0.0, std::min(a.end, b.end) - std::max(a.begin, b.begin));
  const double either = std::max(0.0, a.end - a.begin) + std::max(0.0, b.end - b.begin) - both;
  return either > 0 ? both / either : 0;
}

}  // namespace galago::eval

#ifndef GALAGO_EVAL_INTERVAL_H_
#define GALAGO_EVAL_INTERVAL_H_

#include <optional>
#include <string_view>

// When something happens in a video, as answers say it: two times in seconds in angle brackets, "<1.5> <2.75>"
// (NVlabs/VILA: llava/eval/rtl.py).
namespace galago::eval {

struct Interval {
  double begin = 0, end = 0;  // seconds
  bool operator==(const Interval&) const = default;
};

// The first two times of the text, in order and within [0, duration]; nullopt if there are fewer.
std::optional<Interval> FindInterval(std::string_view text, double duration_s);

// The same for a reply: one without two times stands for the whole video.
Interval IntervalOfReply(std::string_view reply, double duration_s);

// Shared part of the time that both cover together; 0 if that is no time at all.
double IntersectionOverUnion(const Interval& a, const Interval& b);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_INTERVAL_H_

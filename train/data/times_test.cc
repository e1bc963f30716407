#include "train/data/times.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/strings.h"

namespace galago::train {
namespace {

// The text with trusted parts in square brackets.
std::string Shown(std::string_view text, double duration_s, int64_t num_time_tokens = 100) {
  const spec::VideoSpec video{.num_time_tokens = num_time_tokens};
  std::string out;
  for (const text::Part& part : WithTimeTokens(text, duration_s, video)) {
    if (const auto* trusted = std::get_if<text::TrustedText>(&part)) {
      out += StrCat("[", trusted->text, "]");
    } else {
      out += std::get<std::string>(part);
    }
  }
  return out;
}

TEST(Times, RoundHalfToEvenAndBack) {
  const struct {
    double time, duration;
    int64_t token;
    std::string back;
  } kCases[] = {{0, 120, 0, "<0.0>"},
                {12.5, 120, 10, "<12.12>"},
                {60, 120, 50, "<60.61>"},
                {120, 120, 99, "<120.0>"},
                {33.3, 95.7, 34, "<32.87>"}};
  for (const auto& [time, duration, token, back] : kCases) {
    EXPECT_EQ(TimeToken(time, duration, 100), token) << time;
    EXPECT_EQ(text::ReplaceTimeTokens({.num_time_tokens = 100}, StrCat("<t", token, ">"), duration), back);
  }
  EXPECT_EQ(TimeToken(500, 120, 100), 99);
}

TEST(Times, OnlySecondsInBracketsAreReplaced) {
  EXPECT_EQ(Shown("From <12.5> to <60>: <a> <1.2.3> < 3 > <.> <4.> 5.", 120),
            "From [<t10>] to [<t50>]: <a> <1.2.3> < 3 > <.> [<t3>] 5.");
  EXPECT_EQ(Shown("<12.5>", 120, 0), "<12.5>");
  EXPECT_EQ(Shown("<12.5>", 0), "<12.5>");
  EXPECT_EQ(Shown("<12.5", 120), "<12.5");
}

}  // namespace
}  // namespace galago::train

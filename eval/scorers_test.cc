#include "eval/scorers.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "eval/interval.h"

namespace galago::eval {
namespace {

TEST(Metric, NamesReadBack) {
  for (const Metric metric : {Metric::kExact, Metric::kRelaxed, Metric::kAnls, Metric::kTime}) {
    EXPECT_EQ(MetricNamed(Name(metric)), metric);
  }
  EXPECT_EQ(MetricNamed("bleu"), std::nullopt);
}

TEST(ExactMatch, Vectors) {
  struct Case {
    const char *reply, *reference;
    double score;
  };
  for (const Case& c : std::vector<Case>{{"3", "3", 1},
                                         {" red\n", "red", 1},
                                         {"Red", "red", 1},
                                         {"red.", "red", 1},
                                         {"a  big\tred  cube", "a big red cube", 1},
                                         {"\u00c9cole", "\u00e9cole", 1},
                                         {"\u00d7", "\u00f7", 0},  // signs, not letters
                                         {"red", "blue", 0},
                                         {"redder", "red", 0},
                                         {"3.5", "35", 0},
                                         {".", "", 0},
                                         {"", "", 1},
                                         {"", "red", 0},
                                         {"red..", "red", 0},
                                         {"\xff", "\ufffd", 1}}) {
    EXPECT_EQ(ExactMatch(c.reply, c.reference), c.score) << "'" << c.reply << "' for '" << c.reference << "'";
  }
}

TEST(NumberIn, ReadsWhatPythonReads) {
  for (const auto& [text, value] : std::vector<std::pair<const char*, double>>{{"10", 10},
                                                                               {" 10 ", 10},
                                                                               {"+1.5", 1.5},
                                                                               {"-.5", -0.5},
                                                                               {"5.", 5},
                                                                               {"1e3", 1000},
                                                                               {"1_000", 1000},
                                                                               {"5%", 0.05},
                                                                               {"5 %", 0.05},
                                                                               {"5%%", 0.05},
                                                                               {"1e-999", 0},
                                                                               {"-1E999", -HUGE_VAL},
                                                                               {"inf", HUGE_VAL}}) {
    ASSERT_TRUE(NumberIn(text)) << text;
    EXPECT_EQ(*NumberIn(text), value) << text;
  }
  EXPECT_TRUE(std::isnan(NumberIn("nan").value()));
  for (const char* text :
       {"", "%", "ten", "1,000", "1__0", "_1", "1_", "0x10", "+-1", "1 0", "--1", "$5", "e5", "infx", "."}) {
    EXPECT_EQ(NumberIn(text), std::nullopt) << text;
  }
}

TEST(RelaxedAccuracy, Vectors) {
  struct Case {
    const char *reply, *target;
    double score;
  };
  for (const Case& c : std::vector<Case>{{"10.4", "10", 1},
                                         {"10.5", "10", 1},  // the bound itself
                                         {"10.6", "10", 0},
                                         {"9.4", "10", 0},
                                         {"5%", "0.05", 1},
                                         {"5", "5%", 0},
                                         {"0.0", "0", 0},  // target 0: compared as text
                                         {"0", "0", 1},
                                         {"-10.4", "-10", 1},
                                         {"10.4", "-10", 0},
                                         {"nan", "10", 0},
                                         {"inf", "10", 0},
                                         {"Apples", "apples", 1},
                                         {"apples", "pears", 0},
                                         {"10 apples", "10", 0},
                                         {"10", "ten", 0},
                                         {" 10\n", "10", 1}}) {
    EXPECT_EQ(RelaxedAccuracy(c.reply, c.target), c.score) << "'" << c.reply << "' for '" << c.target << "'";
  }
}

TEST(EditDistance, Vectors) {
  EXPECT_EQ(EditDistance(U"", U""), 0u);
  EXPECT_EQ(EditDistance(U"abc", U""), 3u);
  EXPECT_EQ(EditDistance(U"", U"abc"), 3u);
  EXPECT_EQ(EditDistance(U"kitten", U"sitting"), 3u);
  EXPECT_EQ(EditDistance(U"flaw", U"lawn"), 2u);
  EXPECT_EQ(EditDistance(U"mountain view", U"mountain veiw"), 2u);
}

TEST(Anls, Vectors) {
  struct Case {
    const char* reply;
    std::vector<std::string> references;
    double score;
  };
  for (const Case& c : std::vector<Case>{{"mountain veiw", {"mountain view"}, 1 - 2.0 / 13},
                                         {"xyz", {"abc"}, 0},
                                         {"ab", {"abcd"}, 0.5},  // the threshold itself counts
                                         {"ab", {"abcde"}, 0},
                                         {"Mountain  View", {"mountain view"}, 1},
                                         {"view", {"mountain", "view"}, 1},
                                         {"", {""}, 1},
                                         {"", {"a"}, 0},
                                         // The length is that of the raw texts: 5 code points, distance 1.
                                         {"a  c", {"a  bc"}, 1 - 1.0 / 5},
                                         {"caf\u00e9", {"cafe"}, 1 - 1.0 / 4}}) {
    EXPECT_DOUBLE_EQ(Anls(c.reply, c.references), c.score) << "'" << c.reply << "'";
  }
}

TEST(FindInterval, Vectors) {
  struct Case {
    const char* text;
    std::optional<Interval> interval;
  };
  for (const Case& c : std::vector<Case>{
           {"<1.5> <2.75>", Interval{1.5, 2.75}},
           {"from <2> to <1.>, then <0>", Interval{1, 2}},  // the first two, in order
           {"<.5><3>", Interval{0.5, 3}},
           {"<1> <99999999999>", Interval{1, 4}},  // within the video
           {"<1> <1e3> <2>", Interval{1, 2}},      // no exponents
           {"<-1> < 1> <1.5.2> <> <.> <t5> <3> <4>", Interval{3, 4}},
           {"<<1> <2>", Interval{1, 2}},
           {"<1>", std::nullopt},
           {"<1> <2", std::nullopt},
           {"", std::nullopt},
           {"1.5 to 2.75", std::nullopt},
       }) {
    EXPECT_EQ(FindInterval(c.text, 4), c.interval) << c.text;
  }
  EXPECT_EQ(IntervalOfReply("never", 4), (Interval{0, 4}));
  // A number beyond what a double holds is the end of the video.
  EXPECT_EQ(FindInterval("<" + std::string(400, '9') + "> <1>", 4), (Interval{1, 4}));
}

TEST(IntersectionOverUnion, Vectors) {
  EXPECT_EQ(IntersectionOverUnion({0, 2}, {0, 2}), 1);
  EXPECT_EQ(IntersectionOverUnion({0, 2}, {1, 3}), 1.0 / 3);
  EXPECT_EQ(IntersectionOverUnion({0, 4}, {1, 3}), 0.5);
  EXPECT_EQ(IntersectionOverUnion({0, 1}, {2, 3}), 0);
  EXPECT_EQ(IntersectionOverUnion({1, 1}, {1, 1}), 0) << "no time at all";
  EXPECT_EQ(IntersectionOverUnion({1, 1}, {0, 2}), 0);
}

}  // namespace
}  // namespace galago::eval

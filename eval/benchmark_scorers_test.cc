#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "eval/choices.h"
#include "eval/vqa_accuracy.h"

namespace galago::eval {
namespace {

TEST(VqaAccuracy, ByTheNumberOfPeopleWhoAgree) {
  const std::vector<double> expected = {0, 0.3, 0.6, 0.9, 1, 1, 1, 1, 1, 1, 1};
  for (size_t agree = 0; agree <= 10; ++agree) {
    std::vector<std::string> people(10, "other");
    std::fill_n(people.begin(), agree, "cat");
    EXPECT_NEAR(VqaAccuracy("cat", people), expected[agree], 1e-12) << agree;
  }
  EXPECT_EQ(VqaAccuracy("cat", {}), 0);
}

TEST(EvalAiNormalise, Vectors) {
  for (const auto& [text, normal] : std::vector<std::pair<const char*, const char*>>{
           {"Two", "2"},
           {"a dog", "dog"},
           {"The  Dog\n", "dog"},
           {"none", "0"},
           {"dont know", "don't know"},
           {"couldntve", "couldntve"},  // two apostrophes are missing
           {"couldnt've", "couldn't've"},
           {"couldn'tve", "couldn't've"},
           {"twas", "'twas"},
           {"somebody'd", "somebodyd"},
           {"don't", "don't"},
           {"1,000", "1000"},
           {"1,000-2,000", "10002000"},  // a comma between digits deletes all punctuation
           {"black/white", "black white"},
           {"red, blue", "red blue"},
           {"yes.", "yes"},
           {"3.5", "3.5"},
           {"U.S.", "us"},
           {"what?", "what"},
           {"", ""},
       }) {
    EXPECT_EQ(EvalAiNormalise(text), normal) << text;
  }
  EXPECT_EQ(TokenizeAnswer(" John's, really? "), "john 's really");
}

TEST(Pope, RepliesAndRates) {
  for (const char* no : {"No", "no, there is none", "There is not. Yes", "No."}) EXPECT_FALSE(PopeSaysYes(no)) << no;
  for (const char* yes : {"Yes", "yes. no", "NO", "nothing", ""}) EXPECT_TRUE(PopeSaysYes(yes)) << yes;
  const std::vector<std::pair<bool, bool>> answers = {
      {true, true}, {true, true}, {true, false}, {false, true}, {false, false}};
  const PopeScores scores = ScorePope(answers);
  EXPECT_DOUBLE_EQ(scores.accuracy, 0.6);
  EXPECT_DOUBLE_EQ(scores.precision, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.recall, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.f1, 2.0 / 3);
  EXPECT_DOUBLE_EQ(scores.yes_ratio, 0.6);
  EXPECT_EQ(ScorePope({}).f1, 0);
}

TEST(Mme, RepliesAndScore) {
  for (const char* yes : {"Yes", " yes.", "y", "Yes, it is", "  YES!"}) EXPECT_EQ(MmeSaysYes(yes), true) << yes;
  for (const char* no : {"No", "n.", "no way", "not"}) EXPECT_EQ(MmeSaysYes(no), false) << no;
  for (const char* other : {"", "maybe", "I say yes"}) EXPECT_EQ(MmeSaysYes(other), std::nullopt) << other;
  EXPECT_EQ(MmePictureScore(true, false), 50);
  EXPECT_EQ(MmePictureScore(true, true), 200);
  EXPECT_EQ(MmePictureScore(false, false), 0);
}

TEST(Letters, AreFound) {
  EXPECT_EQ(LetterWithPeriod(" B. a cat"), 'B');
  EXPECT_EQ(LetterWithPeriod("B"), std::nullopt);
  EXPECT_EQ(LetterWithPeriod("b. a cat"), std::nullopt);
  EXPECT_EQ(FirstLetter(" c"), 'C');
  EXPECT_EQ(FirstLetter("(A)"), '(');
  EXPECT_EQ(FirstLetter(""), std::nullopt);
  EXPECT_EQ(StandAloneLetter("(D) running"), 'D');
  EXPECT_EQ(StandAloneLetter("The answer is E!"), 'E');
  EXPECT_EQ(StandAloneLetter("A. B"), 'A');
  EXPECT_EQ(StandAloneLetter("F"), std::nullopt);
  EXPECT_EQ(StandAloneLetter("Because"), std::nullopt);
}

}  // namespace
}  // namespace galago::eval

#include "train/world/phrases.h"

#include <algorithm>
#include <array>

#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::world {

Wordings::Wordings(std::initializer_list<std::string_view> for_train,
                   std::initializer_list<std::string_view> for_heldout)
    : train(for_train), heldout(for_heldout) {
  for (const std::string_view wording : heldout) CHECK(std::find(train.begin(), train.end(), wording) == train.end());
}

std::string_view Pick(const Wordings& wordings, Rng& rng, Split split) {
  return rng.Pick(split == Split::kHeldout ? wordings.heldout : wordings.train);
}

std::string Fill(std::string_view wording, Slots slots) {
  std::string text;
  size_t done = 0;
  while (done < wording.size()) {
    const size_t open = wording.find('{', done);
    text += wording.substr(done, open == std::string_view::npos ? open : open - done);
    if (open == std::string_view::npos) break;
    const size_t close = wording.find('}', open);
    CHECK(close != std::string_view::npos);
    const std::string_view name = wording.substr(open + 1, close - open - 1);
    bool found = false;
    for (const auto& [slot, value] : slots) {
      if (slot != name) continue;
      text += value;
      found = true;
    }
    CHECK(found);
    done = close + 1;
  }
  return text;
}

std::string Say(const Wordings& wordings, Rng& rng, Split split, Slots slots) {
  return Fill(Pick(wordings, rng, split), slots);
}

const Wordings& TitleWordings() {
  static const Wordings kTitle{
      {"What is the title?", "What is written at the top?", "Read the title.", "What does it say at the top?",
       "Tell me the title.", "Which title does it have?", "What title do you see?", "Name the title.",
       "Which title is it?", "What does the top say?"},
      {"Which title is written at the top?", "What does the title say?"}};
  return kTitle;
}

std::string Framed(std::string question, Rng& rng) {
  static constexpr std::array<std::string_view, 10> kBefore = {
      "Question: ",           "Q: ",   "Please answer: ", "A question: ",     "Answer this: ",
      "Here is a question. ", "Now: ", "Next: ",          "I want to know: ", "Next question. "};
  static constexpr std::array<std::string_view, 3> kAfter = {" Please answer.", " Please say.", " Answer:"};
  if (question.empty() || question.find_first_of("<\n") != std::string::npos || !rng.Chance(0.2)) return question;
  // Behind an open list of words, more words would belong to the list.
  const bool ends = question.ends_with('?') || question.ends_with('.');
  if (ends && rng.Chance(0.3)) return StrCat(question, rng.Pick(kAfter));
  const std::string_view before = rng.Pick(kBefore);
  // A name at the front keeps its capital.
  static constexpr std::array<std::string_view, 14> kOpening = {"What ", "Which ", "Where ", "How ",  "Who ",
                                                                "Is ",   "Are ",   "Do ",    "Does ", "Can ",
                                                                "Tell ", "Name ",  "Read ",  "In "};
  const bool opens = std::ranges::any_of(kOpening, [&](std::string_view word) { return question.starts_with(word); });
  if (before.ends_with(": ") && opens && rng.Chance(0.5)) {
    question[0] = static_cast<char>(question[0] - 'A' + 'a');
  }
  return StrCat(before, question);
}

int64_t UpTo(int64_t heldout, Split split) { return split == Split::kTrain ? heldout + 4 : heldout; }

std::string WithArticle(std::string_view noun) {
  constexpr std::string_view kVowels = "aeiouAEIOU";
  const bool vowel = !noun.empty() && kVowels.find(noun.front()) != std::string_view::npos;
  return std::string(vowel ? "an " : "a ").append(noun);
}

std::string JoinWords(std::span<const std::string> words) {
  std::string text;
  for (size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  return text;
}

std::string Listed(std::span<const std::string> words) {
  std::string text;
  for (const std::string& word : words) text.append(text.empty() ? "" : ", ").append(word);
  return text;
}

std::string Capitalised(std::string_view text) {
  return text.empty() ? "" : StrCat(Upper(text.substr(0, 1)), text.substr(1));
}

std::string Upper(std::string_view text) {
  std::string upper(text);
  for (char& c : upper) {
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  }
  return upper;
}

std::string_view NumberWord(int64_t number) {
  static constexpr std::array<std::string_view, 13> kWords = {
      "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"};
  CHECK(number >= 0 && number < static_cast<int64_t>(kWords.size()));
  return kWords[static_cast<size_t>(number)];
}

}  // namespace galago::world

#include "eval/vqa_accuracy.h"

#include <algorithm>
#include <array>
#include <utility>

#include "eval/text.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

constexpr std::string_view kPunctuation = ";/[]\"{}()=+\\_-><@`,?!";

constexpr std::array<std::pair<std::string_view, std::string_view>, 12> kNumberWords = {{{"none", "0"},
                                                                                         {"zero", "0"},
                                                                                         {"one", "1"},
                                                                                         {"two", "2"},
                                                                                         {"three", "3"},
                                                                                         {"four", "4"},
                                                                                         {"five", "5"},
                                                                                         {"six", "6"},
                                                                                         {"seven", "7"},
                                                                                         {"eight", "8"},
                                                                                         {"nine", "9"},
                                                                                         {"ten", "10"}}};

constexpr std::array<std::string_view, 3> kArticles = {"a", "an", "the"};

// The reference's table maps each of these from the spellings that lack exactly one of its apostrophes. Its entries
// with capitals ("Im") can never match, as words are in small letters by then, and are left out.
constexpr std::array<std::string_view, 92> kContractions = {
    "ain't",     "aren't",       "can't",      "could've",     "couldn't",      "couldn't've",    "didn't",
    "doesn't",   "don't",        "hadn't",     "hadn't've",    "hasn't",        "haven't",        "he'd",
    "he'd've",   "he's",         "how'd",      "how'll",       "how's",         "isn't",          "it'd",
    "it'd've",   "it'll",        "ma'am",      "mightn't",     "mightn't've",   "might've",       "mustn't",
    "must've",   "needn't",      "not've",     "o'clock",      "oughtn't",      "'ow's'at",       "shan't",
    "she'd've",  "should've",    "shouldn't",  "shouldn't've", "somebody'd've", "somebody'll",    "somebody's",
    "someone'd", "someone'd've", "someone'll", "someone's",    "something'd",   "something'd've", "something'll",
    "that's",    "there'd",      "there'd've", "there're",     "there's",       "they'd",         "they'd've",
    "they'll",   "they're",      "they've",    "'twas",        "wasn't",        "we'd've",        "we've",
    "weren't",   "what'll",      "what're",    "what's",       "what've",       "when's",         "where'd",
    "where's",   "where've",     "who'd",      "who'd've",     "who'll",        "who's",          "who've",
    "why'll",    "why're",       "why's",      "won't",        "would've",      "wouldn't",       "wouldn't've",
    "y'all",     "y'all'll",     "y'all'd've", "you'd",        "you'd've",      "you'll",         "you're",
    "you've"};

constexpr bool IsDigit(char c) { return c >= '0' && c <= '9'; }

bool HasCommaBetweenDigits(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] != ',' || !IsDigit(text[i - 1])) continue;
    const size_t next = text.find_first_not_of(',', i);
    if (next != std::string_view::npos && IsDigit(text[next])) return true;
  }
  return false;
}

std::string ProcessPunctuation(std::string_view text) {
  const bool grouped_number = HasCommaBetweenDigits(text);
  std::string out(text);
  for (const char p : kPunctuation) {
    const bool at_space =
        text.find(StrCat(p, ' ')) != std::string_view::npos || text.find(StrCat(' ', p)) != std::string_view::npos;
    out = ReplaceAll(std::move(out), StrCat(p), at_space || grouped_number ? "" : " ");
  }
  std::string without_periods;
  for (size_t i = 0; i < out.size(); ++i) {
    const bool before_digit = i + 1 < out.size() && IsDigit(out[i + 1]);
    if (out[i] != '.' || before_digit) without_periods += out[i];
  }
  return without_periods;
}

// The contraction that lacks one apostrophe in `word`, else the word.
std::string WithApostrophe(const std::string& word) {
  if (word == "somebody'd") return "somebodyd";  // the reference's table has this one the wrong way round
  for (const std::string_view contraction : kContractions) {
    if (contraction.size() != word.size() + 1) continue;
    for (size_t at = contraction.find('\''); at != std::string_view::npos; at = contraction.find('\'', at + 1)) {
      if (contraction.substr(0, at) == word.substr(0, at) && contraction.substr(at + 1) == word.substr(at)) {
        return std::string(contraction);
      }
    }
  }
  return word;
}

std::string ProcessWords(std::string_view text) {
  std::string out;
  for (const std::string& given : Split(CollapseSpaces(Lower(text)), ' ')) {
    std::string word = given;
    for (const auto& [name, digits] : kNumberWords) {
      if (given == name) word = digits;
    }
    if (word.empty() || std::find(kArticles.begin(), kArticles.end(), word) != kArticles.end()) continue;
    out += StrCat(out.empty() ? "" : " ", WithApostrophe(word));
  }
  return out;
}

}  // namespace

std::string TokenizeAnswer(std::string_view text) {
  std::string out = ReplaceAll(ReplaceAll(Lower(text), ",", ""), "?", "");
  out = ReplaceAll(std::move(out), "'s", " 's");
  return std::string(Trim(out));
}

std::string EvalAiNormalise(std::string_view text) {
  const std::string one_line = ReplaceAll(ReplaceAll(std::string(text), "\n", " "), "\t", " ");
  return ProcessWords(ProcessPunctuation(Trim(one_line)));
}

double VqaAccuracy(std::string_view reply, std::span<const std::string> people) {
  double sum = 0;
  const auto same = std::count(people.begin(), people.end(), reply);
  for (const std::string& person : people) {
    const auto others = same - (person == reply ? 1 : 0);
    sum += std::min(1.0, static_cast<double>(others) / 3.0);
  }
  return people.empty() ? 0 : sum / static_cast<double>(people.size());
}

}  // namespace galago::eval

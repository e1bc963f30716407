#include "eval/choices.h"

#include <string>
#include <vector>

#include "eval/text.h"
#include "src/base/strings.h"

namespace galago::eval {
namespace {

constexpr bool IsCapital(char c) { return c >= 'A' && c <= 'Z'; }

double Ratio(double part, double whole) { return whole > 0 ? part / whole : 0; }

}  // namespace

bool PopeSaysYes(std::string_view reply) {
  const std::string sentence = ReplaceAll(std::string(reply.substr(0, reply.find('.'))), ",", "");
  for (const std::string& word : Split(sentence, ' ')) {
    if (word == "No" || word == "no" || word == "not") return false;
  }
  return true;
}

PopeScores ScorePope(std::span<const std::pair<bool, bool>> said_and_true) {
  double true_yes = 0, false_yes = 0, true_no = 0, false_no = 0;
  for (const auto& [said, truth] : said_and_true) {
    ++(said ? (truth ? true_yes : false_yes) : (truth ? false_no : true_no));
  }
  const auto all = static_cast<double>(said_and_true.size());
  PopeScores scores{.accuracy = Ratio(true_yes + true_no, all),
                    .precision = Ratio(true_yes, true_yes + false_yes),
                    .recall = Ratio(true_yes, true_yes + false_no),
                    .yes_ratio = Ratio(true_yes + false_yes, all)};
  scores.f1 = Ratio(2 * scores.precision * scores.recall, scores.precision + scores.recall);
  return scores;
}

std::optional<bool> MmeSaysYes(std::string_view reply) {
  const std::string text = ReplaceAll(Lower(Trim(reply)), ".", "");
  if (text == "yes" || text == "y") return true;
  if (text == "no" || text == "n") return false;
  const std::string_view front = std::string_view(text).substr(0, 4);
  if (front.find("yes") != std::string_view::npos) return true;
  if (front.find("no") != std::string_view::npos) return false;
  return std::nullopt;
}

double MmePictureScore(bool first_right, bool second_right) {
  const double each = (first_right ? 50.0 : 0.0) + (second_right ? 50.0 : 0.0);
  return each + (first_right && second_right ? 100.0 : 0.0);
}

std::optional<char> LetterWithPeriod(std::string_view reply) {
  reply = Trim(reply);
  if (reply.size() >= 2 && IsCapital(reply[0]) && reply[1] == '.') return reply[0];
  return std::nullopt;
}

std::optional<char> FirstLetter(std::string_view reply) {
  reply = Trim(reply);
  if (reply.empty()) return std::nullopt;
  const char c = reply[0];
  return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

std::optional<char> StandAloneLetter(std::string_view reply) {
  if (const std::optional<char> letter = LetterWithPeriod(reply)) return letter;
  std::string words;
  for (const char c : reply) {
    const bool punctuation = (c >= '!' && c <= '/') || (c >= ':' && c <= '@') || (c >= '[' && c <= '`') || c >= '{';
    words += punctuation ? ' ' : c;
  }
  for (const std::string& word : Split(CollapseSpaces(words), ' ')) {
    if (word.size() == 1 && word[0] >= 'A' && word[0] <= 'E') return word[0];
  }
  return std::nullopt;
}

}  // namespace galago::eval

#ifndef GALAGO_EVAL_CHOICES_H_
#define GALAGO_EVAL_CHOICES_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

// Questions with few possible answers: yes or no, and the letter of an option.
namespace galago::eval {

// POPE, the LLaVA way: no if a word before the first full stop is "No", "no" or "not", else yes.
bool PopeSaysYes(std::string_view reply);

// Yes is positive. Rates of nothing are 0.
struct PopeScores {
  double accuracy = 0, precision = 0, recall = 0, f1 = 0;
  double yes_ratio = 0;  // of the replies, not the references
};
// Pairs of reply and reference.
PopeScores ScorePope(std::span<const std::pair<bool, bool>> said_and_true);

// MME: yes or no in full, as one letter, or within the first four characters; nullopt for anything else
// (EvolvingLMMs-Lab/lmms-eval: lmms_eval/tasks/mme/utils.py).
std::optional<bool> MmeSaysYes(std::string_view reply);
// One picture's two questions: 50 for each right one, and 100 more for both.
double MmePictureScore(bool first_right, bool second_right);

// AI2D: "B. text" gives 'B'.
std::optional<char> LetterWithPeriod(std::string_view reply);
// SEED: the first character, as a capital.
std::optional<char> FirstLetter(std::string_view reply);
// MVBench: "B. text", else the first of A to E that stands alone, punctuation aside.
std::optional<char> StandAloneLetter(std::string_view reply);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_CHOICES_H_

#ifndef GALAGO_EVAL_SCORERS_H_
#define GALAGO_EVAL_SCORERS_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

// What a reply is worth: pure functions of reply and reference, from 0 to 1. A reply is taken without the white space
// around it.
namespace galago::eval {

enum class Metric { kExact, kRelaxed, kAnls, kTime };

std::string_view Name(Metric metric);  // "exact", "relaxed", "anls", "time"
std::optional<Metric> MetricNamed(std::string_view name);

// White space at the ends dropped and runs of it collapsed to one space, capitals of ASCII and Latin-1 made small, one
// full stop at the end dropped.
std::string NormaliseAnswer(std::string_view text);

// 1 if both are the same text once normalised.
double ExactMatch(std::string_view reply, std::string_view reference);

// What Python's float() makes of the text, with "5%" read as 0.05; nullopt if that is no number.
std::optional<double> NumberIn(std::string_view text);

// ChartQA: a number within 5 % of the reference, or, where one of them is no number or the reference is 0, the same
// text but for capitals (EvolvingLMMs-Lab/lmms-eval: lmms_eval/tasks/chartqa/utils.py).
double RelaxedAccuracy(std::string_view reply, std::string_view reference);

// Insertions, deletions and replacements of characters that turn one text into the other.
size_t EditDistance(std::u32string_view a, std::u32string_view b);

// DocVQA: 1 - edit distance / length of the longer text, best of all references, 0 below one half
// (EvolvingLMMs-Lab/lmms-eval: lmms_eval/api/metrics.py, anls). At least one reference.
double Anls(std::string_view reply, std::span<const std::string> references);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_SCORERS_H_

#ifndef GALAGO_EVAL_VQA_ACCURACY_H_
#define GALAGO_EVAL_VQA_ACCURACY_H_

#include <span>
#include <string>
#include <string_view>

// Replies held against the answers of ten people: VQAv2, TextVQA, VizWiz, OK-VQA.
namespace galago::eval {

// TextVQA and VizWiz do this first: small letters, no commas and question marks, " 's" for "'s".
std::string TokenizeAnswer(std::string_view text);

// The EvalAI normalisation: punctuation, number words, articles, contractions
// (EvolvingLMMs-Lab/lmms-eval: lmms_eval/tasks/_task_utils/vqa_eval_metric.py).
std::string EvalAiNormalise(std::string_view text);

// The mean over people of min(1, how many of the others said the same / 3). All texts normalised before.
double VqaAccuracy(std::string_view reply, std::span<const std::string> people);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_VQA_ACCURACY_H_

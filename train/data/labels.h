#ifndef GALAGO_TRAIN_DATA_LABELS_H_
#define GALAGO_TRAIN_DATA_LABELS_H_

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "galago/status.h"

// Which tokens of a conversation carry loss: what the assistant says and the token that ends its turn. Both rules
// compare the ids of the conversation with those of its template, the same conversation with every answer replaced by
// one sentinel token.
namespace galago::train {

enum class LabelRule {
  kSpan,         // the answer's span in the ids; no side effects
  kGreedyMatch,  // the reference's two-pointer match with its habits (NVlabs/VILA: llava/utils/tokenizer.py)
};
StatusOr<LabelRule> LabelRuleFromName(std::string_view name);  // "span", "greedy_match"

// One label per id. `lead`: how many tokens in front of each sentinel the model writes itself, because the generation
// prompt ends before them (the space after "ASSISTANT:"); kSpan gives them loss. kSpan: DataLoss where the template
// does not lie in the conversation. kGreedyMatch: then all are kIgnore, as in the reference.
StatusOr<std::vector<int32_t>> MakeLabels(LabelRule rule, std::span<const int32_t> ids,
                                          std::span<const int32_t> template_ids, int32_t sentinel, size_t lead = 0);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_LABELS_H_

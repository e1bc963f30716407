#include "train/data/labels.h"

#include <algorithm>

#include "src/base/strings.h"
#include "train/data/sequence.h"

namespace galago::train {
namespace {

using Ids = std::span<const int32_t>;

size_t CommonPrefix(Ids a, Ids b) {
  return static_cast<size_t>(std::mismatch(a.begin(), a.end(), b.begin(), b.end()).first - a.begin());
}

// The stretches of the template between sentinels.
std::vector<Ids> Stretches(Ids template_ids, int32_t sentinel) {
  std::vector<Ids> out;
  size_t begin = 0;
  for (size_t i = 0; i <= template_ids.size(); ++i) {
    if (i < template_ids.size() && template_ids[i] != sentinel) continue;
    out.push_back(template_ids.subspan(begin, i - begin));
    begin = i + 1;
  }
  return out;
}

// A stretch may lose its last tokens where they merge with the answer (": " and "The" are ":" and " The"), never its
// first: that is the special token that ends a turn, which no answer holds.
constexpr size_t kMaxMerged = 2;

StatusOr<std::vector<int32_t>> SpanLabels(Ids ids, Ids template_ids, int32_t sentinel, size_t lead) {
  std::vector<int32_t> labels(ids.size(), kIgnore);
  std::vector<Ids> stretches = Stretches(template_ids, sentinel);
  for (size_t k = 0; k + 1 < stretches.size(); ++k) {
    stretches[k] = stretches[k].first(stretches[k].size() - std::min(lead, stretches[k].size()));
  }
  size_t matched = CommonPrefix(ids, stretches[0]);
  size_t at = matched;
  for (size_t k = 1; k < stretches.size(); ++k) {
    if (matched + kMaxMerged < stretches[k - 1].size()) {
      return DataLoss(StrCat("the text before answer ", k, " is not what the chat template makes of it"));
    }
    if (stretches[k].empty()) {
      return DataLoss(StrCat("the chat template puts no token after answer ", k, ", so nothing would end it"));
    }
    const auto end = std::find(ids.begin() + static_cast<std::ptrdiff_t>(at), ids.end(), stretches[k][0]);
    if (end == ids.end()) return DataLoss(StrCat("answer ", k, " is not where the chat template has it"));
    const auto last = static_cast<size_t>(end - ids.begin());
    for (size_t i = at; i <= last; ++i) labels[i] = ids[i];
    matched = CommonPrefix(ids.subspan(last), stretches[k]);
    at = last + matched;
  }
  if (at != ids.size()) return DataLoss("the conversation goes on where its chat template has ended");
  return labels;
}

// Empty if the template is not used up.
std::vector<int32_t> GreedyLabels(Ids ids, Ids template_ids, int32_t sentinel, bool drop_before) {
  std::vector<bool> keep(template_ids.size(), true);
  for (size_t k = 0; k + 1 < template_ids.size(); ++k) {
    if (template_ids[k] != sentinel) continue;
    keep[k] = keep[k + 1] = false;  // the token after the sentinel ends the turn; unmatched, it gets its label
    if (drop_before && k > 0) keep[k - 1] = false;
  }
  std::vector<int32_t> expected;
  for (size_t k = 0; k < template_ids.size(); ++k) {
    if (keep[k]) expected.push_back(template_ids[k]);
  }
  std::vector<int32_t> labels(ids.size(), kIgnore);
  size_t p = 0;
  for (size_t k = 0; k < ids.size(); ++k) {
    if (p < expected.size() && ids[k] == expected[p]) {
      ++p;
    } else {
      labels[k] = ids[k];
    }
  }
  return p < expected.size() ? std::vector<int32_t>() : labels;
}

}  // namespace

StatusOr<LabelRule> LabelRuleFromName(std::string_view name) {
  if (name == "span") return LabelRule::kSpan;
  if (name == "greedy_match") return LabelRule::kGreedyMatch;
  return InvalidArgument(StrCat("label rule \"", Printable(name), "\" is neither span nor greedy_match"));
}

StatusOr<std::vector<int32_t>> MakeLabels(LabelRule rule, Ids ids, Ids template_ids, int32_t sentinel, size_t lead) {
  if (rule == LabelRule::kSpan) return SpanLabels(ids, template_ids, sentinel, lead);
  for (const bool drop_before : {false, true}) {
    std::vector<int32_t> labels = GreedyLabels(ids, template_ids, sentinel, drop_before);
    if (!labels.empty()) return labels;
  }
  return std::vector<int32_t>(ids.size(), kIgnore);
}

}  // namespace galago::train

#include "train/data/word_counts.h"

#include <algorithm>
#include <deque>

#include "src/base/utf8.h"
#include "src/text/normalizer.h"

namespace galago::train {
namespace {

constexpr double kSomeQuotes = 10.0;

}  // namespace

StatusOr<WordCounter> WordCounter::Make() {
  ASSIGN_OR_RETURN(text::PreTokenizer splitter, text::PreTokenizer::Qwen2());
  return WordCounter(std::move(splitter));
}

Status WordCounter::Add(std::string_view text, WordCounts& counts) const {
  ASSIGN_OR_RETURN(const std::string clean, text::Normalize(text::Normalization::kNfc, Utf8Sanitize(text)));
  std::deque<std::string> storage;
  std::vector<std::string_view> words;
  RETURN_IF_ERROR(splitter_.Split(clean, storage, words));
  for (const std::string_view word : words) ++counts[std::string(word)];
  return OkStatus();
}

int64_t TextGroup::total() const {
  int64_t sum = 0;
  for (const auto& [word, count] : counts) sum += count;
  return sum;
}

std::vector<std::string> ChooseWords(const std::vector<TextGroup>& groups, const WordChoice& choice) {
  std::map<std::string_view, double> shares;  // the largest of all groups
  for (const TextGroup& group : groups) {
    if (group.quotes == Quotes::kAll) continue;
    const double total = static_cast<double>(group.total()) * (group.quotes == Quotes::kSome ? kSomeQuotes : 1.0);
    for (const auto& [word, count] : group.counts) {
      if (word.size() < 2) continue;
      double& share = shares[word];
      share = std::max(share, static_cast<double>(count) / total);
    }
  }
  std::vector<std::pair<double, std::string_view>> ranked;
  for (const auto& [word, share] : shares) {
    if (share >= choice.min_share) ranked.emplace_back(-share, word);
  }
  std::sort(ranked.begin(), ranked.end());
  std::vector<std::string> words;
  for (const auto& [share, word] : ranked) {
    if (static_cast<int64_t>(words.size()) == choice.max_words) break;
    words.emplace_back(word);
  }
  return words;
}

}  // namespace galago::train

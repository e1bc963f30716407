#include "train/data/bpe_trainer.h"

#include <algorithm>
#include <array>
#include <map>
#include <queue>
#include <set>

#include "src/text/byte_level.h"

namespace galago::train {
namespace {

using Pair = std::pair<int32_t, int32_t>;

// Spellings of the bytes in code point order, and the id of each byte.
std::vector<std::string> ByteTokens(std::array<int32_t, 256>& ids) {
  // UTF-8 sorts like code points.
  std::vector<std::pair<std::string, int>> spelled;
  for (int byte = 0; byte < 256; ++byte) {
    spelled.emplace_back(text::BytesToSpelling(std::string(1, static_cast<char>(byte))), byte);
  }
  std::sort(spelled.begin(), spelled.end());
  std::vector<std::string> tokens;
  for (const auto& [spelling, byte] : spelled) {
    ids[static_cast<size_t>(byte)] = static_cast<int32_t>(tokens.size());
    tokens.push_back(spelling);
  }
  return tokens;
}

struct Word {
  std::vector<int32_t> symbols;
  int64_t count = 0;
};

class Trainer {
 public:
  Trainer(const WordCounts& counts, int64_t min_count) : min_count_(min_count) {
    std::array<int32_t, 256> byte_ids = {};
    vocab_.tokens = ByteTokens(byte_ids);
    for (const auto& [text, count] : counts) {
      Word word{.count = count};
      for (const char c : text) word.symbols.push_back(byte_ids[static_cast<unsigned char>(c)]);
      words_.push_back(std::move(word));
      AddPairs(words_.size() - 1, +1);
    }
    for (const auto& [pair, stats] : pairs_) Offer(pair);
  }

  BpeVocab Run(int64_t vocab_size) {
    while (static_cast<int64_t>(vocab_.tokens.size()) < vocab_size && !queue_.empty()) {
      const Candidate best = queue_.top();
      queue_.pop();
      const auto now = pairs_.find(best.pair);
      if (now == pairs_.end()) continue;
      if (now->second.count != best.count) {  // counts only fall after a pair was offered
        Offer(best.pair);
        continue;
      }
      if (best.count < std::max<int64_t>(1, min_count_)) break;
      Merge(best.pair);
    }
    return std::move(vocab_);
  }

 private:
  struct Stats {
    int64_t count = 0;
    std::set<size_t> words;  // where it may occur
  };
  struct Candidate {
    int64_t count = 0;
    Pair pair;
    // The best one on top: most frequent, then lowest ids.
    bool operator<(const Candidate& other) const {
      return count != other.count ? count < other.count : pair > other.pair;
    }
  };

  void AddPairs(size_t index, int64_t sign) {
    const Word& word = words_[index];
    for (size_t i = 0; i + 1 < word.symbols.size(); ++i) {
      Stats& stats = pairs_[{word.symbols[i], word.symbols[i + 1]}];
      stats.count += sign * word.count;
      if (sign > 0) stats.words.insert(index);
    }
  }

  void Offer(const Pair& pair) {
    if (const int64_t count = pairs_[pair].count; count > 0) queue_.push({count, pair});
  }

  void Merge(const Pair& pair) {
    const std::string& left = vocab_.tokens[static_cast<size_t>(pair.first)];
    const std::string& right = vocab_.tokens[static_cast<size_t>(pair.second)];
    vocab_.merges.emplace_back(left, right);
    const std::string merged = left + right;
    // Two merges may spell the same token; it has one id.
    const auto known = std::find(vocab_.tokens.begin() + 256, vocab_.tokens.end(), merged);
    const auto id = static_cast<int32_t>(known - vocab_.tokens.begin());
    if (known == vocab_.tokens.end()) vocab_.tokens.push_back(merged);
    const std::set<size_t> where = pairs_[pair].words;
    for (const size_t index : where) {
      AddPairs(index, -1);
      std::vector<int32_t>& symbols = words_[index].symbols;
      std::vector<int32_t> out;
      for (size_t i = 0; i < symbols.size(); ++i) {
        if (i + 1 < symbols.size() && symbols[i] == pair.first && symbols[i + 1] == pair.second) {
          out.push_back(id);
          ++i;
        } else {
          out.push_back(symbols[i]);
        }
      }
      symbols = std::move(out);
      AddPairs(index, +1);
    }
    pairs_.erase(pair);
    std::set<Pair> fresh;
    for (const size_t index : where) {
      const std::vector<int32_t>& symbols = words_[index].symbols;
      for (size_t i = 0; i + 1 < symbols.size(); ++i) {
        if (symbols[i] == id || symbols[i + 1] == id) fresh.insert({symbols[i], symbols[i + 1]});
      }
    }
    for (const Pair& next : fresh) Offer(next);
  }

  const int64_t min_count_;
  BpeVocab vocab_;
  std::vector<Word> words_;
  std::map<Pair, Stats> pairs_;
  std::priority_queue<Candidate> queue_;
};

}  // namespace

BpeVocab TrainBpe(const WordCounts& counts, int64_t vocab_size, int64_t min_count) {
  return Trainer(counts, min_count).Run(vocab_size);
}

BpeVocab VocabOfWords(const std::vector<std::string>& words) {
  std::array<int32_t, 256> byte_ids = {};
  BpeVocab vocab;
  vocab.whole_words = true;
  vocab.tokens = ByteTokens(byte_ids);
  std::set<std::string> known(vocab.tokens.begin(), vocab.tokens.end());
  for (const std::string& word : words) {
    std::string spelling = text::BytesToSpelling(word);
    if (known.insert(spelling).second) vocab.tokens.push_back(std::move(spelling));
  }
  return vocab;
}

}  // namespace galago::train

#include "src/text/bpe_model.h"

#include <bit>
#include <queue>
#include <string>

#include "src/base/strings.h"
#include "src/text/byte_level.h"
#include "src/text/symbol_list.h"

namespace galago::text {
namespace {

struct Candidate {
  int32_t rank;
  int32_t left;   // symbol
  int32_t id;     // what the two become
  uint32_t size;  // bytes of both: tells a stale candidate
  bool operator>(const Candidate& other) const { return rank != other.rank ? rank > other.rank : left > other.left; }
};
using Queue = std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>>;

}  // namespace

BpeModel::BpeModel(const Vocab& vocab, bool ignore_merges, std::optional<int32_t> unk_id)
    : vocab_(vocab), ignore_merges_(ignore_merges), unk_id_(unk_id) {
  for (int byte = 0; byte < 256; ++byte) {
    const char c = static_cast<char>(byte);
    byte_ids_[static_cast<size_t>(byte)] = vocab.Find(BytesToSpelling(std::string_view(&c, 1))).value_or(-1);
  }
  Grow(16);
}

size_t BpeModel::SlotOf(uint64_t pair) const {
  // Fibonacci hashing: the top bits of the product are well mixed.
  const int shift = 64 - std::countr_zero(merges_.size());
  size_t slot = static_cast<size_t>((pair * 0x9e3779b97f4a7c15ull) >> shift);
  while (merges_[slot].pair != kNoPair && merges_[slot].pair != pair) slot = (slot + 1) & (merges_.size() - 1);
  return slot;
}

void BpeModel::Grow(size_t num_slots) {
  std::vector<Merge> old(num_slots);
  old.swap(merges_);
  for (const Merge& merge : old) {
    if (merge.pair != kNoPair) merges_[SlotOf(merge.pair)] = merge;
  }
}

void BpeModel::Reserve(size_t num_merges) { Grow(std::bit_ceil(std::max(merges_.size(), num_merges * 2 + 2))); }

Status BpeModel::AddMerge(std::string_view left, std::string_view right, Missing missing) {
  const int32_t rank = next_rank_++;
  const auto left_id = vocab_.Find(left);
  const auto right_id = vocab_.Find(right);
  const auto id = vocab_.Find(StrCat(left, right));
  if (!left_id || !right_id || !id) {
    if (missing == Missing::kSkip) return OkStatus();
    const std::string absent = !left_id ? std::string(left) : !right_id ? std::string(right) : StrCat(left, right);
    return DataLoss(StrCat("merge ", rank, " (\"", Printable(left), "\" and \"", Printable(right),
                           "\") needs the token \"", Printable(absent), "\", which is not in the vocabulary"));
  }
  if (static_cast<size_t>(num_merges_) * 2 >= merges_.size()) Grow(merges_.size() * 2);
  Merge& slot = merges_[SlotOf(PairOf(*left_id, *right_id))];
  if (slot.pair == kNoPair) ++num_merges_;
  slot = {PairOf(*left_id, *right_id), rank, *id};  // of two equal merges the later one counts, as in the reference
  return OkStatus();
}

const BpeModel::Merge* BpeModel::FindMerge(int32_t left, int32_t right) const {
  const Merge& merge = merges_[SlotOf(PairOf(left, right))];
  return merge.pair == kNoPair ? nullptr : &merge;
}

void BpeModel::Encode(std::string_view text, std::vector<int32_t>& ids) const {
  if (text.empty()) return;
  if (ignore_merges_ && text.size() <= kMaxTokenBytes) {
    if (const auto whole = vocab_.Find(BytesToSpelling(text))) {
      ids.push_back(*whole);
      return;
    }
  }
  SymbolList symbols;
  symbols.Reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    int32_t id = byte_ids_[static_cast<unsigned char>(text[i])];
    if (id < 0) {
      if (!unk_id_) continue;  // dropped, as the reference does without an unknown token
      id = *unk_id_;
    }
    symbols.Append(id, static_cast<uint32_t>(i), 1);
  }
  std::vector<Candidate> storage;
  storage.reserve(text.size());
  Queue queue(std::greater<>{}, std::move(storage));
  const auto consider = [&](int32_t left) {
    if (left == SymbolList::kNone || symbols[left].next == SymbolList::kNone) return;
    const auto& a = symbols[left];
    const auto& b = symbols[a.next];
    if (const Merge* merge = FindMerge(a.id, b.id)) queue.push({merge->rank, left, merge->id, a.length + b.length});
  };
  for (int32_t i = 0; i + 1 < symbols.size(); ++i) consider(i);
  while (!queue.empty()) {
    const Candidate top = queue.top();
    queue.pop();
    const auto& a = symbols[top.left];
    if (a.length == 0 || a.next == SymbolList::kNone || a.length + symbols[a.next].length != top.size) continue;
    const Merge* merge = FindMerge(a.id, symbols[a.next].id);
    if (merge == nullptr || merge->id != top.id) continue;
    symbols.MergeRight(top.left, top.id);
    consider(a.prev);
    consider(top.left);
  }
  for (int32_t i = 0; i < symbols.size(); ++i) {
    if (symbols[i].length > 0) ids.push_back(symbols[i].id);
  }
}

void BpeModel::EncodeBytes(std::string_view text, std::vector<int32_t>& ids) const {
  for (const char c : text) {
    const int32_t id = byte_ids_[static_cast<unsigned char>(c)];
    if (id >= 0) {
      ids.push_back(id);
    } else if (unk_id_) {
      ids.push_back(*unk_id_);
    }
  }
}

}  // namespace galago::text

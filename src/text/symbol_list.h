#ifndef GALAGO_TEXT_SYMBOL_LIST_H_
#define GALAGO_TEXT_SYMBOL_LIST_H_

#include <cstdint>
#include <vector>

namespace galago::text {

// Symbols of a word in a doubly linked list that shrinks as neighbours merge. Positions fit 32 bits because text is at
// most 64 MiB.
class SymbolList {
 public:
  static constexpr int32_t kNone = -1;
  struct Symbol {
    int32_t prev = kNone, next = kNone;
    int32_t id = 0;       // what it is now; meaning is the model's
    uint32_t begin = 0;   // bytes in the text
    uint32_t length = 0;  // 0: merged away
    bool frozen = false;  // never merges
  };

  void Clear() { symbols_.clear(); }
  void Reserve(size_t n) { symbols_.reserve(n); }
  void Append(int32_t id, uint32_t begin, uint32_t length, bool frozen = false) {
    const auto at = static_cast<int32_t>(symbols_.size());
    symbols_.push_back({at - 1, kNone, id, begin, length, frozen});
    if (at > 0) symbols_[static_cast<size_t>(at) - 1].next = at;
  }
  // `left` swallows its right neighbour and becomes `id`.
  void MergeRight(int32_t left, int32_t id) {
    Symbol& a = (*this)[left];
    Symbol& b = (*this)[a.next];
    a.length += b.length;
    a.id = id;
    b.length = 0;
    a.next = b.next;
    if (a.next != kNone) (*this)[a.next].prev = left;
  }

  Symbol& operator[](int32_t at) { return symbols_[static_cast<size_t>(at)]; }
  const Symbol& operator[](int32_t at) const { return symbols_[static_cast<size_t>(at)]; }
  int32_t size() const { return static_cast<int32_t>(symbols_.size()); }

 private:
  std::vector<Symbol> symbols_;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_SYMBOL_LIST_H_

#ifndef GALAGO_TEXT_VOCAB_H_
#define GALAGO_TEXT_VOCAB_H_

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "galago/status.h"

namespace galago::text {

// Limits of what we believe of a tokenizer file; real vocabularies stay an order of magnitude below.
inline constexpr int32_t kMaxTokenId = (1 << 22) - 1;
inline constexpr size_t kMaxTokenBytes = 4096;

// Spellings and ids, one to one. Ids may have holes.
class Vocab {
 public:
  // DataLoss for an id out of range, a second spelling of an id, a second id of a spelling, or an endless spelling.
  Status Add(std::string_view spelling, int64_t id);

  // Gives a used id another spelling; the old one is forgotten. False if the new one is taken.
  bool Rename(int32_t id, std::string_view spelling);

  std::optional<int32_t> Find(std::string_view spelling) const;
  // Empty for ids that are holes or out of range.
  std::string_view Spelling(int32_t id) const;
  bool Has(int32_t id) const;
  int64_t num_rows() const { return static_cast<int64_t>(entries_.size()); }  // highest id + 1
  int64_t num_tokens() const { return static_cast<int64_t>(ids_.size()); }

 private:
  struct Entry {
    std::string spelling;
    bool used = false;
  };
  std::deque<Entry> entries_;  // a deque, so that the keys of ids_ stay where they are
  std::unordered_map<std::string_view, int32_t> ids_;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_VOCAB_H_

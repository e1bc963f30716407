#ifndef GALAGO_TEXT_BPE_MODEL_H_
#define GALAGO_TEXT_BPE_MODEL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/text/subword_model.h"
#include "src/text/vocab.h"

namespace galago::text {

// Byte-level byte-pair encoding: starts from single bytes and applies the best-ranked merge, leftmost first.
class BpeModel : public SubwordModel {
 public:
  enum class Missing { kFail, kSkip };  // merges that name tokens the vocabulary lacks

  // `vocab` must outlive the model; its spellings are byte-level. A word that is a token as a whole is not merged when
  // ignore_merges (Llama 3).
  BpeModel(const Vocab& vocab, bool ignore_merges, std::optional<int32_t> unk_id);

  // Merges in order of rank. `right` and `left` are spellings.
  Status AddMerge(std::string_view left, std::string_view right, Missing missing);
  void Reserve(size_t num_merges);

  void Encode(std::string_view text, std::vector<int32_t>& ids) const override;
  void EncodeBytes(std::string_view text, std::vector<int32_t>& ids) const override;

 private:
  struct Merge {
    uint64_t pair = kNoPair;  // left id << 32 | right id
    int32_t rank = 0;
    int32_t id = 0;
  };
  static constexpr uint64_t kNoPair = ~uint64_t{0};
  static uint64_t PairOf(int32_t left, int32_t right) {
    return (static_cast<uint64_t>(static_cast<uint32_t>(left)) << 32) | static_cast<uint32_t>(right);
  }
  const Merge* FindMerge(int32_t left, int32_t right) const;
  void Grow(size_t num_slots);
  size_t SlotOf(uint64_t pair) const;

  const Vocab& vocab_;
  bool ignore_merges_;
  std::optional<int32_t> unk_id_;
  std::array<int32_t, 256> byte_ids_;  // -1: the vocabulary lacks this byte
  std::vector<Merge> merges_;          // open addressing, a power of two, at most half full
  int32_t num_merges_ = 0;
  int32_t next_rank_ = 0;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_BPE_MODEL_H_

#include "train/data/sequence.h"

#include <algorithm>
#include <map>

#include "src/base/check.h"

namespace galago::train {
namespace {

// Rows of `media` in front of its slot `slot`.
int64_t FirstRow(const MediaInput& media, int64_t slot) {
  CHECK_LT(slot, static_cast<int64_t>(media.slot_rows.size()));
  int64_t row = 0;
  for (int64_t i = 0; i < slot; ++i) row += media.slot_rows[static_cast<size_t>(i)];
  return row;
}

class Packer {
 public:
  Packer() { out_.cu_seqlens.push_back(0); }

  void Add(const Sequence& sequence, int64_t max_length) {
    segment_begin_ = out_.ids.size();
    left_ = max_length;
    for (const auto& piece : sequence.pieces) {
      if (const auto* run = std::get_if<TokenRun>(&piece)) {
        AddRun(*run);
      } else {
        AddSlot(sequence, std::get<SlotRows>(piece));
      }
    }
    const size_t rows = out_.ids.size() - segment_begin_;
    if (rows == 0) return;
    out_.labels[segment_begin_] = kIgnore;  // nothing predicts across a seam
    for (size_t i = 0; i < rows; ++i) {
      out_.positions.push_back(static_cast<int32_t>(i));
      out_.num_labels += out_.labels[segment_begin_ + i] == kIgnore ? 0 : 1;
    }
    out_.cu_seqlens.push_back(static_cast<int32_t>(out_.ids.size()));
    out_.max_seqlen = std::max(out_.max_seqlen, static_cast<int64_t>(rows));
    out_.sources.push_back(sequence.source);
  }

  Packed Finish() { return std::move(out_); }

 private:
  void AddRun(const TokenRun& run) {
    CHECK_EQ(run.ids.size(), run.labels.size());
    const int64_t count = std::min(left_, static_cast<int64_t>(run.ids.size()));
    out_.ids.insert(out_.ids.end(), run.ids.begin(), run.ids.begin() + count);
    out_.labels.insert(out_.labels.end(), run.labels.begin(), run.labels.begin() + count);
    left_ -= count;
  }

  void AddSlot(const Sequence& sequence, const SlotRows& slot) {
    CHECK_LT(slot.media, static_cast<int64_t>(sequence.media.size()));
    const std::shared_ptr<const MediaInput>& media = sequence.media[static_cast<size_t>(slot.media)];
    const int64_t count = std::min(left_, slot.rows);
    if (count == 0) return;
    const auto [known, is_new] = media_index_.try_emplace(media.get(), static_cast<int64_t>(out_.media.size()));
    if (is_new) out_.media.push_back(media);
    out_.spans.push_back({.at = static_cast<int64_t>(out_.ids.size()),
                          .media = known->second,
                          .first_row = FirstRow(*media, slot.slot),
                          .count = count});
    out_.ids.insert(out_.ids.end(), static_cast<size_t>(count), kMediaRow);
    out_.labels.insert(out_.labels.end(), static_cast<size_t>(count), kIgnore);
    const auto first = static_cast<int64_t>(out_.labels.size()) - count;
    for (int64_t i = 0; i < count && i < static_cast<int64_t>(slot.labels.size()); ++i) {
      for (const RowTarget& target : slot.labels[static_cast<size_t>(i)]) {
        out_.row_labels.push_back({first + i, target.token, target.part});
        out_.num_labels += target.part == 0 ? 1 : 0;
      }
    }
    left_ -= count;
  }

  Packed out_;
  std::map<const MediaInput*, int64_t> media_index_;  // a picture that several sequences share is encoded once
  size_t segment_begin_ = 0;
  int64_t left_ = 0;
};

}  // namespace

int64_t Sequence::num_rows() const {
  int64_t rows = 0;
  for (const auto& piece : pieces) {
    const auto* run = std::get_if<TokenRun>(&piece);
    rows += run != nullptr ? static_cast<int64_t>(run->ids.size()) : std::get<SlotRows>(piece).rows;
  }
  return rows;
}

int64_t Sequence::num_labels() const {
  int64_t labels = 0;
  for (const auto& piece : pieces) {
    if (const auto* run = std::get_if<TokenRun>(&piece)) {
      labels += std::count_if(run->labels.begin(), run->labels.end(), [](int32_t label) { return label != kIgnore; });
    } else {
      for (const std::vector<RowTarget>& row : std::get<SlotRows>(piece).labels) {
        labels += std::ranges::count(row, 0, &RowTarget::part);
      }
    }
  }
  return labels;
}

Packed Pack(const std::vector<Sequence>& sequences, int64_t max_length) {
  CHECK_GT(max_length, 0);
  Packer packer;
  for (const Sequence& sequence : sequences) packer.Add(sequence, max_length);
  return packer.Finish();
}

}  // namespace galago::train

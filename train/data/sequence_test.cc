#include "train/data/sequence.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>
#include <utility>
#include <vector>

namespace galago::train {
namespace {

using ::testing::ElementsAre;
using ::testing::FieldsAre;

TokenRun Learnt(std::vector<int32_t> ids) { return {.ids = ids, .labels = ids}; }

std::shared_ptr<const MediaInput> Picture(std::vector<int64_t> slot_rows) {
  return std::make_shared<const MediaInput>(MediaInput{{}, std::move(slot_rows)});
}

// docs of the format: two segments of 3 and 2 rows.
TEST(Pack, RestartsPositionsAndMasksSeams) {
  const Packed packed = Pack({{.pieces = {Learnt({5, 6, 7})}, .source = "a"}, {.pieces = {Learnt({8, 9})}}}, 10);
  EXPECT_THAT(packed.ids, ElementsAre(5, 6, 7, 8, 9));
  EXPECT_THAT(packed.positions, ElementsAre(0, 1, 2, 0, 1));
  EXPECT_THAT(packed.cu_seqlens, ElementsAre(0, 3, 5));
  EXPECT_THAT(packed.labels, ElementsAre(kIgnore, 6, 7, kIgnore, 9));
  EXPECT_THAT(packed.sources, ElementsAre("a", ""));
  EXPECT_EQ(packed.max_seqlen, 3);
  EXPECT_EQ(packed.num_labels, 3);
}

TEST(Pack, PutsMediaRowsInPlaceAndCutsThem) {
  Sequence sequence{
      .pieces = {Learnt({1, 2}), SlotRows{.media = 0, .slot = 0, .rows = 2}, SlotRows{.media = 0, .slot = 1, .rows = 3},
                 Learnt({3}), SlotRows{.media = 1, .slot = 0, .rows = 4}, Learnt({4})},
      .media = {Picture({2, 3}), Picture({4})}};
  EXPECT_EQ(sequence.num_rows(), 13);
  EXPECT_EQ(sequence.num_labels(), 4);

  const Packed whole = Pack({sequence}, 13);
  EXPECT_THAT(whole.ids, ElementsAre(1, 2, kMediaRow, kMediaRow, kMediaRow, kMediaRow, kMediaRow, 3, kMediaRow,
                                     kMediaRow, kMediaRow, kMediaRow, 4));
  ASSERT_EQ(whole.spans.size(), 3u);
  EXPECT_EQ(whole.spans[1].at, 4);
  EXPECT_EQ(whole.spans[1].media, 0);
  EXPECT_EQ(whole.spans[1].first_row, 2);
  EXPECT_EQ(whole.spans[1].count, 3);
  EXPECT_EQ(whole.spans[2].media, 1);
  EXPECT_EQ(whole.num_labels, 3);  // the first label of the segment is lost

  const Packed cut = Pack({sequence}, 6);  // in the middle of the second slot; the second picture is not needed
  EXPECT_THAT(cut.ids, ElementsAre(1, 2, kMediaRow, kMediaRow, kMediaRow, kMediaRow));
  ASSERT_EQ(cut.spans.size(), 2u);
  EXPECT_EQ(cut.spans[1].count, 2);
  EXPECT_EQ(cut.media.size(), 1u);
  EXPECT_EQ(cut.num_labels, 1);
}

TEST(Pack, CountsRowsWithWhatTheySay) {
  const SlotRows labelled = {.rows = 4, .labels = {{}, {{21}, {24, 3}, {23}}, {{22}}}};
  const Sequence sequence{.pieces = {Learnt({1}), labelled, Learnt({3})}, .media = {Picture({4})}};
  EXPECT_EQ(sequence.num_labels(), 5);
  const auto said = [](const Packed& packed) {
    std::vector<std::tuple<int64_t, int32_t, int32_t>> labels;
    for (const RowLabel& label : packed.row_labels) labels.emplace_back(label.row, label.target, label.part);
    return labels;
  };
  const Packed packed = Pack({sequence, sequence}, 9);
  EXPECT_THAT(packed.labels, ElementsAre(kIgnore, kIgnore, kIgnore, kIgnore, kIgnore, 3, kIgnore, kIgnore, kIgnore,
                                         kIgnore, kIgnore, 3));
  EXPECT_THAT(said(packed),
              ElementsAre(FieldsAre(2, 21, 0), FieldsAre(2, 24, 3), FieldsAre(2, 23, 0), FieldsAre(3, 22, 0),
                          FieldsAre(8, 21, 0), FieldsAre(8, 24, 3), FieldsAre(8, 23, 0), FieldsAre(9, 22, 0)));
  EXPECT_EQ(packed.num_labels, 8);
  const Packed cut = Pack({sequence}, 3);  // between the rows
  EXPECT_THAT(said(cut), ElementsAre(FieldsAre(2, 21, 0), FieldsAre(2, 24, 3), FieldsAre(2, 23, 0)));
  EXPECT_EQ(cut.num_labels, 2);
}

TEST(Pack, EncodesASharedPictureOnceAndLeavesEmptySequencesOut) {
  const auto picture = Picture({2});
  const Sequence sequence{.pieces = {SlotRows{.media = 0, .slot = 0, .rows = 2}, Learnt({3})}, .media = {picture}};
  const Packed packed = Pack({sequence, {}, sequence}, 9);
  EXPECT_EQ(packed.media.size(), 1u);
  EXPECT_THAT(packed.cu_seqlens, ElementsAre(0, 3, 6));
  EXPECT_EQ(packed.spans[1].at, 3);
  EXPECT_EQ(packed.spans[1].media, 0);
  EXPECT_EQ(packed.spans[1].first_row, 0);
  EXPECT_EQ(Pack({}, 9).ids.size(), 0u);
}

}  // namespace
}  // namespace galago::train

#ifndef GALAGO_TRAIN_DATA_SEQUENCE_H_
#define GALAGO_TRAIN_DATA_SEQUENCE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <variant>
#include <vector>

#include "src/media/preprocess/preprocess.h"

// What a record of a data set becomes, on its way to the model:
//   record -> Sequence (tokens, labels and media in order) -> Packed (one row of segments for a micro-batch).
namespace galago::train {

inline constexpr int32_t kIgnore = -100;    // label that carries no loss
inline constexpr int32_t kMediaRow = -200;  // stands in Packed::ids for a row that comes from a picture or video

// A row of media shows one cell of a picture, and is to say what lies there: in all of the cell (part 0), or in one of
// its parts, numbered from 1, left to right and then down. More across than down, because letters stand beside each
// other.
inline constexpr int32_t kCellPartsAcross = 4, kCellPartsDown = 2, kCellParts = kCellPartsAcross * kCellPartsDown;

struct RowTarget {
  int32_t token = 0;
  int32_t part = 0;
  bool operator==(const RowTarget&) const = default;
};

// Tokens with the label of each: the token itself, or kIgnore.
struct TokenRun {
  std::vector<int32_t> ids;
  std::vector<int32_t> labels;
};

// The rows of one media mark: slot `slot` of media `media`, `rows` of them (framing included).
struct SlotRows {
  int64_t media = 0;
  int64_t slot = 0;
  int64_t rows = 0;
  std::vector<std::vector<RowTarget>> labels;  // of the first rows, each to say all of its own
};

// A picture or video, preprocessed as the engine does it.
struct MediaInput {
  media::Preprocessed pixels;
  std::vector<int64_t> slot_rows;  // rows of each of its media marks, spec::SlotRows
};

// One training sequence. Media are shared so that a sequence can be copied (packing, repeats) without its pixels.
struct Sequence {
  std::vector<std::variant<TokenRun, SlotRows>> pieces;
  std::vector<std::shared_ptr<const MediaInput>> media;
  std::string source;  // "file:record", for messages
  // Rows once media are fused in; labels that are not kIgnore, and those of rows that are of the whole cell.
  int64_t num_rows() const;
  int64_t num_labels() const;
};

// Where rows of media go: rows [first_row, first_row + count) of media's embedding to packed rows [at, at + count).
struct MediaSpan {
  int64_t at = 0;
  int64_t media = 0;  // index into Packed::media
  int64_t first_row = 0;
  int64_t count = 0;
};

// One row may say several things.
struct RowLabel {
  int64_t row = 0;
  int32_t target = 0;
  int32_t part = 0;
};

// A micro-batch as one row of segments that do not see each other (NVlabs/VILA: llava/model/llava_arch.py, repacking).
struct Packed {
  std::vector<int32_t> ids;         // [N], kMediaRow where a media row goes
  std::vector<int32_t> labels;      // [N]; position t predicts labels[t + 1]; the first label of a segment is kIgnore
  std::vector<int32_t> positions;   // [N], restarting at 0 in each segment
  std::vector<int32_t> cu_seqlens;  // [S + 1], 0 first, N last
  int64_t max_seqlen = 0;
  std::vector<RowLabel> row_labels;  // ascending by row
  std::vector<MediaSpan> spans;
  std::vector<std::shared_ptr<const MediaInput>> media;
  std::vector<std::string> sources;  // of each segment
  int64_t num_labels = 0;  // labels that are not kIgnore, after truncation and seams, and row_labels of whole cells
};

// Cuts each sequence to `max_length` rows and joins them. Media none of whose rows survive are left out.
Packed Pack(const std::vector<Sequence>& sequences, int64_t max_length);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_SEQUENCE_H_

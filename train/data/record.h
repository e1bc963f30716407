#ifndef GALAGO_TRAIN_DATA_RECORD_H_
#define GALAGO_TRAIN_DATA_RECORD_H_

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "src/base/byte_range.h"
#include "src/base/file.h"
#include "src/media/image.h"
#include "src/spec/media_layout.h"
#include "src/text/prompt.h"

// What every reader makes of a record: text with the places of its media, nothing decoded yet. SequenceBuilder turns it
// into tokens and pixels.
namespace galago::train {

// A member of a shard, or bytes a record holds itself. `owner` keeps what `bytes` points into.
struct EncodedMedium {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

// Frames in memory, at a constant rate.
struct FrameList {
  std::vector<media::Image> frames;
  double fps = 0.0;
};

struct Medium {
  spec::MediaKind kind = spec::MediaKind::kImage;
  // A file (for a video also a folder of frames), encoded bytes, a picture, frames.
  std::variant<std::filesystem::path, EncodedMedium, media::Image, FrameList> from;
  std::string name;                  // for messages
  std::optional<double> duration_s;  // of a video, where the record states it: goes before what the file says
};

enum class Style {
  kChat,     // the model's chat template; answers carry loss
  kCaption,  // BOS if there is one, text with media in place, EOS: all text carries loss (captions, documents)
  kOpenEnd,  // the same without EOS (captions of videos)
  kPlain,    // media, caption, new line; caption and new line carry loss (VILA-1.5 and MobileVLM alignment)
};

// A word of what a row of a picture says, of the part of its cell that RowTarget names.
struct RowWord {
  std::string text;
  int32_t part = 0;
  bool operator==(const RowWord&) const = default;
};

struct Record {
  Style style = Style::kChat;
  // kChat: user and assistant in turn, beginning with the user. Else one user turn. MediaPart::index counts `media`;
  // kind and num_slots are filled in later.
  std::vector<text::Turn> turns;
  std::vector<Medium> media;
  std::optional<std::string> system;  // instead of the template's own system text; "" for none
  // What the rows of the record's one picture say, from its first row on: a row's labels are the first tokens of its
  // words, in no order. Words of one letter stand for that letter. For a record whose picture is one
  // tile.
  std::vector<std::vector<RowWord>> row_words;
  // Bytes of the last text part of a kCaption's turn that alone carry loss, in order; empty: all of it.
  std::vector<ByteRange> told;
  bool times = false;                // <seconds> in the text are times in the record's first video
  std::optional<int64_t> max_tiles;  // of this record's pictures, instead of the model's
  std::string source;                // "file:line", for messages
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_RECORD_H_

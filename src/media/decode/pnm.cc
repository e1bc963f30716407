#include <cmath>
#include <cstring>
#include <utility>

#include "src/base/strings.h"
#include "src/media/decode/codec.h"

// PBM, PGM and PPM, plain and raw, as python-pillow/Pillow: src/PIL/PpmImagePlugin.py reads them.
namespace galago::media {
namespace {

bool IsSpace(char c) { return c == ' ' || (c >= '\t' && c <= '\r'); }

// White space separated numbers with # comments, as in the headers and plain files.
class Scanner {
 public:
  Scanner(std::string_view text, std::string_view name) : text_(text), name_(name) {}
  size_t position() const { return position_; }
  size_t remaining() const { return text_.size() - position_; }

  StatusOr<int64_t> Number(std::string_view field, int64_t max) {
    SkipSpace();
    int64_t value = 0;
    const size_t start = position_;
    for (; position_ < text_.size() && text_[position_] >= '0' && text_[position_] <= '9'; ++position_) {
      value = value * 10 + (text_[position_] - '0');
      if (value > max) return DataLoss(StrCat(name_, ": PNM ", field, " is over ", max));
    }
    if (position_ == start) {
      return DataLoss(remaining() == 0 ? StrCat(name_, ": PNM file ends before its ", field)
                                       : StrCat(name_, ": PNM ", field, " at offset ", position_, " is not a number"));
    }
    return value;
  }
  // A plain bitmap's digits need no space between them.
  StatusOr<bool> Bit() {
    SkipSpace();
    if (remaining() == 0) return DataLoss(StrCat(name_, ": PNM file ends before its pixels"));
    const char c = text_[position_++];
    if (c != '0' && c != '1') {
      return DataLoss(StrCat(name_, ": PNM pixel at offset ", position_ - 1, " is neither 0 nor 1"));
    }
    return c == '1';
  }
  // The single white space before raw pixels.
  Status OneSpace() {
    if (remaining() == 0 || !IsSpace(text_[position_])) {
      return DataLoss(StrCat(name_, ": PNM header must end with white space at offset ", position_));
    }
    ++position_;
    return OkStatus();
  }

 private:
  void SkipSpace() {
    while (position_ < text_.size()) {
      if (text_[position_] == '#') {
        while (position_ < text_.size() && text_[position_] != '\n' && text_[position_] != '\r') ++position_;
      } else if (IsSpace(text_[position_])) {
        ++position_;
      } else {
        return;
      }
    }
  }
  std::string_view text_;
  std::string_view name_;
  size_t position_ = 2;  // after the magic number
};

// A sample in [0, max] -> 8 bits. Grey beyond 8 bits passes through Pillow's mode "I".
uint8_t Scale(int64_t value, int64_t max, bool grey) {
  const bool wide = grey && max > 255;
  const double top = wide ? 65535.0 : 255.0;
  const double scaled = std::min(top, std::nearbyint(static_cast<double>(value) / static_cast<double>(max) * top));
  return wide ? ClipGrey16(static_cast<uint32_t>(scaled)) : static_cast<uint8_t>(scaled);
}

}  // namespace

StatusOr<CodecOutput> DecodePnm(const CodecInput& input) {
  const std::string_view text(reinterpret_cast<const char*>(input.bytes.data()), input.bytes.size());
  const int kind = text[1] - '0';  // the caller has seen P1 to P6
  const bool plain = kind <= 3, bitmap = kind == 1 || kind == 4, colour = kind == 3 || kind == 6;
  Scanner in(text, input.name);
  CodecOutput out;
  constexpr int64_t kMaxNumber = 1'000'000'000;
  ASSIGN_OR_RETURN(out.width, in.Number("width", kMaxNumber));
  ASSIGN_OR_RETURN(out.height, in.Number("height", kMaxNumber));
  out.original_width = out.width;
  out.original_height = out.height;
  RETURN_IF_ERROR(CheckPictureSize(input, out.width, out.height));
  int64_t max = 1;
  if (!bitmap) {
    ASSIGN_OR_RETURN(max, in.Number("maximum", 65535));
    if (max == 0) return DataLoss(StrCat(input.name, ": PNM maximum is 0"));
  }
  RETURN_IF_ERROR(in.OneSpace());

  const int64_t samples = out.width * (colour ? 3 : 1);
  const int64_t sample_bytes = max > 255 ? 2 : 1;
  const int64_t row_bytes = kind == 4 ? (out.width + 7) / 8 : samples * sample_bytes;
  // A plain sample takes a digit and, but for bitmaps, a separator.
  const int64_t need = plain ? (bitmap ? samples : 2 * samples) * out.height - 1 : row_bytes * out.height;
  if (static_cast<uint64_t>(need) > in.remaining()) {
    return DataLoss(StrCat(input.name, ": PNM of ", out.width, " x ", out.height, " needs at least ", need,
                           " bytes of pixels, ", in.remaining(), " remain"));
  }
  if (!input.want_pixels) return out;

  out.pixels.resize(static_cast<size_t>(out.width * out.height * 3));
  const auto* raw = reinterpret_cast<const uint8_t*>(input.bytes.data()) + in.position();
  for (int64_t y = 0; y < out.height; ++y) {
    uint8_t* row = out.pixels.data() + y * out.width * 3;
    const uint8_t* from = raw + y * row_bytes;
    for (int64_t s = 0; s < samples; ++s) {
      uint8_t value = 0;
      if (bitmap) {
        bool ink = false;
        if (plain) {
          ASSIGN_OR_RETURN(ink, in.Bit());
        } else {
          ink = (from[s / 8] >> (7 - s % 8) & 1) != 0;
        }
        value = ink ? 0 : 255;
      } else if (plain) {
        ASSIGN_OR_RETURN(const int64_t number, in.Number("pixel", max));
        value = Scale(number, max, !colour);
      } else {
        value = Scale(sample_bytes == 2 ? from[2 * s] << 8 | from[2 * s + 1] : from[s], max, !colour);
      }
      if (colour) {
        row[s] = value;
      } else {
        std::memset(row + 3 * s, value, 3);
      }
    }
  }
  return out;
}

}  // namespace galago::media

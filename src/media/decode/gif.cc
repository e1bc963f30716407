#include <algorithm>
#include <array>
#include <cstring>
#include <optional>
#include <utility>

#include "src/base/byte_reader.h"
#include "src/base/strings.h"
#include "src/media/decode/codec.h"

// First frame of a GIF as python-pillow/Pillow: src/PIL/GifImagePlugin.py shows it: on the logical screen, grown if the
// frame sticks out; what the frame leaves free is the transparent index, or 0, never the background colour.
namespace galago::media {
namespace {

constexpr int kMaxCodeBits = 12;
constexpr size_t kMaxCodes = size_t{1} << kMaxCodeBits;

using Palette = std::array<Colour, 256>;

StatusOr<Palette> ReadPalette(ByteReader& in, uint8_t flags) {
  Palette palette;
  for (size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<uint8_t>(i));
  const size_t count = size_t{2} << (flags & 7);
  ASSIGN_OR_RETURN(const auto bytes, in.ReadBytes(count * 3, "GIF palette"));
  std::memcpy(palette.data(), bytes.data(), bytes.size());
  return palette;
}

// A chain of blocks of up to 255 bytes, joined.
StatusOr<std::vector<uint8_t>> ReadBlocks(ByteReader& in) {
  std::vector<uint8_t> out;
  for (;;) {
    ASSIGN_OR_RETURN(const uint8_t size, in.Read<uint8_t>("GIF block"));
    if (size == 0) return out;
    ASSIGN_OR_RETURN(const auto bytes, in.ReadBytes(size, "GIF block"));
    const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
    out.insert(out.end(), data, data + size);
  }
}

// LZW with growing codes -> exactly `count` indices, or fewer if the stream ends itself early.
StatusOr<std::vector<uint8_t>> Unpack(const std::vector<uint8_t>& data, int literal_bits, size_t count,
                                      std::string_view name) {
  std::vector<uint8_t> out;
  out.reserve(std::min(count, data.size() * kMaxCodes));
  std::array<uint16_t, kMaxCodes> prefix = {};
  std::array<uint8_t, kMaxCodes> suffix = {};
  std::array<uint8_t, kMaxCodes> stack;
  const uint32_t clear = 1u << literal_bits, end = clear + 1;
  for (uint32_t i = 0; i < clear; ++i) suffix[i] = static_cast<uint8_t>(i);
  uint32_t next = clear + 2;  // the entry to be made
  int bits = literal_bits + 1;
  constexpr uint32_t kNone = kMaxCodes;
  uint32_t previous = kNone;
  uint8_t first = 0;  // first index of the previous string
  uint32_t buffer = 0;
  int buffered = 0;
  size_t at = 0;
  while (out.size() < count) {
    while (buffered < bits) {
      if (at == data.size()) return out;
      buffer |= uint32_t{data[at++]} << buffered;
      buffered += 8;
    }
    const uint32_t code = buffer & ((1u << bits) - 1);
    buffer >>= bits;
    buffered -= bits;
    if (code == clear) {
      next = clear + 2;
      bits = literal_bits + 1;
      previous = kNone;
      continue;
    }
    if (code == end) return out;
    if (code > next || (previous == kNone && code >= clear)) {
      return DataLoss(StrCat(name, ": damaged GIF (code ", code, " before it was defined)"));
    }
    // Walk from the string's last index to its first. Every prefix is smaller than its code, so this ends.
    size_t depth = 0;
    uint32_t walk = code;
    if (code == next) {
      stack[depth++] = first;
      walk = previous;
    }
    for (; walk >= clear; walk = prefix[walk]) stack[depth++] = suffix[walk];
    first = static_cast<uint8_t>(walk);
    stack[depth++] = first;
    for (; depth > 0 && out.size() < count; --depth) out.push_back(stack[depth - 1]);
    if (previous != kNone && next < kMaxCodes) {
      prefix[next] = static_cast<uint16_t>(previous);
      suffix[next] = first;
      ++next;
      if (next == (1u << bits) && bits < kMaxCodeBits) ++bits;
    }
    previous = code;
  }
  return out;
}

// Stored row -> row of the picture.
int64_t InterlacedRow(int64_t stored, int64_t height) {
  constexpr std::array<std::array<int64_t, 2>, 4> kPasses = {{{0, 8}, {4, 8}, {2, 4}, {1, 2}}};  // start, step
  for (const auto& [start, step] : kPasses) {
    const int64_t rows = height > start ? (height - start + step - 1) / step : 0;
    if (stored < rows) return start + stored * step;
    stored -= rows;
  }
  return height - 1;
}

}  // namespace

StatusOr<CodecOutput> DecodeGif(const CodecInput& input) {
  ByteReader in(input.bytes, input.name);
  RETURN_IF_ERROR(in.ReadBytes(6, "GIF signature").status());
  CodecOutput out;
  ASSIGN_OR_RETURN(out.width, in.Read<uint16_t>("GIF width"));
  ASSIGN_OR_RETURN(out.height, in.Read<uint16_t>("GIF height"));
  ASSIGN_OR_RETURN(const uint8_t flags, in.Read<uint8_t>("GIF flags"));
  RETURN_IF_ERROR(in.ReadBytes(2, "GIF screen descriptor").status());
  Palette palette;
  for (size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<uint8_t>(i));
  if ((flags & 0x80) != 0) {
    ASSIGN_OR_RETURN(palette, ReadPalette(in, flags));
  }

  std::optional<uint8_t> transparent;
  for (;;) {
    const StatusOr<uint8_t> tag = in.Read<uint8_t>("GIF block type");
    if (!tag.ok() || *tag == ';') return DataLoss(StrCat(input.name, ": GIF without a picture"));
    if (*tag == ',') break;
    if (*tag != '!') continue;
    ASSIGN_OR_RETURN(const uint8_t label, in.Read<uint8_t>("GIF extension"));
    ASSIGN_OR_RETURN(const std::vector<uint8_t> extension, ReadBlocks(in));
    constexpr uint8_t kGraphicControl = 0xf9;
    if (label == kGraphicControl && extension.size() >= 4 && (extension[0] & 1) != 0) transparent = extension[3];
  }
  ASSIGN_OR_RETURN(const int64_t left, in.Read<uint16_t>("GIF frame"));
  ASSIGN_OR_RETURN(const int64_t top, in.Read<uint16_t>("GIF frame"));
  ASSIGN_OR_RETURN(const int64_t width, in.Read<uint16_t>("GIF frame"));
  ASSIGN_OR_RETURN(const int64_t height, in.Read<uint16_t>("GIF frame"));
  ASSIGN_OR_RETURN(const uint8_t frame_flags, in.Read<uint8_t>("GIF frame"));
  RETURN_IF_ERROR(CheckPictureSize(input, width, height));
  out.width = std::max(out.width, left + width);
  out.height = std::max(out.height, top + height);
  out.original_width = out.width;
  out.original_height = out.height;
  RETURN_IF_ERROR(CheckPictureSize(input, out.width, out.height));
  if ((frame_flags & 0x80) != 0) {
    ASSIGN_OR_RETURN(palette, ReadPalette(in, frame_flags));
  }
  ASSIGN_OR_RETURN(const uint8_t literal_bits, in.Read<uint8_t>("GIF code size"));
  if (literal_bits < 1 || literal_bits > 8) {
    return DataLoss(StrCat(input.name, ": GIF code size ", int{literal_bits}, " is outside [1, 8]"));
  }
  if (!input.want_pixels) return out;

  ASSIGN_OR_RETURN(const std::vector<uint8_t> data, ReadBlocks(in));
  const auto count = static_cast<size_t>(width * height);
  ASSIGN_OR_RETURN(const std::vector<uint8_t> frame, Unpack(data, literal_bits, count, input.name));
  if (frame.size() < count) {
    return DataLoss(StrCat(input.name, ": GIF picture ends after ", frame.size(), " of ", count, " pixels"));
  }

  const uint8_t free_index = transparent.value_or(0);
  std::vector<uint8_t> screen(static_cast<size_t>(out.width * out.height), free_index);
  for (int64_t row = 0; row < height; ++row) {
    const int64_t y = top + ((frame_flags & 0x40) != 0 ? InterlacedRow(row, height) : row);
    std::memcpy(screen.data() + y * out.width + left, frame.data() + row * width, static_cast<size_t>(width));
  }
  out.channels = input.want_alpha && transparent ? 4 : 3;
  out.pixels.resize(screen.size() * static_cast<size_t>(out.channels));
  for (size_t i = 0; i < screen.size(); ++i) {
    uint8_t* pixel = out.pixels.data() + i * static_cast<size_t>(out.channels);
    std::memcpy(pixel, palette[screen[i]].data(), 3);
    if (out.channels == 4) pixel[3] = screen[i] == *transparent ? 0 : 255;
  }
  return out;
}

}  // namespace galago::media

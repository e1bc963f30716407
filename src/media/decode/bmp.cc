#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "src/base/byte_reader.h"
#include "src/base/strings.h"
#include "src/media/decode/codec.h"

// Windows and OS/2 bitmaps. What is refused and what pixels come out follow python-pillow/Pillow:
// src/PIL/BmpImagePlugin.py.
namespace galago::media {
namespace {

enum Compression : uint32_t { kRgb = 0, kRle8 = 1, kRle4 = 2, kBitFields = 3 };

struct Header {
  int64_t width = 0;
  int64_t height = 0;
  bool top_down = false;
  int bits = 0;
  uint32_t compression = kRgb;
  uint32_t num_colours = 0;
  size_t palette_entry = 4;  // bytes
  size_t palette_offset = 0;
  size_t pixel_offset = 0;
  std::array<uint32_t, 3> masks = {};  // R, G, B of 16 and 32 bits a pixel
};

StatusOr<Header> ReadHeader(const CodecInput& input) {
  ByteReader in(input.bytes, input.name);
  RETURN_IF_ERROR(in.ReadBytes(10, "BMP header").status());
  Header header;
  ASSIGN_OR_RETURN(header.pixel_offset, in.Read<uint32_t>("BMP pixel offset"));
  ASSIGN_OR_RETURN(const uint32_t info_size, in.Read<uint32_t>("BMP header size"));
  if (info_size == 12) {
    ASSIGN_OR_RETURN(header.width, in.Read<uint16_t>("BMP width"));
    ASSIGN_OR_RETURN(header.height, in.Read<uint16_t>("BMP height"));
    RETURN_IF_ERROR(in.ReadBytes(2, "BMP planes").status());
    ASSIGN_OR_RETURN(header.bits, in.Read<uint16_t>("BMP bits"));
    header.palette_entry = 3;
  } else if (info_size == 40 || info_size == 52 || info_size == 56 || info_size == 64 || info_size == 108 ||
             info_size == 124) {
    ASSIGN_OR_RETURN(header.width, in.Read<int32_t>("BMP width"));
    ASSIGN_OR_RETURN(header.height, in.Read<int32_t>("BMP height"));
    RETURN_IF_ERROR(in.ReadBytes(2, "BMP planes").status());
    ASSIGN_OR_RETURN(header.bits, in.Read<uint16_t>("BMP bits"));
    ASSIGN_OR_RETURN(header.compression, in.Read<uint32_t>("BMP compression"));
    RETURN_IF_ERROR(in.ReadBytes(12, "BMP resolution").status());
    ASSIGN_OR_RETURN(header.num_colours, in.Read<uint32_t>("BMP colours"));
    RETURN_IF_ERROR(in.ReadBytes(4, "BMP colours").status());
    header.top_down = header.height < 0;
    if (header.top_down) header.height = -header.height;
    // The masks are fields of the larger headers and follow the smallest one.
    if (header.compression == kBitFields) {
      for (uint32_t& mask : header.masks) {
        ASSIGN_OR_RETURN(mask, in.Read<uint32_t>("BMP colour masks"));
      }
    }
  } else {
    return Unimplemented(StrCat(input.name, ": BMP header of ", info_size, " bytes is not known"));
  }
  header.palette_offset = std::max<size_t>(14 + size_t{info_size}, in.position());
  return header;
}

Status CheckHeader(const CodecInput& input, Header& header) {
  const bool palette = header.bits == 1 || header.bits == 4 || header.bits == 8;
  if (!palette && header.bits != 16 && header.bits != 24 && header.bits != 32) {
    return Unimplemented(StrCat(input.name, ": BMP with ", header.bits, " bits a pixel"));
  }
  switch (header.compression) {
    case kRgb:
      if (header.bits == 16) header.masks = {0x7c00, 0x3e0, 0x1f};
      if (header.bits == 32) header.masks = {0xff0000, 0xff00, 0xff};
      break;
    case kBitFields:
      if (palette) return DataLoss(StrCat(input.name, ": BMP with colour masks and ", header.bits, " bits a pixel"));
      for (const uint32_t mask : header.masks) {
        // One run of bits, at most 8 of them used: (mask >> trailing zeros) + 1 is a power of two.
        const uint32_t run = mask == 0 ? 0 : mask >> std::countr_zero(mask);
        if (run == 0 || (run & (run + 1)) != 0) {
          return Unimplemented(StrCat(input.name, ": BMP colour mask ", mask, " is not a run of bits"));
        }
      }
      break;
    case kRle8:
    case kRle4:
      if (header.bits != (header.compression == kRle8 ? 8 : 4)) {
        return DataLoss(StrCat(input.name, ": run-length coded BMP with ", header.bits, " bits a pixel"));
      }
      break;
    default:
      return Unimplemented(StrCat(input.name, ": BMP compression ", header.compression));
  }
  if (palette) {
    const uint32_t all = 1u << header.bits;
    if (header.num_colours == 0) header.num_colours = all;
    if (header.num_colours > 256) {
      return DataLoss(StrCat(input.name, ": BMP palette of ", header.num_colours, " colours, at most 256 fit"));
    }
  }
  return OkStatus();
}

using Palette = std::array<Colour, 256>;

StatusOr<Palette> ReadPalette(const CodecInput& input, const Header& header) {
  Palette palette;
  for (size_t i = 0; i < palette.size(); ++i) palette[i].fill(static_cast<uint8_t>(i));
  const size_t size = header.num_colours * header.palette_entry;
  if (header.palette_offset > input.bytes.size() || size > input.bytes.size() - header.palette_offset) {
    return DataLoss(StrCat(input.name, ": BMP palette needs ", size, " bytes at offset ", header.palette_offset,
                           ", the file has ", input.bytes.size()));
  }
  for (size_t i = 0; i < header.num_colours; ++i) {
    const std::byte* entry = input.bytes.data() + header.palette_offset + i * header.palette_entry;
    palette[i] = {static_cast<uint8_t>(entry[2]), static_cast<uint8_t>(entry[1]), static_cast<uint8_t>(entry[0])};
  }
  return palette;
}

// Runs of palette indices -> one byte a pixel, in file order (bottom row first). Pixels that are skipped are index 0.
StatusOr<std::vector<uint8_t>> UnpackRuns(const CodecInput& input, const Header& header) {
  ByteReader in(input.bytes.subspan(header.pixel_offset), input.name);
  std::vector<uint8_t> indices(static_cast<size_t>(header.width * header.height));
  int64_t x = 0, y = 0;
  const bool nibbles = header.compression == kRle4;
  const auto put = [&](uint8_t index) {
    if (x < header.width && y < header.height) indices[static_cast<size_t>(y * header.width + x)] = index;
    ++x;
  };
  while (y < header.height) {
    ASSIGN_OR_RETURN(const uint8_t count, in.Read<uint8_t>("BMP run"));
    ASSIGN_OR_RETURN(const uint8_t value, in.Read<uint8_t>("BMP run"));
    if (count > 0) {
      for (int i = 0; i < count; ++i) {
        put(nibbles ? static_cast<uint8_t>(i % 2 == 0 ? value >> 4 : value & 15) : value);
      }
    } else if (value == 0) {  // end of row
      x = 0;
      ++y;
    } else if (value == 1) {  // end of picture
      break;
    } else if (value == 2) {  // move
      ASSIGN_OR_RETURN(const uint8_t right, in.Read<uint8_t>("BMP move"));
      ASSIGN_OR_RETURN(const uint8_t up, in.Read<uint8_t>("BMP move"));
      x += right;
      y += up;
    } else {  // `value` literal indices, padded to 16 bits
      const size_t num_bytes = nibbles ? (value + size_t{1}) / 2 : value;
      ASSIGN_OR_RETURN(const auto literal, in.ReadBytes(num_bytes + num_bytes % 2, "BMP literals"));
      for (size_t i = 0; i < value; ++i) {
        const auto byte = static_cast<uint8_t>(literal[nibbles ? i / 2 : i]);
        put(nibbles ? static_cast<uint8_t>(i % 2 == 0 ? byte >> 4 : byte & 15) : byte);
      }
    }
  }
  return indices;
}

uint8_t Field(uint32_t pixel, uint32_t mask) {
  const uint32_t top = mask >> std::countr_zero(mask);
  return static_cast<uint8_t>(uint64_t{(pixel & mask) >> std::countr_zero(mask)} * 255 / top);
}

void ConvertRow(const Header& header, const Palette& palette, const uint8_t* in, uint8_t* out) {
  for (int64_t x = 0; x < header.width; ++x, out += 3) {
    switch (header.bits) {
      case 1:
      case 4:
      case 8: {
        const int64_t bit = x * header.bits;
        const int index = in[bit / 8] >> (8 - header.bits - bit % 8) & ((1 << header.bits) - 1);
        std::memcpy(out, palette[static_cast<size_t>(index)].data(), 3);
        break;
      }
      case 24:
        out[0] = in[3 * x + 2];
        out[1] = in[3 * x + 1];
        out[2] = in[3 * x];
        break;
      default: {
        uint32_t pixel = 0;
        std::memcpy(&pixel, in + x * header.bits / 8, static_cast<size_t>(header.bits / 8));
        for (size_t c = 0; c < 3; ++c) out[c] = Field(pixel, header.masks[c]);
      }
    }
  }
}

}  // namespace

StatusOr<CodecOutput> DecodeBmp(const CodecInput& input) {
  ASSIGN_OR_RETURN(Header header, ReadHeader(input));
  CodecOutput out;
  out.width = out.original_width = header.width;
  out.height = out.original_height = header.height;
  RETURN_IF_ERROR(CheckPictureSize(input, out.width, out.height));
  RETURN_IF_ERROR(CheckHeader(input, header));
  Palette palette;
  if (header.bits <= 8) {
    ASSIGN_OR_RETURN(palette, ReadPalette(input, header));
  }
  const bool runs = header.compression == kRle8 || header.compression == kRle4;
  const size_t stride = runs ? static_cast<size_t>(header.width)
                             : (static_cast<size_t>(header.width) * static_cast<size_t>(header.bits) + 31) / 32 * 4;
  const size_t need = runs ? 2 : stride * static_cast<size_t>(header.height);
  if (header.pixel_offset > input.bytes.size() || need > input.bytes.size() - header.pixel_offset) {
    return DataLoss(StrCat(input.name, ": BMP pixels need ", need, " bytes at offset ", header.pixel_offset,
                           ", the file has ", input.bytes.size()));
  }
  if (!input.want_pixels) return out;

  std::vector<uint8_t> indices;
  const auto* rows = reinterpret_cast<const uint8_t*>(input.bytes.data() + header.pixel_offset);
  if (runs) {
    ASSIGN_OR_RETURN(indices, UnpackRuns(input, header));
    rows = indices.data();
    header.bits = 8;
  }
  out.pixels.resize(static_cast<size_t>(out.width * out.height * 3));
  for (int64_t y = 0; y < out.height; ++y) {
    const int64_t row = header.top_down ? y : out.height - 1 - y;
    ConvertRow(header, palette, rows + static_cast<size_t>(row) * stride, out.pixels.data() + y * out.width * 3);
  }
  return out;
}

}  // namespace galago::media

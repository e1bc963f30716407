#include <png.h>

#include <array>
#include <csetjmp>
#include <cstring>
#include <optional>
#include <utility>

#include "src/base/strings.h"
#include "src/media/decode/codec.h"

// Everything that knows libpng's error jumps is in this file; see jpeg.cc for the pattern.
namespace galago::media {
namespace {

class PngSession {
 public:
  explicit PngSession(std::span<const std::byte> bytes) : bytes_(bytes) {}
  PngSession(const PngSession&) = delete;
  PngSession& operator=(const PngSession&) = delete;
  ~PngSession() { png_destroy_read_struct(&png_, &info_, nullptr); }

  bool ReadHeader(const DecodeLimits& limits) {
    png_ = png_create_read_struct(PNG_LIBPNG_VER_STRING, this, OnError, OnWarning);
    if (png_ == nullptr) return false;
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    info_ = png_create_info_struct(png_);
    if (info_ == nullptr) return false;
    png_set_read_fn(png_, this, OnRead);
    png_set_user_limits(png_, static_cast<png_uint_32>(limits.max_side), static_cast<png_uint_32>(limits.max_side));
    png_set_chunk_malloc_max(png_, limits.max_metadata_bytes);
    // Only IHDR, PLTE, tRNS and IDAT matter here: text and profiles are passed over without being unpacked. Pillow
    // refuses a wrong checksum in any chunk, ancillary or not.
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
    png_set_keep_unknown_chunks(png_, PNG_HANDLE_CHUNK_AS_DEFAULT, reinterpret_cast<png_const_bytep>("tRNS"), 1);
    png_set_crc_action(png_, PNG_CRC_ERROR_QUIT, PNG_CRC_ERROR_QUIT);
    png_read_info(png_, info_);
    return true;
  }
  bool Start() {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    const int type = png_get_color_type(png_, info_), depth = png_get_bit_depth(png_, info_);
    if (type == PNG_COLOR_TYPE_PALETTE) png_set_packing(png_);
    if (type == PNG_COLOR_TYPE_GRAY && depth < 8) png_set_expand_gray_1_2_4_to_8(png_);
    if (depth == 16 && (type & PNG_COLOR_MASK_ALPHA) != 0) png_set_strip_16(png_);
    num_passes_ = png_set_interlace_handling(png_);
    png_read_update_info(png_, info_);
    return true;
  }
  bool ReadRow(uint8_t* row) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_row(png_, row, nullptr);
    return true;
  }
  bool ReadAll(png_bytepp rows) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    png_read_image(png_, rows);
    return true;
  }

  png_structp png() { return png_; }
  png_infop info() { return info_; }
  int num_passes() const { return num_passes_; }
  Status ErrorFor(std::string_view name) const {
    if (truncated_) return DataLoss(StrCat(name, ": PNG file is truncated"));
    return DataLoss(StrCat(name, ": damaged PNG (", Printable(message_.data(), message_.size()), ")"));
  }

 private:
  static PngSession* Self(png_structp png) { return static_cast<PngSession*>(png_get_error_ptr(png)); }
  [[noreturn]] static void OnError(png_structp png, png_const_charp message) {
    std::strncpy(Self(png)->message_.data(), message, Self(png)->message_.size() - 1);
    png_longjmp(png, 1);
  }
  static void OnWarning(png_structp, png_const_charp) {}
  static void OnRead(png_structp png, png_bytep out, size_t size) {
    PngSession* self = Self(png);
    if (size > self->bytes_.size()) {
      self->truncated_ = true;
      png_error(png, "truncated");
    }
    std::memcpy(out, self->bytes_.data(), size);
    self->bytes_ = self->bytes_.subspan(size);
  }

  std::span<const std::byte> bytes_;  // what is still unread
  png_structp png_ = nullptr;
  png_infop info_ = nullptr;
  int num_passes_ = 1;
  bool truncated_ = false;
  std::array<char, 128> message_ = {};
};

uint32_t BigEndian32(std::span<const std::byte> bytes, size_t at) {
  uint32_t value = 0;
  for (size_t i = 0; i < 4; ++i) value = value << 8 | static_cast<uint32_t>(bytes[at + i]);
  return value;
}

std::span<const std::byte> FindExif(std::span<const std::byte> bytes) {
  size_t at = 8;  // after the signature
  while (bytes.size() - at >= 12) {
    const size_t size = BigEndian32(bytes, at);
    if (size > bytes.size() - at - 12) return {};
    if (std::memcmp(bytes.data() + at + 4, "eXIf", 4) == 0) return bytes.subspan(at + 8, size);
    at += 12 + size;
  }
  return {};
}

// How rows that libpng hands over become RGB or RGBA.
class RowConverter {
 public:
  RowConverter(PngSession& session, bool want_alpha) {
    png_structp png = session.png();
    png_infop info = session.info();
    type_ = png_get_color_type(png, info);
    depth_ = png_get_bit_depth(png, info);
    // Entries that a short palette lacks are grey in Pillow.
    for (size_t i = 0; i < 256; ++i) palette_[i].fill(static_cast<uint8_t>(i));
    alphas_.fill(255);
    png_colorp palette = nullptr;
    int num_colours = 0;
    if (type_ == PNG_COLOR_TYPE_PALETTE && png_get_PLTE(png, info, &palette, &num_colours) != 0) {
      for (int i = 0; i < num_colours && i < 256; ++i) {
        palette_[static_cast<size_t>(i)] = {palette[i].red, palette[i].green, palette[i].blue};
      }
    }
    has_alpha_ = (type_ & PNG_COLOR_MASK_ALPHA) != 0;
    png_bytep alphas = nullptr;
    png_color_16p key = nullptr;
    int num_alphas = 0;
    if (png_get_tRNS(png, info, &alphas, &num_alphas, &key) != 0) {
      has_alpha_ = true;
      if (type_ == PNG_COLOR_TYPE_PALETTE) {
        for (int i = 0; i < num_alphas && i < 256; ++i) alphas_[static_cast<size_t>(i)] = alphas[i];
      } else if (type_ == PNG_COLOR_TYPE_GRAY) {
        const int scale = depth_ < 8 ? 255 / ((1 << depth_) - 1) : 1;  // rows come expanded to 8 bits
        key_ = {key->gray * scale, 0, 0};
      } else {
        key_ = {key->red, key->green, key->blue};
      }
    }
    channels_ = want_alpha && has_alpha_ ? 4 : 3;
  }
  int64_t channels() const { return channels_; }

  void Convert(const uint8_t* in, int64_t width, uint8_t* out) const {
    for (int64_t x = 0; x < width; ++x, out += channels_) {
      const uint8_t alpha = ConvertPixel(in, x, out);
      if (channels_ == 4) out[3] = alpha;
    }
  }

 private:
  uint8_t ConvertPixel(const uint8_t* in, int64_t x, uint8_t* out) const {
    switch (type_) {
      case PNG_COLOR_TYPE_PALETTE: {
        const size_t index = in[x];
        std::memcpy(out, palette_[index].data(), 3);
        return alphas_[index];
      }
      case PNG_COLOR_TYPE_GRAY: {
        const int value = depth_ == 16 ? in[2 * x] << 8 | in[2 * x + 1] : in[x];
        std::memset(out, depth_ == 16 ? ClipGrey16(static_cast<uint32_t>(value)) : value, 3);
        return key_.has_value() && (*key_)[0] == value ? 0 : 255;
      }
      case PNG_COLOR_TYPE_GRAY_ALPHA:
        std::memset(out, in[2 * x], 3);
        return in[2 * x + 1];
      case PNG_COLOR_TYPE_RGB_ALPHA:
        std::memcpy(out, in + 4 * x, 3);
        return in[4 * x + 3];
      default: {  // RGB, of which Pillow takes the high bytes
        const int64_t bytes = depth_ == 16 ? 2 : 1;
        bool matches = key_.has_value();
        for (int64_t c = 0; c < 3; ++c) {
          const uint8_t* sample = in + (3 * x + c) * bytes;
          out[c] = sample[0];
          const int value = bytes == 2 ? sample[0] << 8 | sample[1] : sample[0];
          matches = matches && (*key_)[static_cast<size_t>(c)] == value;
        }
        return matches ? 0 : 255;
      }
    }
  }

  int type_ = 0;
  int depth_ = 0;
  int64_t channels_ = 3;
  bool has_alpha_ = false;
  std::array<std::array<uint8_t, 3>, 256> palette_;
  std::array<uint8_t, 256> alphas_;
  std::optional<std::array<int, 3>> key_;  // the one transparent colour
};

}  // namespace

StatusOr<CodecOutput> DecodePng(const CodecInput& input) {
  constexpr size_t kHeaderSize = 33;  // signature and IHDR
  if (input.bytes.size() < kHeaderSize) return DataLoss(StrCat(input.name, ": PNG file is truncated"));
  if (std::memcmp(input.bytes.data() + 12, "IHDR", 4) != 0) {
    return DataLoss(StrCat(input.name, ": damaged PNG (no IHDR chunk)"));
  }
  CodecOutput out;
  out.width = out.original_width = BigEndian32(input.bytes, 16);
  out.height = out.original_height = BigEndian32(input.bytes, 20);
  RETURN_IF_ERROR(CheckPictureSize(input, out.width, out.height));
  PngSession session(input.bytes);
  if (!session.ReadHeader(input.limits)) return session.ErrorFor(input.name);
  out.exif = FindExif(input.bytes);
  if (!input.want_pixels) return out;

  if (!session.Start()) return session.ErrorFor(input.name);
  const RowConverter converter(session, input.want_alpha);
  out.channels = converter.channels();
  const size_t in_row = png_get_rowbytes(session.png(), session.info());
  const auto out_row = static_cast<size_t>(out.width * out.channels);
  out.pixels.resize(out_row * static_cast<size_t>(out.height));
  // Interlaced pictures are whole only after the last pass; others need one row at a time.
  const bool interlaced = session.num_passes() > 1;
  std::vector<uint8_t> rows(in_row * (interlaced ? static_cast<size_t>(out.height) : 1));
  if (interlaced) {
    std::vector<png_bytep> pointers;
    for (int64_t y = 0; y < out.height; ++y) pointers.push_back(rows.data() + static_cast<size_t>(y) * in_row);
    if (!session.ReadAll(pointers.data())) return session.ErrorFor(input.name);
  }
  for (size_t y = 0; y < static_cast<size_t>(out.height); ++y) {
    if (!interlaced && !session.ReadRow(rows.data())) return session.ErrorFor(input.name);
    converter.Convert(rows.data() + (interlaced ? y * in_row : 0), out.width, out.pixels.data() + y * out_row);
  }
  return out;
}

}  // namespace galago::media

#ifndef GALAGO_MEDIA_DECODE_CODEC_H_
#define GALAGO_MEDIA_DECODE_CODEC_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/media/decode/decode_image.h"

// One function per picture format; decode_image.cc chooses among them. Each reads the size from the header, has it
// approved by CheckPictureSize, and takes pixel memory only then.
namespace galago::media {

struct CodecInput {
  std::span<const std::byte> bytes;
  std::string_view name;
  DecodeLimits limits;
  bool want_pixels = true;  // false: header only
  bool want_alpha = false;  // transparency as a fourth channel, if the picture has any
};

struct CodecOutput {
  int64_t original_width = 0;
  int64_t original_height = 0;
  int64_t width = 0;
  int64_t height = 0;
  int64_t channels = 3;             // 3: RGB; 4: RGB and alpha, not premultiplied
  std::vector<uint8_t> pixels;      // [height, width, channels]; empty unless wanted
  std::span<const std::byte> exif;  // TIFF structure inside the file's bytes; empty if there is none
  std::vector<std::string> warnings;
};

StatusOr<CodecOutput> DecodeJpeg(const CodecInput& input);
StatusOr<CodecOutput> DecodePng(const CodecInput& input);
StatusOr<CodecOutput> DecodeWebp(const CodecInput& input);
StatusOr<CodecOutput> DecodeGif(const CodecInput& input);
StatusOr<CodecOutput> DecodeBmp(const CodecInput& input);
StatusOr<CodecOutput> DecodePnm(const CodecInput& input);

// Zero-sized: DataLoss. A side over the limit: OutOfRange. CheckPictureSize also holds the number of pixels.
Status CheckSides(const CodecInput& input, int64_t width, int64_t height);
Status CheckPictureSize(const CodecInput& input, int64_t width, int64_t height);

// Samples wider than 8 bits of a grey picture become Pillow's mode "I", whose conversion to RGB clips instead of
// scaling.
inline uint8_t ClipGrey16(uint32_t value) { return static_cast<uint8_t>(value < 255 ? value : 255); }

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_CODEC_H_

#ifndef GALAGO_MEDIA_DECODE_DECODE_IMAGE_H_
#define GALAGO_MEDIA_DECODE_DECODE_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/media/image.h"

namespace galago::media {

enum class ImageFormat { kJpeg, kPng, kWebp, kGif, kBmp, kPnm };
std::string_view Name(ImageFormat format);

// Whether the orientation tag turns the picture. The reference opens pictures without applying it
// (NVlabs/VILA: llava/utils/media.py).
enum class ExifMode { kIgnore, kAuto };

struct DecodeLimits {
  size_t max_encoded_bytes = size_t{20} << 20;
  int64_t max_pixels = 50'000'000;  // of the decoded picture; a JPEG is scaled down to fit, others are refused
  int64_t max_side = 65'500;        // of the picture as stored
  size_t max_metadata_bytes = size_t{4} << 20;  // one chunk of text, profile or palette, unpacked
  size_t max_exif_bytes = size_t{1} << 20;
  int64_t max_animation_frames = 1000;
  bool operator==(const DecodeLimits&) const = default;
};

struct DecodeOptions {
  DecodeLimits limits;
  // What transparent pixels are laid over. Absent: alpha is dropped and the stored colours show, as in PIL's
  // convert("RGB"), which is what the reference does.
  std::optional<Colour> background;
  ExifMode exif = ExifMode::kIgnore;
};

struct ImageInfo {
  ImageFormat format = ImageFormat::kJpeg;
  int orientation = 1;         // EXIF tag 274 as stored, 1..8; 1 when absent or damaged
  int64_t original_width = 0;  // as stored in the file
  int64_t original_height = 0;
  int64_t width = 0;  // of the Image that DecodeImage gives: after scaling down and turning
  int64_t height = 0;
  std::vector<std::string> warnings;
};

struct DecodedImage {
  Image image;
  ImageInfo info;
};

// Decodes one picture. The format is found from the bytes, never from `name`, which is used in messages and for a
// warning when its extension says otherwise. Pixels equal Pillow's Image.open(...).convert("RGB") with libjpeg-turbo.
// Sizes are read from the header and checked before pixel memory is taken. Errors: DataLoss for damaged or truncated
// bytes, OutOfRange over a limit, Unimplemented for a format we do not read.
StatusOr<DecodedImage> DecodeImage(std::span<const std::byte> bytes, std::string_view name,
                                   const DecodeOptions& options = {});

// The same without decoding pixels.
StatusOr<ImageInfo> ProbeImage(std::span<const std::byte> bytes, std::string_view name,
                               const DecodeOptions& options = {});

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_DECODE_IMAGE_H_

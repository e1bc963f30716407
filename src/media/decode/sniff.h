#ifndef GALAGO_MEDIA_DECODE_SNIFF_H_
#define GALAGO_MEDIA_DECODE_SNIFF_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "src/media/decode/decode_image.h"

// What a file is by its first bytes, never by its name.
namespace galago::media {

// As many first bytes as these functions look at.
inline constexpr size_t kSniffBytes = 192;

// A picture format we decode.
std::optional<ImageFormat> SniffPicture(std::string_view head);

// Whether a file starts as video containers do: ISO media (MP4, MOV), Matroska, AVI, MPEG-PS, MPEG-TS, Ogg, FLV.
bool SniffVideo(std::string_view head);

// Where a whole video file ends before its own headers say: "its \"mdat\" needs 9000 bytes, 120 are left". Of ISO media
// and AVI, which state their lengths; nothing for others and for files that are whole.
std::optional<std::string> FindCut(std::span<const std::byte> file);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_SNIFF_H_

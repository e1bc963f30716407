#ifndef GALAGO_MEDIA_DECODE_EXIF_H_
#define GALAGO_MEDIA_DECODE_EXIF_H_

#include <cstddef>
#include <span>

#include "src/media/image.h"

namespace galago::media {

// Tag 274 of the first directory of a TIFF structure, 1..8; 1 when it is absent or the bytes are damaged. Only that one
// directory is walked, so no chain of offsets can lead in circles.
int ExifOrientation(std::span<const std::byte> tiff);

// The picture as its author held it: orientation 1..8 undone.
Image Upright(Image image, int orientation);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_EXIF_H_

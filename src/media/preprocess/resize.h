#ifndef GALAGO_MEDIA_PREPROCESS_RESIZE_H_
#define GALAGO_MEDIA_PREPROCESS_RESIZE_H_

#include <cstdint>

#include "src/base/thread_pool.h"
#include "src/media/image.h"

namespace galago::media {

// Bicubic with antialiasing, equal to Pillow's Image.resize((width, height)) to the last bit
// (python-pillow/Pillow: src/libImaging/Resample.c): a horizontal, then a vertical pass, rounded to 8 bits after each.
// An axis whose size stays is not filtered. All four sizes > 0. `pool` may be null; the result does not depend on it.
Image ResizeBicubic(const Image& image, int64_t width, int64_t height, ThreadPool* pool = nullptr);

// The same, written to be obviously right: the oracle of the above in tests.
Image ResizeBicubicReference(const Image& image, int64_t width, int64_t height);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_PREPROCESS_RESIZE_H_

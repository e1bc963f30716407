#ifndef GALAGO_MEDIA_PREPROCESS_RESIZE_H_
#define GALAGO_MEDIA_PREPROCESS_RESIZE_H_

#include <cstdint>

#include "src/base/thread_pool.h"
#include "src/media/image.h"

namespace galago::media {

// A picture lying on a larger plain surface, which is never made: a strip of 65500 x 700 pixels padded to a square
// would take 13 GB.
struct Canvas {
  int64_t width = 0, height = 0;
  int64_t x = 0, y = 0;  // of the picture's top left corner; the picture lies inside
  Colour fill = {0, 0, 0};
};

// The square of the picture's longer side with the picture centred, odd pixels going right or below
// (NVlabs/VILA: llava/mm_utils.py, expand2square).
Canvas SquareCanvas(int64_t width, int64_t height, Colour fill);

struct Window {
  int64_t x = 0, y = 0, width = 0, height = 0;
};

// Bicubic with antialiasing, equal to Pillow's Image.resize((width, height)) to the last bit
// (python-pillow/Pillow: src/libImaging/Resample.c): a horizontal, then a vertical pass, rounded to 8 bits after each.
// An axis whose size stays is not filtered. All sizes > 0. `pool` may be null; the result does not depend on it.
Image ResizeBicubic(const Image& image, int64_t width, int64_t height, ThreadPool* pool = nullptr);

// The window of the canvas resized to width x height; work and memory are those of the window alone.
Image ResizeBicubic(const Image& image, const Canvas& canvas, int64_t width, int64_t height, const Window& window,
                    ThreadPool* pool = nullptr);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_PREPROCESS_RESIZE_H_

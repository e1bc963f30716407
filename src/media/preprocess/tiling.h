#ifndef GALAGO_MEDIA_PREPROCESS_TILING_H_
#define GALAGO_MEDIA_PREPROCESS_TILING_H_

#include <cstdint>

namespace galago::media {

struct TileGrid {
  int64_t columns = 1;
  int64_t rows = 1;
  int64_t tiles() const { return columns * rows; }
  bool operator==(const TileGrid&) const = default;
};

// The grid whose aspect ratio is closest to the picture's, min_tiles <= columns * rows <= max_tiles; among equals a
// larger one wins if the picture has more than half its pixels (NVlabs/VILA: llava/mm_utils.py,
// find_closest_aspect_ratio). Sizes > 0. (1, 1) if no grid qualifies.
TileGrid ClosestTileGrid(int64_t width, int64_t height, int64_t min_tiles, int64_t max_tiles, int64_t tile_size);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_PREPROCESS_TILING_H_

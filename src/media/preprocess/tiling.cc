#include "src/media/preprocess/tiling.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace galago::media {

TileGrid ClosestTileGrid(int64_t width, int64_t height, int64_t min_tiles, int64_t max_tiles, int64_t tile_size) {
  const double aspect = static_cast<double>(width) / static_cast<double>(height);
  const double area = static_cast<double>(width) * static_cast<double>(height);
  TileGrid best;
  double best_difference = std::numeric_limits<double>::infinity();
  // By number of tiles; the order among grids of equal number never matters (spec/vila.md 3.4).
  for (int64_t tiles = std::max<int64_t>(min_tiles, 1); tiles <= max_tiles; ++tiles) {
    for (int64_t columns = 1; columns <= tiles; ++columns) {
      if (tiles % columns != 0) continue;
      const TileGrid grid = {columns, tiles / columns};
      const double difference = std::abs(aspect - static_cast<double>(grid.columns) / static_cast<double>(grid.rows));
      if (difference < best_difference) {
        best_difference = difference;
        best = grid;
      } else if (difference == best_difference) {
        const auto side = static_cast<double>(tile_size);
        if (area > 0.5 * side * side * static_cast<double>(columns) * static_cast<double>(grid.rows)) best = grid;
      }
    }
  }
  return best;
}

}  // namespace galago::media

#include "src/models/tsp.h"

#include "src/ops/elementwise.h"
#include "src/ops/grid.h"
#include "src/ops/scratch.h"

namespace galago::models {

void RowWriter::Put(ops::ConstView rows) {
  if (rows.rows == 0) return;
  ops::Copy(ctx_, rows, out_.Rows(written_, rows.rows));
  written_ += rows.rows;
}

void WritePooledVideo(const ops::ExecContext& ctx, const spec::TspEncoder& encoder, ops::ConstView frames,
                      int64_t num_frames, int64_t side, const FramingRows& framing, RowWriter& out) {
  for (const auto& [time, rows, cols] : encoder.pool_sizes) {
    const Arena::Scope scope(*ctx.arena);
    const int64_t pooled_frames = num_frames / time;
    const int64_t frame_rows = side / rows * (side / cols);
    const ops::View pooled = ops::Scratch(ctx, pooled_frames * frame_rows, frames.cols);
    ops::MeanPool(ctx, frames, num_frames, side, side, {.time = time, .rows = rows, .cols = cols}, pooled);
    for (int64_t frame = 0; frame < pooled_frames; ++frame) {
      out.Put(framing.start);
      out.Put(pooled.Rows(frame * frame_rows, frame_rows));
      out.Put(framing.end);
    }
    out.Put(framing.sep);
  }
}

}  // namespace galago::models

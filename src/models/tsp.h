#ifndef GALAGO_MODELS_TSP_H_
#define GALAGO_MODELS_TSP_H_

#include <cstdint>
#include <span>

#include "src/ops/exec_context.h"
#include "src/spec/model_spec.h"

namespace galago::models {

// Embeddings [rows, D] put around what the projector yields; views without rows where there is none.
struct FramingRows {
  ops::ConstView start;
  ops::ConstView end;
  ops::ConstView sep;
};

// Copies rows one after another into a matrix made for them.
class RowWriter {
 public:
  explicit RowWriter(const ops::ExecContext& ctx, ops::View out) : ctx_(ctx), out_(out) {}
  void Put(ops::ConstView rows);
  int64_t written() const { return written_; }

 private:
  const ops::ExecContext& ctx_;
  ops::View out_;
  int64_t written_ = 0;
};

// Temporal-spatial pooling of a video: frames [T * n * n, D] as projected, n = `side`. For each pool size the means
// over time, rows and columns, each pooled frame framed, then the separator (NVlabs/VILA:
// llava/model/encoders/video/tsp.py). Sizes divide exactly; SlotRows has refused what does not.
void WritePooledVideo(const ops::ExecContext& ctx, const spec::TspEncoder& encoder, ops::ConstView frames,
                      int64_t num_frames, int64_t side, const FramingRows& framing, RowWriter& out);

}  // namespace galago::models

#endif  // GALAGO_MODELS_TSP_H_

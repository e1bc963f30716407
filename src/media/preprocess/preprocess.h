#ifndef GALAGO_MEDIA_PREPROCESS_PREPROCESS_H_
#define GALAGO_MEDIA_PREPROCESS_PREPROCESS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "galago/status.h"
#include "src/base/thread_pool.h"
#include "src/media/image.h"
#include "src/spec/media_layout.h"
#include "src/spec/model_spec.h"
#include "src/tensor/tensor.h"

// Pictures to pixel tensors, equal to the reference to the last bit. `pool` may be null everywhere; no result depends
// on it.
namespace galago::media {

// Tiling happens only for a turn that holds a single picture (or a video of a single frame: spec 3.3).
enum class Turn { kOnlyImage, kOneOfSeveral };

struct Preprocessed {
  spec::MediaLayout layout;
  Tensor pixels;  // f32 [layout.tiles, 3, size, size], channels R, G, B
};

// How a picture of this size will be cut, without pixels.
StatusOr<spec::MediaLayout> PlanImage(const spec::PreprocessSpec& spec, int64_t width, int64_t height, Turn turn);
StatusOr<Preprocessed> PreprocessImage(const spec::PreprocessSpec& spec, const Image& image, Turn turn,
                                       ThreadPool* pool = nullptr);

// Frames of one video, added in order, kept at the encoder's size only.
class FrameStack {
 public:
  // The spec must outlive the stack.
  explicit FrameStack(const spec::PreprocessSpec& spec, ThreadPool* pool = nullptr) : spec_(spec), pool_(pool) {}
  // Adds `copies` > 0 of a frame: a short video repeats its frames.
  Status Add(const Image& frame, int64_t copies = 1);
  // All frames' tiles; at least one frame was added. The stack is empty afterwards.
  Preprocessed Finish();

 private:
  struct Entry {
    Tensor pixels;
    int64_t copies;
  };
  const spec::PreprocessSpec& spec_;
  ThreadPool* pool_;
  std::vector<Entry> entries_;
};

StatusOr<Preprocessed> PreprocessFrames(const spec::PreprocessSpec& spec, std::span<const Image> frames,
                                        ThreadPool* pool = nullptr);
// Layout of a video of `num_frames` frames of this size.
StatusOr<spec::MediaLayout> PlanFrames(const spec::PreprocessSpec& spec, int64_t width, int64_t height,
                                       int64_t num_frames);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_PREPROCESS_PREPROCESS_H_

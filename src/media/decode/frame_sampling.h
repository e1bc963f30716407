#ifndef GALAGO_MEDIA_DECODE_FRAME_SAMPLING_H_
#define GALAGO_MEDIA_DECODE_FRAME_SAMPLING_H_

#include <cstdint>
#include <vector>

// Which frames of a video the reference takes. Pure functions of counts and rates, equal to NumPy's arithmetic.
namespace galago::media {

// Era B: rint(linspace(0, num_frames - 1, count)), half to even. A short video repeats indices. num_frames, count > 0.
// NVlabs/VILA: llava/utils/media.py (_load_video).
std::vector<int64_t> UniformFrames(int64_t num_frames, int64_t count);

// Era B with `fps` > 0: trunc(t * video_fps) for t in arange(0, num_frames / video_fps, 1 / fps), at most `count`.
std::vector<int64_t> FpsFrames(int64_t num_frames, double video_fps, double fps, int64_t count);

// Era A's two generations (NVlabs/VILA: llava/mm_utils.py, get_frame_from_vcap).
enum class EraASampling {
  kMay2024,  // linspace to num_frames - 2; a video of fewer than `count` frames gets black frames in front
  kAug2024   // linspace to num_frames - 1; such a video gives fewer frames
};
struct EraAFrames {
  int64_t black_frames = 0;      // come first; of the video's size, or kEraABlackSide square if there are no indices
  std::vector<int64_t> indices;  // ascending, each once
  bool operator==(const EraAFrames&) const = default;
};
// num_frames may be 0. One deviation: kMay2024 with num_frames == count > 1 raises an error in the reference, because
// its indices repeat and it counts each once; here those frames are given.
EraAFrames SampleEraA(int64_t num_frames, int64_t count, EraASampling sampling);
inline constexpr int64_t kEraABlackSide = 720;

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_FRAME_SAMPLING_H_

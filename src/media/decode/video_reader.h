#ifndef GALAGO_MEDIA_DECODE_VIDEO_READER_H_
#define GALAGO_MEDIA_DECODE_VIDEO_READER_H_

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/media/decode/decode_image.h"
#include "src/media/image.h"

namespace galago::media {

struct VideoOptions {
  uint64_t max_video_bytes = uint64_t{256} << 20;  // of the file, or of one frame file times the frame count
  int64_t max_frames = 128;                        // most indices one ReadFrames call may ask for
  int64_t max_decoded_frames = 1'000'000;          // most frames a file may make us decode
  std::chrono::milliseconds timeout{120'000};      // for all work on this reader together; zero: none
  DecodeOptions image;                             // limits per frame; all of it for a directory of pictures
};

struct VideoInfo {
  std::string container;  // "mov,mp4,m4a,3gp,3g2,mj2", ..., or "directory"
  std::string codec;      // "h264", ...; empty for a directory
  int64_t width = 0;      // after rotation; of the first frame for a directory
  int64_t height = 0;
  int64_t num_frames = 0;    // frames that really decode: indices [0, num_frames) are valid
  double fps = 0.0;          // average rate of the container; 0 if unknown
  double duration_s = 0.0;   // num_frames / fps; 0 if fps is unknown
  int rotation_degrees = 0;  // clockwise turn applied: 0, 90, 180 or 270
  std::vector<std::string> warnings;
};

struct VideoFrame {
  int64_t index = 0;
  double timestamp_s = 0.0;  // presentation time from the first frame; index / fps for a directory with a rate
  Image image;
};

// Reads chosen frames of a video file, or of a directory of pictures in name order. Decoding is in software and
// streams: no more than one frame is held. Colours follow OpenCV's VideoCapture: swscale, bicubic, to 8-bit RGB.
class VideoReader {
 public:
  static StatusOr<std::unique_ptr<VideoReader>> Open(const std::filesystem::path& path,
                                                     const VideoOptions& options = {});
  virtual ~VideoReader() = default;

  virtual const VideoInfo& info() const = 0;

  // Calls on_frame once for every distinct index, in order. `indices` ascend (repeats are allowed and skipped). An
  // error from on_frame ends the reading and is returned.
  using OnFrame = std::function<Status(VideoFrame frame)>;
  virtual Status ReadFrames(std::span<const int64_t> indices, const OnFrame& on_frame) = 0;
};

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_VIDEO_READER_H_

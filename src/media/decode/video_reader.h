#ifndef GALAGO_MEDIA_DECODE_VIDEO_READER_H_
#define GALAGO_MEDIA_DECODE_VIDEO_READER_H_

#include <atomic>
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
  uint64_t max_video_bytes = uint64_t{256} << 20;  // of the file, or of all frame files of a directory together
  int64_t max_frames = 128;                        // most distinct frames one ReadFrames call may ask for
  int64_t max_packets = 1'000'000;                 // most frames a file may claim to hold
  std::chrono::milliseconds timeout{120'000};      // for all calls on one reader together, Open included; zero: none
  int num_threads = 0;                             // of the decoder; 0: its own choice. No effect on the pixels
  std::string name;                                // for messages; empty: the path
  const std::atomic<bool>* cancel = nullptr;       // true: what goes on ends with Cancelled
  DecodeOptions image;                             // max_pixels per frame; all of it for a directory of pictures
};

struct VideoInfo {
  std::string container;  // FFmpeg's name ("mov,mp4,m4a,3gp,3g2,mj2", ...) or "directory"
  std::string codec;      // FFmpeg's name ("h264", ...); empty for a directory
  int64_t width = 0;      // after rotation; of the first frame for a directory
  int64_t height = 0;
  int64_t num_frames = 0;    // up to the last one that really decodes: indices [0, num_frames) may be asked for
  double fps = 0.0;          // average rate of the container; 0 if unknown
  double duration_s = 0.0;   // num_frames / fps, as the reference counts; 0 if fps is unknown
  int rotation_degrees = 0;  // clockwise turn that is applied to frames: 0, 90, 180 or 270
  std::vector<std::string> warnings;  // grows while frames are read
};

struct VideoFrame {
  int64_t index = 0;
  double timestamp_s = 0.0;  // presentation time after the first frame's; 0 for a directory
  Image image;
};

// Reads chosen frames of a video file, or of a directory of pictures in name order. Decoding is in software and
// streams: no more than one frame is held. An index is a frame's place in presentation order. Colours follow OpenCV's
// VideoCapture: swscale's plain conversion with its default (BT.601) coefficients, to 8 bits. Not thread-safe: one
// caller a time.
class VideoReader {
 public:
  static StatusOr<std::unique_ptr<VideoReader>> Open(const std::filesystem::path& path,
                                                     const VideoOptions& options = {});
  // A video file held in memory; `name` is for messages.
  static StatusOr<std::unique_ptr<VideoReader>> OpenBytes(std::string bytes, const std::string& name,
                                                          const VideoOptions& options = {});
  virtual ~VideoReader() = default;

  virtual const VideoInfo& info() const = 0;

  // Calls on_frame once for every distinct index, in order. `indices` ascend (repeats are passed over). A frame that
  // does not decode is skipped with a warning in info(), as the reference does; if none decodes, that is an error. An
  // error from on_frame ends the reading and is returned.
  using OnFrame = std::function<Status(VideoFrame frame)>;
  virtual Status ReadFrames(std::span<const int64_t> indices, const OnFrame& on_frame) = 0;
};

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_VIDEO_READER_H_

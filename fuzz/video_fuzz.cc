#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "src/base/check.h"
#include "src/media/decode/video_reader.h"

// Any bytes either open as a video whose announced frames can be asked for, or are refused.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace galago::media;
  const VideoOptions options = {.max_packets = 300,
                                .timeout = std::chrono::milliseconds(2000),
                                .num_threads = 1,
                                .image = {.limits = {.max_pixels = 300'000, .max_side = 4096}}};
  const auto reader = VideoReader::OpenBytes(std::string(reinterpret_cast<const char*>(data), size), "fuzz", options);
  if (!reader.ok()) return 0;
  const int64_t n = (*reader)->info().num_frames;
  CHECK_GT(n, 0);
  const galago::Status status =
      (*reader)->ReadFrames(std::vector<int64_t>{0, n / 2, n - 1}, [&](const VideoFrame& frame) {
        CHECK_LT(frame.index, n);
        CHECK_LE(frame.image.width * frame.image.height, options.image.limits.max_pixels);
        CHECK_EQ(frame.image.rgb.size(), static_cast<size_t>(frame.image.width * frame.image.height * 3));
        return galago::OkStatus();
      });
  static_cast<void>(status.ok());  // damage may show while reading
  return 0;
}

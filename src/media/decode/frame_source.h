#ifndef GALAGO_MEDIA_DECODE_FRAME_SOURCE_H_
#define GALAGO_MEDIA_DECODE_FRAME_SOURCE_H_

#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "galago/status.h"
#include "src/media/decode/video_reader.h"

// The two kinds of video behind VideoReader.
namespace galago::media {

struct VideoInput {
  std::string name;                  // for messages
  std::filesystem::path path;        // of a file, unless
  std::optional<std::string> bytes;  // the file is held here
};
StatusOr<std::unique_ptr<VideoReader>> OpenVideoFile(VideoInput input, const VideoOptions& options);

StatusOr<std::unique_ptr<VideoReader>> OpenFrameDirectory(const std::filesystem::path& directory,
                                                          const VideoOptions& options);

// The distinct indices ascend, lie in [0, num_frames) and are no more than max_frames.
Status CheckIndices(std::span<const int64_t> indices, const VideoInfo& info, const VideoOptions& options,
                    std::string_view name);

}  // namespace galago::media

#endif  // GALAGO_MEDIA_DECODE_FRAME_SOURCE_H_

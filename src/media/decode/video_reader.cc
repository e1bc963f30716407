#include "src/media/decode/video_reader.h"

#include <system_error>
#include <utility>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/media/decode/frame_source.h"
#include "src/media/decode/sniff.h"

namespace galago::media {
namespace {

Status RefusePicture(std::string_view head, std::string_view name) {
  const auto format = SniffPicture(head);
  if (!format) return OkStatus();
  return Unimplemented(StrCat(name, ": is a ", Name(*format), " picture; give it with --image"));
}

}  // namespace

StatusOr<std::unique_ptr<VideoReader>> VideoReader::Open(const std::filesystem::path& path,
                                                         const VideoOptions& options) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return OpenFrameDirectory(path, options);
  const std::string name = options.name.empty() ? path.string() : options.name;
  ASSIGN_OR_RETURN(const std::string head, ReadFileHead(path, kSniffBytes));
  RETURN_IF_ERROR(RefusePicture(head, name));
  const uint64_t size = std::filesystem::file_size(path, error);
  if (error) return Unavailable(StrCat(name, ": ", error.message()));
  if (size > options.max_video_bytes) {
    return OutOfRange(StrCat(name, ": video of ", size, " bytes, the limit is ", options.max_video_bytes));
  }
  return OpenVideoFile({name, path, std::nullopt}, options);
}

StatusOr<std::unique_ptr<VideoReader>> VideoReader::OpenBytes(std::string bytes, const std::string& name,
                                                              const VideoOptions& options) {
  if (bytes.size() > options.max_video_bytes) {
    return OutOfRange(StrCat(name, ": video of ", bytes.size(), " bytes, the limit is ", options.max_video_bytes));
  }
  RETURN_IF_ERROR(RefusePicture(bytes, name));
  return OpenVideoFile({name, {}, std::move(bytes)}, options);
}

Status CheckIndices(std::span<const int64_t> indices, const VideoInfo& info, const VideoOptions& options,
                    std::string_view name) {
  int64_t distinct = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (i > 0 && indices[i] < indices[i - 1]) {
      return InvalidArgument(StrCat(name, ": frame ", indices[i], " is asked for after frame ", indices[i - 1]));
    }
    if (indices[i] < 0 || indices[i] >= info.num_frames) {
      return OutOfRange(StrCat(name, ": frame ", indices[i], " of a video with ", info.num_frames, " frames"));
    }
    if (i == 0 || indices[i] != indices[i - 1]) ++distinct;
  }
  if (distinct > options.max_frames) {
    return OutOfRange(StrCat(name, ": ", distinct, " frames are asked for, the limit is ", options.max_frames));
  }
  return OkStatus();
}

}  // namespace galago::media

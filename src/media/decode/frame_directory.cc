#include <algorithm>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/media/decode/frame_source.h"

namespace galago::media {
namespace {

constexpr size_t kMaxNameBytes = 4096;  // a file name may hold anything but '/' and zero

class FrameDirectory : public VideoReader {
 public:
  FrameDirectory(std::vector<std::filesystem::path> files, const VideoOptions& options)
      : files_(std::move(files)), options_(options) {}

  Status Start() {
    info_.container = "directory";
    info_.num_frames = static_cast<int64_t>(files_.size());
    const std::string name = Printable(files_.front().string(), kMaxNameBytes);
    ASSIGN_OR_RETURN(const std::string bytes, ReadFile(files_.front(), options_.image.limits.max_encoded_bytes));
    ASSIGN_OR_RETURN(const ImageInfo first, ProbeImage(std::as_bytes(std::span(bytes)), name, options_.image));
    info_.width = first.width;
    info_.height = first.height;
    return OkStatus();
  }

  const VideoInfo& info() const override { return info_; }

  Status ReadFrames(std::span<const int64_t> indices, const OnFrame& on_frame) override {
    RETURN_IF_ERROR(CheckIndices(indices, info_, options_, files_.front().parent_path().string()));
    for (size_t i = 0; i < indices.size(); ++i) {
      if (i > 0 && indices[i] == indices[i - 1]) continue;
      if (options_.cancel != nullptr && *options_.cancel) return Cancelled("stopped while frames were read");
      const std::filesystem::path& file = files_[static_cast<size_t>(indices[i])];
      ASSIGN_OR_RETURN(const std::string bytes, ReadFile(file, options_.image.limits.max_encoded_bytes));
      const std::string name = Printable(file.string(), kMaxNameBytes);
      ASSIGN_OR_RETURN(DecodedImage decoded, DecodeImage(std::as_bytes(std::span(bytes)), name, options_.image));
      for (std::string& warning : decoded.info.warnings) info_.warnings.push_back(std::move(warning));
      RETURN_IF_ERROR(on_frame({indices[i], 0.0, std::move(decoded.image)}));
    }
    return OkStatus();
  }

 private:
  std::vector<std::filesystem::path> files_;
  VideoOptions options_;
  VideoInfo info_;
};

}  // namespace

StatusOr<std::unique_ptr<VideoReader>> OpenFrameDirectory(const std::filesystem::path& directory,
                                                          const VideoOptions& options) {
  const std::string name = directory.string();
  std::vector<std::filesystem::path> files;
  uint64_t num_bytes = 0;
  std::error_code error;
  for (auto it = std::filesystem::directory_iterator(directory, error);
       !error && it != std::filesystem::directory_iterator(); it.increment(error)) {
    if (it->path().filename().string().starts_with('.')) continue;  // as the shell's and the reference's "*"
    if (static_cast<int64_t>(files.size()) >= options.max_packets) {
      return OutOfRange(StrCat(name, ": directory of more than ", options.max_packets, " frames"));
    }
    std::error_code size_error;
    num_bytes += it->file_size(size_error);
    if (size_error) {
      return Unimplemented(StrCat(Printable(it->path().string(), kMaxNameBytes), ": is not a file with a frame"));
    }
    files.push_back(it->path());
  }
  if (error) return Unavailable(StrCat(name, ": ", error.message()));
  if (files.empty()) return DataLoss(StrCat(name, ": directory without frames"));
  if (num_bytes > options.max_video_bytes) {
    return OutOfRange(StrCat(name, ": frames of ", num_bytes, " bytes, the limit is ", options.max_video_bytes));
  }
  std::sort(files.begin(), files.end());
  auto reader = std::make_unique<FrameDirectory>(std::move(files), options);
  RETURN_IF_ERROR(reader->Start());
  return reader;
}

}  // namespace galago::media

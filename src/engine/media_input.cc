#include "src/engine/media_input.h"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>

#include "src/base/file.h"
#include "src/base/hash.h"
#include "src/base/strings.h"
#include "src/media/decode/decode_image.h"
#include "src/media/decode/frame_sampling.h"
#include "src/media/decode/media_source.h"
#include "src/media/decode/video_reader.h"

namespace galago::engine {
namespace {

constexpr int64_t kMaxImages = 64;
constexpr int64_t kMaxVideos = 8;

std::string_view AspectName(Aspect aspect) {
  switch (aspect) {
    case Aspect::kModel:
      return "model";
    case Aspect::kCrop:
      return "crop";
    case Aspect::kResize:
      return "resize";
    case Aspect::kPad:
      return "pad";
  }
  return "";
}

// The checkpoint's recipe with the user's changes.
StatusOr<spec::PreprocessSpec> RecipeFor(const spec::ModelSpec& model, const MediaOptions& options) {
  spec::PreprocessSpec recipe = model.preprocess;
  switch (options.aspect) {
    case Aspect::kModel:
      break;
    case Aspect::kCrop:
      recipe.image_aspect_ratio = spec::AspectMode::kProcessorOnly;
      recipe.processor = spec::Processor::kShortestCrop;
      break;
    case Aspect::kResize:
      recipe.image_aspect_ratio = spec::AspectMode::kResize;
      break;
    case Aspect::kPad:
      recipe.image_aspect_ratio = spec::AspectMode::kPad;
      break;
  }
  const auto limit = [](const std::optional<int64_t>& wanted, std::string_view flag, int64_t& value) -> Status {
    if (!wanted) return OkStatus();
    if (*wanted < 1 || *wanted > MediaOptions::kMaxTiles) {
      return InvalidArgument(StrCat(flag, " is ", *wanted, ", expected 1 to ", MediaOptions::kMaxTiles));
    }
    value = *wanted;
    return OkStatus();
  };
  RETURN_IF_ERROR(limit(options.max_tiles, "max-tiles", recipe.max_tiles));
  RETURN_IF_ERROR(limit(options.video_max_tiles, "video-max-tiles", recipe.video_max_tiles));
  return recipe;
}

media::DecodeOptions DecodingFor(const MediaOptions& options) {
  media::DecodeOptions decoding;
  decoding.exif = options.exif == Exif::kAuto ? media::ExifMode::kAuto : media::ExifMode::kIgnore;
  if (options.alpha == Alpha::kWhite) decoding.background = media::Colour{255, 255, 255};
  if (options.alpha == Alpha::kBlack) decoding.background = media::Colour{0, 0, 0};
  return decoding;
}

std::string KeyOf(std::string_view sha256, const MediaOptions& options, const spec::PreprocessSpec& recipe,
                  std::string_view rest) {
  return StrCat(sha256, "/", AspectName(options.aspect), "/", static_cast<int>(options.exif), "/",
                static_cast<int>(options.alpha), "/", recipe.max_tiles, "/", recipe.video_max_tiles, "/", rest);
}

class ImageItem : public MediaItem {
 public:
  static StatusOr<std::unique_ptr<MediaItem>> Plan(const spec::ModelSpec& model, const Part& part, media::Turn turn) {
    auto item = std::make_unique<ImageItem>();
    ASSIGN_OR_RETURN(item->bytes_, media::LoadMediaBytes(part.source));
    ASSIGN_OR_RETURN(item->recipe_, RecipeFor(model, part.media));
    item->decoding_ = DecodingFor(part.media);
    item->turn_ = turn;
    ASSIGN_OR_RETURN(media::ImageInfo probed,
                     media::ProbeImage(item->bytes_.view(), item->bytes_.name, item->decoding_));
    ASSIGN_OR_RETURN(item->layout_, media::PlanImage(item->recipe_, probed.width, probed.height, turn));
    item->info_ = {.kind = PartKind::kImage,
                   .source = media::SourceName(part.source),
                   .sha256 = Sha256Hex(item->bytes_.view()),
                   .format = std::string(media::Name(probed.format)),
                   .width = probed.original_width,
                   .height = probed.original_height,
                   .decoded = {probed.width, probed.height},
                   .orientation = probed.orientation,
                   .tiles = item->layout_.tiles,
                   .grid = item->layout_.grid,
                   .frame_indices = {},
                   .timestamps_s = {}};
    item->warnings_ = std::move(probed.warnings);
    item->key_ = KeyOf(item->info_.sha256, part.media, item->recipe_, turn == media::Turn::kOnlyImage ? "one" : "many");
    return item;
  }

  Status Pixels(int64_t, ThreadPool* pool, std::vector<std::string>&, const OnSlice& on_slice) const override {
    ASSIGN_OR_RETURN(const media::DecodedImage decoded, media::DecodeImage(bytes_.view(), bytes_.name, decoding_));
    ASSIGN_OR_RETURN(media::Preprocessed pixels, media::PreprocessImage(recipe_, decoded.image, turn_, pool));
    if (!(pixels.layout == layout_)) return Internal(StrCat(bytes_.name, ": decoded otherwise than planned"));
    return on_slice(std::move(pixels), /*last=*/true);
  }

 private:
  media::MediaBytes bytes_;
  spec::PreprocessSpec recipe_;
  media::DecodeOptions decoding_;
  media::Turn turn_ = media::Turn::kOneOfSeveral;
};

// A file that exists only in memory, for video that came as bytes: the decoder library reads paths.
class MemoryFile {
 public:
  static StatusOr<std::unique_ptr<MemoryFile>> Make(std::string_view contents) {
    const int fd = ::memfd_create("galago-video", MFD_CLOEXEC);
    if (fd < 0) return ResourceExhausted("cannot make a memory file for the video");
    auto file = std::unique_ptr<MemoryFile>(new MemoryFile(fd));
    while (!contents.empty()) {
      const ssize_t put = ::write(fd, contents.data(), contents.size());
      if (put <= 0) return ResourceExhausted("cannot keep the video in memory");
      contents.remove_prefix(static_cast<size_t>(put));
    }
    return file;
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;
  ~MemoryFile() { ::close(fd_); }
  std::string path() const { return StrCat("/proc/self/fd/", fd_); }

 private:
  explicit MemoryFile(int fd) : fd_(fd) {}
  int fd_;
};

// Hash of a video file, or of every file of a directory with its name.
StatusOr<std::string> ContentHash(const std::filesystem::path& path) {
  std::error_code error;
  if (!std::filesystem::is_directory(path, error)) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> file, MappedFile::Open(path));
    return Sha256Hex(file->bytes());
  }
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (entry.is_regular_file(error)) files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  std::string summary;
  for (const std::filesystem::path& file : files) {
    ASSIGN_OR_RETURN(const std::shared_ptr<const MappedFile> mapped, MappedFile::Open(file));
    summary += StrCat(file.filename().string(), "\n", Sha256Hex(mapped->bytes()), "\n");
  }
  return Sha256Hex(std::as_bytes(std::span(summary)));
}

// Frame numbers within [0, count) that the model's sampling rule takes; era A may put black frames in front.
media::EraAFrames ChooseFrames(const spec::ModelSpec& model, const MediaOptions& options, int64_t count, double rate) {
  const int64_t wanted = options.frames.value_or(model.video.num_video_frames);
  const double fps = options.fps.value_or(model.video.fps);
  if (fps > 0) return {.indices = media::FpsFrames(count, rate, fps, wanted)};
  if (model.prompt.era == spec::Era::kA)
    return media::SampleEraA(
        count, wanted, model.video.era_a_to_last_frame ? media::EraASampling::kAug2024 : media::EraASampling::kMay2024);
  return {.indices = media::UniformFrames(count, wanted)};
}

class VideoItem : public MediaItem {
 public:
  static StatusOr<std::unique_ptr<VideoItem>> Plan(const spec::ModelSpec& model, const Part& part,
                                                   const std::atomic<bool>* cancel) {
    auto item = std::make_unique<VideoItem>();
    ASSIGN_OR_RETURN(item->recipe_, RecipeFor(model, part.media));
    item->decoding_ = DecodingFor(part.media);
    item->name_ = media::SourceName(part.source);
    item->path_ = part.source;
    item->cancel_ = cancel;
    item->cancel_ = cancel;
    if (part.source == "-" || part.source.starts_with("data:")) {
      ASSIGN_OR_RETURN(const media::MediaBytes bytes,
                       media::LoadMediaBytes(part.source, {.max_bytes = media::VideoOptions().max_video_bytes}));
      ASSIGN_OR_RETURN(item->memory_, MemoryFile::Make(bytes.bytes));
      item->path_ = item->memory_->path();
    }
    RETURN_IF_ERROR(CheckOptions(part.media));
    ASSIGN_OR_RETURN(const std::unique_ptr<media::VideoReader> reader, item->OpenReader());
    const media::VideoInfo& video = reader->info();
    int64_t first = 0;
    int64_t last = video.num_frames;
    if (part.media.start_s || part.media.end_s || part.media.fps.value_or(model.video.fps) > 0) {
      if (video.fps <= 0) {
        return InvalidArgument(StrCat(item->name_, ": has no frame rate, so start, end and fps cannot be used"));
      }
      first = static_cast<int64_t>(part.media.start_s.value_or(0) * video.fps);
      last = std::min(last, int64_t{std::llround(part.media.end_s.value_or(video.duration_s) * video.fps)});
      if (first >= last) {
        return OutOfRange(StrCat(item->name_, ": no frame between second ", part.media.start_s.value_or(0), " and ",
                                 part.media.end_s.value_or(video.duration_s), ", the video lasts ", video.duration_s,
                                 " s"));
      }
    }
    const media::EraAFrames chosen = ChooseFrames(model, part.media, last - first, video.fps);
    item->black_frames_ = chosen.black_frames;
    for (const int64_t index : chosen.indices) item->indices_.push_back(first + index);
    if (item->num_frames() == 0) return DataLoss(StrCat(item->name_, ": no frame to look at"));
    // Era A takes black frames of a size of its own for a video of one frame.
    item->width_ = item->indices_.empty() ? media::kEraABlackSide : video.width;
    item->height_ = item->indices_.empty() ? media::kEraABlackSide : video.height;
    ASSIGN_OR_RETURN(item->layout_, media::PlanFrames(item->recipe_, item->width_, item->height_, item->num_frames()));

    item->info_ = {.kind = PartKind::kVideo,
                   .source = item->name_,
                   .sha256 = {},
                   .format = video.codec.empty() ? video.container : video.codec,
                   .width = video.width,
                   .height = video.height,
                   .decoded = {video.width, video.height},
                   .tiles = item->layout_.tiles,
                   .grid = item->layout_.grid,
                   .frame_indices = std::vector<int64_t>(static_cast<size_t>(item->black_frames_), -1),
                   .timestamps_s = {}};
    ASSIGN_OR_RETURN(item->info_.sha256, ContentHash(item->path_));
    item->info_.timestamps_s.assign(item->info_.frame_indices.size(), 0.0);
    for (const int64_t index : item->indices_) {
      item->info_.frame_indices.push_back(index);
      item->info_.timestamps_s.push_back(video.fps > 0 ? static_cast<double>(index) / video.fps : 0.0);
    }
    item->info_.duration_s = video.duration_s;
    item->warnings_ = video.warnings;
    std::string frames = StrCat("video/", item->black_frames_);
    for (const int64_t index : item->indices_) frames += StrCat(",", index);
    item->key_ = KeyOf(item->info_.sha256, part.media, item->recipe_, frames);
    return item;
  }

  // Its one frame is the only picture of the conversation, and is cut into tiles like one.
  Status SeeAsPicture() {
    CHECK_EQ(num_frames(), 1);
    ASSIGN_OR_RETURN(layout_, media::PlanImage(recipe_, width_, height_, media::Turn::kOnlyImage));
    info_.tiles = layout_.tiles;
    info_.grid = layout_.grid;
    key_ += "/one";
    return OkStatus();
  }

  Status Pixels(int64_t frames_per_slice, ThreadPool* pool, std::vector<std::string>& warnings,
                const OnSlice& on_slice) const override {
    const int64_t slice = frames_per_slice > 0 ? frames_per_slice : num_frames();
    media::FrameStack stack(recipe_, pool);
    int64_t frames_left = num_frames(), in_stack = 0;
    const auto add = [&](const media::Image& frame, int64_t copies) -> Status {
      if (layout_.kind == spec::MediaKind::kImage) {
        --frames_left;
        ASSIGN_OR_RETURN(media::Preprocessed pixels,
                         media::PreprocessImage(recipe_, frame, media::Turn::kOnlyImage, pool));
        RETURN_IF_ERROR(CheckSlice(pixels.layout.tiles));
        return on_slice(std::move(pixels), /*last=*/true);
      }
      while (copies > 0) {
        const int64_t count = std::min(copies, slice - in_stack);
        RETURN_IF_ERROR(stack.Add(frame, count));
        copies -= count;
        in_stack += count;
        frames_left -= count;
        if (in_stack < slice && frames_left > 0) continue;
        media::Preprocessed frames = stack.Finish();
        RETURN_IF_ERROR(CheckSlice(frames.layout.tiles, in_stack));
        in_stack = 0;
        RETURN_IF_ERROR(on_slice(std::move(frames), /*last=*/frames_left == 0));
      }
      return OkStatus();
    };
    if (black_frames_ > 0) RETURN_IF_ERROR(add(media::Image(width_, height_), black_frames_));
    ASSIGN_OR_RETURN(const std::unique_ptr<media::VideoReader> reader, OpenReader());
    RETURN_IF_ERROR(reader->ReadFrames(indices_, [&](const media::VideoFrame& frame) {
      return add(frame.image, std::count(indices_.begin(), indices_.end(), frame.index));
    }));
    if (frames_left != 0) {
      return DataLoss(StrCat(name_, ": ", frames_left, " of the ", indices_.size(), " chosen frames do not decode"));
    }
    const std::vector<std::string>& said = reader->info().warnings;
    std::copy_if(said.begin(), said.end(), std::back_inserter(warnings), [&](const std::string& warning) {
      return std::find(warnings_.begin(), warnings_.end(), warning) == warnings_.end();
    });
    return OkStatus();
  }

  int64_t num_frames() const { return black_frames_ + static_cast<int64_t>(indices_.size()); }

 private:
  static Status CheckOptions(const MediaOptions& options) {
    constexpr int64_t kMaxFrames = MediaOptions::kMaxFrames, kMaxSecond = MediaOptions::kMaxSecond;
    if (options.frames && (*options.frames < 1 || *options.frames > kMaxFrames)) {
      return InvalidArgument(StrCat("frames is ", *options.frames, ", expected 1 to ", kMaxFrames));
    }
    if (options.fps && !(*options.fps > 0 && *options.fps <= MediaOptions::kMaxFps)) {
      return InvalidArgument(
          StrCat("fps is ", *options.fps, ", expected more than 0 and at most ", MediaOptions::kMaxFps));
    }
    for (const auto& [name, second] : {std::pair("start", options.start_s), std::pair("end", options.end_s)}) {
      if (second && !(*second >= 0 && *second <= static_cast<double>(kMaxSecond))) {
        return InvalidArgument(StrCat(name, " is ", *second, " s, expected 0 to ", kMaxSecond));
      }
    }
    return OkStatus();
  }

  StatusOr<std::unique_ptr<media::VideoReader>> OpenReader() const {
    media::VideoOptions options;
    options.image = decoding_;
    options.max_frames = MediaOptions::kMaxFrames;
    options.name = name_;
    options.cancel = cancel_;
    return media::VideoReader::Open(path_, options);
  }
  // The plan knows the first frame's size only.
  Status CheckSlice(int64_t tiles, int64_t frames = 1) const {
    const int64_t planned = layout_.tiles / num_frames() * frames;
    if (tiles == planned) return OkStatus();
    return DataLoss(StrCat(name_, ": its frames have different shapes: ", planned, " tiles for ", frames,
                           " of the first one's, ", tiles, " tiles"));
  }

  std::string name_;
  std::filesystem::path path_;
  const std::atomic<bool>* cancel_ = nullptr;
  std::unique_ptr<MemoryFile> memory_;
  spec::PreprocessSpec recipe_;
  media::DecodeOptions decoding_;
  int64_t black_frames_ = 0;
  std::vector<int64_t> indices_;
  int64_t width_ = 0, height_ = 0;
};

}  // namespace

StatusOr<std::vector<std::unique_ptr<MediaItem>>> PlanMedia(const spec::ModelSpec& spec,
                                                            const std::vector<Message>& conversation,
                                                            const std::atomic<bool>* cancel) {
  std::vector<const Part*> parts;
  int64_t num_images = 0, num_videos = 0;
  for (const Message& message : conversation) {
    for (const Part& part : message.parts) {
      if (part.kind == PartKind::kText) continue;
      parts.push_back(&part);
      ++(part.kind == PartKind::kImage ? num_images : num_videos);
    }
  }
  if (parts.empty()) return std::vector<std::unique_ptr<MediaItem>>();
  if (!spec.vision) {
    return InvalidArgument(
        StrCat("the model has no vision tower, but ", parts.size(), " picture(s) or video(s) were given"));
  }
  if (num_images > kMaxImages || num_videos > kMaxVideos) {
    return OutOfRange(StrCat("the conversation holds ", num_images, " pictures and ", num_videos,
                             " videos, the limits are ", kMaxImages, " and ", kMaxVideos));
  }
  std::vector<std::unique_ptr<MediaItem>> items(parts.size());
  int64_t images = num_images;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i]->kind != PartKind::kVideo) continue;
    ASSIGN_OR_RETURN(std::unique_ptr<VideoItem> video, VideoItem::Plan(spec, *parts[i], cancel));
    if (spec.video.frames_as_images) images += video->layout().tiles;
    // NVlabs/VILA (2025): llava/utils/media.py makes pictures of the frames before llava/model/llava_arch.py counts
    // them.
    const bool alone = parts.size() == 1 && video->num_frames() == 1;
    if (alone && spec.video.frames_as_images && spec.prompt.era == spec::Era::kB) {
      RETURN_IF_ERROR(video->SeeAsPicture());
    }
    items[i] = std::move(video);
  }
  const media::Turn turn = images == 1 ? media::Turn::kOnlyImage : media::Turn::kOneOfSeveral;
  for (size_t i = 0; i < parts.size(); ++i) {
    if (parts[i]->kind != PartKind::kImage) continue;
    ASSIGN_OR_RETURN(items[i], ImageItem::Plan(spec, *parts[i], turn));
  }
  return items;
}

}  // namespace galago::engine

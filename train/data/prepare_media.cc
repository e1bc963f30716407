#include "train/data/prepare_media.h"

#include <algorithm>

#include "src/base/strings.h"
#include "src/media/decode/decode_image.h"
#include "src/media/decode/frame_sampling.h"
#include "src/media/decode/media_source.h"
#include "src/media/decode/video_reader.h"

namespace galago::train {
namespace {

// The frames the model looks at, and how many black ones come in front of them (era A only).
media::EraAFrames ChooseFrames(const spec::ModelSpec& model, int64_t count, double rate) {
  const int64_t wanted = model.video.num_video_frames;
  if (model.video.fps > 0 && rate > 0) return {.indices = media::FpsFrames(count, rate, model.video.fps, wanted)};
  if (model.prompt.era == spec::Era::kA) {
    return media::SampleEraA(
        count, wanted, model.video.era_a_to_last_frame ? media::EraASampling::kAug2024 : media::EraASampling::kMay2024);
  }
  return {.indices = media::UniformFrames(count, wanted)};
}

class Preparer {
 public:
  Preparer(const spec::ModelSpec& model, const Medium& medium, media::Turn turn, std::optional<int64_t> max_tiles)
      : model_(model), medium_(medium), turn_(turn), recipe_(model.preprocess) {
    if (max_tiles) recipe_.max_tiles = *max_tiles;
  }

  StatusOr<PreparedMedium> operator()(const std::filesystem::path& path) {
    if (medium_.kind == spec::MediaKind::kVideo) return Video(media::VideoReader::Open(path, VideoOptions()));
    ASSIGN_OR_RETURN(const media::MediaBytes bytes, media::LoadMediaBytes(path.string()));
    return Picture(bytes.view());
  }

  StatusOr<PreparedMedium> operator()(const EncodedMedium& encoded) {
    if (medium_.kind != spec::MediaKind::kVideo) return Picture(encoded.bytes);
    std::string bytes(reinterpret_cast<const char*>(encoded.bytes.data()), encoded.bytes.size());
    return Video(media::VideoReader::OpenBytes(std::move(bytes), medium_.name, VideoOptions()));
  }

  StatusOr<PreparedMedium> operator()(const media::Image& image) {
    ASSIGN_OR_RETURN(media::Preprocessed pixels, media::PreprocessImage(recipe_, image, turn_));
    return PreparedMedium{std::move(pixels)};
  }

  StatusOr<PreparedMedium> operator()(const FrameList& list) {
    const auto count = static_cast<int64_t>(list.frames.size());
    if (count == 0) return DataLoss("has no frame");
    const media::EraAFrames chosen = ChooseFrames(model_, count, list.fps);
    media::FrameStack stack(recipe_);
    RETURN_IF_ERROR(AddBlack(chosen.black_frames, list.frames[0].width, list.frames[0].height, stack));
    for (size_t i = 0; i < chosen.indices.size();) {
      const int64_t index = chosen.indices[i];
      const int64_t copies = std::count(chosen.indices.begin(), chosen.indices.end(), index);
      RETURN_IF_ERROR(stack.Add(list.frames[static_cast<size_t>(index)], copies));
      i += static_cast<size_t>(copies);
    }
    return PreparedMedium{stack.Finish(), list.fps > 0 ? static_cast<double>(count) / list.fps : 0.0};
  }

 private:
  media::VideoOptions VideoOptions() const {
    media::VideoOptions options;
    options.max_frames = std::max(options.max_frames, model_.video.num_video_frames);
    options.num_threads = 1;  // the loader runs many records side by side
    options.name = medium_.name;
    return options;
  }

  StatusOr<PreparedMedium> Picture(std::span<const std::byte> bytes) {
    ASSIGN_OR_RETURN(const media::DecodedImage decoded, media::DecodeImage(bytes, medium_.name));
    return (*this)(decoded.image);
  }

  StatusOr<PreparedMedium> Video(StatusOr<std::unique_ptr<media::VideoReader>> opened) {
    ASSIGN_OR_RETURN(const std::unique_ptr<media::VideoReader> reader, std::move(opened));
    const media::VideoInfo& video = reader->info();
    const media::EraAFrames chosen = ChooseFrames(model_, video.num_frames, video.fps);
    media::FrameStack stack(recipe_);
    RETURN_IF_ERROR(AddBlack(chosen.black_frames, video.width, video.height, stack));
    auto left = static_cast<int64_t>(chosen.indices.size());
    if (left + chosen.black_frames == 0) return DataLoss(StrCat(medium_.name, ": no frame to look at"));
    RETURN_IF_ERROR(reader->ReadFrames(chosen.indices, [&](const media::VideoFrame& frame) {
      const int64_t copies = std::count(chosen.indices.begin(), chosen.indices.end(), frame.index);
      left -= copies;
      return stack.Add(frame.image, copies);
    }));
    if (left != 0) {
      return DataLoss(
          StrCat(medium_.name, ": ", left, " of the ", chosen.indices.size(), " chosen frames do not decode"));
    }
    return PreparedMedium{stack.Finish(), video.duration_s};
  }

  Status AddBlack(int64_t count, int64_t width, int64_t height, media::FrameStack& stack) const {
    return count > 0 ? stack.Add(media::Image(width, height), count) : OkStatus();
  }

  const spec::ModelSpec& model_;
  const Medium& medium_;
  const media::Turn turn_;
  spec::PreprocessSpec recipe_;
};

}  // namespace

StatusOr<PreparedMedium> PrepareMedium(const spec::ModelSpec& model, const Medium& medium, media::Turn turn,
                                       std::optional<int64_t> max_tiles) {
  StatusOr<PreparedMedium> prepared = std::visit(Preparer(model, medium, turn, max_tiles), medium.from);
  if (!prepared.ok()) {
    const std::string message = MessageOf(prepared.status());
    if (message.find(medium.name) != std::string::npos) return prepared.status();
    return Annotate(prepared.status(), medium.name);
  }
  if (medium.duration_s) prepared->duration_s = *medium.duration_s;
  return prepared;
}

}  // namespace galago::train

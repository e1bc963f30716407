#ifndef GALAGO_MESSAGE_H_
#define GALAGO_MESSAGE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "galago/status.h"

// What a user says: text and media in one ordered list.
namespace galago {

enum class Exif { kAuto, kIgnore };                  // turn pictures upright by their orientation tag, or not
enum class Aspect { kModel, kCrop, kResize, kPad };  // kModel: as the checkpoint's image_aspect_ratio says
enum class Alpha { kDrop, kWhite, kBlack };          // kDrop is what the reference does
enum class Sampling { kUniform, kFps };

// How one picture or video is read. The defaults give the reference's pixels.
struct MediaOptions {
  static constexpr int64_t kMaxTiles = 1024;
  static constexpr int64_t kMaxFrames = 1024;  // NVILA-8B-Video looks at 256
  static constexpr double kMaxFps = 1000;
  static constexpr int64_t kMaxSecond = 10'000'000;

  Exif exif = Exif::kIgnore;
  Alpha alpha = Alpha::kDrop;
  Aspect aspect = Aspect::kModel;
  std::optional<int64_t> max_tiles;        // 1 to kMaxTiles; default: the checkpoint's
  std::optional<int64_t> video_max_tiles;  // likewise
  std::optional<int64_t> frames;           // video: 1 to kMaxFrames; default: the checkpoint's num_video_frames
  std::optional<double> fps;               // video: frames a second instead of uniform sampling; above 0, to kMaxFps
  std::optional<double> start_s, end_s;    // video: the part looked at, in seconds from 0 to kMaxSecond
  bool operator==(const MediaOptions&) const = default;
};

enum class PartKind { kText, kImage, kVideo };

struct Part {
  PartKind kind = PartKind::kText;
  std::string text;    // kText: UTF-8
  std::string source;  // media: a path, "-" for standard input, or a data: URI; a directory of pictures is a video
  MediaOptions media;
  // Media that stands where a marker stood in the text. VILA-1.5 puts a newline after media given beside the text only.
  bool at_marker = false;

  static Part Text(std::string text) {
    return {.kind = PartKind::kText, .text = std::move(text), .source = {}, .media = {}};
  }
  static Part Image(std::string source, MediaOptions options = {}) {
    return {.kind = PartKind::kImage, .text = {}, .source = std::move(source), .media = options};
  }
  static Part Video(std::string source, MediaOptions options = {}) {
    return {.kind = PartKind::kVideo, .text = {}, .source = std::move(source), .media = options};
  }
};

enum class Role { kSystem, kUser, kAssistant };

struct Message {
  Role role = Role::kUser;
  std::vector<Part> parts;
};

struct UserMessage {
  Message message;
  std::vector<std::string> warnings;
};

// Places `media` at the <image> and <video> markers of `text`, in order. Media without a marker go first, in the order
// given (with a warning if there were markers at all). More markers than media of that kind: InvalidArgument.
StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media);

// kVideo for a directory or a file whose bytes are a video container, else kImage; NotFound if there is no regular
// file.
StatusOr<PartKind> GuessMediaKind(const std::string& source);

}  // namespace galago

#endif  // GALAGO_MESSAGE_H_

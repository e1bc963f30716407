extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/display.h>
#include <libavutil/imgutils.h>
#include <libavutil/opt.h>
#include <libavutil/pixdesc.h>
#include <libswscale/swscale.h>
}

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <cstring>
#include <limits>
#include <mutex>
#include <utility>

#include "src/base/check.h"
#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/media/decode/exif.h"
#include "src/media/decode/frame_source.h"
#include "src/media/decode/sniff.h"

// Everything that knows FFmpeg. Frames are found by presentation time: one pass over the packets, which decodes
// nothing, lists the times; a frame is then reached from the key frame before it. Where that list cannot be trusted (no
// times, packets that are not frames), frames are counted by decoding them all.
namespace galago::media {
namespace {

using Clock = std::chrono::steady_clock;

// Playlists and other formats that open further files or addresses are not among them.
constexpr char kContainers[] = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts";
constexpr int kIoBufferSize = 1 << 16;
// How many key frames back we look for the last frame that decodes, before decoding everything.
constexpr int kMaxStepsBack = 8;

struct FormatClose {
  void operator()(AVFormatContext* format) const { avformat_close_input(&format); }
};
struct CodecFree {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
};
struct FrameFree {
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
};
struct PacketFree {
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
};
struct SwsFree {
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};
struct IoFree {
  void operator()(AVIOContext* io) const {
    av_freep(&io->buffer);
    avio_context_free(&io);
  }
};

std::string ErrorText(int code) {
  std::array<char, AV_ERROR_MAX_STRING_SIZE> text = {};
  av_strerror(code, text.data(), text.size());
  return text.data();
}

void SilenceLog() {
  static std::once_flag once;
  std::call_once(once, [] { av_log_set_level(AV_LOG_QUIET); });
}

class VideoFile : public VideoReader {
 public:
  VideoFile(VideoInput input, const VideoOptions& options) : input_(std::move(input)), options_(options) {}

  Status Start();
  const VideoInfo& info() const override { return info_; }
  Status ReadFrames(std::span<const int64_t> indices, const OnFrame& on_frame) override;

 private:
  static constexpr int64_t kNoFrame = -1;

  // Runs the clock against the time limit while it lives.
  class Timed {
   public:
    explicit Timed(VideoFile& file) : file_(file), start_(Clock::now()) {
      file_.deadline_ = file_.options_.timeout.count() == 0 ? Clock::time_point::max()
                                                            : start_ + (file_.options_.timeout - file_.used_);
    }
    ~Timed() { file_.used_ += std::chrono::duration_cast<std::chrono::milliseconds>(Clock::now() - start_); }

   private:
    VideoFile& file_;
    Clock::time_point start_;
  };

  Status Error(int code, std::string_view doing) const {
    if (IsCancelled()) return Cancelled("stopped while the video was read");
    if (MustEnd()) {
      return DeadlineExceeded(StrCat(input_.name, ": decoding took longer than ", options_.timeout.count(), " ms"));
    }
    if (code == AVERROR(ENOMEM)) return ResourceExhausted(StrCat(input_.name, ": out of memory ", doing));
    return DataLoss(StrCat(input_.name, ": ", doing, " failed (", ErrorText(code), ")"));
  }
  bool IsCancelled() const { return options_.cancel != nullptr && options_.cancel->load(std::memory_order_relaxed); }
  bool MustEnd() const { return IsCancelled() || Clock::now() > deadline_; }
  // "is cut short: its "mdat" box needs 9000 bytes, 120 are left", or that it is damaged.
  std::string CutOrDamaged() const;

  Status OpenDemuxer();
  Status OpenDecoder();
  Status Reopen() {
    RETURN_IF_ERROR(OpenDemuxer());
    return OpenDecoder();
  }
  Status ListPackets();
  Status FindLastFrame();
  Status CountFrames();
  void ReadRotation();

  // Decodes the next frame into frame_ and sets current_; false at the end of the video.
  StatusOr<bool> Step();
  // Makes `current_` the frame `index` or the first one after it that decodes; false at the end.
  StatusOr<bool> AdvanceTo(int64_t index);
  Status SeekToKeyFrame(int64_t key);
  int64_t KeyFrameBefore(int64_t index) const;
  StatusOr<Image> Convert();
  Status Deliver(int64_t index, const OnFrame& on_frame);

  int64_t PtsOf(const AVFrame& frame) const {
    return frame.pts != AV_NOPTS_VALUE ? frame.pts : frame.best_effort_timestamp;
  }
  void WarnOnce(bool& said, std::string_view text) {
    if (!std::exchange(said, true)) info_.warnings.push_back(StrCat(input_.name, ": ", text));
  }

  VideoInput input_;
  VideoOptions options_;
  VideoInfo info_;
  Clock::time_point deadline_ = Clock::time_point::max();
  std::chrono::milliseconds used_{0};

  size_t read_position_ = 0;                 // in input_.bytes
  std::unique_ptr<AVIOContext, IoFree> io_;  // outlives format_
  std::unique_ptr<AVFormatContext, FormatClose> format_;
  std::unique_ptr<AVCodecContext, CodecFree> codec_;
  std::unique_ptr<AVFrame, FrameFree> frame_;
  std::unique_ptr<AVFrame, FrameFree> rgb_;
  std::unique_ptr<AVPacket, PacketFree> packet_;
  std::unique_ptr<SwsContext, SwsFree> scaler_;
  AVStream* stream_ = nullptr;
  bool draining_ = false;

  std::vector<int64_t> times_;      // presentation time of each frame, ascending; empty: frames are counted instead
  std::vector<int64_t> key_times_;  // of key frames, ascending
  int64_t current_ = kNoFrame;      // index of the frame in frame_, if that is to be trusted
  int64_t num_decoded_ = 0;         // since the demuxer was opened
  int64_t num_errors_ = 0;          // packets the decoder refused
  int64_t promised_ = 0;            // frames the container announces; 0: it does not say
  bool looks_like_video_ = false;   // by its first bytes
  std::optional<int64_t> first_time_;
  bool said_damage_ = false, said_interlaced_ = false, said_hdr_ = false;
};

std::string VideoFile::CutOrDamaged() const {
  std::optional<std::string> cut;
  if (input_.bytes) {
    cut = FindCut(std::as_bytes(std::span(*input_.bytes)));
  } else if (const auto file = MappedFile::Open(input_.path); file.ok()) {
    cut = FindCut((*file)->bytes());
  }
  return cut ? StrCat("is cut short: ", *cut) : "is damaged or cut short";
}

Status VideoFile::OpenDemuxer() {
  codec_.reset();
  format_.reset();
  io_.reset();
  read_position_ = 0;
  num_decoded_ = 0;
  current_ = kNoFrame;
  AVFormatContext* format = avformat_alloc_context();
  if (format == nullptr) return Error(AVERROR(ENOMEM), "opening the video");
  format_.reset(format);
  format->interrupt_callback = {[](void* self) { return static_cast<VideoFile*>(self)->MustEnd() ? 1 : 0; }, this};
  if (input_.bytes) {
    auto* buffer = static_cast<unsigned char*>(av_malloc(kIoBufferSize));
    if (buffer == nullptr) return Error(AVERROR(ENOMEM), "opening the video");
    const auto read = [](void* self, uint8_t* out, int size) {
      auto& file = *static_cast<VideoFile*>(self);
      const size_t count = std::min(static_cast<size_t>(size), file.input_.bytes->size() - file.read_position_);
      if (count == 0) return AVERROR_EOF;
      std::memcpy(out, file.input_.bytes->data() + file.read_position_, count);
      file.read_position_ += count;
      return static_cast<int>(count);
    };
    const auto seek = [](void* self, int64_t offset, int whence) -> int64_t {
      auto& file = *static_cast<VideoFile*>(self);
      const auto size = static_cast<int64_t>(file.input_.bytes->size());
      if ((whence & AVSEEK_SIZE) != 0) return size;
      const int64_t base = whence == SEEK_CUR   ? static_cast<int64_t>(file.read_position_)
                           : whence == SEEK_END ? size
                                                : 0;
      if (offset < -base || offset > size - base) return AVERROR(EINVAL);
      file.read_position_ = static_cast<size_t>(base + offset);
      return base + offset;
    };
    io_.reset(avio_alloc_context(buffer, kIoBufferSize, 0, this, read, nullptr, seek));
    if (io_ == nullptr) {
      av_free(buffer);
      return Error(AVERROR(ENOMEM), "opening the video");
    }
    format->pb = io_.get();
  }
  AVDictionary* settings = nullptr;
  av_dict_set(&settings, "format_whitelist", kContainers, 0);
  av_dict_set(&settings, "protocol_whitelist", "file", 0);
  const std::string url = input_.bytes ? "" : StrCat("file:", input_.path.string());
  AVFormatContext* raw = format_.release();  // avformat_open_input frees it on failure
  const int opened = avformat_open_input(&raw, url.c_str(), nullptr, &settings);
  av_dict_free(&settings);
  if (opened < 0) {
    if (MustEnd() || opened == AVERROR(ENOMEM)) return Error(opened, "opening the video");
    if (looks_like_video_) return DataLoss(StrCat(input_.name, ": is a video that ", CutOrDamaged()));
    return DataLoss(
        StrCat(input_.name, ": is not a video in a known container (MP4, MOV, Matroska, WebM, AVI, MPEG-TS)"));
  }
  format_.reset(raw);
  const int found = avformat_find_stream_info(raw, nullptr);
  if (found < 0) return Error(found, "reading the video's header");
  const int best = av_find_best_stream(raw, AVMEDIA_TYPE_VIDEO, -1, -1, nullptr, 0);
  if (best < 0) return DataLoss(StrCat(input_.name, ": no video stream"));
  stream_ = raw->streams[best];
  for (unsigned i = 0; i < raw->nb_streams; ++i) {
    raw->streams[i]->discard = raw->streams[i] == stream_ ? AVDISCARD_DEFAULT : AVDISCARD_ALL;
  }
  return OkStatus();
}

Status VideoFile::OpenDecoder() {
  const AVCodec* decoder = avcodec_find_decoder(stream_->codecpar->codec_id);
  if (decoder == nullptr) {
    return Unimplemented(StrCat(input_.name, ": no decoder for ", avcodec_get_name(stream_->codecpar->codec_id)));
  }
  codec_.reset(avcodec_alloc_context3(decoder));
  if (codec_ == nullptr) return Error(AVERROR(ENOMEM), "opening the decoder");
  const int copied = avcodec_parameters_to_context(codec_.get(), stream_->codecpar);
  if (copied < 0) return Error(copied, "opening the decoder");
  codec_->pkt_timebase = stream_->time_base;
  codec_->max_pixels = options_.image.limits.max_pixels;
  codec_->thread_count = options_.num_threads;
  const int opened = avcodec_open2(codec_.get(), decoder, nullptr);
  if (opened < 0) return Error(opened, "opening the decoder");
  draining_ = false;
  return OkStatus();
}

void VideoFile::ReadRotation() {
  size_t size = 0;
  const uint8_t* matrix = av_stream_get_side_data(stream_, AV_PKT_DATA_DISPLAYMATRIX, &size);
  if (matrix == nullptr || size < 9 * sizeof(int32_t)) return;
  std::array<int32_t, 9> values;
  std::memcpy(values.data(), matrix, sizeof(values));
  const double angle = -av_display_rotation_get(values.data());  // NaN for a singular matrix
  if (!std::isfinite(angle)) return;
  const int quarter = static_cast<int>(std::lround(angle / 90.0));
  info_.rotation_degrees = ((quarter % 4) + 4) % 4 * 90;
}

Status VideoFile::ListPackets() {
  bool usable = true;
  for (;;) {
    const int read = av_read_frame(format_.get(), packet_.get());
    if (read < 0) {
      if (MustEnd()) return Error(read, "reading the video");
      break;  // the end, or damage that ends the video early
    }
    if (packet_->stream_index == stream_->index) {
      const int64_t time = packet_->pts;
      if (time == AV_NOPTS_VALUE) usable = false;
      if ((packet_->flags & AV_PKT_FLAG_KEY) != 0) key_times_.push_back(time);
      if ((packet_->flags & AV_PKT_FLAG_DISCARD) == 0) times_.push_back(time);
    }
    av_packet_unref(packet_.get());
    if (static_cast<int64_t>(times_.size()) > options_.max_packets) {
      return OutOfRange(StrCat(input_.name, ": video of more than ", options_.max_packets, " frames"));
    }
  }
  std::sort(times_.begin(), times_.end());
  std::sort(key_times_.begin(), key_times_.end());
  if (!usable || key_times_.empty() || std::adjacent_find(times_.begin(), times_.end()) != times_.end()) {
    times_.clear();
    key_times_.clear();
  }
  return OkStatus();  // whoever decodes next seeks or opens anew
}

StatusOr<bool> VideoFile::Step() {
  for (;;) {
    if (MustEnd()) return Error(AVERROR_EXIT, "decoding");
    const int received = avcodec_receive_frame(codec_.get(), frame_.get());
    if (received == 0) {
      ++num_decoded_;
      const int64_t time = PtsOf(*frame_);
      if (!first_time_) first_time_ = time;
      if (times_.empty()) {
        current_ = num_decoded_ - 1;
      } else {
        const auto found = std::lower_bound(times_.begin(), times_.end(), time);
        if (found == times_.end() || *found != time) continue;  // shown at a time no packet announced
        current_ = found - times_.begin();
      }
      return true;
    }
    if (received == AVERROR_EOF) {
      current_ = kNoFrame;
      return false;
    }
    if (received != AVERROR(EAGAIN)) {
      if (++num_errors_ > options_.max_packets) return Error(received, "decoding");
      if (draining_) {
        current_ = kNoFrame;
        return false;
      }
    }
    const int read = av_read_frame(format_.get(), packet_.get());
    if (read < 0) {
      if (MustEnd()) return Error(read, "decoding");
      if (!std::exchange(draining_, true)) {
        avcodec_send_packet(codec_.get(), nullptr);
        continue;
      }
      current_ = kNoFrame;
      return false;
    }
    if (packet_->stream_index == stream_->index && avcodec_send_packet(codec_.get(), packet_.get()) < 0) ++num_errors_;
    av_packet_unref(packet_.get());
  }
}

int64_t VideoFile::KeyFrameBefore(int64_t index) const {
  const int64_t time = times_[static_cast<size_t>(index)];
  return std::upper_bound(key_times_.begin(), key_times_.end(), time) - key_times_.begin() - 1;
}

// key < 0: the start of the file.
Status VideoFile::SeekToKeyFrame(int64_t key) {
  current_ = kNoFrame;
  if (key < 0) return Reopen();
  if (av_seek_frame(format_.get(), stream_->index, key_times_[static_cast<size_t>(key)], AVSEEK_FLAG_BACKWARD) < 0) {
    return Reopen();
  }
  avcodec_flush_buffers(codec_.get());
  draining_ = false;
  return OkStatus();
}

StatusOr<bool> VideoFile::AdvanceTo(int64_t index) {
  if (times_.empty()) {
    if (current_ == kNoFrame || current_ > index) RETURN_IF_ERROR(Reopen());
    while (current_ < index) {
      ASSIGN_OR_RETURN(const bool more, Step());
      if (!more) return false;
    }
    return true;
  }
  const int64_t key = KeyFrameBefore(index);
  const bool reachable = current_ != kNoFrame && current_ <= index &&
                         (key < 0 || key_times_[static_cast<size_t>(key)] <= times_[static_cast<size_t>(current_)]);
  if (reachable) {
    while (current_ < index) {
      ASSIGN_OR_RETURN(const bool more, Step());
      if (!more) return false;
    }
    return true;
  }
  // Containers may seek to a later place than asked for: then from further back, at last from the start.
  for (const int64_t back : {int64_t{0}, int64_t{1}, key + 1}) {
    RETURN_IF_ERROR(SeekToKeyFrame(std::max<int64_t>(key - back, -1)));
    ASSIGN_OR_RETURN(bool more, Step());
    if (more && current_ > index && key - back >= 0) continue;
    while (more && current_ < index) {
      ASSIGN_OR_RETURN(more, Step());
    }
    if (more || back == key + 1) return more;
  }
  return false;
}

// The last index whose frame decodes: the container may promise more than it holds.
Status VideoFile::FindLastFrame() {
  const auto promised = static_cast<int64_t>(times_.size());
  int64_t key = static_cast<int64_t>(key_times_.size()) - 1;
  for (int step = 0; step < kMaxStepsBack && key >= 0; ++step, --key) {
    RETURN_IF_ERROR(SeekToKeyFrame(key));
    const int64_t key_time = key_times_[static_cast<size_t>(key)];
    int64_t first = kNoFrame, last = kNoFrame, count = 0;
    for (;;) {
      ASSIGN_OR_RETURN(const bool more, Step());
      if (!more) break;
      if (times_[static_cast<size_t>(current_)] < key_time) continue;  // leans on frames before the key frame
      if (first == kNoFrame) first = current_;
      last = std::max(last, current_);
      ++count;
    }
    if (count == 0) continue;
    if (num_errors_ == 0 && count != last - first + 1) break;  // packets are not frames here
    info_.num_frames = last + 1;
    if (info_.num_frames < promised) {
      info_.warnings.push_back(
          StrCat(input_.name, ": is cut short or damaged: ", info_.num_frames, " of ", promised, " frames decode"));
    }
    return OkStatus();
  }
  times_.clear();
  key_times_.clear();
  return CountFrames();
}

Status VideoFile::CountFrames() {
  RETURN_IF_ERROR(Reopen());
  for (;;) {
    ASSIGN_OR_RETURN(const bool more, Step());
    if (!more) break;
    if (num_decoded_ > options_.max_packets) {
      return OutOfRange(StrCat(input_.name, ": video of more than ", options_.max_packets, " frames"));
    }
  }
  info_.num_frames = num_decoded_;
  return OkStatus();
}

Status VideoFile::Start() {
  SilenceLog();
  const Timed timed(*this);
  if (input_.bytes) {
    looks_like_video_ = SniffVideo(*input_.bytes);
  } else {
    ASSIGN_OR_RETURN(const std::string head, ReadFileHead(input_.path, kSniffBytes));
    looks_like_video_ = SniffVideo(head);
  }
  packet_.reset(av_packet_alloc());
  frame_.reset(av_frame_alloc());
  rgb_.reset(av_frame_alloc());
  if (packet_ == nullptr || frame_ == nullptr || rgb_ == nullptr) return Error(AVERROR(ENOMEM), "opening the video");
  RETURN_IF_ERROR(OpenDemuxer());
  info_.container = format_->iformat->name;
  info_.codec = avcodec_get_name(stream_->codecpar->codec_id);
  ReadRotation();
  const AVRational rate = av_guess_frame_rate(format_.get(), stream_, nullptr);
  info_.fps = rate.num > 0 && rate.den > 0 ? av_q2d(rate) : 0.0;
  info_.width = stream_->codecpar->width;
  info_.height = stream_->codecpar->height;
  const bool sized = info_.width > 0 && info_.height > 0;
  if (sized && info_.width * info_.height > options_.image.limits.max_pixels) {
    return OutOfRange(StrCat(input_.name, ": frames of ", info_.width, " x ", info_.height, " = ",
                             info_.width * info_.height, " pixels, the limit is ", options_.image.limits.max_pixels));
  }
  RETURN_IF_ERROR(OpenDecoder());
  if (info_.rotation_degrees % 180 != 0) std::swap(info_.width, info_.height);
  RETURN_IF_ERROR(ListPackets());
  promised_ = std::max<int64_t>({0, stream_->nb_frames, static_cast<int64_t>(times_.size())});
  RETURN_IF_ERROR(times_.empty() ? CountFrames() : FindLastFrame());
  if (info_.num_frames == 0) {
    const std::string promised =
        promised_ > 0 ? StrCat("none of its ", promised_, " frames decodes") : "no frame in it";
    return DataLoss(StrCat(input_.name, ": ", promised, ": it ", CutOrDamaged()));
  }
  if (info_.fps > 0.0) info_.duration_s = static_cast<double>(info_.num_frames) / info_.fps;
  if (!times_.empty()) first_time_ = times_.front();
  current_ = kNoFrame;
  return OkStatus();
}

StatusOr<Image> VideoFile::Convert() {
  const AVFrame& in = *frame_;
  const DecodeLimits& limits = options_.image.limits;
  if (in.width <= 0 || in.height <= 0 || std::max(in.width, in.height) > limits.max_side ||
      int64_t{in.width} * in.height > limits.max_pixels) {
    return OutOfRange(
        StrCat(input_.name, ": frame of ", in.width, " x ", in.height, " pixels, the limit is ", limits.max_pixels));
  }
  if (in.interlaced_frame != 0) WarnOnce(said_interlaced_, "interlaced frames are shown with both fields");
  if (in.color_trc == AVCOL_TRC_SMPTE2084 || in.color_trc == AVCOL_TRC_ARIB_STD_B67) {
    WarnOnce(said_hdr_, "HDR colours are used without tone mapping");
  }
  if (in.decode_error_flags != 0 || (in.flags & AV_FRAME_FLAG_CORRUPT) != 0) {
    WarnOnce(said_damage_, "damaged frames were repaired by the decoder");
  }
  // As OpenCV does it (opencv/opencv: modules/videoio/src/cap_ffmpeg_impl.hpp): bicubic, which at equal size only
  // decides how chroma is brought to full resolution, into a buffer with FFmpeg's own padding.
  const auto format = static_cast<AVPixelFormat>(in.format);
  scaler_.reset(sws_getCachedContext(scaler_.release(), in.width, in.height, format, in.width, in.height,
                                     AV_PIX_FMT_RGB24, SWS_BICUBIC, nullptr, nullptr, nullptr));
  if (scaler_ == nullptr) {
    const char* name = av_get_pix_fmt_name(format);
    return Unimplemented(StrCat(input_.name, ": pixel format ", name == nullptr ? "unknown" : name));
  }
  av_frame_unref(rgb_.get());
  rgb_->format = AV_PIX_FMT_RGB24;
  rgb_->width = in.width;
  rgb_->height = in.height;
  const int allocated = av_frame_get_buffer(rgb_.get(), 0);
  if (allocated < 0) return Error(allocated, "converting a frame");
  const int converted = sws_scale(scaler_.get(), in.data, in.linesize, 0, in.height, rgb_->data, rgb_->linesize);
  if (converted != in.height) return Error(converted < 0 ? converted : AVERROR_EXTERNAL, "converting a frame");
  Image image(in.width, in.height);
  for (int64_t y = 0; y < image.height; ++y) {
    std::memcpy(image.Row(y), rgb_->data[0] + y * rgb_->linesize[0], static_cast<size_t>(image.width) * 3);
  }
  constexpr std::array<int, 4> kOrientations = {1, 6, 3, 8};  // for 0, 90, 180, 270 degrees clockwise
  return Upright(std::move(image), kOrientations[static_cast<size_t>(info_.rotation_degrees / 90)]);
}

Status VideoFile::Deliver(int64_t index, const OnFrame& on_frame) {
  VideoFrame out;
  out.index = index;
  const int64_t time = PtsOf(*frame_);
  if (first_time_ && time != AV_NOPTS_VALUE && *first_time_ != AV_NOPTS_VALUE) {
    const double ticks = static_cast<double>(time) - static_cast<double>(*first_time_);
    out.timestamp_s = ticks * av_q2d(stream_->time_base);
  }
  ASSIGN_OR_RETURN(out.image, Convert());
  return on_frame(std::move(out));
}

Status VideoFile::ReadFrames(std::span<const int64_t> indices, const OnFrame& on_frame) {
  RETURN_IF_ERROR(CheckIndices(indices, info_, options_, input_.name));
  const Timed timed(*this);
  int64_t delivered = 0;
  for (size_t i = 0; i < indices.size(); ++i) {
    if (i > 0 && indices[i] == indices[i - 1]) continue;
    ASSIGN_OR_RETURN(const bool found, AdvanceTo(indices[i]));
    if (!found || current_ != indices[i]) {
      info_.warnings.push_back(StrCat(input_.name, ": frame ", indices[i], " does not decode and is left out"));
      continue;
    }
    RETURN_IF_ERROR(Deliver(indices[i], on_frame));
    ++delivered;
  }
  if (delivered == 0 && !indices.empty()) {
    return DataLoss(StrCat(input_.name, ": none of the ", indices.size(), " chosen frames decodes"));
  }
  return OkStatus();
}

}  // namespace

StatusOr<std::unique_ptr<VideoReader>> OpenVideoFile(VideoInput input, const VideoOptions& options) {
  auto file = std::make_unique<VideoFile>(std::move(input), options);
  RETURN_IF_ERROR(file->Start());
  return file;
}

}  // namespace galago::media

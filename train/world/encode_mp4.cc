extern "C" {
#include <libavcodec/avcodec.h>
#include <libavformat/avformat.h>
#include <libavutil/opt.h>
#include <libswscale/swscale.h>
}

#include <cmath>
#include <cstdint>
#include <memory>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/encode.h"

namespace galago::world {
namespace {

// FFmpeg's constant-quantiser scale: 1 is the best there is; 2 is three quarters of its size and looks the same.
constexpr int kQuantiser = 2;
constexpr int kKeyFrameInterval = 12;

struct Free {
  void operator()(AVCodecContext* codec) const { avcodec_free_context(&codec); }
  void operator()(AVFrame* frame) const { av_frame_free(&frame); }
  void operator()(AVPacket* packet) const { av_packet_free(&packet); }
  void operator()(SwsContext* scaler) const { sws_freeContext(scaler); }
};

// A muxer that writes to memory. Seeking back works there, as MP4 needs.
class MemoryMuxer {
 public:
  MemoryMuxer() = default;
  MemoryMuxer(const MemoryMuxer&) = delete;
  MemoryMuxer& operator=(const MemoryMuxer&) = delete;
  ~MemoryMuxer() {
    if (context_ == nullptr) return;
    if (context_->pb != nullptr) (void)TakeBytes();
    avformat_free_context(context_);
  }

  int Open() {
    const int error = avformat_alloc_output_context2(&context_, nullptr, "mp4", nullptr);
    if (error < 0) return error;
    context_->flags |= AVFMT_FLAG_BITEXACT;  // no version, no date
    return avio_open_dyn_buf(&context_->pb);
  }
  AVFormatContext* get() const { return context_; }

  std::string TakeBytes() {
    uint8_t* data = nullptr;
    const int size = avio_close_dyn_buf(context_->pb, &data);
    context_->pb = nullptr;
    std::string bytes(reinterpret_cast<const char*>(data), static_cast<size_t>(size));
    av_free(data);
    return bytes;
  }

 private:
  AVFormatContext* context_ = nullptr;
};

Status Failed(std::string_view what, int error) {
  char text[AV_ERROR_MAX_STRING_SIZE] = {};
  av_strerror(error, text, sizeof(text));
  return Internal(StrCat("writing a video: ", what, ": ", text));
}

class Mp4Writer {
 public:
  Status Start(const Clip& clip) {
    const auto width = static_cast<int>(clip.frames.front().width);
    const auto height = static_cast<int>(clip.frames.front().height);
    const AVCodec* encoder = avcodec_find_encoder(AV_CODEC_ID_MPEG4);
    if (encoder == nullptr) return Unimplemented("writing a video: FFmpeg was built without its MPEG-4 encoder");
    if (const int error = muxer_.Open(); error < 0) return Failed("MP4 muxer", error);
    codec_.reset(avcodec_alloc_context3(encoder));
    CHECK(codec_ != nullptr);
    codec_->width = width;
    codec_->height = height;
    codec_->pix_fmt = AV_PIX_FMT_YUV420P;
    av_reduce(&codec_->framerate.num, &codec_->framerate.den, std::llround(clip.fps * 1000), 1000, UINT16_MAX);
    codec_->time_base = av_inv_q(codec_->framerate);
    codec_->gop_size = kKeyFrameInterval;
    codec_->max_b_frames = 0;
    codec_->thread_count = 1;
    codec_->flags |= AV_CODEC_FLAG_QSCALE | AV_CODEC_FLAG_BITEXACT | AV_CODEC_FLAG_GLOBAL_HEADER;
    codec_->global_quality = FF_QP2LAMBDA * kQuantiser;
    if (const int error = avcodec_open2(codec_.get(), encoder, nullptr); error < 0) return Failed("encoder", error);
    stream_ = avformat_new_stream(muxer_.get(), nullptr);
    CHECK(stream_ != nullptr);
    stream_->time_base = codec_->time_base;
    stream_->avg_frame_rate = codec_->framerate;
    avcodec_parameters_from_context(stream_->codecpar, codec_.get());
    if (const int error = avformat_write_header(muxer_.get(), nullptr); error < 0) return Failed("MP4 header", error);
    frame_.reset(av_frame_alloc());
    packet_.reset(av_packet_alloc());
    CHECK(frame_ != nullptr && packet_ != nullptr);
    frame_->width = width;
    frame_->height = height;
    frame_->format = AV_PIX_FMT_YUV420P;
    frame_->quality = codec_->global_quality;
    if (const int error = av_frame_get_buffer(frame_.get(), 0); error < 0) return Failed("frame", error);
    scaler_.reset(sws_getContext(width, height, AV_PIX_FMT_RGB24, width, height, AV_PIX_FMT_YUV420P,
                                 SWS_BICUBIC | SWS_ACCURATE_RND | SWS_BITEXACT, nullptr, nullptr, nullptr));
    CHECK(scaler_ != nullptr);
    return OkStatus();
  }

  Status Add(const media::Image& image, int64_t index) {
    CHECK(image.width == codec_->width && image.height == codec_->height);
    if (const int error = av_frame_make_writable(frame_.get()); error < 0) return Failed("frame", error);
    const uint8_t* rows[] = {image.rgb.data()};
    const int strides[] = {static_cast<int>(image.width * 3)};
    sws_scale(scaler_.get(), rows, strides, 0, codec_->height, frame_->data, frame_->linesize);
    frame_->pts = index;
    return Encode(frame_.get());
  }

  StatusOr<std::string> Finish() {
    RETURN_IF_ERROR(Encode(nullptr));
    if (const int error = av_write_trailer(muxer_.get()); error < 0) return Failed("MP4 trailer", error);
    return muxer_.TakeBytes();
  }

 private:
  // Null flushes.
  Status Encode(const AVFrame* frame) {
    int error = avcodec_send_frame(codec_.get(), frame);
    if (error < 0) return Failed("encoder", error);
    while ((error = avcodec_receive_packet(codec_.get(), packet_.get())) >= 0) {
      packet_->stream_index = stream_->index;
      packet_->duration = 1;  // the last frame would otherwise last no time
      av_packet_rescale_ts(packet_.get(), codec_->time_base, stream_->time_base);
      error = av_interleaved_write_frame(muxer_.get(), packet_.get());
      if (error < 0) return Failed("MP4 packet", error);
    }
    if (error != AVERROR(EAGAIN) && error != AVERROR_EOF) return Failed("encoder", error);
    return OkStatus();
  }

  MemoryMuxer muxer_;
  std::unique_ptr<AVCodecContext, Free> codec_;
  std::unique_ptr<AVFrame, Free> frame_;
  std::unique_ptr<AVPacket, Free> packet_;
  std::unique_ptr<SwsContext, Free> scaler_;
  AVStream* stream_ = nullptr;  // the muxer's
};

}  // namespace

StatusOr<std::string> EncodeMp4(const Clip& clip) {
  CHECK(!clip.frames.empty());
  Mp4Writer writer;
  RETURN_IF_ERROR(writer.Start(clip));
  for (size_t i = 0; i < clip.frames.size(); ++i) RETURN_IF_ERROR(writer.Add(clip.frames[i], static_cast<int64_t>(i)));
  return writer.Finish();
}

}  // namespace galago::world

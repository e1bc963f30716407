#include <webp/decode.h>
#include <webp/demux.h>

#include <memory>
#include <utility>

#include "src/base/strings.h"
#include "src/media/decode/codec.h"

namespace galago::media {
namespace {

struct DemuxerFree {
  void operator()(WebPDemuxer* demuxer) const { WebPDemuxDelete(demuxer); }
};

struct FrameIterator {
  WebPIterator it = {};
  ~FrameIterator() { WebPDemuxReleaseIterator(&it); }
};

std::span<const std::byte> FindExif(const WebPDemuxer* demuxer) {
  WebPChunkIterator chunk = {};
  std::span<const std::byte> exif;
  if (WebPDemuxGetChunk(demuxer, "EXIF", 1, &chunk) != 0) {
    exif = std::as_bytes(std::span(chunk.chunk.bytes, chunk.chunk.size));  // points into the file's bytes
  }
  WebPDemuxReleaseChunkIterator(&chunk);
  // Some writers keep JPEG's prefix.
  constexpr size_t kPrefix = 6;
  if (exif.size() > kPrefix && exif[0] == std::byte{'E'} && exif[1] == std::byte{'x'}) exif = exif.subspan(kPrefix);
  return exif;
}

}  // namespace

StatusOr<CodecOutput> DecodeWebp(const CodecInput& input) {
  const WebPData data = {reinterpret_cast<const uint8_t*>(input.bytes.data()), input.bytes.size()};
  const std::unique_ptr<WebPDemuxer, DemuxerFree> demuxer(WebPDemux(&data));
  if (demuxer == nullptr) return DataLoss(StrCat(input.name, ": damaged or truncated WebP"));
  CodecOutput out;
  out.width = out.original_width = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_WIDTH);
  out.height = out.original_height = WebPDemuxGetI(demuxer.get(), WEBP_FF_CANVAS_HEIGHT);
  RETURN_IF_ERROR(CheckPictureSize(input, out.width, out.height));
  const int64_t num_frames = WebPDemuxGetI(demuxer.get(), WEBP_FF_FRAME_COUNT);
  if (num_frames > input.limits.max_animation_frames) {
    return OutOfRange(
        StrCat(input.name, ": animation of ", num_frames, " frames, the limit is ", input.limits.max_animation_frames));
  }
  if (num_frames > 1) out.warnings.push_back(StrCat(input.name, ": first of ", num_frames, " frames is used"));
  out.exif = FindExif(demuxer.get());
  if (!input.want_pixels) return out;

  FrameIterator frame;
  if (WebPDemuxGetFrame(demuxer.get(), 1, &frame.it) == 0)
    return DataLoss(StrCat(input.name, ": WebP without a frame"));
  const WebPIterator& it = frame.it;
  if (it.x_offset < 0 || it.y_offset < 0 || it.width > out.width - it.x_offset ||
      it.height > out.height - it.y_offset) {
    return DataLoss(StrCat(input.name, ": WebP frame of ", it.width, " x ", it.height, " at ", it.x_offset, ",",
                           it.y_offset, " leaves the canvas of ", out.width, " x ", out.height));
  }
  const bool partial = it.width != out.width || it.height != out.height;
  out.channels = input.want_alpha && (it.has_alpha != 0 || partial) ? 4 : 3;
  // What a first frame leaves free is transparent black, as libwebp's own player has it.
  out.pixels.resize(static_cast<size_t>(out.width * out.height * out.channels));
  uint8_t* to = out.pixels.data() + (it.y_offset * out.width + it.x_offset) * out.channels;
  const auto stride = static_cast<int>(out.width * out.channels);
  const size_t room = out.pixels.size() - static_cast<size_t>(to - out.pixels.data());
  const auto decode = out.channels == 4 ? WebPDecodeRGBAInto : WebPDecodeRGBInto;
  if (decode(it.fragment.bytes, it.fragment.size, to, room, stride) == nullptr) {
    return DataLoss(StrCat(input.name, ": damaged or truncated WebP"));
  }
  return out;
}

}  // namespace galago::media

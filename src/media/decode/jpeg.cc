#include <csetjmp>
#include <cstring>
#include <utility>

// clang-format off
#include <cstdio>  // jpeglib.h needs FILE and size_t
#include <jpeglib.h>
#include <jerror.h>
// clang-format on

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/media/decode/codec.h"

// Everything that knows libjpeg's error jumps is in this file: each step below runs in a function of its own that sets
// the jump target and owns nothing, so a jump skips no destructor.
namespace galago::media {
namespace {

// A scan costs a pass over the whole picture whatever its bytes; real files have about ten.
constexpr int kMaxScans = 500;
// Coefficients of a progressive picture of 50 M pixels need 0.4 GB.
constexpr long kMaxWorkingBytes = 1L << 30;

class JpegSession {
 public:
  explicit JpegSession(std::span<const std::byte> bytes) {
    std::memset(&decoder_, 0, sizeof(decoder_));
    decoder_.err = jpeg_std_error(&errors_);
    errors_.error_exit = [](j_common_ptr info) { Self(info)->Fail(info); };
    errors_.emit_message = [](j_common_ptr info, int level) {
      if (level < 0) Self(info)->Warn(info);
    };
    errors_.output_message = [](j_common_ptr) {};
    decoder_.client_data = this;
    source_.next_input_byte = reinterpret_cast<const JOCTET*>(bytes.data());
    source_.bytes_in_buffer = bytes.size();
    source_.init_source = [](j_decompress_ptr) {};
    source_.fill_input_buffer = [](j_decompress_ptr info) -> boolean {
      Self(reinterpret_cast<j_common_ptr>(info))->truncated_ = true;
      ERREXIT(info, JERR_INPUT_EOF);
      return FALSE;
    };
    source_.skip_input_data = [](j_decompress_ptr info, long count) {
      if (count <= 0) return;
      if (static_cast<size_t>(count) > info->src->bytes_in_buffer) {
        Self(reinterpret_cast<j_common_ptr>(info))->truncated_ = true;
        ERREXIT(info, JERR_INPUT_EOF);
      }
      info->src->next_input_byte += count;
      info->src->bytes_in_buffer -= static_cast<size_t>(count);
    };
    source_.resync_to_restart = jpeg_resync_to_restart;
    source_.term_source = [](j_decompress_ptr) {};
    progress_.progress_monitor = [](j_common_ptr info) {
      const auto decoder = reinterpret_cast<j_decompress_ptr>(info);
      if (decoder->input_scan_number <= kMaxScans) return;
      Self(info)->too_many_scans_ = true;
      ERREXIT(decoder, JERR_BAD_PROGRESSION);
    };
  }
  JpegSession(const JpegSession&) = delete;
  JpegSession& operator=(const JpegSession&) = delete;
  ~JpegSession() { jpeg_destroy_decompress(&decoder_); }

  bool ReadHeader() {
    if (setjmp(jump_) != 0) return false;
    jpeg_create_decompress(&decoder_);
    decoder_.client_data = this;
    decoder_.src = &source_;
    decoder_.progress = &progress_;
    decoder_.mem->max_memory_to_use = kMaxWorkingBytes;
    jpeg_read_header(&decoder_, TRUE);
    return true;
  }
  // Sizes after dividing by 1, 2, 4 or 8.
  bool SetScale(int divisor) {
    if (setjmp(jump_) != 0) return false;
    decoder_.scale_num = 1;
    decoder_.scale_denom = static_cast<unsigned>(divisor);
    jpeg_calc_output_dimensions(&decoder_);
    return true;
  }
  bool Start() {
    if (setjmp(jump_) != 0) return false;
    // What Pillow leaves at libjpeg's defaults, said aloud: bytes depend on them.
    decoder_.dct_method = JDCT_ISLOW;
    decoder_.do_fancy_upsampling = TRUE;
    jpeg_start_decompress(&decoder_);
    return true;
  }
  bool ReadRow(uint8_t* row) {
    if (setjmp(jump_) != 0) return false;
    JSAMPROW rows[] = {row};
    return jpeg_read_scanlines(&decoder_, rows, 1) == 1;
  }
  // Reads up to the end marker: a file that lacks it is truncated.
  bool Finish() {
    if (setjmp(jump_) != 0) return false;
    jpeg_finish_decompress(&decoder_);
    return true;
  }

  jpeg_decompress_struct& decoder() { return decoder_; }
  Status ErrorFor(std::string_view name) const {
    if (truncated_) return DataLoss(StrCat(name, ": JPEG file is truncated"));
    if (too_many_scans_) return OutOfRange(StrCat(name, ": JPEG with more than ", kMaxScans, " scans"));
    if (out_of_memory_) return OutOfRange(StrCat(name, ": JPEG needs more than ", kMaxWorkingBytes, " working bytes"));
    return DataLoss(StrCat(name, ": damaged JPEG (", Printable(message_, JMSG_LENGTH_MAX), ")"));
  }
  // The decoder's first complaint about damage that it could step over; empty if none.
  const char* warning() const { return warning_; }

 private:
  static JpegSession* Self(j_common_ptr info) { return static_cast<JpegSession*>(info->client_data); }
  [[noreturn]] void Fail(j_common_ptr info) {
    out_of_memory_ = errors_.msg_code == JERR_OUT_OF_MEMORY || errors_.msg_code == JERR_NO_BACKING_STORE;
    errors_.format_message(info, message_);
    std::longjmp(jump_, 1);
  }
  void Warn(j_common_ptr info) {
    if (errors_.num_warnings++ == 0) errors_.format_message(info, warning_);
  }

  jpeg_decompress_struct decoder_;
  jpeg_error_mgr errors_ = {};
  jpeg_source_mgr source_ = {};
  jpeg_progress_mgr progress_ = {};
  std::jmp_buf jump_;
  bool truncated_ = false;
  bool too_many_scans_ = false;
  bool out_of_memory_ = false;
  char message_[JMSG_LENGTH_MAX] = {};
  char warning_[JMSG_LENGTH_MAX] = {};
};

// The TIFF structure in the first APP1 segment that holds one; segments are walked up to the first scan.
std::span<const std::byte> FindExif(std::span<const std::byte> bytes) {
  constexpr std::string_view kHeader("Exif\0\0", 6);
  size_t at = 2;
  while (bytes.size() - at >= 4) {
    if (bytes[at] != std::byte{0xff}) return {};
    const auto marker = static_cast<uint8_t>(bytes[at + 1]);
    if (marker == 0xff) {  // fill byte
      ++at;
      continue;
    }
    if (marker == 0xda || marker == 0xd9) return {};
    const size_t size = static_cast<size_t>(bytes[at + 2]) << 8 | static_cast<size_t>(bytes[at + 3]);
    if (size < 2 || size > bytes.size() - at - 2) return {};
    const auto segment = bytes.subspan(at + 4, size - 2);
    if (marker == 0xe1 && segment.size() > kHeader.size() &&
        std::memcmp(segment.data(), kHeader.data(), kHeader.size()) == 0) {
      return segment.subspan(kHeader.size());
    }
    at += 2 + size;
  }
  return {};
}

// Pillow takes every four-component JPEG for Adobe's inverted CMYK ("CMYK;I"), and its CMYK to RGB has no profile
// (python-pillow/Pillow: src/libImaging/Convert.c, cmyk2rgb).
void CmykRowToRgb(const uint8_t* in, int64_t width, uint8_t* out) {
  for (int64_t x = 0; x < width; ++x, in += 4, out += 3) {
    const int not_key = in[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - in[c]) * not_key + 128;
      out[c] = static_cast<uint8_t>(not_key - (((product >> 8) + product) >> 8));
    }
  }
}

void GreyRowToRgb(const uint8_t* in, int64_t width, uint8_t* out) {
  for (int64_t x = 0; x < width; ++x, out += 3) std::memset(out, in[x], 3);
}

}  // namespace

StatusOr<CodecOutput> DecodeJpeg(const CodecInput& input) {
  JpegSession session(input.bytes);
  if (!session.ReadHeader()) return session.ErrorFor(input.name);
  jpeg_decompress_struct& decoder = session.decoder();
  CodecOutput out;
  out.original_width = decoder.image_width;
  out.original_height = decoder.image_height;
  RETURN_IF_ERROR(CheckSides(input, out.original_width, out.original_height));
  switch (decoder.num_components) {
    case 1:
      decoder.out_color_space = JCS_GRAYSCALE;
      break;
    case 3:
      decoder.out_color_space = JCS_RGB;
      break;
    case 4:
      decoder.out_color_space = JCS_CMYK;
      break;
    default:
      return Unimplemented(
          StrCat(input.name, ": JPEG with ", decoder.num_components, " components, 1, 3 and 4 are read"));
  }

  int divisor = 1;
  for (;; divisor *= 2) {
    if (!session.SetScale(divisor)) return session.ErrorFor(input.name);
    out.width = decoder.output_width;
    out.height = decoder.output_height;
    if (out.width * out.height <= input.limits.max_pixels || divisor == 8) break;
  }
  RETURN_IF_ERROR(CheckPictureSize(input, out.width, out.height));
  if (divisor > 1) {
    out.warnings.push_back(StrCat(input.name, ": ", out.original_width, " x ", out.original_height,
                                  " pixels are over the limit of ", input.limits.max_pixels, ", decoded at 1/", divisor,
                                  " scale"));
  }
  out.exif = FindExif(input.bytes);
  if (!input.want_pixels) return out;

  if (!session.Start()) return session.ErrorFor(input.name);
  CHECK_EQ(int64_t{decoder.output_width}, out.width);
  out.pixels.resize(static_cast<size_t>(out.width * out.height * 3));
  std::vector<uint8_t> row(static_cast<size_t>(out.width * decoder.output_components));
  for (int64_t y = 0; y < out.height; ++y) {
    uint8_t* to = out.pixels.data() + y * out.width * 3;
    const bool direct = decoder.output_components == 3;
    if (!session.ReadRow(direct ? to : row.data())) return session.ErrorFor(input.name);
    if (decoder.output_components == 1) GreyRowToRgb(row.data(), out.width, to);
    if (decoder.output_components == 4) CmykRowToRgb(row.data(), out.width, to);
  }
  if (!session.Finish()) return session.ErrorFor(input.name);
  if (session.warning()[0] != '\0') {
    out.warnings.push_back(StrCat(input.name, ": damaged JPEG data was stepped over (",
                                  Printable(session.warning(), JMSG_LENGTH_MAX), ")"));
  }
  return out;
}

}  // namespace galago::media

#include "galago/system.h"

extern "C" {
#include <libavcodec/avcodec.h>
#include <libavutil/avutil.h>
}
#include <jpeglib.h>
#include <openssl/opensslv.h>
#include <png.h>
#include <webp/decode.h>

#include <algorithm>
#include <array>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "src/engine/memory_plan.h"
#include "src/kernels/table.h"

namespace galago {
namespace {

constexpr size_t kMaxProcFile = size_t{4} << 20;

std::string CpuModel() {
  const StatusOr<std::string> info = ReadFile("/proc/cpuinfo", kMaxProcFile);
  if (!info.ok()) return "unknown";
  for (const std::string& line : Split(*info, '\n')) {
    if (!line.starts_with("model name") && !line.starts_with("Hardware")) continue;
    const size_t colon = line.find(':');
    if (colon != std::string::npos) return std::string(Trim(std::string_view(line).substr(colon + 1)));
  }
  return "unknown";
}

// Codecs people meet in files and cameras, those that the library at hand decodes.
std::vector<std::string> VideoDecoders() {
  constexpr std::array<std::pair<AVCodecID, const char*>, 8> kCodecs = {{{AV_CODEC_ID_H264, "h264"},
                                                                         {AV_CODEC_ID_HEVC, "hevc"},
                                                                         {AV_CODEC_ID_VP8, "vp8"},
                                                                         {AV_CODEC_ID_VP9, "vp9"},
                                                                         {AV_CODEC_ID_AV1, "av1"},
                                                                         {AV_CODEC_ID_MPEG4, "mpeg4"},
                                                                         {AV_CODEC_ID_MPEG2VIDEO, "mpeg2video"},
                                                                         {AV_CODEC_ID_MJPEG, "mjpeg"}}};
  std::vector<std::string> names;
  for (const auto& [id, name] : kCodecs) {
    if (avcodec_find_decoder(id) != nullptr) names.emplace_back(name);
  }
  return names;
}

std::string Dotted(int major, int minor, int patch) { return StrCat(major, ".", minor, ".", patch); }

}  // namespace

SystemFacts InspectSystem() {
  SystemFacts facts;
  facts.cpu_model = CpuModel();
  facts.usable_cores = UsableCores();
  const kernels::CpuFeatures cpu = kernels::DetectCpuFeatures();
  const std::array<std::pair<bool, const char*>, 10> features = {{{cpu.avx2, "avx2"},
                                                                  {cpu.avx512, "avx512"},
                                                                  {cpu.avx512_vnni, "avx512_vnni"},
                                                                  {cpu.avx512_bf16, "avx512_bf16"},
                                                                  {cpu.amx_int8, "amx_int8"},
                                                                  {cpu.amx_bf16, "amx_bf16"},
                                                                  {cpu.neon, "neon"},
                                                                  {cpu.neon_dotprod, "neon_dotprod"},
                                                                  {cpu.neon_bf16, "neon_bf16"},
                                                                  {cpu.neon_i8mm, "neon_i8mm"}}};
  for (const auto& [has, name] : features) {
    if (has) facts.cpu_features.emplace_back(name);
  }
  for (const kernels::Isa isa : kernels::AvailableIsas(cpu)) facts.isas.emplace_back(kernels::Name(isa));
  if (const StatusOr<std::string> meminfo = ReadFile("/proc/meminfo", kMaxProcFile); meminfo.ok()) {
    facts.memory_total = engine::MeminfoBytes(*meminfo, "MemTotal");
    facts.swap_total = engine::MeminfoBytes(*meminfo, "SwapTotal");
  }
  facts.memory_available = engine::AvailableMemory();
  facts.video_decoders = VideoDecoders();
  return facts;
}

BuildFacts InspectBuild() {
  BuildFacts facts;
  facts.version = GALAGO_VERSION;
  facts.compiler = StrCat("g++ ", __VERSION__);
#if defined(__clang__)
  facts.compiler = __VERSION__;
#endif
  // What this binary holds code for; what the processor allows is InspectSystem's to say.
#if defined(__x86_64__)
  facts.features = {"avx2", "avx512", "avx512_vnni", "avx512_bf16", "amx_int8", "amx_bf16", "video"};
#elif defined(__aarch64__)
  facts.features = {"neon", "neon_dotprod", "neon_bf16", "neon_i8mm", "video"};
#endif
  const int webp = WebPGetDecoderVersion();
  facts.libraries = {StrCat("libjpeg-turbo ", LIBJPEG_TURBO_VERSION_NUMBER / 1000000, ".",
                            LIBJPEG_TURBO_VERSION_NUMBER / 1000 % 1000, ".", LIBJPEG_TURBO_VERSION_NUMBER % 1000),
                     StrCat("libpng ", PNG_LIBPNG_VER_STRING),
                     StrCat("libwebp ", Dotted(webp >> 16, (webp >> 8) & 0xff, webp & 0xff)),
                     StrCat("ffmpeg ", av_version_info()), StrCat("openssl ", OPENSSL_VERSION_TEXT)};
  return facts;
}

}  // namespace galago

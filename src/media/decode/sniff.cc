#include "src/media/decode/sniff.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

#include "src/base/strings.h"

namespace galago::media {
namespace {

using namespace std::string_view_literals;

bool At(std::string_view head, size_t offset, std::string_view magic) {
  return head.size() >= offset && head.substr(offset).starts_with(magic);
}

uint64_t BigEndian(std::string_view bytes) {
  uint64_t value = 0;
  for (const char byte : bytes) value = value << 8 | static_cast<uint8_t>(byte);
  return value;
}

std::string Needs(std::string_view what, uint64_t needed, uint64_t left) {
  return StrCat("its ", what, " needs ", needed, " bytes, ", left, " are left");
}

// ISO/IEC 14496-12, 4.2: top-level boxes of a 32-bit size (1: a 64-bit one follows; 0: to the end) and a type.
std::optional<std::string> FindCutBox(std::string_view file) {
  constexpr int kMaxBoxes = 1 << 16;
  for (int box = 0; box < kMaxBoxes && file.size() >= 8; ++box) {
    const std::string type = StrCat("\"", Printable(file.substr(4, 4)), "\" box");
    uint64_t size = BigEndian(file.substr(0, 4));
    if (size == 0) return std::nullopt;
    if (size == 1) {
      if (file.size() < 16) return Needs(type, 16, file.size());
      size = BigEndian(file.substr(8, 8));
    }
    if (size < 8) return std::nullopt;  // no box at all
    if (size > file.size()) return Needs(type, size, file.size());
    file.remove_prefix(static_cast<size_t>(size));
  }
  return std::nullopt;
}

}  // namespace

std::optional<ImageFormat> SniffPicture(std::string_view head) {
  if (head.starts_with("\xff\xd8\xff")) return ImageFormat::kJpeg;
  if (head.starts_with("\x89PNG\r\n\x1a\n")) return ImageFormat::kPng;
  if (head.starts_with("RIFF") && At(head, 8, "WEBP")) return ImageFormat::kWebp;
  if (head.starts_with("GIF87a") || head.starts_with("GIF89a")) return ImageFormat::kGif;
  if (head.size() >= 3 && head[0] == 'P' && head[1] >= '1' && head[1] <= '6' &&
      (std::isspace(static_cast<unsigned char>(head[2])) != 0 || head[2] == '#')) {
    return ImageFormat::kPnm;
  }
  if (head.starts_with("BM") && head.size() >= 14) return ImageFormat::kBmp;
  return std::nullopt;
}

bool SniffVideo(std::string_view head) {
  if (At(head, 4, "ftyp")) {
    // AVIF and HEIC pictures are ISO media too.
    constexpr std::array<std::string_view, 8> kPictures = {"avif", "avis", "heic", "heix",
                                                           "hevc", "hevx", "mif1", "msf1"};
    return std::find(kPictures.begin(), kPictures.end(), head.substr(8, 4)) == kPictures.end();
  }
  return head.starts_with("\x1a\x45\xdf\xa3"sv) || (head.starts_with("RIFF") && At(head, 8, "AVI ")) ||
         head.starts_with("\0\0\x01\xba"sv) || head.starts_with("\0\0\x01\xb3"sv) || head.starts_with("OggS") ||
         head.starts_with("FLV") || (head.starts_with('\x47') && At(head, 188, "\x47")) || At(head, 4, "moov") ||
         At(head, 4, "mdat");
}

std::optional<std::string> FindCut(std::span<const std::byte> file) {
  const std::string_view bytes(reinterpret_cast<const char*>(file.data()), file.size());
  if (At(bytes, 4, "ftyp") || At(bytes, 4, "moov") || At(bytes, 4, "mdat")) return FindCutBox(bytes);
  if (bytes.starts_with("RIFF") && At(bytes, 8, "AVI ")) {
    uint64_t size = 0;  // little-endian, of what follows it; 0 or all ones while a file is being written
    for (size_t i = 0; i < 4; ++i) size |= uint64_t{static_cast<uint8_t>(bytes[4 + i])} << (8 * i);
    if (size != 0 && size != UINT32_MAX && size > bytes.size() - 8) return Needs("AVI list", size, bytes.size() - 8);
  }
  return std::nullopt;
}

}  // namespace galago::media

#include "src/media/decode/decode_image.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <utility>

#include "src/base/strings.h"
#include "src/media/decode/codec.h"
#include "src/media/decode/exif.h"
#include "src/media/decode/sniff.h"

namespace galago::media {
namespace {

bool StartsWithIgnoringCase(std::string_view text, std::string_view prefix) {
  return text.size() >= prefix.size() && std::equal(prefix.begin(), prefix.end(), text.begin(), [](char a, char b) {
           return a == static_cast<char>(std::tolower(static_cast<unsigned char>(b)));
         });
}

// What the bytes are, or a refusal that says what they seem to be instead.
StatusOr<ImageFormat> FindFormat(std::string_view text, std::string_view name) {
  if (text.empty()) return DataLoss(StrCat(name, ": the picture is empty"));
  if (const auto format = SniffPicture(text)) return *format;
  if (text.starts_with("version https://git-lfs.github.com/spec/")) {
    return DataLoss(StrCat(name, ": this is a Git LFS pointer, not the picture; fetch it with 'git lfs pull'"));
  }
  const auto refuse = [&](std::string_view what) {
    return Unimplemented(StrCat(name, ": ", what, "; JPEG, PNG, WebP, GIF, BMP and PNM pictures are read"));
  };
  if (text.starts_with("%PDF-")) return refuse("PDF documents are not pictures");
  std::string_view markup = Trim(text.substr(0, 4096));
  if (markup.starts_with("\xef\xbb\xbf")) markup = Trim(markup.substr(3));
  if (StartsWithIgnoringCase(markup, "<svg") ||
      (markup.starts_with("<") && markup.find("<svg") != std::string_view::npos &&
       !StartsWithIgnoringCase(markup, "<!doctype html") && !StartsWithIgnoringCase(markup, "<html"))) {
    return refuse("SVG drawings are not supported");
  }
  if (StartsWithIgnoringCase(markup, "<!doctype html") || StartsWithIgnoringCase(markup, "<html")) {
    return refuse("this is an HTML page, not a picture");
  }
  if (text.starts_with(std::string_view("II*\0", 4)) || text.starts_with(std::string_view("MM\0*", 4))) {
    return refuse("TIFF pictures are not supported");
  }
  if (text.starts_with(std::string_view("\0\0\1\0", 4))) return refuse("ICO pictures are not supported");
  if (text.starts_with(std::string_view("\0\0\0\x0cJXL ", 8)) || text.starts_with("\xff\x0a")) {
    return refuse("JPEG XL pictures are not supported");
  }
  if (text.size() >= 12 && text.substr(4, 4) == "ftyp") {
    const std::string_view brand = text.substr(8, 4);
    if (brand == "avif" || brand == "avis") return refuse("AVIF pictures are not supported");
    if (brand.starts_with("hei") || brand.starts_with("hev") || brand == "mif1" || brand == "msf1") {
      return refuse("HEIC pictures are not supported");
    }
  }
  if (SniffVideo(text)) return Unimplemented(StrCat(name, ": is a video; give it with --video"));
  return refuse("the bytes are no picture of a known format");
}

// A warning when the extension names another format than the bytes have; unknown extensions say nothing.
void WarnIfMislabelled(std::string_view name, ImageFormat format, std::vector<std::string>& warnings) {
  struct Extension {
    std::string_view text;
    ImageFormat format;
  };
  constexpr std::array<Extension, 12> kExtensions = {{{"jpg", ImageFormat::kJpeg},
                                                      {"jpeg", ImageFormat::kJpeg},
                                                      {"jpe", ImageFormat::kJpeg},
                                                      {"jfif", ImageFormat::kJpeg},
                                                      {"png", ImageFormat::kPng},
                                                      {"webp", ImageFormat::kWebp},
                                                      {"gif", ImageFormat::kGif},
                                                      {"bmp", ImageFormat::kBmp},
                                                      {"pbm", ImageFormat::kPnm},
                                                      {"pgm", ImageFormat::kPnm},
                                                      {"ppm", ImageFormat::kPnm},
                                                      {"pnm", ImageFormat::kPnm}}};
  const size_t dot = name.rfind('.');
  if (dot == std::string_view::npos) return;
  std::string extension(name.substr(dot + 1));
  for (char& c : extension) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (const Extension& known : kExtensions) {
    if (known.text == extension && known.format != format) {
      warnings.push_back(StrCat(name, ": the name says ", Name(known.format), ", the content is ", Name(format)));
    }
  }
}

StatusOr<CodecOutput> RunCodec(ImageFormat format, const CodecInput& input) {
  switch (format) {
    case ImageFormat::kJpeg:
      return DecodeJpeg(input);
    case ImageFormat::kPng:
      return DecodePng(input);
    case ImageFormat::kWebp:
      return DecodeWebp(input);
    case ImageFormat::kGif:
      return DecodeGif(input);
    case ImageFormat::kBmp:
      return DecodeBmp(input);
    case ImageFormat::kPnm:
      return DecodePnm(input);
  }
  return Internal("unknown picture format");
}

// RGBA over a plain background, rounded to nearest -> RGB in place.
void Flatten(std::vector<uint8_t>& pixels, Colour background) {
  size_t to = 0;
  for (size_t from = 0; from < pixels.size(); from += 4) {
    const int alpha = pixels[from + 3];
    for (size_t c = 0; c < 3; ++c) {
      pixels[to++] = static_cast<uint8_t>((pixels[from + c] * alpha + background[c] * (255 - alpha) + 127) / 255);
    }
  }
  pixels.resize(to);
}

struct Decoded {
  CodecOutput raster;
  ImageInfo info;
};

StatusOr<Decoded> Decode(std::span<const std::byte> bytes, std::string_view name, const DecodeOptions& options,
                         bool want_pixels) {
  if (bytes.size() > options.limits.max_encoded_bytes) {
    return OutOfRange(
        StrCat(name, ": picture file of ", bytes.size(), " bytes, the limit is ", options.limits.max_encoded_bytes));
  }
  Decoded out;
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  ASSIGN_OR_RETURN(out.info.format, FindFormat(text, name));
  const CodecInput input = {bytes, name, options.limits, want_pixels, options.background.has_value()};
  ASSIGN_OR_RETURN(out.raster, RunCodec(out.info.format, input));
  const CodecOutput& raster = out.raster;
  out.info.original_width = raster.original_width;
  out.info.original_height = raster.original_height;
  out.info.width = raster.width;
  out.info.height = raster.height;
  out.info.warnings = raster.warnings;
  WarnIfMislabelled(name, out.info.format, out.info.warnings);
  if (raster.exif.size() <= options.limits.max_exif_bytes) {
    out.info.orientation = ExifOrientation(raster.exif);
  } else {
    out.info.warnings.push_back(StrCat(name, ": EXIF block of ", raster.exif.size(), " bytes is ignored, the limit is ",
                                       options.limits.max_exif_bytes));
  }
  if (options.exif == ExifMode::kAuto && out.info.orientation >= 5) std::swap(out.info.width, out.info.height);
  return out;
}

}  // namespace

std::string_view Name(ImageFormat format) {
  switch (format) {
    case ImageFormat::kJpeg:
      return "JPEG";
    case ImageFormat::kPng:
      return "PNG";
    case ImageFormat::kWebp:
      return "WebP";
    case ImageFormat::kGif:
      return "GIF";
    case ImageFormat::kBmp:
      return "BMP";
    case ImageFormat::kPnm:
      return "PNM";
  }
  return "unknown";
}

Status CheckSides(const CodecInput& input, int64_t width, int64_t height) {
  if (width <= 0 || height <= 0) {
    return DataLoss(StrCat(input.name, ": the picture claims a size of ", width, " x ", height, " pixels"));
  }
  if (std::max(width, height) > input.limits.max_side) {
    return OutOfRange(
        StrCat(input.name, ": ", width, " x ", height, " pixels, the limit a side is ", input.limits.max_side));
  }
  return OkStatus();
}

Status CheckPictureSize(const CodecInput& input, int64_t width, int64_t height) {
  RETURN_IF_ERROR(CheckSides(input, width, height));
  if (width * height > input.limits.max_pixels) {
    return OutOfRange(StrCat(input.name, ": ", width, " x ", height, " = ", width * height, " pixels, the limit is ",
                             input.limits.max_pixels));
  }
  return OkStatus();
}

StatusOr<DecodedImage> DecodeImage(std::span<const std::byte> bytes, std::string_view name,
                                   const DecodeOptions& options) {
  ASSIGN_OR_RETURN(Decoded decoded, Decode(bytes, name, options, /*want_pixels=*/true));
  CodecOutput& raster = decoded.raster;
  if (raster.channels == 4) Flatten(raster.pixels, options.background.value_or(Colour{}));
  DecodedImage out;
  out.image.width = raster.width;
  out.image.height = raster.height;
  out.image.rgb = std::move(raster.pixels);
  if (options.exif == ExifMode::kAuto) out.image = Upright(std::move(out.image), decoded.info.orientation);
  out.info = std::move(decoded.info);
  return out;
}

StatusOr<ImageInfo> ProbeImage(std::span<const std::byte> bytes, std::string_view name, const DecodeOptions& options) {
  ASSIGN_OR_RETURN(Decoded decoded, Decode(bytes, name, options, /*want_pixels=*/false));
  return std::move(decoded.info);
}

}  // namespace galago::media

#include "train/world/gallery.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

#include "src/base/base64.h"
#include "src/base/html.h"
#include "src/base/strings.h"
#include "train/world/encode.h"

namespace galago::world {
namespace {

constexpr size_t kFramesOfStrip = 8;

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark; font: 14px/1.45 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 86rem; padding: 0 1rem; }
nav a { margin-right: .8rem; }
.samples { display: grid; grid-template-columns: repeat(auto-fill, minmax(22rem, 1fr)); gap: 1rem; }
.wide { grid-column: 1 / -1; }
article { border: 1px solid #8885; border-radius: .5rem; padding: .7rem; overflow-x: auto; }
article img { max-width: 100%; margin-right: .3rem; background: #888; }
table { border-collapse: collapse; width: 100%; margin-top: .4rem; }
td { border-top: 1px solid #8883; padding: .15rem .3rem; vertical-align: top; white-space: pre-wrap; }
td.answer { font-weight: 600; }
td.kind, .note { color: #888; font-size: .85em; }
)";

std::string Picture(const media::Image& image) {
  return StrCat("<img width=\"", image.width, "\" height=\"", image.height, "\" alt=\"\" src=\"data:image/png;base64,",
                Base64(EncodePng(image)), "\">");
}

// Some frames side by side, the first and the last among them.
media::Image Strip(const Clip& clip) {
  const size_t count = std::min(kFramesOfStrip, clip.frames.size());
  const media::Image& first = clip.frames.front();
  media::Image strip(first.width * static_cast<int64_t>(count), first.height);
  const auto row_bytes = static_cast<size_t>(first.width) * 3;
  for (size_t i = 0; i < count; ++i) {
    const media::Image& frame = clip.frames[count == 1 ? 0 : i * (clip.frames.size() - 1) / (count - 1)];
    for (int64_t y = 0; y < first.height; ++y) std::memcpy(strip.Row(y) + i * row_bytes, frame.Row(y), row_bytes);
  }
  return strip;
}

std::string Article(const Sample& sample, int64_t index) {
  std::string media;
  bool wide = sample.media.size() > 2;
  for (const Medium& medium : sample.media) {
    if (const auto* image = std::get_if<media::Image>(&medium)) {
      media += Picture(*image);
      continue;
    }
    const Clip& clip = std::get<Clip>(medium);
    const auto tenths = static_cast<int64_t>(clip.duration_s() * 10 + 0.5);
    media += Picture(Strip(clip));
    media += StrCat("<div class=\"note\">", clip.frames.size(), " frames, ", tenths / 10, ".", tenths % 10, " s</div>");
    wide = true;
  }
  std::string rows;
  for (const Exchange& exchange : sample.exchanges) {
    rows += StrCat("<tr><td>", EscapeHtml(exchange.question), "</td><td class=\"answer\">", EscapeHtml(exchange.answer),
                   "</td><td class=\"kind\">", EscapeHtml(exchange.kind), ", ", Name(exchange.metric), "</td></tr>\n");
  }
  return StrCat("<article", wide ? " class=\"wide\"" : "", "><div class=\"note\">", sample.task, " ", index, "</div>",
                media, "<table>\n", rows, "</table></article>\n");
}

}  // namespace

StatusOr<std::string> GalleryPage(const Plan& plan, const Assets& assets) {
  std::string links;
  std::string sections;
  for (const TaskCount& entry : plan.tasks) {
    ASSIGN_OR_RETURN(const std::unique_ptr<const Task> task, MakeTask(entry.task, assets));
    links += StrCat("<a href=\"#", entry.task, "\">", entry.task, "</a>");
    sections += StrCat("<h2 id=\"", entry.task, "\">", entry.task, "</h2>\n<div class=\"samples\">\n");
    for (int64_t i = 0; i < entry.count; ++i) {
      sections += Article(DrawSample(*task, plan.split, plan.seed, static_cast<uint64_t>(i)), i);
    }
    sections += "</div>\n";
  }
  return StrCat("<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>World, ", Name(plan.split),
                "</title><style>", kStyle, "</style></head><body>\n<h1>World, ", Name(plan.split),
                "</h1>\n<p class=\"note\">seed ", plan.seed, "</p>\n<nav>", links, "</nav>\n", sections,
                "</body></html>\n");
}

}  // namespace galago::world

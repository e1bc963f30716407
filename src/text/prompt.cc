#include "src/text/prompt.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>

#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/normalizer.h"

// How two wishes are met at once. The reference tokenizes the rendered conversation as one string, so that text merges
// with the template around it ("\n" of the template and "\n" of the user are one token). And text of a user must not
// become a special token. So before rendering, every spelling of a special token in untrusted text gets a mark inside
// it: a code point that occurs nowhere in the conversation. The tokenizer looks for special tokens, then takes the
// marks out, then encodes what lies between. Without such spellings there are no marks, and the ids are the
// reference's.
namespace galago::text {
namespace {

constexpr std::string_view kEraAMarker = "<image>";
constexpr std::string_view kSentinel = "<vila/sentinel>";

// Python's str.strip: White_Space and the four separators U+001C .. U+001F.
bool IsStripped(char32_t c) { return IsWhiteSpace(c) || (c >= 0x1c && c <= 0x1f); }

std::string_view Strip(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0 || !IsStripped(Utf8Decode(text))) break;
    text.remove_prefix(length);
  }
  while (!text.empty()) {
    size_t at = text.size() - 1;
    while (at > 0 && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) --at;
    const std::string_view last = text.substr(at);
    if (Utf8Length(last) != last.size() || !IsStripped(Utf8Decode(last))) break;
    text.remove_suffix(last.size());
  }
  return text;
}

// A code point no text of the conversation has: a noncharacter, or if someone uses them all, a private one.
char32_t UnusedCodePoint(std::span<const Turn> turns, const PromptOptions& options) {
  const auto used = [&](char32_t c) {
    std::string spelling;
    Utf8Append(spelling, c);
    if (options.system && options.system->find(spelling) != std::string::npos) return true;
    for (const Turn& turn : turns) {
      for (const Part& part : turn.parts) {
        const auto* text = std::get_if<std::string>(&part);
        if (text != nullptr && text->find(spelling) != std::string::npos) return true;
      }
    }
    return false;
  };
  char32_t c = 0xfdd0;
  while (used(c)) c = c == 0xfdef ? 0xf0000 : c + 1;
  return c;
}

// What stands for media in the rendered string, in order.
struct Slots {
  std::vector<MediaSlot> images;  // of the image token
  std::vector<MediaSlot> videos;  // of the video token
};

class PromptBuilder {
 public:
  PromptBuilder(const spec::PromptSpec& spec, const Tokenizer& tokenizer, std::span<const Turn> turns,
                const PromptOptions& options)
      : spec_(spec), tokenizer_(tokenizer), turns_(turns), options_(options) {
    if (!options.parse_special) mark_ = UnusedCodePoint(turns, options);
    media_tokens_ = spec.era == spec::Era::kA ? std::vector<std::string>{std::string(kEraAMarker)}
                                              : std::vector<std::string>{spec.image_token, spec.video_token};
    std::erase(media_tokens_, "");
  }

  StatusOr<Prompt> Build() {
    std::vector<ChatMessage> messages;
    if (options_.system) messages.push_back({Role::kSystem, Guarded(*options_.system)});
    for (const Turn& turn : turns_) {
      ASSIGN_OR_RETURN(std::string content, Content(turn));
      messages.push_back({turn.role, std::move(content)});
    }
    ASSIGN_OR_RETURN(const std::string rendered, RenderChat(TemplateOptions(), messages));
    std::string mark;
    if (mark_ != 0) Utf8Append(mark, mark_);
    prompt_.rendered = mark.empty() ? rendered : ReplaceAll(rendered, mark, "");
    RETURN_IF_ERROR(spec_.era == spec::Era::kA ? EncodePieces(rendered) : EncodeWhole(rendered));
    return std::move(prompt_);
  }

 private:
  ChatTemplateOptions TemplateOptions() {
    const auto spelling = [&](std::optional<int32_t> id) { return id ? tokenizer_.IdToPiece(*id) : std::string(); };
    bos_ = spelling(tokenizer_.bos_id());
    eos_ = spelling(tokenizer_.eos_id());
    return {.name = spec_.chat_template,
            .jinja = spec_.jinja,
            .bos_token = bos_,
            .eos_token = eos_,
            .add_generation_prompt = options_.add_generation_prompt};
  }

  // Untrusted text with every special spelling broken.
  std::string Guarded(std::string_view text) {
    if (options_.parse_special) return Utf8Sanitize(text);
    const std::string sane = Utf8Sanitize(text);
    std::string out = tokenizer_.BreakSpecials(text, mark_, media_tokens_);
    if (out != sane) prompt_.warnings.push_back("the text spells special tokens; they are kept as ordinary text");
    return out;
  }

  StatusOr<std::string> Content(const Turn& turn) {
    std::string out;
    std::string text;  // neighbouring text parts are one: a spelling may span them
    const auto flush = [&] {
      out += Guarded(text);
      text.clear();
    };
    for (const Part& part : turn.parts) {
      if (const auto* words = std::get_if<std::string>(&part)) {
        text += spec_.era == spec::Era::kB ? WithoutMediaTokens(*words) : *words;
        continue;
      }
      if (const auto* trusted = std::get_if<TrustedText>(&part)) {
        flush();
        out += trusted->text;
        continue;
      }
      const MediaPart& media = std::get<MediaPart>(part);
      if (turn.role != Role::kUser) return InvalidArgument(StrCat("media ", media.index, " is not in a user turn"));
      if (media.num_slots < 1)
        return InvalidArgument(StrCat("media ", media.index, " has ", media.num_slots, " slots"));
      flush();
      out += spec_.era == spec::Era::kA ? MarkersEraA(media) : MarkersEraB(media);
    }
    flush();
    // The era B code strips every message right before it is put into the template.
    return spec_.era == spec::Era::kB ? std::string(Strip(out)) : out;
  }

  // Era B: media tokens in a text part are removed, and the part is then stripped.
  std::string WithoutMediaTokens(const std::string& words) {
    std::string out = words;
    bool found = false;
    for (const std::string& token : media_tokens_) {
      if (out.find(token) == std::string::npos) continue;
      found = true;
      out = ReplaceAll(std::move(out), token, "");
      out = std::string(Strip(out));
    }
    if (found) prompt_.warnings.push_back("media markers typed in the text were removed");
    return out;
  }

  void Push(std::vector<MediaSlot>& queue, const MediaPart& media) {
    for (int64_t i = 0; i < media.num_slots; ++i) queue.push_back({media.index, i});
  }

  std::string MarkersEraA(const MediaPart& media) {
    Push(slots_.images, media);
    const bool with_newline = media.placement == Placement::kBesideText || media.num_slots > 1;
    std::string out;
    for (int64_t i = 0; i < media.num_slots; ++i)
      out += with_newline ? StrCat(kEraAMarker, "\n") : std::string(kEraAMarker);
    return out;
  }

  std::string MarkersEraB(const MediaPart& media) {
    if (media.kind == spec::MediaKind::kVideo && media.num_slots == 1 && !media.frames_as_images) {
      Push(slots_.videos, media);
      return spec_.video_token;
    }
    Push(slots_.images, media);
    // Tiles are marked by newlines only where the reference tiles: a conversation with exactly one picture.
    const bool tiled =
        spec_.newline_after_tile && media.kind == spec::MediaKind::kImage && (media.num_slots > 1 || NumMedia() == 1);
    std::string out;
    for (int64_t i = 0; i < media.num_slots; ++i) out += tiled ? StrCat(spec_.image_token, "\n") : spec_.image_token;
    return out;
  }

  int64_t NumMedia() const {
    int64_t n = 0;
    for (const Turn& turn : turns_) {
      for (const Part& part : turn.parts) n += std::holds_alternative<MediaPart>(part) ? 1 : 0;
    }
    return n;
  }

  EncodeOptions Encoding() const { return {.add_special = true, .parse_special = true, .literal_break = mark_}; }

  // Era A and MobileVLM (tokenizer_image_token): the pieces between markers are tokenized one by one; if the first
  // begins with BOS, that one is kept and the first id of every other piece is dropped.
  Status EncodePieces(std::string_view rendered) {
    size_t next_slot = 0;
    size_t offset = 0;
    for (size_t piece = 0, begin = 0;; ++piece) {
      const size_t end = rendered.find(kEraAMarker, begin);
      ASSIGN_OR_RETURN(const auto ids, tokenizer_.Encode(rendered.substr(begin, end - begin), Encoding()));
      if (piece == 0) offset = !ids.empty() && ids.front() == tokenizer_.bos_id() ? 1 : 0;
      const size_t skip = piece == 0 ? 0 : std::min(offset, ids.size());
      for (size_t i = skip; i < ids.size(); ++i) AddId(ids[i]);
      if (end == std::string_view::npos) break;
      if (next_slot == slots_.images.size()) {
        return InvalidArgument(
            StrCat("the prompt has more ", kEraAMarker, " markers than the ", next_slot, " pictures given"));
      }
      AddSlot(slots_.images[next_slot++]);
      begin = end + kEraAMarker.size();
    }
    if (next_slot != slots_.images.size()) {
      return Internal(StrCat("the template shows ", next_slot, " of ", slots_.images.size(), " pictures"));
    }
    return OkStatus();
  }

  // Era B: one call for the whole string; media tokens take the next item of their queue.
  Status EncodeWhole(std::string_view rendered) {
    const auto image_id = slots_.images.empty() ? std::nullopt : tokenizer_.TokenToId(spec_.image_token);
    const auto video_id = slots_.videos.empty() ? std::nullopt : tokenizer_.TokenToId(spec_.video_token);
    if ((!slots_.images.empty() && !image_id) || (!slots_.videos.empty() && !video_id)) {
      return DataLoss(StrCat("the vocabulary has no ", image_id ? spec_.video_token : spec_.image_token, " token"));
    }
    ASSIGN_OR_RETURN(const auto ids, tokenizer_.Encode(rendered, Encoding()));
    size_t next_image = 0;
    size_t next_video = 0;
    bool at_segment_start = true;
    for (const int32_t id : ids) {
      const bool is_image = image_id && id == *image_id;
      const bool is_video = video_id && id == *video_id;
      if (is_image || is_video) {
        auto& queue = is_image ? slots_.images : slots_.videos;
        size_t& next = is_image ? next_image : next_video;
        if (next == queue.size()) {
          return DataLoss(StrCat("the chat template shows more than the ", queue.size(), " media given"));
        }
        AddSlot(queue[next++]);
        at_segment_start = true;
        continue;
      }
      // NVlabs/VILA: llava/remote_code/modeling_vila.py also lists the text "<|endoftext|>", which equals no id.
      const bool is_end = id == tokenizer_.pad_id() || id == tokenizer_.eos_id();
      if (spec_.drop_eos_at_segment_start && at_segment_start && is_end) {
        prompt_.input_ids.push_back(id);
        continue;
      }
      AddId(id);
      at_segment_start = false;
    }
    if (next_image != slots_.images.size() || next_video != slots_.videos.size()) {
      return DataLoss(StrCat("the chat template shows ", next_image + next_video, " of ",
                             slots_.images.size() + slots_.videos.size(), " media"));
    }
    return OkStatus();
  }

  void AddId(int32_t id) {
    prompt_.input_ids.push_back(id);
    if (prompt_.pieces.empty() || std::holds_alternative<MediaSlot>(prompt_.pieces.back())) {
      prompt_.pieces.emplace_back(std::vector<int32_t>());
    }
    std::get<std::vector<int32_t>>(prompt_.pieces.back()).push_back(id);
  }

  void AddSlot(const MediaSlot& slot) {
    prompt_.input_ids.push_back(kMediaSlotId);
    prompt_.pieces.emplace_back(slot);
  }

  const spec::PromptSpec& spec_;
  const Tokenizer& tokenizer_;
  std::span<const Turn> turns_;
  const PromptOptions& options_;
  std::vector<std::string> media_tokens_;
  char32_t mark_ = 0;
  std::string bos_, eos_;
  Slots slots_;
  Prompt prompt_;
};

// Python's str(round(seconds, 2)).
std::string Seconds(double seconds) {
  char buffer[64];
  std::snprintf(buffer, sizeof(buffer), "%.2f", seconds);
  double rounded = 0.0;
  std::from_chars(buffer, buffer + sizeof(buffer), rounded);
  std::string out = StrCat(rounded);
  if (out.find_first_of(".en") == std::string::npos) out += ".0";
  return out;
}

}  // namespace

StatusOr<Prompt> BuildPrompt(const spec::PromptSpec& spec, const Tokenizer& tokenizer, std::span<const Turn> turns,
                             const PromptOptions& options) {
  return PromptBuilder(spec, tokenizer, turns, options).Build();
}

void AddMediaTokens(const spec::PromptSpec& spec, Tokenizer& tokenizer) {
  if (spec.era == spec::Era::kA) return;
  const std::vector<std::string> tokens = {std::string(kSentinel), spec.image_token, spec.video_token};
  tokenizer.AddSpecialTokens(tokens);
}

StatusOr<std::vector<int32_t>> StopIds(const spec::PromptSpec& spec, const Tokenizer& tokenizer) {
  std::vector<int32_t> ids;
  const auto add = [&](int32_t id) {
    if (std::find(ids.begin(), ids.end(), id) == ids.end()) ids.push_back(id);
  };
  if (const auto eos = tokenizer.eos_id()) add(*eos);
  if (spec.era == spec::Era::kA) {
    // The reference's keyword criterion also compares ids, which matters where the stop string is a special token.
    for (const std::string& stop : StopStrings(spec)) {
      ASSIGN_OR_RETURN(const auto stop_ids, tokenizer.Encode(stop, {.add_special = false, .parse_special = true}));
      if (stop_ids.size() == 1) add(stop_ids.front());
    }
    return ids;
  }
  // infer_stop_tokens: what follows an assistant message in a conversation whose answers are the sentinel.
  const auto sentinel = tokenizer.TokenToId(kSentinel);
  if (!sentinel) return ids;
  std::vector<ChatMessage> messages;
  for (int i = 0; i < 2; ++i) {
    messages.push_back({Role::kUser, "question"});
    messages.push_back({Role::kAssistant, std::string(kSentinel)});
  }
  const auto spelling = [&](std::optional<int32_t> id) { return id ? tokenizer.IdToPiece(*id) : std::string(); };
  const std::string bos = spelling(tokenizer.bos_id());
  const std::string eos = spelling(tokenizer.eos_id());
  ASSIGN_OR_RETURN(const std::string rendered, RenderChat({.name = spec.chat_template,
                                                           .jinja = spec.jinja,
                                                           .bos_token = bos,
                                                           .eos_token = eos,
                                                           .add_generation_prompt = false},
                                                          messages));
  ASSIGN_OR_RETURN(const auto encoded, tokenizer.Encode(rendered, {.add_special = true, .parse_special = true}));
  for (size_t i = 0; i + 1 < encoded.size(); ++i) {
    if (encoded[i] == *sentinel) add(encoded[i + 1]);
  }
  return ids;
}

std::vector<std::string> StopStrings(const spec::PromptSpec& spec) {
  const std::string_view stop = spec.era == spec::Era::kA ? StopString(spec.chat_template) : std::string_view();
  return stop.empty() ? std::vector<std::string>() : std::vector<std::string>{std::string(stop)};
}

std::string FinishAnswer(const spec::PromptSpec& spec, std::string_view answer) {
  std::string_view out = Strip(answer);
  for (const std::string& stop : StopStrings(spec)) {
    if (out.ends_with(stop)) out = Strip(out.substr(0, out.size() - stop.size()));
  }
  return std::string(out);
}

std::string ReplaceTimeTokens(const spec::VideoSpec& video, std::string_view answer, double duration_seconds) {
  constexpr std::string_view kNumber = "{t}";
  constexpr int64_t kMaxTimeTokens = 100'000;
  const int64_t count = std::min(video.num_time_tokens, kMaxTimeTokens);
  std::string out(answer);
  if (count <= 0) return out;
  for (int64_t t = 0; t < count; ++t) {
    const std::string token = ReplaceAll(video.time_token_format, kNumber, StrCat(t));
    if (out.find(token) == std::string::npos) continue;
    const double seconds = count > 1 ? static_cast<double>(t) * duration_seconds / static_cast<double>(count - 1) : 0.0;
    out = ReplaceAll(std::move(out), token, StrCat("<", Seconds(seconds), ">"));
  }
  // Numbers past the last token mean the end of the video; the reference looks for this spelling whatever the format
  // is.
  std::string result;
  for (size_t at = 0; at < out.size();) {
    size_t end = at + 2;
    int64_t t = -1;
    if (out.compare(at, 2, "<t") == 0) {
      while (end < out.size() && out[end] >= '0' && out[end] <= '9') ++end;
      if (end > at + 2 && end < out.size() && out[end] == '>') {
        if (std::from_chars(out.data() + at + 2, out.data() + end, t).ec != std::errc()) t = count;
      }
    }
    if (t >= count) {
      result += StrCat("<", Seconds(duration_seconds), ">");
      at = end + 1;
    } else {
      result += out[at++];
    }
  }
  return result;
}

StatusOr<FramingIds> EncodeFraming(const spec::MediaFraming& framing, const Tokenizer& tokenizer) {
  const EncodeOptions plain_call{.add_special = true, .parse_special = true};
  FramingIds out;
  for (const auto& [text, ids] :
       {std::pair<const std::string*, std::vector<int32_t>*>{&framing.start_tokens, &out.start},
        {&framing.end_tokens, &out.end},
        {&framing.sep_tokens, &out.sep}}) {
    if (text->empty()) continue;
    ASSIGN_OR_RETURN(*ids, tokenizer.Encode(*text, plain_call));
  }
  return out;
}

}  // namespace galago::text

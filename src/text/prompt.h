#ifndef GALAGO_TEXT_PROMPT_H_
#define GALAGO_TEXT_PROMPT_H_

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <variant>
#include <vector>

#include "galago/status.h"
#include "src/spec/media_layout.h"
#include "src/spec/model_spec.h"
#include "src/text/chat_template.h"
#include "src/text/tokenizer.h"

// From a conversation to what the model is fed: token ids with numbered gaps ("slots") for the rows of pictures.
namespace galago::text {

// The id that stands for a slot in Prompt::input_ids, as in the reference (IMAGE_TOKEN_INDEX).
inline constexpr int32_t kMediaSlotId = -200;

// Where the request had the picture. Only era A tells them apart: media given beside the text are written as "<image>"
// and a newline, a marker in the text is replaced as it stands.
enum class Placement { kBesideText, kInText };

struct MediaPart {
  int64_t index = 0;  // the caller's number of the picture or video
  spec::MediaKind kind = spec::MediaKind::kImage;
  bool frames_as_images = false;  // kVideo of era B: each frame is a picture of the prompt
  int64_t num_slots = 1;          // tiles (`dynamic`), frames (videos of era A), else 1: spec::SlotRows(...).size()
  Placement placement = Placement::kBesideText;
};
// Text of our own in which special tokens count: time tokens, the sentinel of label masking. Never foreign text.
struct TrustedText {
  std::string text;
};
using Part = std::variant<std::string, MediaPart, TrustedText>;

struct Turn {
  Role role = Role::kUser;
  std::vector<Part> parts;  // in order; media only in user turns
};

struct PromptOptions {
  std::optional<std::string> system;  // instead of the template's own system text
  bool add_generation_prompt = true;
  // Off: text of the turns never becomes a special token, whatever it spells.
  bool parse_special = false;
};

struct MediaSlot {
  int64_t media_index = 0;  // MediaPart::index
  int64_t slot_index = 0;   // 0 .. num_slots - 1
  bool operator==(const MediaSlot&) const = default;
};
using PromptPiece = std::variant<std::vector<int32_t>, MediaSlot>;

struct Prompt {
  std::string rendered;             // for people and logs: media markers spelled out
  std::vector<PromptPiece> pieces;  // token runs are never empty and never adjacent
  std::vector<int32_t> input_ids;   // in one list, kMediaSlotId at slots; with ids that fusing then drops (preview)
  std::vector<std::string> warnings;
};

// Same ids as the reference for every conversation that spells no special token in its text (with parse_special: for
// every conversation). The tokenizer must have been given the media tokens (AddMediaTokens).
StatusOr<Prompt> BuildPrompt(const spec::PromptSpec& spec, const Tokenizer& tokenizer, std::span<const Turn> turns,
                             const PromptOptions& options = {});

// Era B: appends <vila/sentinel>, <image>, <vila/video> where they are not in the vocabulary; era A: nothing. To be
// called once, right after loading.
void AddMediaTokens(const spec::PromptSpec& spec, Tokenizer& tokenizer);

// Ids that end an answer: eos, and in era B the token that follows an assistant message in the template.
StatusOr<std::vector<int32_t>> StopIds(const spec::PromptSpec& spec, const Tokenizer& tokenizer);
// Strings that end an answer (era A's keyword criterion); may be empty.
std::vector<std::string> StopStrings(const spec::PromptSpec& spec);

// Answer as the reference returns it: white space at both ends and one trailing stop string removed.
std::string FinishAnswer(const spec::PromptSpec& spec, std::string_view answer);

// Replaces time tokens (<t0>, <t1>, ...) of an answer about a video by seconds: "<t3>" -> "<1.52>".
std::string ReplaceTimeTokens(const spec::VideoSpec& video, std::string_view answer, double duration_seconds);

// Ids of the strings around each picture or frame, by the tokenizer's plain call.
struct FramingIds {
  std::vector<int32_t> start, end, sep;
  spec::FramingLengths lengths() const {
    return {static_cast<int64_t>(start.size()), static_cast<int64_t>(end.size()), static_cast<int64_t>(sep.size())};
  }
};
StatusOr<FramingIds> EncodeFraming(const spec::MediaFraming& framing, const Tokenizer& tokenizer);

}  // namespace galago::text

#endif  // GALAGO_TEXT_PROMPT_H_

#include "train/data/sequence_builder.h"

#include <algorithm>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/data/prepare_media.h"
#include "train/data/times.h"

namespace galago::train {
namespace {

constexpr std::string_view kSentinel = "<vila/sentinel>";
constexpr int64_t kMaxLead = 2;

Status CheckTimeTokens(const spec::VideoSpec& video, const text::Tokenizer& tokenizer, std::vector<int64_t>& ids) {
  for (int64_t t = 0; t < video.num_time_tokens; ++t) {
    const std::string token = ReplaceAll(video.time_token_format, "{t}", StrCat(t));
    const auto id = tokenizer.TokenToId(token);
    if (!id)
      return InvalidArgument(
          StrCat("the tokenizer has no token ", token, ", the model has ", video.num_time_tokens, " time tokens"));
    if (!ids.empty() && *id != ids.back() + 1) {
      return InvalidArgument(StrCat("time token ", token, " is id ", *id, ", expected ", ids.back() + 1));
    }
    ids.push_back(*id);
  }
  return OkStatus();
}

bool HasText(const text::Turn& turn) {
  return std::any_of(turn.parts.begin(), turn.parts.end(), [](const text::Part& part) {
    const auto* words = std::get_if<std::string>(&part);
    return words != nullptr && !Trim(*words).empty();
  });
}

}  // namespace

struct SequenceBuilder::Prepared {
  std::vector<std::shared_ptr<const MediaInput>> media;
  double duration_s = 0.0;  // of the first video; 0: none, or not known
};

struct SequenceBuilder::Flat {
  std::vector<int32_t> ids;
  std::vector<text::MediaSlot> slots;  // of the kMediaRow ids, in order
};

StatusOr<std::shared_ptr<const SequenceBuilder>> SequenceBuilder::Make(const spec::ModelSpec& spec,
                                                                       const BuilderOptions& options) {
  auto builder = std::shared_ptr<SequenceBuilder>(new SequenceBuilder(spec, options));
  const std::vector<std::string> sentinel = {std::string(kSentinel)};
  for (auto* tokenizer : {&builder->tokenizer_, &builder->sentinel_tokenizer_}) {
    ASSIGN_OR_RETURN(*tokenizer, text::LoadTokenizer(spec.tokenizer));
    text::AddMediaTokens(spec.prompt, **tokenizer);
  }
  builder->sentinel_ = builder->sentinel_tokenizer_->AddSpecialTokens(sentinel).front();
  RETURN_IF_ERROR(builder->MeasureLead());
  RETURN_IF_ERROR(CheckTimeTokens(spec.video, *builder->tokenizer_, builder->time_token_ids_));
  builder->bare_prompt_ = spec.prompt;
  builder->bare_prompt_.chat_template = spec::Template::kNone;
  ASSIGN_OR_RETURN(builder->image_framing_,
                   text::EncodeFraming(spec.prompt.image_encoder.framing, *builder->tokenizer_));
  const spec::MediaFraming& frames =
      std::visit([](const auto& encoder) -> const spec::MediaFraming& { return encoder.framing; }, spec.video.encoder);
  ASSIGN_OR_RETURN(builder->video_framing_, text::EncodeFraming(frames, *builder->tokenizer_));
  return std::shared_ptr<const SequenceBuilder>(std::move(builder));
}

// Where a template puts text between its generation prompt and the answer, the model has to write that text.
Status SequenceBuilder::MeasureLead() {
  const std::vector<text::Turn> question = {{.role = text::Role::kUser, .parts = {text::Part("question")}}};
  std::vector<text::Turn> exchange = question;
  exchange.push_back({.role = text::Role::kAssistant, .parts = {text::TrustedText{std::string(kSentinel)}}});
  ASSIGN_OR_RETURN(const text::Prompt open, text::BuildPrompt(spec_.prompt, *sentinel_tokenizer_, question));
  ASSIGN_OR_RETURN(const Flat closed, Encode(spec_.prompt, *sentinel_tokenizer_, exchange, std::nullopt));
  const auto sentinel = std::find(closed.ids.begin(), closed.ids.end(), sentinel_);
  if (sentinel == closed.ids.end()) return InvalidArgument("the model's chat template shows no answers");
  const auto differs = std::mismatch(open.input_ids.begin(), open.input_ids.end(), closed.ids.begin(), sentinel);
  // A template without generation prompt leaves the whole header to the model; no rule gives that loss.
  if (differs.first == open.input_ids.end() && sentinel - differs.second <= kMaxLead) {
    lead_ = static_cast<size_t>(sentinel - differs.second);
  }
  return OkStatus();
}

Status SequenceBuilder::CheckShape(const Record& record) const {
  if (record.turns.empty()) return DataLoss("has no text");
  if (!record.media.empty() && !spec_.vision) return InvalidArgument("has media, the model reads text only");
  if (record.style != Style::kChat) {
    CHECK_EQ(record.turns.size(), size_t{1});
    return OkStatus();
  }
  for (size_t i = 0; i < record.turns.size(); ++i) {
    const text::Role expected = i % 2 == 0 ? text::Role::kUser : text::Role::kAssistant;
    if (record.turns[i].role != expected) {
      return DataLoss(StrCat("turn ", i + 1, " is of the ", text::Name(record.turns[i].role), ", expected the ",
                             text::Name(expected)));
    }
    if (expected == text::Role::kAssistant && !HasText(record.turns[i])) {
      return DataLoss(StrCat("answer ", i / 2 + 1, " is empty"));
    }
  }
  if (record.turns.size() % 2 != 0) {
    return DataLoss(StrCat("question ", record.turns.size() / 2 + 1, " has no answer"));
  }
  return OkStatus();
}

// Pictures are cut into tiles only in a record with a single one; frames that join the pictures count
// (NVlabs/VILA: llava/model/llava_arch.py, generate_content).
StatusOr<SequenceBuilder::Prepared> SequenceBuilder::Prepare(const Record& record) const {
  Prepared out;
  out.media.resize(record.media.size());
  int64_t num_pictures = 0;
  for (const spec::MediaKind kind : {spec::MediaKind::kVideo, spec::MediaKind::kImage}) {
    if (kind == spec::MediaKind::kImage) {
      num_pictures +=
          std::count_if(record.media.begin(), record.media.end(), [&](const Medium& m) { return m.kind == kind; });
    }
    const media::Turn turn = num_pictures == 1 ? media::Turn::kOnlyImage : media::Turn::kOneOfSeveral;
    for (size_t i = 0; i < record.media.size(); ++i) {
      const Medium& medium = record.media[i];
      if (medium.kind != kind) continue;
      ASSIGN_OR_RETURN(PreparedMedium prepared, PrepareMedium(spec_, medium, turn, record.max_tiles));
      const text::FramingIds& framing = kind == spec::MediaKind::kVideo ? video_framing_ : image_framing_;
      auto rows = spec::SlotRows(spec_, prepared.pixels.layout, framing.lengths());
      if (!rows.ok()) return Annotate(rows.status(), medium.name);
      if (kind == spec::MediaKind::kVideo) {
        if (spec_.video.frames_as_images) num_pictures += prepared.pixels.layout.tiles;
        if (out.duration_s == 0.0) out.duration_s = prepared.duration_s;
      }
      out.media[i] = std::make_shared<const MediaInput>(MediaInput{std::move(prepared.pixels), *std::move(rows)});
    }
  }
  return out;
}

std::vector<text::Turn> SequenceBuilder::Turns(const Record& record, const Prepared& media) const {
  std::vector<text::Turn> turns;
  for (const text::Turn& turn : record.turns) {
    text::Turn& out = turns.emplace_back(text::Turn{.role = turn.role, .parts = {}});
    for (const text::Part& part : turn.parts) {
      if (const auto* slot = std::get_if<text::MediaPart>(&part)) {
        const MediaInput& input = *media.media[static_cast<size_t>(slot->index)];
        text::MediaPart& placed = std::get<text::MediaPart>(out.parts.emplace_back(*slot));
        placed.kind = input.pixels.layout.kind;
        placed.num_slots = static_cast<int64_t>(input.slot_rows.size());
        placed.frames_as_images = spec_.video.frames_as_images;
      } else if (const auto* words = std::get_if<std::string>(&part); words != nullptr && record.times) {
        for (text::Part& piece : WithTimeTokens(*words, media.duration_s, spec_.video)) {
          out.parts.push_back(std::move(piece));
        }
      } else {
        out.parts.push_back(part);
      }
    }
  }
  return turns;
}

StatusOr<SequenceBuilder::Flat> SequenceBuilder::Encode(const spec::PromptSpec& prompt,
                                                        const text::Tokenizer& tokenizer,
                                                        const std::vector<text::Turn>& turns,
                                                        const std::optional<std::string>& system) const {
  text::PromptOptions options;
  options.system = system;
  options.add_generation_prompt = false;
  ASSIGN_OR_RETURN(const text::Prompt built, text::BuildPrompt(prompt, tokenizer, turns, options));
  Flat flat;
  for (const text::PromptPiece& piece : built.pieces) {
    if (const auto* ids = std::get_if<std::vector<int32_t>>(&piece)) {
      flat.ids.insert(flat.ids.end(), ids->begin(), ids->end());
    } else {
      flat.ids.push_back(kMediaRow);
      flat.slots.push_back(std::get<text::MediaSlot>(piece));
    }
  }
  return flat;
}

StatusOr<std::vector<int32_t>> SequenceBuilder::ChatLabels(const Record& record, std::vector<text::Turn> turns,
                                                           const Flat& flat) const {
  for (text::Turn& turn : turns) {
    if (turn.role == text::Role::kAssistant) turn.parts = {text::TrustedText{std::string(kSentinel)}};
  }
  ASSIGN_OR_RETURN(const Flat with_sentinels, Encode(spec_.prompt, *sentinel_tokenizer_, turns, record.system));
  return MakeLabels(options_.labels, flat.ids, with_sentinels.ids, sentinel_, lead_);
}

Status SequenceBuilder::AddEnds(Style style, Flat& flat) const {
  const auto bos = tokenizer_->bos_id();
  const bool without_bos = flat.ids.empty() || flat.ids.front() != bos;
  if ((style == Style::kCaption || style == Style::kOpenEnd) && bos && without_bos) {
    flat.ids.insert(flat.ids.begin(), *bos);
  }
  if (style == Style::kCaption) {
    if (!tokenizer_->eos_id()) return InvalidArgument("the tokenizer has no end-of-text token for captions");
    flat.ids.push_back(*tokenizer_->eos_id());
  } else if (style == Style::kPlain) {
    ASSIGN_OR_RETURN(const auto newline, tokenizer_->Encode("\n", {.add_special = false}));
    flat.ids.insert(flat.ids.end(), newline.begin(), newline.end());
  }
  return OkStatus();
}

// A token belongs to the bytes it spells; one on the border is told, too.
Status SequenceBuilder::KeepTold(const Record& record, const Flat& flat, std::vector<int32_t>& labels) const {
  if (record.told.empty()) return OkStatus();
  CHECK(record.style == Style::kCaption);
  const auto& text = std::get<std::string>(record.turns.front().parts.back());
  labels.assign(flat.ids.size(), kIgnore);
  size_t end = text.size();
  // From the last in front of the end token.
  for (auto i = std::ssize(flat.ids) - 2; end > 0; --i) {
    const bool is_text = i >= 0 && flat.ids[static_cast<size_t>(i)] != kMediaRow;
    const std::string piece = is_text ? tokenizer_->IdToPiece(flat.ids[static_cast<size_t>(i)]) : "";
    if (piece.empty() || piece.size() > end || text.compare(end - piece.size(), piece.size(), piece) != 0) {
      return InvalidArgument("the tokenizer does not spell the text byte by byte: what it tells cannot be marked");
    }
    const size_t begin = end - piece.size();
    const auto holds = [&](const ByteRange& told) { return begin < told.end && told.begin < end; };
    if (std::ranges::any_of(record.told, holds)) {
      labels[static_cast<size_t>(i)] = flat.ids[static_cast<size_t>(i)];
    }
    end = begin;
  }
  return OkStatus();
}

// A label for each word, from the first row of the picture's one tile on.
Status SequenceBuilder::AddRowLabels(const Record& record, Sequence& sequence) const {
  if (record.row_words.empty()) return OkStatus();
  SlotRows* slot = nullptr;
  for (auto& piece : sequence.pieces) {
    auto* here = std::get_if<SlotRows>(&piece);
    if (here == nullptr) continue;
    if (slot != nullptr) return InvalidArgument("labels of rows are for a picture of one tile, this one has more");
    slot = here;
  }
  const size_t before = image_framing_.start.size(), around = before + image_framing_.end.size();
  const size_t rows = slot == nullptr ? 0 : static_cast<size_t>(slot->rows) - around;
  if (rows != record.row_words.size()) {
    return InvalidArgument(
        StrCat("has labels for ", record.row_words.size(), " rows, the model makes ", rows, " of the picture"));
  }
  slot->labels.resize(before);
  for (const std::vector<RowWord>& words : record.row_words) {
    std::vector<RowTarget>& labels = slot->labels.emplace_back();
    for (const RowWord& word : words) {
      ASSIGN_OR_RETURN(const auto ids, tokenizer_->Encode(word.text.size() == 1 ? word.text : StrCat(" ", word.text),
                                                          {.add_special = false, .parse_special = false}));
      if (ids.empty()) return InvalidArgument("the label of a row is empty");
      labels.push_back({ids.front(), word.part});
    }
  }
  return OkStatus();
}

StatusOr<Sequence> SequenceBuilder::Build(const Record& record) const {
  RETURN_IF_ERROR(CheckShape(record));
  ASSIGN_OR_RETURN(Prepared media, Prepare(record));
  std::vector<text::Turn> turns = Turns(record, media);
  const bool chat = record.style == Style::kChat;
  ASSIGN_OR_RETURN(Flat flat, Encode(chat ? spec_.prompt : bare_prompt_, *tokenizer_, turns, record.system));
  RETURN_IF_ERROR(AddEnds(record.style, flat));
  std::vector<int32_t> labels = flat.ids;
  if (chat) {
    ASSIGN_OR_RETURN(labels, ChatLabels(record, std::move(turns), flat));
  }
  RETURN_IF_ERROR(KeepTold(record, flat, labels));

  Sequence out;
  out.source = record.source;
  size_t next_slot = 0;
  for (size_t i = 0; i < flat.ids.size(); ++i) {
    if (flat.ids[i] == kMediaRow) {
      const text::MediaSlot& slot = flat.slots[next_slot++];
      const MediaInput& input = *media.media[static_cast<size_t>(slot.media_index)];
      out.pieces.emplace_back(SlotRows{.media = slot.media_index,
                                       .slot = slot.slot_index,
                                       .rows = input.slot_rows[static_cast<size_t>(slot.slot_index)]});
      continue;
    }
    if (out.pieces.empty() || std::holds_alternative<SlotRows>(out.pieces.back())) out.pieces.emplace_back(TokenRun());
    TokenRun& run = std::get<TokenRun>(out.pieces.back());
    run.ids.push_back(flat.ids[i]);
    run.labels.push_back(labels[i]);
  }
  out.media = std::move(media.media);
  RETURN_IF_ERROR(AddRowLabels(record, out));
  if (out.num_labels() == 0) return DataLoss("no token carries loss");
  return out;
}

}  // namespace galago::train

#include "src/quant/calibration.h"

#include <algorithm>
#include <numeric>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "src/engine/conversation.h"
#include "src/engine/media_input.h"
#include "src/engine/model_parts.h"
#include "src/text/prompt.h"

namespace galago::quant {
namespace {

StatusOr<Tensor> EmbedIds(const ops::ExecContext& ctx, const CalibrationModel& model, std::span<const int32_t> ids) {
  Tensor rows = Tensor::F32({static_cast<int64_t>(ids.size()), model.parts.spec.language.hidden_size});
  RETURN_IF_ERROR(model.runner.EmbedTokens(ctx, ids, rows.f32()));
  return rows;
}

// Rows of one picture or video.
StatusOr<Tensor> Encode(const ops::ExecContext& ctx, const CalibrationModel& model, const engine::MediaItem& item) {
  const text::FramingIds& framing = engine::FramingOf(model.parts, item);
  Tensor rows;
  std::vector<std::string> warnings;
  const auto encode = [&](const media::Preprocessed& all, bool) -> Status {
    const Arena::Scope scope(*ctx.arena);
    ASSIGN_OR_RETURN(models::EncodedMedia encoded,
                     model.runner.EncodeMedia(ctx, {.pixels = all.pixels.f32(),
                                                    .shape = all.pixels.shape(),
                                                    .layout = all.layout,
                                                    .framing = {framing.start, framing.end, framing.sep}}));
    rows = std::move(encoded.rows);
    return OkStatus();
  };
  RETURN_IF_ERROR(item.Pixels(0, ctx.pool, warnings, encode));
  return rows;
}

}  // namespace

StatusOr<Sequences> EmbedTexts(const ops::ExecContext& ctx, const CalibrationModel& model,
                               std::span<const std::string> texts, int64_t tokens, int64_t length) {
  // Read a piece at a time: a corpus may be longer than what a tokenizer takes, and little of it is needed.
  constexpr size_t kPiece = 1 << 16;
  const auto count = static_cast<int64_t>(texts.size());
  std::vector<int32_t> ids;
  for (int64_t i = 0; i < count; ++i) {
    const std::string& text = texts[static_cast<size_t>(i)];
    const auto share = static_cast<size_t>(tokens * (i + 1) / count);
    for (size_t at = 0; at < text.size() && ids.size() < share;) {
      size_t end = std::min(text.size(), at + kPiece);
      if (end < text.size()) {
        const size_t line = text.rfind('\n', end);
        if (line != std::string::npos && line > at) end = line + 1;
        while (end > at + 1 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;  // whole characters
      }
      ASSIGN_OR_RETURN(const std::vector<int32_t> more,
                       model.parts.tokenizer->Encode(text.substr(at, end - at), {.add_special = at == 0}));
      ids.insert(ids.end(), more.begin(), more.end());
      at = end;
    }
    ids.resize(std::min(ids.size(), share));
  }
  Sequences sequences;
  const auto size = static_cast<size_t>(length);
  for (size_t at = 0; at + size <= ids.size(); at += size) {
    ASSIGN_OR_RETURN(sequences.emplace_back(), EmbedIds(ctx, model, std::span(ids).subspan(at, size)));
  }
  if (sequences.empty()) {
    return InvalidArgument(
        StrCat("the calibration text has ", ids.size(), " tokens, at least ", length, " are needed (one piece)"));
  }
  return sequences;
}

StatusOr<Tensor> EmbedSample(const ops::ExecContext& ctx, const CalibrationModel& model,
                             const CalibrationSample& sample, int64_t& media_count) {
  const spec::ModelSpec& spec = model.parts.spec;
  ASSIGN_OR_RETURN(const auto media, engine::PlanMedia(spec, sample.conversation, ctx.cancel));
  media_count += static_cast<int64_t>(media.size());
  ASSIGN_OR_RETURN(const auto slot_rows, engine::SlotRowsOf(model.parts, media));
  std::vector<Tensor> embeddings;
  for (const auto& item : media) {
    auto encoded = Encode(ctx, model, *item);
    if (!encoded.ok()) return Annotate(encoded.status(), item->info().source);
    embeddings.push_back(*std::move(encoded));
  }
  ASSIGN_OR_RETURN(const std::vector<text::Turn> turns, engine::TurnsOf(spec, sample.conversation, media, slot_rows));
  ASSIGN_OR_RETURN(text::Prompt prompt, text::BuildPrompt(spec.prompt, *model.parts.tokenizer, turns));
  if (!sample.answer.empty()) {
    ASSIGN_OR_RETURN(std::vector<int32_t> answer,
                     model.parts.tokenizer->Encode(sample.answer, {.add_special = false, .parse_special = false}));
    prompt.pieces.emplace_back(std::move(answer));
  }
  const int64_t width = spec.language.hidden_size;
  std::vector<float> rows;
  for (const text::PromptPiece& piece : prompt.pieces) {
    if (const auto* ids = std::get_if<std::vector<int32_t>>(&piece)) {
      ASSIGN_OR_RETURN(const Tensor embedded, EmbedIds(ctx, model, *ids));
      rows.insert(rows.end(), embedded.f32().begin(), embedded.f32().end());
      continue;
    }
    const auto& slot = std::get<text::MediaSlot>(piece);
    const auto media_index = static_cast<size_t>(slot.media_index);
    const auto slot_index = static_cast<size_t>(slot.slot_index);
    const std::vector<int64_t>& of_item = slot_rows[media_index];
    const int64_t first = std::accumulate(of_item.begin(), of_item.begin() + slot.slot_index, int64_t{0});
    const auto part = embeddings[media_index].f32().subspan(static_cast<size_t>(first * width),
                                                            static_cast<size_t>(of_item[slot_index] * width));
    rows.insert(rows.end(), part.begin(), part.end());
  }
  if (rows.empty()) return InvalidArgument("a calibration sample is empty");
  Tensor sequence = Tensor::F32({static_cast<int64_t>(rows.size()) / width, width});
  std::ranges::copy(rows, sequence.f32().begin());
  return sequence;
}

}  // namespace galago::quant

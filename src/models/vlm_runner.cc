#include "src/models/vlm_runner.h"

#include <cmath>

#include "src/base/strings.h"
#include "src/models/scales.h"
#include "src/ops/grid.h"
#include "src/ops/scratch.h"
#include "src/spec/media_layout.h"

namespace galago::models {
namespace {

using ops::ConstView;
using ops::ExecContext;
using ops::View;

int64_t SquareSide(int64_t rows) { return std::llround(std::sqrt(static_cast<double>(rows))); }

// Features [calls * rows, cols] under their trace name.
void ReportTiles(const ExecContext& ctx, const std::string& name, int64_t calls, ConstView values) {
  if (ctx.observer == nullptr) return;
  ctx.observer->OnTensor(name, {calls, values.rows / calls, values.cols}, values.span());
}

}  // namespace

StatusOr<std::unique_ptr<const VlmRunner>> VlmRunner::Load(const spec::ModelSpec& spec, ModelWeights weights,
                                                           LoadReport& report) {
  std::unique_ptr<VlmRunner> runner(new VlmRunner(spec, std::move(weights)));
  ModelWeights& from = runner->weights_;
  ASSIGN_OR_RETURN(runner->language_, LanguageModel::Load(spec.language, from.language));
  from.language.Report(report);
  report.token_bytes = report.mapped_bytes + report.converted_bytes - runner->language_.embedding_bytes();
  if (spec.vision && spec.projector) {
    ASSIGN_OR_RETURN(runner->vision_, VisionEncoder::Load(*spec.vision, from.vision));
    ASSIGN_OR_RETURN(runner->projector_, Projector::Load(*spec.projector, from.projector));
    const uint64_t before = report.mapped_bytes + report.converted_bytes;
    from.vision.Report(report);
    from.projector.Report(report);
    report.vision_bytes = report.mapped_bytes + report.converted_bytes - before;
  }
  return runner;
}

Status VlmRunner::CheckPixels(const EncodeRequest& request) const {
  const int64_t side = spec_.preprocess.size;
  const spec::MediaLayout& layout = request.layout;
  if (layout.tiles < 1 || request.shape != Shape{layout.tiles, 3, side, side} ||
      static_cast<int64_t>(request.pixels.size()) != request.shape.NumElements()) {
    return InvalidArgument(StrCat("pixels ", request.shape.ToString(), " do not suit ", layout.tiles, " tiles of ",
                                  side, " pixels a side"));
  }
  const auto* s2 = std::get_if<spec::DynamicS2>(&spec_.scales);
  if (s2 != nullptr && layout.block) {
    const auto [rows, columns] = *layout.block;
    if (rows < 1 || columns < 1 || rows > layout.tiles || columns > layout.tiles ||
        NumDynamicS2Tiles(*s2, *layout.block) != layout.tiles) {
      return InvalidArgument(StrCat(layout.tiles, " tiles do not suit a block of ", rows, " x ", columns));
    }
  }
  return OkStatus();
}

int64_t VlmRunner::NumProjected(const spec::MediaLayout& layout) const {
  const auto* s2 = std::get_if<spec::DynamicS2>(&spec_.scales);
  if (s2 == nullptr || !layout.block) return layout.tiles;
  const auto [rows, columns] = spec::ProjectedBlock(*s2, *layout.block);
  return rows * columns;
}

Status VlmRunner::EncodeFeatures(const ExecContext& ctx, const EncodeRequest& request, int64_t first, int64_t count,
                                 View features, HiddenStates* hidden) const {
  const size_t tile = request.pixels.size() / static_cast<size_t>(request.layout.tiles);
  const auto pixels = request.pixels.subspan(static_cast<size_t>(first) * tile, static_cast<size_t>(count) * tile);
  if (const auto* s2 = std::get_if<spec::DynamicS2>(&spec_.scales)) {
    if (request.layout.block) {
      return EncodeDynamicS2(ctx, *vision_, *s2, *request.layout.block, request.pixels, features, hidden);
    }
    return EncodeRepeated(ctx, *vision_, static_cast<int64_t>(s2->scales.size()), pixels, count, features, hidden);
  }
  if (const auto* fixed = std::get_if<spec::StaticS2>(&spec_.scales)) {
    const int64_t rows = features.rows / count;
    for (int64_t i = 0; i < count; ++i) {
      const auto picture = pixels.subspan(static_cast<size_t>(i) * tile, tile);
      RETURN_IF_ERROR(EncodeStaticS2(ctx, *vision_, *fixed, picture, features.Rows(i * rows, rows), hidden));
    }
    return OkStatus();
  }
  return vision_->Encode(ctx, pixels, count, features, hidden);
}

Status VlmRunner::Project(const ExecContext& ctx, const EncodeRequest& request, View projected) const {
  const int64_t total = NumProjected(request.layout);
  const int64_t grid = spec::GridPerCall(spec_);
  const bool single = std::holds_alternative<std::monostate>(spec_.scales);
  const int64_t tokens = single ? spec_.vision->num_selected() : grid * grid;
  const int64_t rows = projected.rows / total;
  // Who looks wants each stage in one piece.
  const bool whole = request.layout.block.has_value() || ctx.observer != nullptr;
  const int64_t group = whole ? total : std::min(total, kTilesPerGroup);

  std::optional<HiddenStates> hidden;
  if (ctx.observer != nullptr) hidden.emplace(vision_->num_hidden_states());
  for (int64_t first = 0; first < total; first += group) {
    const Arena::Scope scope(*ctx.arena);
    const int64_t count = std::min(group, total - first);
    const View features = ops::Scratch(ctx, count * tokens, spec_.projector->mm_hidden_size);
    RETURN_IF_ERROR(EncodeFeatures(ctx, request, first, count, features, hidden ? &*hidden : nullptr));
    projector_->Apply(ctx, features, count, grid, projected.Rows(first * rows, count * rows));
    ReportTiles(ctx, StrCat("vision.", request.media_index, ".selected"), count, features);
  }
  if (hidden) {
    hidden->Report(*ctx.observer, request.media_index, spec_.vision->num_positions(), spec_.vision->hidden_size);
  }
  ReportTiles(ctx, StrCat("projector.", request.media_index, ".out"), total, projected);
  return OkStatus();
}

StatusOr<FramingRows> VlmRunner::EmbedFraming(const ExecContext& ctx, const FramingIds& framing) const {
  FramingRows rows;
  for (const auto& [ids, view] : {std::pair{&framing.start, &rows.start}, std::pair{&framing.end, &rows.end},
                                  std::pair{&framing.sep, &rows.sep}}) {
    if (ids->empty()) continue;
    const View embedded = ops::Scratch(ctx, static_cast<int64_t>(ids->size()), spec_.language.hidden_size);
    RETURN_IF_ERROR(language_.Embed(ctx, *ids, embedded));
    *view = embedded;
  }
  return rows;
}

void VlmRunner::WriteRows(const ExecContext& ctx, const spec::MediaLayout& layout, ConstView projected,
                          const FramingRows& framing, RowWriter& out) const {
  if (spec_.prompt.era == spec::Era::kA) {
    out.Put(projected);
    return;
  }
  const int64_t count = NumProjected(layout);
  const int64_t rows = projected.rows / count;
  const auto* tsp = std::get_if<spec::TspEncoder>(&spec_.video.encoder);
  if (layout.kind == spec::MediaKind::kVideo && tsp != nullptr && !spec_.video.frames_as_images) {
    WritePooledVideo(ctx, *tsp, projected, count, SquareSide(rows), framing, out);
    return;
  }
  const auto* s2 = std::get_if<spec::DynamicS2>(&spec_.scales);
  if (layout.kind == spec::MediaKind::kImage && s2 != nullptr && layout.block) {
    const auto [block_rows, block_columns] = spec::ProjectedBlock(*s2, *layout.block);
    const int64_t side = SquareSide(rows);
    const View map = ops::Scratch(ctx, projected.rows, projected.cols);
    ops::StitchTiles(ctx, projected, block_rows, block_columns, side, side, map);
    out.Put(framing.start);
    out.Put(map);
    out.Put(framing.end);
    return;
  }
  for (int64_t i = 0; i < count; ++i) {
    out.Put(framing.start);
    out.Put(projected.Rows(i * rows, rows));
    out.Put(framing.end);
  }
}

StatusOr<EncodedMedia> VlmRunner::EncodeMedia(const ExecContext& ctx, const EncodeRequest& request) const {
  EncodedMedia media;
  const spec::FramingLengths lengths = {.start = static_cast<int64_t>(request.framing.start.size()),
                                        .end = static_cast<int64_t>(request.framing.end.size()),
                                        .sep = static_cast<int64_t>(request.framing.sep.size())};
  ASSIGN_OR_RETURN(media.slot_rows, spec::SlotRows(spec_, request.layout, lengths));
  RETURN_IF_ERROR(CheckPixels(request));
  int64_t total = 0;
  for (const int64_t rows : media.slot_rows) total += rows;

  const Arena::Scope scope(*ctx.arena);
  const int64_t width = spec_.language.hidden_size;
  const View projected = ops::Scratch(ctx, NumProjected(request.layout) * spec::RowsPerTile(spec_), width);
  RETURN_IF_ERROR(Project(ctx, request, projected));
  ASSIGN_OR_RETURN(const FramingRows framing, EmbedFraming(ctx, request.framing));
  media.rows = Tensor::F32({total, width});
  RowWriter writer(ctx, View(media.rows.f32(), total, width));
  WriteRows(ctx, request.layout, projected, framing, writer);
  CHECK_EQ(writer.written(), total);
  if (ctx.observer != nullptr) {
    ctx.observer->OnTensor(StrCat("media.", request.media_index, ".embeds"), {total, width}, media.rows.f32());
  }
  return media;
}

Status VlmRunner::EmbedTokens(const ExecContext& ctx, std::span<const int32_t> ids, std::span<float> out) const {
  return language_.Embed(ctx, ids, View(out, static_cast<int64_t>(ids.size()), spec_.language.hidden_size));
}

Status VlmRunner::Forward(const ExecContext& ctx, std::span<float> hidden, int64_t num_rows, int64_t past,
                          const nn::KvView& kv, std::span<float> logits) const {
  CHECK_EQ(static_cast<int64_t>(hidden.size()), num_rows * spec_.language.hidden_size);
  return language_.Forward(ctx, View(hidden, num_rows, spec_.language.hidden_size), past, kv, logits);
}

}  // namespace galago::models

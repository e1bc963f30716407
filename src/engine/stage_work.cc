#include "src/engine/stage_work.h"

#include <algorithm>
#include <variant>

#include "src/base/overloaded.h"
#include "src/spec/media_layout.h"

namespace galago::engine {
namespace {

double Num(int64_t n) { return static_cast<double>(n); }

// Forward passes of the tower for one tile: of static S2 the picture at each scale, cut into pieces the tower takes.
double CallsPerTile(const spec::ModelSpec& spec) {
  const auto* s2 = std::get_if<spec::StaticS2>(&spec.scales);
  if (s2 == nullptr) return 1;
  double calls = 0;
  for (const int64_t scale : s2->scales) {
    const double side = Num((scale + s2->max_split_size - 1) / s2->max_split_size);
    calls += side * side;
  }
  return calls;
}

double TowerOperations(const spec::VisionSpec& vision) {
  const double rows = Num(vision.num_positions()), c = Num(vision.hidden_size), f = Num(vision.intermediate_size);
  const double patch = 3 * Num(vision.patch_size * vision.patch_size);
  const double layer = 2 * rows * (4 * c * c + 2 * c * f) + 4 * rows * rows * c;
  return 2 * Num(vision.grid() * vision.grid()) * c * patch + Num(vision.num_layers_run) * layer;
}

double ProjectorOperations(const spec::ModelSpec& spec) {
  const spec::ProjectorSpec& projector = *spec.projector;
  const bool single = std::holds_alternative<std::monostate>(spec.scales);
  const int64_t grid = spec::GridPerCall(spec);
  const double rows = Num(single ? spec.vision->num_selected() : grid * grid);
  const double out = Num(spec::RowsPerTile(spec));
  const double m = Num(projector.mm_hidden_size), d = Num(projector.hidden_size);
  return 2 * std::visit(
                 Overloaded{
                     [](const spec::IdentityProjector&) { return 0.0; },
                     [&](const spec::LinearProjector&) { return rows * m * d; },
                     [&](const spec::MlpProjector& mlp) { return rows * (m * d + Num(mlp.depth - 1) * d * d); },
                     [&](const spec::DownsampleProjector& down) {
                       double width = Num(down.factor * down.factor) * m, total = 0;
                       for (const int64_t next : down.widths) {
                         total += width * Num(next);
                         width = Num(next);
                       }
                       return out * (total + width * d);
                     },
                     // Two products on all rows; then a depthwise filter of 9 taps and a pointwise
                     // product at full and at halved resolution.
                     [&](const spec::LdpProjector&) { return rows * (m * d + d * d) + (rows + out) * (d * d + 9 * d); },
                     [&](const spec::LdpV2Projector&) { return rows * (m * d + d * d) + out * 9 * d; }},
                 projector.kind);
}

}  // namespace

double DecoderOperations(const spec::LanguageModelSpec& spec, int64_t tokens, int64_t past) {
  const double d = Num(spec.hidden_size);
  const double q = Num(spec.num_attention_heads * spec.head_dim), kv = Num(spec.num_key_value_heads * spec.head_dim);
  const double matrices = d * (2 * q + 2 * kv + 3 * Num(spec.intermediate_size));
  const double pairs = Num(tokens) * Num(past) + Num(tokens) * Num(tokens + 1) / 2;
  return Num(spec.num_hidden_layers) * (2 * Num(tokens) * matrices + 4 * pairs * q) + 2 * Num(spec.vocab_size) * d;
}

double TileOperations(const spec::ModelSpec& spec) {
  return CallsPerTile(spec) * TowerOperations(*spec.vision) + ProjectorOperations(spec);
}

double CacheBytes(const spec::LanguageModelSpec& spec, int64_t tokens, int64_t past, int64_t chunk,
                  int64_t element_bytes) {
  double positions = 0;
  for (int64_t done = 0; done < tokens; done += chunk) positions += Num(past + std::min(tokens, done + chunk));
  return positions * Num(2 * spec.num_hidden_layers * spec.num_key_value_heads * spec.head_dim * element_bytes);
}

}  // namespace galago::engine

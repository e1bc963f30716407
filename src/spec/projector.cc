#include <algorithm>
#include <charconv>
#include <cmath>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/spec/sections.h"

namespace galago::spec {
namespace {

int64_t GridOf(int64_t tokens) {
  auto grid = static_cast<int64_t>(std::sqrt(static_cast<double>(tokens)));
  while (grid * grid > tokens) --grid;
  while ((grid + 1) * (grid + 1) <= tokens) ++grid;
  return grid;
}

// The n of "mlp{n}x_gelu", or 0.
int64_t MlpDepth(std::string_view type) {
  if (!type.starts_with("mlp") || !type.ends_with("x_gelu")) return 0;
  const std::string_view digits = type.substr(3, type.size() - 3 - 6);
  int64_t depth = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), depth);
  if (error != std::errc() || end != digits.data() + digits.size()) return 0;
  return depth >= 1 && depth <= 64 ? depth : 0;
}

}  // namespace

int64_t SqueezeWidth(int64_t width) {
  const int64_t value = width / 4;
  int64_t rounded = std::max<int64_t>(8, (value + 4) / 8 * 8);
  if (10 * rounded < 9 * value) rounded += 8;
  return rounded;
}

int64_t ProjectorSpec::RowsOut(int64_t tokens) const {
  const int64_t grid = GridOf(tokens);
  if (const auto* down = std::get_if<DownsampleProjector>(&kind)) {
    const int64_t side = (grid + down->factor - 1) / down->factor;  // zero padding at the bottom and the right
    return side * side;
  }
  if (std::holds_alternative<LdpProjector>(kind)) {
    const int64_t side = (grid - 1) / 2 + 1;
    return side * side;
  }
  if (const auto* ldp = std::get_if<LdpV2Projector>(&kind)) return ldp->pool * ldp->pool;
  return tokens;
}

StatusOr<ProjectorSpec> ParseProjector(std::string_view type, int64_t mm_hidden_size, int64_t hidden_size, Era era,
                                       std::string_view what) {
  ProjectorSpec spec;
  spec.mm_projector_type = type;
  spec.mm_hidden_size = mm_hidden_size;
  spec.hidden_size = hidden_size;
  const int64_t m = mm_hidden_size;
  const int64_t h = hidden_size;
  // Era A's block lacks the last transpose; the "fix" types came with it (NVlabs/VILA: base_projector.py).
  const TokenOrder order = era == Era::kA ? TokenOrder::kColumnMajor : TokenOrder::kRowMajor;
  if (type == "identity") {
    if (m != h) {
      return DataLoss(StrCat(what, ": an identity projector takes ", m, " channels to a language model of ", h));
    }
    spec.kind = IdentityProjector{};
  } else if (type == "linear") {
    spec.kind = LinearProjector{};
  } else if (const int64_t depth = MlpDepth(type); depth > 0) {
    spec.kind = MlpProjector{.depth = depth};
  } else if (type == "mlp_downsample") {
    spec.kind = DownsampleProjector{.factor = 2, .widths = {h}, .order = order};
  } else if (type == "mlp_downsample_2x2_fix") {
    spec.kind = DownsampleProjector{.factor = 2, .widths = {h}};
  } else if (type == "mlp_downsample_3x3_fix") {
    spec.kind = DownsampleProjector{.factor = 3, .widths = {3 * m, h}};
  } else if (type == "mlp_downsample_3x3_s2") {
    spec.kind = DownsampleProjector{.factor = 3, .widths = {3 * m, m, m / 3, h}};
  } else if (type == "mlp_downsample_3x3_s2_new") {
    spec.kind = DownsampleProjector{.factor = 3, .widths = {4 * m, 2 * m, m, m / 3, h}};
  } else if (type.starts_with("ldpnetv2")) {  // before ldpnet, its prefix
    spec.kind = LdpV2Projector{};
  } else if (type.starts_with("ldpnet")) {
    spec.kind = LdpProjector{.squeeze = SqueezeWidth(h)};
  } else {
    return Unimplemented(StrCat(what, ": mm_projector_type \"", Printable(type), "\" is not supported"));
  }
  if (const auto* down = std::get_if<DownsampleProjector>(&spec.kind);
      down != nullptr && std::ranges::min(down->widths) < 1) {
    return DataLoss(StrCat(what, ": ", m, " input channels are too few for \"", Printable(type), "\""));
  }
  return spec;
}

Status CheckGrid(const ModelSpec& spec, std::string_view what) {
  CHECK(spec.vision && spec.projector);
  const auto& kind = spec.projector->kind;
  const bool flat = std::holds_alternative<IdentityProjector>(kind) || std::holds_alternative<LinearProjector>(kind) ||
                    std::holds_alternative<MlpProjector>(kind);
  if (flat && std::holds_alternative<std::monostate>(spec.scales)) return OkStatus();
  const int64_t tokens = spec.vision->num_selected();
  const int64_t grid = GridOf(tokens);
  if (grid * grid != tokens || grid != spec.vision->grid()) {
    return DataLoss(StrCat(what, ": projector \"", Printable(spec.projector->mm_projector_type), "\" needs the ",
                           spec.vision->grid(), " x ", spec.vision->grid(), " patches of the tower, ", tokens,
                           " features are selected"));
  }
  return OkStatus();
}

}  // namespace galago::spec

#include "src/quant/layer_search.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "src/ops/attention.h"
#include "src/ops/elementwise.h"
#include "src/ops/matmul.h"
#include "src/ops/parallel.h"
#include "src/ops/rope.h"
#include "src/ops/scratch.h"

namespace galago::quant {
namespace {

using ops::ConstView;
using ops::ExecContext;
using ops::View;

// The attention's heads of several sequences that lie one after the other, before the output matrix. x [sum of lengths,
// D] -> heads [same, N * H].
void Attend(const ExecContext& ctx, const nn::DecoderAttention& attention, std::span<const float> inv_freq,
            std::span<const int64_t> lengths, ConstView x, View heads) {
  const Arena::Scope scope(*ctx.arena);
  const int64_t kv_width = attention.kv_heads * attention.head_dim;
  const View k_TKH = ops::Scratch(ctx, x.rows, kv_width);
  const View v_TKH = ops::Scratch(ctx, x.rows, kv_width);
  attention.q.Apply(ctx, x, heads);
  attention.k.Apply(ctx, x, k_TKH);
  attention.v.Apply(ctx, x, v_TKH);
  int64_t first = 0;
  for (const int64_t rows : lengths) {
    const Arena::Scope sequence(*ctx.arena);
    const ops::RopeTable rope = ops::MakeRopeTable(ctx, inv_freq, 0, rows);
    const View q = heads.Rows(first, rows);
    ops::ApplyRope(ctx, rope, attention.rope_pairs, attention.heads, q);
    ops::ApplyRope(ctx, rope, attention.rope_pairs, attention.kv_heads, k_TKH.Rows(first, rows));
    const auto bytes = [](std::span<float> floats) { return reinterpret_cast<std::byte*>(floats.data()); };
    const ops::KvLayer kv = {.dtype = DType::kF32,
                             .k = bytes(ctx.arena->Floats(rows * kv_width)),
                             .v = bytes(ctx.arena->Floats(rows * kv_width)),
                             .capacity = rows,
                             .num_kv_heads = attention.kv_heads,
                             .head_dim = attention.head_dim};
    ops::AppendKv(ctx, k_TKH.Rows(first, rows), v_TKH.Rows(first, rows), 0, kv);
    ops::CausalAttention(ctx, q, kv, 0, attention.heads, 1.0 / std::sqrt(static_cast<double>(attention.head_dim)), q);
    first += rows;
  }
}

// What is between gate, up and down. x [T, D] -> hidden [T, F].
void GatedHidden(const ExecContext& ctx, const nn::GatedMlp& mlp, ConstView x, View hidden) {
  const Arena::Scope scope(*ctx.arena);
  const View up = ops::Scratch(ctx, x.rows, hidden.cols);
  mlp.gate.Apply(ctx, x, hidden);
  mlp.up.Apply(ctx, x, up);
  ops::ActivateMultiply(ctx, mlp.activation, hidden, up, hidden);
}

using OnInput = std::function<void(ScalePoint, ConstView)>;

// One sequence through the layer, h [T, D] in place; every matrix's input is shown on the way.
void RunSequence(const ExecContext& ctx, const nn::DecoderLayer& layer, std::span<const float> inv_freq, View h,
                 const OnInput& on_input) {
  const Arena::Scope scope(*ctx.arena);
  const View normed = ops::Scratch(ctx, h.rows, h.cols);
  const View heads = ops::Scratch(ctx, h.rows, layer.attention.q.out_features());
  const View hidden = ops::Scratch(ctx, h.rows, layer.mlp.gate.out_features());
  layer.input_norm.Apply(ctx, h, normed);
  on_input(ScalePoint::kAttention, normed);
  Attend(ctx, layer.attention, inv_freq, std::array{h.rows}, normed, heads);
  on_input(ScalePoint::kOut, heads);
  layer.attention.out.ApplyAndAdd(ctx, heads, h, {}, h);
  layer.post_attention_norm.Apply(ctx, h, normed);
  on_input(ScalePoint::kMlp, normed);
  GatedHidden(ctx, layer.mlp, normed, hidden);
  on_input(ScalePoint::kDown, hidden);
  layer.mlp.down.ApplyAndAdd(ctx, hidden, h, {}, h);
}

// Every stride-th row of what is shown, counted over all sequences.
class Samples {
 public:
  Samples(int64_t total, int64_t wanted) : stride_(std::max<int64_t>(1, total / wanted)) {}
  void Add(ConstView rows) {
    cols_ = rows.cols;
    for (int64_t i = 0; i < rows.rows; ++i, ++seen_) {
      if (seen_ % stride_ == 0) values_.insert(values_.end(), rows.row(i), rows.row(i) + rows.cols);
    }
  }
  ConstView view() const { return {values_, static_cast<int64_t>(values_.size()) / cols_, cols_}; }
  void DivideBy(std::span<const float> scales) {
    for (size_t i = 0; i < values_.size(); ++i) values_[i] /= scales[i % scales.size()];
  }

 private:
  int64_t stride_;
  int64_t seen_ = 0, cols_ = 1;
  std::vector<float> values_;
};

// What a pass over all sequences leaves of the inputs at one point.
struct Inputs {
  std::vector<double> magnitudes;  // sums of |x|, [K]
  std::optional<Samples> loss;     // rows to compare candidates on
  std::optional<Samples> clip;
};

struct Recorded {
  std::array<Inputs, 4> at;
  std::vector<int64_t> lengths;  // of the whole sequences in at[kAttention].loss
  int64_t tokens = 0;
  Inputs& operator[](ScalePoint point) { return at[static_cast<size_t>(point)]; }
};

void AddMagnitudes(const ExecContext& ctx, ConstView rows, std::vector<double>& sums) {
  sums.resize(static_cast<size_t>(rows.cols));
  ops::ParallelRanges(ctx, rows.cols, 64, [&](int64_t begin, int64_t end) {
    for (int64_t i = 0; i < rows.rows; ++i) {
      const float* row = rows.row(i);
      for (int64_t k = begin; k < end; ++k) sums[static_cast<size_t>(k)] += std::abs(double{row[k]});
    }
  });
}

// Attention looks back, so it is compared on whole sequences: enough of them for `tokens`, spread evenly.
std::vector<bool> ChooseSequences(const Sequences& sequences, int64_t total, int64_t tokens) {
  const auto count = static_cast<int64_t>(sequences.size());
  const int64_t wanted = std::clamp<int64_t>((tokens * count + total - 1) / total, 1, count);
  std::vector<bool> chosen(sequences.size());
  for (int64_t i = 0; i < wanted; ++i) chosen[static_cast<size_t>(i * count / wanted)] = true;
  return chosen;
}

Recorded Record(const ExecContext& ctx, const nn::DecoderLayer& layer, std::span<const float> inv_freq,
                const SearchOptions& options, Sequences& sequences) {
  Recorded recorded;
  for (const Tensor& sequence : sequences) recorded.tokens += sequence.shape()[0];
  const std::vector<bool> chosen = ChooseSequences(sequences, recorded.tokens, options.loss_tokens);
  for (Inputs& inputs : recorded.at) {
    inputs.loss.emplace(recorded.tokens, options.loss_tokens);
    inputs.clip.emplace(recorded.tokens, options.clip_tokens);
  }
  recorded[ScalePoint::kAttention].loss.emplace(1, 1);  // every row it is shown
  for (size_t i = 0; i < sequences.size(); ++i) {
    Tensor& sequence = sequences[i];
    if (chosen[i]) recorded.lengths.push_back(sequence.shape()[0]);
    RunSequence(ctx, layer, inv_freq, View(sequence.f32(), sequence.shape()[0], sequence.shape()[1]),
                [&](ScalePoint point, ConstView rows) {
                  Inputs& inputs = recorded[point];
                  AddMagnitudes(ctx, rows, inputs.magnitudes);
                  if (point != ScalePoint::kAttention || chosen[i]) inputs.loss->Add(rows);
                  if (options.clip) inputs.clip->Add(rows);
                });
  }
  return recorded;
}

std::vector<float> Candidate(std::span<const float> magnitudes, int index) {
  const float exponent = static_cast<float>(index) / static_cast<float>(kScaleCandidates);
  std::vector<float> scales(magnitudes.size());
  for (size_t k = 0; k < scales.size(); ++k) scales[k] = std::max(std::pow(magnitudes[k], exponent), 1e-4f);
  const auto [least, most] = std::ranges::minmax(scales);
  const float middle = std::sqrt(most * least);
  for (float& s : scales) s /= middle;
  return scales;
}

// out = Q(weight * scales) / scales
void FakeQuantize(const ExecContext& ctx, const Tensor& weight, std::span<const float> scales,
                  const SearchOptions& options, View out) {
  const auto cols = static_cast<size_t>(out.cols);
  const auto group = static_cast<size_t>(options.group);
  const std::span<const float> all = weight.f32();
  ops::ParallelForWithScratch(ctx, out.rows, out.cols, [&](int64_t n, float* scratch) {
    const std::span<float> scaled(scratch, cols);
    const std::span<const float> row = all.subspan(static_cast<size_t>(n) * cols, cols);
    const std::span<float> to(out.row(n), cols);
    for (size_t k = 0; k < cols; ++k) scaled[k] = row[k] * scales[k];
    for (size_t k = 0; k < cols; k += group) {
      FakeQuantizeGroup(scaled.subspan(k, group), options.arithmetic, to.subspan(k, group));
    }
    for (size_t k = 0; k < cols; ++k) to[k] /= scales[k];
  });
}

// Mean over all elements of (a - b)^2, or of a^2; the same bits for any number of threads.
double MeanSquare(const ExecContext& ctx, ConstView a, ConstView b) {
  std::vector<double> rows(static_cast<size_t>(a.rows));
  ops::ParallelRanges(ctx, a.rows, ops::RowGrain(a.cols), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      double sum = 0;
      for (int64_t j = 0; j < a.cols; ++j) {
        const float difference = b ? a.row(i)[j] - b.row(i)[j] : a.row(i)[j];
        sum += double{difference} * double{difference};
      }
      rows[static_cast<size_t>(i)] = sum;
    }
  });
  double sum = 0;
  for (const double row : rows) sum += row;
  return sum / static_cast<double>(a.rows * a.cols);
}

// Error of a layer group's outputs when its matrices are rounded with these scales.
class PointLoss {
 public:
  PointLoss(const ExecContext& ctx, const FloatLayer& layer, std::span<const float> inv_freq,
            const SearchOptions& options, ScalePoint point, ConstView x, std::span<const int64_t> lengths)
      : ctx_(ctx),
        layer_(layer),
        inv_freq_(inv_freq),
        options_(options),
        point_(point),
        x_(x),
        lengths_(lengths),
        scope_(*ctx.arena) {
    const nn::DecoderLayer view = layer.View();
    width_ = point == ScalePoint::kAttention || point == ScalePoint::kOut ? view.attention.out.out_features()
                                                                          : view.mlp.down.out_features();
    if (is_module()) {
      reference_ = ops::Scratch(ctx, x.rows, width_);
      Run(view, reference_);
    }
  }

  double operator()(std::span<const float> scales) const {
    const Arena::Scope scope(*ctx_.arena);
    const View out = ops::Scratch(ctx_, x_.rows, width_);
    nn::DecoderLayer view = layer_.View();
    for (const Matrix matrix : MatricesAt(point_)) {
      const Tensor& weight = layer_.weight(matrix);
      const View rounded = ops::Scratch(ctx_, weight.shape()[0], weight.shape()[1]);
      FakeQuantize(ctx_, weight, scales, options_, rounded);
      if (!is_module()) {  // a single product: the outputs differ by the input times the weights' difference
        const std::span<float> difference = rounded.span();
        const std::span<const float> exact = weight.f32();
        for (size_t i = 0; i < exact.size(); ++i) difference[i] -= exact[i];
      }
      const TensorView rounded_view = {DType::kF32, weight.shape(), reinterpret_cast<const std::byte*>(rounded.data)};
      if (!is_module()) {
        ops::MatMul(ctx_, x_, rounded_view, out);
        return MeanSquare(ctx_, out, {});
      }
      Replace(view, matrix, rounded_view);
    }
    Run(view, out);
    return MeanSquare(ctx_, out, reference_);
  }

 private:
  bool is_module() const { return point_ == ScalePoint::kAttention || point_ == ScalePoint::kMlp; }

  static void Replace(nn::DecoderLayer& view, Matrix matrix, const TensorView& weight) {
    switch (matrix) {
      case Matrix::kQ:
        view.attention.q.weight = weight;
        break;
      case Matrix::kK:
        view.attention.k.weight = weight;
        break;
      case Matrix::kV:
        view.attention.v.weight = weight;
        break;
      case Matrix::kGate:
        view.mlp.gate.weight = weight;
        break;
      case Matrix::kUp:
        view.mlp.up.weight = weight;
        break;
      case Matrix::kOut:
      case Matrix::kDown:
        CHECK(false);
    }
  }

  // The inspected module.
  void Run(const nn::DecoderLayer& view, View out) const {
    const Arena::Scope scope(*ctx_.arena);
    if (point_ == ScalePoint::kAttention) {
      const View heads = ops::Scratch(ctx_, x_.rows, view.attention.q.out_features());
      Attend(ctx_, view.attention, inv_freq_, lengths_, x_, heads);
      view.attention.out.Apply(ctx_, heads, out);
      return;
    }
    const View hidden = ops::Scratch(ctx_, x_.rows, view.mlp.gate.out_features());
    GatedHidden(ctx_, view.mlp, x_, hidden);
    view.mlp.down.Apply(ctx_, hidden, out);
  }

  const ExecContext& ctx_;
  const FloatLayer& layer_;
  std::span<const float> inv_freq_;
  const SearchOptions& options_;
  ScalePoint point_;
  ConstView x_;
  std::span<const int64_t> lengths_;
  Arena::Scope scope_;
  int64_t width_ = 0;
  View reference_;
};

}  // namespace

Status RunLayer(const ExecContext& ctx, const nn::DecoderLayer& layer, std::span<const float> inv_freq,
                Sequences& sequences) {
  for (Tensor& sequence : sequences) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    RunSequence(ctx, layer, inv_freq, View(sequence.f32(), sequence.shape()[0], sequence.shape()[1]),
                [](ScalePoint, ConstView) {});
  }
  return OkStatus();
}

StatusOr<LayerSearch> SearchLayer(const ExecContext& ctx, const FloatLayer& layer, std::span<const float> inv_freq,
                                  const SearchOptions& options, Sequences& sequences) {
  CHECK(!sequences.empty());
  Recorded recorded = Record(ctx, layer.View(), inv_freq, options, sequences);
  LayerSearch search;
  for (const ScalePoint point : kScalePoints) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    Inputs& inputs = recorded[point];
    std::vector<float> magnitudes(inputs.magnitudes.size());
    for (size_t k = 0; k < magnitudes.size(); ++k) {
      magnitudes[k] = static_cast<float>(inputs.magnitudes[k] / static_cast<double>(recorded.tokens));
      if (!std::isfinite(magnitudes[k])) {
        return DataLoss(StrCat("the input of ", Name(MatricesAt(point)[0]), " is ", magnitudes[k], " at channel ", k,
                               " on average over the calibration"));
      }
    }
    if (!layer.CanScale(point)) continue;
    ScaleChoice& choice = search.scales[static_cast<size_t>(point)];
    choice.loss = std::numeric_limits<double>::infinity();
    const PointLoss loss(ctx, layer, inv_freq, options, point, inputs.loss->view(), recorded.lengths);
    for (int i = 0; i < kScaleCandidates; ++i) {
      RETURN_IF_ERROR(ctx.CheckCancel());
      std::vector<float> scales = Candidate(magnitudes, i);
      const double error = loss(scales);
      if (i == 0) choice.rounding_loss = error;
      if (error < choice.loss) {
        choice.loss = error;
        choice.candidate = i;
        choice.scales = std::move(scales);
      }
    }
    if (choice.scales.empty()) {
      return DataLoss(StrCat("the outputs of ", Name(point), " are not finite over the calibration"));
    }
  }
  if (!options.clip) return search;

  ASSIGN_OR_RETURN(FloatLayer scaled, FloatLayer::CopyOf(layer.View()));
  Apply(search, options.group, scaled);
  for (const Matrix matrix : kMatrices) {
    if (matrix == Matrix::kQ || matrix == Matrix::kK) continue;
    RETURN_IF_ERROR(ctx.CheckCancel());
    const auto point = static_cast<size_t>(PointOf(matrix));
    Samples x = *recorded.at[point].clip;
    if (!search.scales[point].scales.empty()) x.DivideBy(search.scales[point].scales);
    search.limits[static_cast<size_t>(matrix)] = SearchLimits(ctx, scaled.weight(matrix), x.view(), options);
  }
  return search;
}

void Apply(const LayerSearch& search, int64_t group, FloatLayer& layer) {
  for (const ScalePoint point : kScalePoints) {
    const ScaleChoice& choice = search.scales[static_cast<size_t>(point)];
    if (!choice.scales.empty()) layer.Scale(point, choice.scales);
  }
  for (const Matrix matrix : kMatrices) {
    const std::vector<float>& limits = search.limits[static_cast<size_t>(matrix)];
    if (!limits.empty()) layer.Clip(matrix, limits, group);
  }
}

// The error of a row's group is d C d, d the group's difference and C = x' x / T over the group's columns: the mean
// over the tokens of (x d)^2, at a cost that does not grow with them.
std::vector<float> SearchLimits(const ExecContext& ctx, const Tensor& weight, ConstView x,
                                const SearchOptions& options) {
  constexpr int64_t kRowsAtOnce = 128;
  const int64_t rows = weight.shape()[0], cols = weight.shape()[1], group = options.group;
  const int64_t groups = cols / group;
  CHECK_EQ(x.cols, cols);
  const auto size = static_cast<size_t>(group);
  const std::span<const float> values = weight.f32();
  std::vector<float> limits(static_cast<size_t>(rows * groups));
  const Arena::Scope scope(*ctx.arena);
  const View columns = ops::Scratch(ctx, group, x.rows);
  const View covariance = ops::Scratch(ctx, group, group);
  const View differences = ops::Scratch(ctx, kRowsAtOnce * kClipCandidates, group);
  const View products = ops::Scratch(ctx, kRowsAtOnce * kClipCandidates, group);
  const auto as_weight = [](View view) {
    return TensorView{DType::kF32, {view.rows, view.cols}, reinterpret_cast<const std::byte*>(view.data)};
  };
  for (int64_t g = 0; g < groups; ++g) {
    for (int64_t t = 0; t < x.rows; ++t) {
      for (int64_t k = 0; k < group; ++k) columns.row(k)[t] = x.row(t)[g * group + k];
    }
    ops::MatMul(ctx, columns, as_weight(columns), covariance);
    for (float& c : covariance.span()) c /= static_cast<float>(x.rows);
    for (int64_t n0 = 0; n0 < rows; n0 += kRowsAtOnce) {
      const int64_t count = std::min(kRowsAtOnce, rows - n0);
      const auto group_of = [&](int64_t i) {
        return values.subspan(static_cast<size_t>((n0 + i) * cols + g * group), size);
      };
      const auto limit = [](float largest, int64_t candidate) {
        return largest * (1.0f - static_cast<float>(candidate) / 20.0f);
      };
      const auto largest_of = [](std::span<const float> w) {
        float largest = 0;
        for (const float v : w) largest = std::max(largest, std::abs(v));
        return largest;
      };
      ops::ParallelForWithScratch(ctx, count, group, [&](int64_t i, float* scratch) {
        const std::span<const float> w = group_of(i);
        const std::span<float> clamped(scratch, size);
        const float largest = largest_of(w);
        for (int64_t c = 0; c < kClipCandidates; ++c) {
          const float most = limit(largest, c);
          for (size_t k = 0; k < size; ++k) clamped[k] = std::clamp(w[k], -most, most);
          const std::span<float> difference(differences.row(i * kClipCandidates + c), size);
          FakeQuantizeGroup(clamped, options.arithmetic, difference);
          for (size_t k = 0; k < size; ++k) difference[k] -= w[k];
        }
      });
      const int64_t tried = count * kClipCandidates;
      ops::MatMul(ctx, differences.Rows(0, tried), as_weight(covariance), products.Rows(0, tried));
      for (int64_t i = 0; i < count; ++i) {
        float best = std::numeric_limits<float>::infinity();
        int64_t chosen = 0;
        for (int64_t c = 0; c < kClipCandidates; ++c) {
          const float* difference = differences.row(i * kClipCandidates + c);
          const float* product = products.row(i * kClipCandidates + c);
          float error = 0;
          for (int64_t k = 0; k < group; ++k) error += difference[k] * product[k];
          if (error < best) {
            best = error;
            chosen = c;
          }
        }
        limits[static_cast<size_t>((n0 + i) * groups + g)] = limit(largest_of(group_of(i)), chosen);
      }
    }
  }
  return limits;
}

}  // namespace galago::quant

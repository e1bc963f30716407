#include "src/quant/model_layers.h"

#include <array>
#include <span>
#include <utility>

#include "src/base/check.h"
#include "src/base/hash.h"
#include "src/base/strings.h"
#include "src/quant/search_file.h"
#include "src/tensor/convert.h"
#include "src/tensor/panels.h"

namespace galago::quant {
namespace {

// Names of a part's tensors by where their elements lie: the blocks that borrow them know no names.
class Names {
 public:
  explicit Names(const models::Weights& weights) {
    for (const auto& [name, view] : weights.used()) by_data_.emplace(view.data, name);
  }
  const std::string& Of(const void* data) const {
    const auto it = by_data_.find(static_cast<const std::byte*>(data));
    CHECK(it != by_data_.end());
    return it->second;
  }
  const std::string& Of(const TensorView& view) const { return Of(view.data); }
  const std::string& Of(std::span<const float> values) const { return Of(values.data()); }

 private:
  std::map<const std::byte*, std::string> by_data_;
};

const nn::Linear& LinearOf(const nn::DecoderLayer& layer, Matrix matrix) {
  const std::array<const nn::Linear*, 7> linears = {&layer.attention.q,   &layer.attention.k, &layer.attention.v,
                                                    &layer.attention.out, &layer.mlp.gate,    &layer.mlp.up,
                                                    &layer.mlp.down};
  return *linears[static_cast<size_t>(matrix)];
}

Tensor Vector(std::span<const float> values) {
  Tensor tensor = Tensor::F32({static_cast<int64_t>(values.size())});
  std::ranges::copy(values, tensor.f32().begin());
  return tensor;
}

StatusOr<Tensor> Panels4(const ops::ExecContext& ctx, const Tensor& weight, int64_t group, Arithmetic arithmetic,
                         std::string_view what) {
  const int64_t rows = weight.shape()[0], cols = weight.shape()[1];
  ASSIGN_OR_RETURN(const GroupedWeights rounded, Round4(*ctx.pool, weight.f32(), rows, cols, group, arithmetic, what));
  const std::optional<DType> dtype = PanelDType(4, group);
  CHECK(dtype.has_value());
  Tensor panels(*dtype, {rows, cols});
  PackPanels(*dtype, rounded, {panels.data(), panels.num_bytes()});
  return panels;
}

Tensor PackSigned(const ops::ExecContext& ctx, const Tensor& weight, DType dtype, int64_t group) {
  const int64_t rows = weight.shape()[0], cols = weight.shape()[1];
  const int bits = PanelBits(PanelTypeOf(dtype));
  const GroupedWeights8 rounded = RoundSigned(*ctx.pool, weight.f32(), rows, cols, group, bits);
  Tensor panels(dtype, {rows, cols});
  PackPanels(dtype, rounded, {panels.data(), panels.num_bytes()});
  return panels;
}

StatusOr<Tensor> SignedPanels(const ops::ExecContext& ctx, const Tensor& weight, int bits, std::string_view what) {
  const int64_t cols = weight.shape()[1];
  for (const int64_t group : {128, 32, 16}) {
    if (cols % group == 0) return PackSigned(ctx, weight, PanelDType(bits, group).value(), group);
  }
  return InvalidArgument(StrCat(what, " has ", cols, " inputs, which groups of 128, 32 and 16 do not divide"));
}

uint64_t Add(uint64_t sum, std::span<const float> values) {
  return sum * 1099511628211u + Checksum64(std::as_bytes(values));
}

uint64_t AddWeights(uint64_t sum, FloatLayer& layer) {
  for (const Matrix matrix : kMatrices) {
    sum = Add(Add(sum, layer.weight(matrix).f32()), layer.bias(matrix));
  }
  return Add(Add(sum, layer.input_norm()), layer.post_attention_norm());
}

// What searches depend on but for the weights: the calibration and the options.
std::string SearchKey(const models::LanguageModel& model, const Sequences& sequences, const SearchOptions& options) {
  uint64_t sum = 0;
  for (const Tensor& sequence : sequences) {
    sum = sum * 1099511628211u + Checksum64({sequence.data(), sequence.num_bytes()});
  }
  return StrCat("1 ", model.spec().num_hidden_layers, " ", model.spec().hidden_size, " ", options.group, " ",
                options.loss_tokens, " ", options.clip_tokens, " ", static_cast<int>(options.arithmetic), " ",
                options.clip ? 1 : 0, " ", sequences.size(), " ", sum);
}

}  // namespace

Status Replacements::Put(const std::string& name, const Tensor& tensor) {
  TensorView view = tensor.view();
  ASSIGN_OR_RETURN(const std::span<const std::byte> kept, file_.Append({view.data, view.NumBytes()}));
  view.data = kept.data();
  tensors_[name] = view;
  return OkStatus();
}

const TensorView* Replacements::Find(std::string_view name) const {
  const auto it = tensors_.find(name);
  return it == tensors_.end() ? nullptr : &it->second;
}

Status CheckDecoderGroups(const models::LanguageModel& model, const models::Weights& weights, int64_t group) {
  const Names names(weights);
  for (const Matrix matrix : kMatrices) {
    const TensorView& weight = LinearOf(model.layers()[0], matrix).weight;
    RETURN_IF_ERROR(CheckGroup(weight.shape[1], group, names.Of(weight)));
  }
  return OkStatus();
}

StatusOr<DecoderResult> QuantizeDecoder(const ops::ExecContext& ctx, const models::LanguageModel& model,
                                        const models::Weights& weights, Sequences sequences,
                                        const DecoderOptions& options, Replacements& result) {
  const Names names(weights);
  const auto total = static_cast<int64_t>(model.layers().size());
  const int64_t group = options.search.group;
  const bool searched = options.bits == 4 && !sequences.empty();
  const std::string shared_key = searched ? SearchKey(model, sequences, options.search) : std::string();
  uint64_t weights_so_far = 0;  // of this layer and of those its inputs came through
  DecoderResult report;
  for (int64_t i = 0; i < total; ++i) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    if (options.on_layer) options.on_layer(i, total);
    const nn::DecoderLayer& layer = model.layers()[static_cast<size_t>(i)];
    auto copied = FloatLayer::CopyOf(layer);
    if (!copied.ok()) return Annotate(copied.status(), StrCat("layer ", i));
    FloatLayer copy = *std::move(copied);
    if (searched) {
      weights_so_far = AddWeights(weights_so_far, copy);
      const std::string key = StrCat(shared_key, " ", weights_so_far);
      std::optional<LayerSearch> search;
      if (!options.directory.empty()) {
        ASSIGN_OR_RETURN(search, LoadSearch(options.directory, i, key, copy, group));
      }
      if (search) {
        ++report.resumed;
        RETURN_IF_ERROR(RunLayer(ctx, copy.View(), model.inverse_frequencies(), sequences));
      } else {
        auto found = SearchLayer(ctx, copy, model.inverse_frequencies(), options.search, sequences);
        if (!found.ok()) return Annotate(found.status(), StrCat("layer ", i));
        search = *std::move(found);
        if (!options.directory.empty()) RETURN_IF_ERROR(SaveSearch(options.directory, i, key, *search));
      }
      Apply(*search, group, copy);
      search->limits = {};
      report.searches.push_back(*std::move(search));
      RETURN_IF_ERROR(result.Put(names.Of(layer.input_norm.weight), Vector(copy.input_norm())));
      RETURN_IF_ERROR(result.Put(names.Of(layer.post_attention_norm.weight), Vector(copy.post_attention_norm())));
      if (!copy.bias(Matrix::kV).empty()) {
        RETURN_IF_ERROR(result.Put(names.Of(layer.attention.v.bias), Vector(copy.bias(Matrix::kV))));
      }
    }
    for (const Matrix matrix : kMatrices) {
      const std::string& name = names.Of(LinearOf(layer, matrix).weight);
      const Tensor& weight = copy.weight(matrix);
      ASSIGN_OR_RETURN(const Tensor panels, options.bits == 4
                                                ? Panels4(ctx, weight, group, options.search.arithmetic, name)
                                                : SignedPanels(ctx, weight, options.bits, name));
      RETURN_IF_ERROR(result.Put(name, panels));
    }
  }
  if (options.on_layer) options.on_layer(total, total);
  return report;
}

Status QuantizeHead(const ops::ExecContext& ctx, const models::LanguageModel& model, const models::Weights& weights,
                    int bits, int64_t group, Replacements& result) {
  const Names names(weights);
  const std::string& name = names.Of(model.head());
  const Tensor weight = Converted(model.head(), DType::kF32);
  if (bits == 4) RETURN_IF_ERROR(CheckGroup(weight.shape()[1], group, name));
  ASSIGN_OR_RETURN(const Tensor panels, bits == 4 ? Panels4(ctx, weight, group, Arithmetic::kF16Scales, name)
                                                  : SignedPanels(ctx, weight, bits, name));
  return result.Put(name, panels);
}

Status QuantizeTower(const ops::ExecContext& ctx, const models::VisionEncoder& tower, const models::Weights& weights,
                     const TowerMaxima& maxima, double alpha, const OnLayer& on_layer, Replacements& result) {
  const Names names(weights);
  const auto total = static_cast<int64_t>(tower.layers().size());
  // The matrices behind one norm, smoothed if there are maxima, then rounded.
  const auto behind = [&](const nn::Norm& norm, std::span<const nn::Linear* const> linears,
                          std::span<const float> most) -> Status {
    std::vector<Tensor> copies;
    for (const nn::Linear* linear : linears) {
      copies.push_back(Converted(linear->weight, DType::kF32));
    }
    if (!most.empty()) {
      std::vector<const Tensor*> matrices;
      for (const Tensor& copy : copies) matrices.push_back(&copy);
      const std::vector<float> scales = SmoothingScales(most, matrices, alpha);
      std::vector<float> weight(norm.weight.begin(), norm.weight.end());
      std::vector<float> bias(norm.bias.begin(), norm.bias.end());
      DivideNorm(scales, weight, bias);
      for (Tensor& copy : copies) MultiplyColumns(scales, copy);
      RETURN_IF_ERROR(result.Put(names.Of(norm.weight), Vector(weight)));
      if (!bias.empty()) RETURN_IF_ERROR(result.Put(names.Of(norm.bias), Vector(bias)));
    }
    for (size_t i = 0; i < copies.size(); ++i) {
      const Tensor panels = PackSigned(ctx, copies[i], DType::kW8Row, copies[i].shape()[1]);
      RETURN_IF_ERROR(result.Put(names.Of(linears[i]->weight), panels));
    }
    return OkStatus();
  };
  const auto alone = [&](const nn::Linear& linear) -> Status {
    const Tensor copy = Converted(linear.weight, DType::kF32);
    return result.Put(names.Of(linear.weight), PackSigned(ctx, copy, DType::kW8Row, linear.in_features()));
  };
  for (int64_t i = 0; i < total; ++i) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    if (on_layer) on_layer(i, total);
    const auto index = static_cast<size_t>(i);
    const nn::EncoderLayer& layer = tower.layers()[index];
    const auto maximum = [&](const std::vector<std::vector<float>>& all) {
      return maxima.empty() ? std::span<const float>() : std::span<const float>(all[index]);
    };
    const nn::EncoderAttention& attention = layer.attention;
    const std::vector<const nn::Linear*> inputs = attention.fused
                                                      ? std::vector<const nn::Linear*>{&attention.qkv}
                                                      : std::vector{&attention.q, &attention.k, &attention.v};
    RETURN_IF_ERROR(behind(layer.norm1, inputs, maximum(maxima.attention)));
    RETURN_IF_ERROR(alone(attention.out));
    const std::array<const nn::Linear*, 1> fc1 = {&layer.mlp.fc1};
    RETURN_IF_ERROR(behind(layer.norm2, fc1, maximum(maxima.mlp)));
    RETURN_IF_ERROR(alone(layer.mlp.fc2));
  }
  if (on_layer) on_layer(total, total);
  return OkStatus();
}

}  // namespace galago::quant

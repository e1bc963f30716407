#include "train/modules/vlm.h"

#include <ATen/ATen.h>

#include <algorithm>
#include <cmath>
#include <optional>

#include "src/base/strings.h"
#include "train/modules/blocks.h"
#include "train/modules/decoder.h"
#include "train/modules/media_rows.h"
#include "train/modules/projector.h"
#include "train/modules/vision_tower.h"
#include "train/modules/weights.h"

namespace galago::train {
namespace {

torch::ScalarType TypeOf(Precision precision) { return precision == Precision::kBf16 ? at::kBFloat16 : at::kFloat; }

// Rows that something is asked of, ascending, and what: rows[of[i]] is to say targets[i] of part parts[i].
struct LabelRows {
  std::vector<int64_t> rows;
  std::vector<int64_t> of;
  std::vector<int32_t> targets;
  std::vector<int32_t> parts;

  void Add(int64_t row, int32_t target, int32_t part = 0) {
    if (rows.empty() || rows.back() != row) rows.push_back(row);
    of.push_back(std::ssize(rows) - 1);
    targets.push_back(target);
    parts.push_back(part);
  }
};

// Rows of media that carry labels of their own.
LabelRows OwnLabelRowsOf(const Packed& batch) {
  LabelRows result;
  for (const RowLabel& label : batch.row_labels) result.Add(label.row, label.target, label.part);
  return result;
}

// Those that are of whole cells, and the rows whose next row carries a label.
LabelRows LabelRowsOf(const Packed& batch) {
  LabelRows result;
  auto own = batch.row_labels.begin();
  for (size_t i = 0; i < batch.labels.size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    for (; own != batch.row_labels.end() && own->row == row; ++own) {
      if (own->part == 0) result.Add(row, own->target);
    }
    if (i + 1 < batch.labels.size() && batch.labels[i + 1] != kIgnore) result.Add(row, batch.labels[i + 1]);
  }
  CHECK(own == batch.row_labels.end());
  return result;
}

Tensor ToTensor(const std::vector<int64_t>& values) {
  const Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions(at::kLong));
  std::ranges::copy(values, tensor.data_ptr<int64_t>());
  return tensor;
}

// [rows, D] as [targets, D].
Tensor PerTarget(const Tensor& rows, const LabelRows& labels) {
  return labels.rows.size() == labels.of.size() ? rows : at::index_select(rows, 0, ToTensor(labels.of));
}

// Each row turned by its target's part: row t is x[t] with its entries moved on by parts[t] / (kCellParts + 1) of their
// number, cyclically. Vectors of different parts so lie side by side in one row, each read off by the same head
// (circular shift as the bond of a role: T. Plate, Holographic Reduced Representations, 1995).
Tensor TurnedByPart(const Tensor& x, const std::vector<int32_t>& parts) {
  if (std::ranges::all_of(parts, [](int32_t part) { return part == 0; })) return x;
  const int64_t width = x.size(1);
  std::vector<int64_t> shifts;
  for (const int32_t part : parts) shifts.push_back(part * width / (kCellParts + 1));
  const Tensor from = at::arange(width, at::TensorOptions(at::kLong)).unsqueeze(0) - ToTensor(shifts).unsqueeze(1);
  return at::gather(x, 1, from.remainder(width));
}

CrossEntropyOptions TermsOf(const LossOptions& options) {
  CrossEntropyOptions terms = {.divisor = options.divisor};
  if (options.soft_ce_std > 0.0 && !options.time_token_ids.empty()) {
    const auto count = static_cast<int64_t>(options.time_token_ids.size());
    CHECK_EQ(options.time_token_ids.back() - options.time_token_ids.front(), count - 1);
    terms.soft_std = options.soft_ce_std;
    terms.time_first = static_cast<int32_t>(options.time_token_ids.front());
    terms.time_count = static_cast<int32_t>(count);
  }
  return terms;
}

class SpecVlm : public Vlm {
 public:
  static StatusOr<std::unique_ptr<Vlm>> Make(const spec::ModelSpec& spec, ParameterList list) {
    auto model = std::make_unique<SpecVlm>(spec);
    if (spec.vision) {
      ASSIGN_OR_RETURN(model->tower_, VisionTower::Make(*spec.vision, list));
      ASSIGN_OR_RETURN(model->projector_, Projector::Make(*spec.projector, list));
    }
    ASSIGN_OR_RETURN(model->decoder_, Decoder::Make(spec.language, list));
    RETURN_IF_ERROR(list.TakeRest());
    model->parameters_ = std::move(list.parameters);
    model->unused_ = std::move(list.unused);
    model->SetOptions({});
    return model;
  }

  explicit SpecVlm(const spec::ModelSpec& spec) : spec_(spec) {}

  const spec::ModelSpec& spec() const override { return spec_; }
  std::vector<Parameter>& parameters() override { return parameters_; }
  const std::vector<Parameter>& unused() const override { return unused_; }

  void WeightsChanged() override {
    if (tower_) tower_->Forget();
    if (projector_) projector_->Forget();
    decoder_.Forget();
  }

  void SetOptions(const RunOptions& options) override {
    options_ = options;
    for (Parameter& parameter : parameters_) {
      const bool trained = Trained(parameter);
      parameter.value.requires_grad_(trained);
      if (!trained) parameter.value.mutable_grad() = Tensor();
    }
  }

  void SetFraming(std::vector<int32_t> start, std::vector<int32_t> end, std::vector<int32_t> sep) override {
    framing_ = {std::move(start), std::move(end), std::move(sep)};
  }

  Status AddLora(const LoraOptions& options) override {
    if (has_lora_) return InvalidArgument("the model has adapters already");
    if (options.rank < 1) return InvalidArgument(StrCat("an adapter of rank ", options.rank));
    has_lora_ = true;
    at::Generator generator = at::detail::createCPUGenerator(options.seed);
    for (DecoderLayer& layer : decoder_.layers()) {
      for (Linear* linear : {&layer.qkv, &layer.out, &layer.gate_up, &layer.down}) {
        for (const Tensor& weight : linear->weights()) {
          AddLoraTo(*linear, weight, options, generator);
        }
      }
    }
    SetOptions(options_);
    return OkStatus();
  }

  void MergeLora() override {
    const torch::NoGradGuard no_graph;
    for (DecoderLayer& layer : decoder_.layers()) {
      for (Linear* linear : {&layer.qkv, &layer.out, &layer.gate_up, &layer.down}) {
        for (size_t i = 0; i < linear->lora().size(); ++i) {
          const Lora& lora = linear->lora()[i];
          linear->weights()[i].detach().add_(at::mm(lora.up, lora.down), lora.scale);
        }
        linear->lora().clear();
      }
    }
    std::erase_if(parameters_, [](const Parameter& parameter) { return parameter.is_lora; });
    has_lora_ = false;
    SetOptions(options_);
    WeightsChanged();
  }

  Tensor Hidden(const Packed& batch) override { return Decode(Embed(batch), batch, Tensor()); }

  Tensor Loss(const Packed& batch, const LossOptions& options) override {
    const LabelRows labels = LabelRowsOf(batch);
    if (labels.rows.empty()) {
      return at::zeros({}, at::TensorOptions(at::kFloat)).requires_grad_(torch::GradMode::is_enabled());
    }
    const Tensor embeddings = Embed(batch);
    const Tensor hidden = PerTarget(Decode(embeddings, batch, ToTensor(labels.rows)), labels);
    const Tensor loss = LinearCrossEntropy(hidden, decoder_.head(), labels.targets, TermsOf(options));
    if (options.row_input_weight == 0.0 || batch.row_labels.empty()) return loss;
    const LabelRows own = OwnLabelRowsOf(batch);
    const Tensor rows =
        decoder_.FinalNorm(at::index_select(embeddings, 0, ToTensor(own.rows)), TypeOf(options_.precision));
    const CrossEntropyOptions terms = {.divisor = options.divisor};
    return loss +
           LinearCrossEntropy(TurnedByPart(PerTarget(rows, own), own.parts), decoder_.head(), own.targets, terms) *
               options.row_input_weight;
  }

  Tensor RowLosses(const Packed& batch, const LossOptions& options) override {
    const torch::NoGradGuard no_graph;
    const LabelRows labels = LabelRowsOf(batch);
    Tensor losses = at::zeros({static_cast<int64_t>(batch.ids.size())}, at::TensorOptions(at::kFloat));
    if (labels.rows.empty()) return losses;
    const Tensor rows = ToTensor(labels.rows);
    const Tensor hidden = PerTarget(Decode(Embed(batch), batch, rows), labels);
    const Tensor terms = CrossEntropies(hidden, decoder_.head(), labels.targets, TermsOf(options));
    return losses.index_add_(0, at::index_select(rows, 0, ToTensor(labels.of)), terms);
  }

  Tensor Logits(const Packed& batch) override {
    const torch::NoGradGuard no_graph;
    const Tensor hidden = Hidden(batch);
    return Product(hidden, decoder_.head().operand(hidden.scalar_type()).t()).to(at::kFloat);
  }

 private:
  bool Trained(const Parameter& parameter) const {
    switch (parameter.part) {
      case Part::kVision:
        return options_.train_vision && (options_.tune_vision == Tune::kAll || parameter.is_norm);
      case Part::kProjector:
        return options_.train_projector;
      case Part::kLanguage:
        return options_.train_language && parameter.is_lora == has_lora_;
    }
    CHECK(false);
  }

  void AddLoraTo(Linear& linear, const Tensor& weight, const LoraOptions& options, at::Generator& generator) {
    const auto base =
        std::ranges::find_if(parameters_, [&](const Parameter& parameter) { return parameter.value.is_same(weight); });
    CHECK(base != parameters_.end());
    // PEFT's names: "base_model.model." in front of the module's, "lora_A.weight" in place of "weight".
    const size_t folder = base->name.find('/') == std::string::npos ? 0 : base->name.find('/') + 1;
    const size_t module = base->name.rfind("weight");
    const std::string stem =
        StrCat(base->name.substr(0, folder), "base_model.model.", base->name.substr(folder, module - folder));
    const double bound = 1.0 / std::sqrt(static_cast<double>(weight.size(1)));  // kaiming_uniform_(a = sqrt(5))
    const at::TensorOptions floats(at::kFloat);
    const Tensor down = at::empty({options.rank, weight.size(1)}, floats).uniform_(-bound, bound, generator);
    const Tensor up = at::zeros({weight.size(0), options.rank}, floats);
    linear.lora().push_back({.down = down, .up = up, .scale = options.alpha / static_cast<double>(options.rank)});
    parameters_.push_back({.name = stem + "lora_A.weight", .part = Part::kLanguage, .value = down, .is_lora = true});
    parameters_.push_back({.name = stem + "lora_B.weight", .part = Part::kLanguage, .value = up, .is_lora = true});
  }

  // Input embeddings [N, D] f32 of text and media.
  Tensor Embed(const Packed& batch) const {
    MediaRows media;
    if (!batch.media.empty()) {
      CHECK(tower_ && projector_);
      media = EncodeMedia(spec_, *tower_, *projector_, batch.media, framing_,
                          {.type = TypeOf(options_.precision),
                           .recompute = options_.recompute_vision,
                           .train_vision = options_.train_vision,
                           .train_projector = options_.train_projector});
    }
    std::vector<int32_t> sources(batch.ids.begin(), batch.ids.end());
    for (const MediaSpan& span : batch.spans) {
      const std::vector<int32_t>& from = media.sources.at(static_cast<size_t>(span.media));
      CHECK(span.first_row >= 0 && span.first_row + span.count <= static_cast<int64_t>(from.size()));
      CHECK(span.at >= 0 && span.at + span.count <= static_cast<int64_t>(sources.size()));
      for (int64_t i = 0; i < span.count; ++i) {
        CHECK_EQ(sources[static_cast<size_t>(span.at + i)], kMediaRow);
        sources[static_cast<size_t>(span.at + i)] = from[static_cast<size_t>(span.first_row + i)];
      }
    }
    if (media.rows.defined()) media.rows = media.rows.contiguous();
    return FuseRows(decoder_.table(), media.rows, sources);
  }

  // Rows after the final norm. `keep` as in Decoder::Options.
  Tensor Decode(const Tensor& embeddings, const Packed& batch, const Tensor& keep) const {
    return decoder_(embeddings, decoder_.Plan(batch.cu_seqlens, batch.positions),
                    {.type = TypeOf(options_.precision), .recompute = options_.recompute_language, .keep = keep});
  }

  spec::ModelSpec spec_;
  std::vector<Parameter> parameters_;
  std::vector<Parameter> unused_;
  std::optional<VisionTower> tower_;
  std::optional<Projector> projector_;
  Decoder decoder_;
  RunOptions options_;
  Framing framing_;
  bool has_lora_ = false;
};

}  // namespace

std::string_view Name(Part part) {
  switch (part) {
    case Part::kVision:
      return "vision";
    case Part::kProjector:
      return "projector";
    case Part::kLanguage:
      return "language";
  }
  CHECK(false);
}

StatusOr<std::unique_ptr<Vlm>> Vlm::Init(const spec::ModelSpec& spec, uint64_t seed) {
  if (spec.layout == spec::Layout::kGguf) return Unimplemented("models in GGUF cannot be trained");
  return SpecVlm::Make(spec, ParameterList(spec, seed));
}

StatusOr<std::unique_ptr<Vlm>> Vlm::Load(const spec::ModelSpec& spec) {
  ASSIGN_OR_RETURN(ParameterList list, ParameterList::Open(spec));
  return SpecVlm::Make(spec, std::move(list));
}

}  // namespace galago::train

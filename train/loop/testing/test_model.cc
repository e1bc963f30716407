#include "train/loop/testing/test_model.h"

#include <algorithm>

#include "src/base/check.h"
#include "train/modules/torch.h"
#include "train/world/rng.h"

namespace galago::train {
namespace {

class TestModel : public Vlm {
 public:
  TestModel(int64_t vocab, int64_t width, uint64_t seed) {
    torch::manual_seed(seed);
    const auto add = [&](const char* name, Part part, torch::Tensor value, bool norm = false) {
      parameters_.push_back({.name = name, .part = part, .value = value, .decays = !norm, .is_norm = norm});
    };
    add("vision_tower/embed.weight", Part::kVision, torch::randn({vocab, width}) * 0.1);
    add("vision_tower/norm.weight", Part::kVision, torch::ones({width}), true);
    add("mm_projector/fc.weight", Part::kProjector, torch::randn({width, width}) * 0.1);
    add("mm_projector/fc.bias", Part::kProjector, torch::zeros({width}), true);
    parameters_[2].is_hidden = true;
    add("llm/head.weight", Part::kLanguage, torch::randn({vocab, width}) * 0.1);
  }
  const spec::ModelSpec& spec() const override { return spec_; }
  std::vector<Parameter>& parameters() override { return parameters_; }
  void WeightsChanged() override {}
  const std::vector<Parameter>& unused() const override { return unused_; }
  void SetOptions(const RunOptions& options) override {
    for (Parameter& parameter : parameters_) {
      const bool trained = parameter.part == Part::kVision      ? options.train_vision
                           : parameter.part == Part::kProjector ? options.train_projector
                                                                : options.train_language;
      parameter.value.set_requires_grad(trained);
    }
  }
  Status AddLora(const LoraOptions&) override { return Unimplemented("the test model has no adapters"); }
  void MergeLora() override {}
  torch::Tensor RowLosses(const Packed& batch, const LossOptions&) override {
    return torch::zeros({static_cast<int64_t>(batch.ids.size())});
  }
  void SetFraming(std::vector<int32_t>, std::vector<int32_t>, std::vector<int32_t>) override {}
  torch::Tensor Hidden(const Packed& batch) override {
    std::vector<int64_t> ids(batch.ids.begin(), batch.ids.end());
    const torch::Tensor index = torch::tensor(ids);
    const torch::Tensor x = parameters_[0].value.index_select(0, index) * parameters_[1].value;
    return x + torch::tanh(torch::matmul(x, parameters_[2].value.t()) + parameters_[3].value);
  }
  torch::Tensor Loss(const Packed& batch, const LossOptions& options) override {
    const torch::Tensor log_p = torch::log_softmax(torch::matmul(Hidden(batch), parameters_[4].value.t()), -1);
    std::vector<int64_t> rows, targets;
    for (size_t i = 0; i + 1 < batch.labels.size(); ++i) {
      if (batch.labels[i + 1] == kIgnore) continue;
      rows.push_back(static_cast<int64_t>(i));
      targets.push_back(batch.labels[i + 1]);
    }
    return -log_p.index({torch::tensor(rows), torch::tensor(targets)}).sum() / options.divisor;
  }
  torch::Tensor Logits(const Packed& batch) override {
    const torch::NoGradGuard no_grad;
    return torch::matmul(Hidden(batch), parameters_[4].value.t());
  }

 private:
  spec::ModelSpec spec_;
  std::vector<Parameter> parameters_, unused_;
};

class TestStream : public BatchStream {
 public:
  TestStream(int64_t vocab, const StageConfig& stage, int64_t first_step, int rank, int num_ranks)
      : vocab_(vocab), stage_(stage), rank_(rank), num_ranks_(num_ranks), step_(first_step) {}
  int64_t steps_per_epoch() const override { return 10; }
  StatusOr<Packed> Next() override {
    const int64_t accumulation = stage_.Accumulation(num_ranks_);
    const int64_t number = (step_ * num_ranks_ + rank_) * accumulation + in_step_;
    if (++in_step_ == accumulation) {
      in_step_ = 0;
      ++step_;
    }
    std::vector<Sequence> sequences;
    for (int64_t b = 0; b < stage_.micro_batch; ++b) {
      world::Rng rng(world::MixSeed(7, "test", static_cast<uint64_t>(number * stage_.micro_batch + b)));
      TokenRun run;
      int64_t token = rng.Int(0, vocab_ - 1);
      const int64_t length = rng.Int(2, 40);
      for (int64_t i = 0; i < length; ++i) {
        run.ids.push_back(static_cast<int32_t>(token));
        run.labels.push_back(static_cast<int32_t>(token));
        token = (3 * token + 1) % vocab_;
      }
      Sequence sequence;
      sequence.pieces.emplace_back(std::move(run));
      sequence.source = "test:" + std::to_string(number * stage_.micro_batch + b);
      sequences.push_back(std::move(sequence));
    }
    return Pack(sequences, stage_.max_length);
  }

 private:
  const int64_t vocab_;
  const StageConfig stage_;
  const int rank_;
  const int num_ranks_;
  int64_t step_;
  int64_t in_step_ = 0;
};

}  // namespace

std::unique_ptr<Vlm> MakeTestModel(int64_t vocab, int64_t width, uint64_t seed) {
  return std::make_unique<TestModel>(vocab, width, seed);
}

std::unique_ptr<BatchStream> MakeTestStream(int64_t vocab, const StageConfig& stage, int64_t first_step, int rank,
                                            int num_ranks) {
  return std::make_unique<TestStream>(vocab, stage, first_step, rank, num_ranks);
}

StageConfig TestStage(std::string name) {
  StageConfig stage;
  stage.name = std::move(name);
  stage.tune_vision = stage.tune_projector = stage.tune_llm = true;
  stage.lr = 1e-2;
  stage.global_batch = 8;
  stage.micro_batch = 2;
  stage.steps = 20;
  stage.max_length = 64;
  stage.mixture = "test";
  stage.precision = ComputePrecision::kF32;
  stage.max_grad_norm = 1.0;
  return stage;
}

}  // namespace galago::train

#include "train/loop/stage_loop.h"

#include <algorithm>
#include <cmath>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/loop/guard.h"
#include "train/loop/schedule.h"
#include "train/modules/torch.h"
#include "train/modules/torch_setup.h"

namespace galago::train {
namespace {

using Clock = std::chrono::steady_clock;

// Of free memory: often enough that what is kept stays within some hundred megabytes.
constexpr int64_t kStepsBetweenReturns = 32;

double SecondsSince(Clock::time_point begin) { return std::chrono::duration<double>(Clock::now() - begin).count(); }

double PeakRate(const StageConfig& stage, Part part) {
  if (part == Part::kVision) return stage.lr_vision.value_or(stage.lr);
  if (part == Part::kProjector) return stage.lr_projector.value_or(stage.lr);
  return stage.lr;
}

std::span<float> FloatsOf(torch::Tensor& tensor) {
  CHECK(tensor.scalar_type() == torch::kFloat32 && tensor.is_contiguous());
  return {tensor.data_ptr<float>(), static_cast<size_t>(tensor.numel())};
}

// Reproducible noise (dropout) that needs no state of its own: a generator is seeded afresh for each step.
uint64_t StepSeed(int64_t seed, int64_t global_step, int rank) {
  uint64_t x = static_cast<uint64_t>(seed) * 0x9E3779B97F4A7C15u + static_cast<uint64_t>(global_step) * 2654435761u +
               static_cast<uint64_t>(rank);
  x ^= x >> 31;
  x *= 0xBF58476D1CE4E5B9u;
  return x ^ (x >> 29);
}

}  // namespace

int64_t NumSteps(const StageConfig& stage, int64_t steps_per_epoch) {
  if (stage.steps > 0) return stage.steps;
  return static_cast<int64_t>(std::ceil(stage.epochs * static_cast<double>(steps_per_epoch)));
}

LossOptions LossOf(const StageConfig& stage, const TokenFacts& tokens) {
  LossOptions options = {.soft_ce_std = stage.soft_ce_std, .row_input_weight = stage.row_input_weight};
  if (stage.soft_ce_std > 0.0) options.time_token_ids = tokens.time_token_ids;
  return options;
}

std::vector<SavedValues> ValuesOf(std::vector<Parameter>& parameters) {
  std::vector<SavedValues> values;
  for (Parameter& parameter : parameters) {
    values.push_back({parameter.name, parameter.value.sizes().vec(), FloatsOf(parameter.value)});
  }
  return values;
}

void SetTrainedParts(Vlm& model, const StageConfig& stage) {
  model.SetOptions({.precision = stage.precision == ComputePrecision::kBf16 ? Precision::kBf16 : Precision::kF32,
                    .recompute_vision = stage.recompute_vision,
                    .recompute_language = stage.recompute_llm,
                    .train_vision = stage.tune_vision,
                    .train_projector = stage.tune_projector,
                    .train_language = stage.tune_llm,
                    .tune_vision = stage.vision_norms_only ? Tune::kNorms : Tune::kAll});
}

std::vector<TrainedValues> TrainedOf(std::vector<Parameter>& parameters, const StageConfig& stage) {
  std::vector<TrainedValues> trained;
  for (Parameter& parameter : parameters) {
    if (!parameter.value.requires_grad()) continue;
    trained.push_back({parameter.name, FloatsOf(parameter.value), PeakRate(stage, parameter.part),
                       parameter.decays ? stage.weight_decay : 0.0,
                       stage.optimizer == OptimizerKind::kMuon && parameter.is_hidden ? parameter.value.size(0) : 0});
  }
  return trained;
}

// What a rank sees in one optimiser step.
struct StageLoop::Window {
  std::vector<Packed> batches;
  double wait_s = 0.0;
  int64_t samples = 0, tokens = 0, labels = 0;
};

StatusOr<StageLoop::Window> StageLoop::TakeWindow(BatchStream& stream) const {
  Window window;
  const Clock::time_point begin = Clock::now();
  for (int64_t a = 0; a < stage_.Accumulation(around_.ranks.size()); ++a) {
    ASSIGN_OR_RETURN(Packed batch, stream.Next());
    window.samples += static_cast<int64_t>(batch.cu_seqlens.size()) - (batch.cu_seqlens.empty() ? 0 : 1);
    window.tokens += static_cast<int64_t>(batch.ids.size());
    window.labels += batch.num_labels;
    window.batches.push_back(std::move(batch));
  }
  window.wait_s = SecondsSince(begin);
  return window;
}

// Adds the gradients of all micro-batches; returns this rank's share of the loss.
StatusOr<double> StageLoop::ForwardBackward(const Window& window, int64_t labels_of_step) const {
  const auto num_batches = static_cast<double>(stage_.Accumulation(around_.ranks.size()) * around_.ranks.size());
  double total = 0.0;
  for (const Packed& batch : window.batches) {
    if (batch.num_labels == 0) continue;
    LossOptions options = LossOf(stage_, tokens_);
    options.divisor = stage_.loss_norm == LossNorm::kTokenGlobal ? static_cast<double>(labels_of_step)
                                                                 : static_cast<double>(batch.num_labels) * num_batches;
    const StatusOr<double> loss = Guarded("training step", [&]() -> StatusOr<double> {
      const torch::Tensor value = model_.Loss(batch, options);
      value.backward();
      return value.item<double>();
    });
    RETURN_IF_ERROR(loss.status());
    total += *loss;
  }
  return total;
}

// Autograd adds to the tensors it finds, which lie in the optimiser's row; where it put one of its own instead, that
// one is copied there.
Status StageLoop::CollectGradients(ShardedOptimizer& optimizer) const {
  size_t i = 0;
  for (Parameter& parameter : model_.parameters()) {
    if (!parameter.value.requires_grad()) {
      if (parameter.value.grad().defined()) {
        return Internal(StrCat(parameter.name, " is frozen and has a gradient"));
      }
      continue;
    }
    const std::span<float> place = optimizer.gradient(i++);
    const torch::Tensor gradient = parameter.value.grad();
    if (gradient.defined() && gradient.data_ptr() == static_cast<void*>(place.data())) continue;
    torch::Tensor row = torch::from_blob(place.data(), parameter.value.sizes(), torch::kFloat32);
    if (gradient.defined()) row.copy_(gradient);
    parameter.value.mutable_grad() = row;
  }
  return OkStatus();
}

StatusOr<Stopped> StageLoop::Run(BatchStream& stream, int64_t num_steps, Checkpoints& checkpoints,
                                 const FoundCheckpoint* resume_from, LoopState& state) {
  if (state.step >= num_steps) return Stopped::kNo;  // trained before, and then its export failed
  Ranks& ranks = around_.ranks;
  std::vector<Parameter>& parameters = model_.parameters();
  for (Parameter& parameter : parameters) parameter.value.mutable_grad() = torch::Tensor();
  SetTrainedParts(model_, stage_);
  model_.WeightsChanged();
  KeepFreeMemory();
  const ShardedOptimizer::Options options = {
      .adam = {.beta1 = stage_.adam_beta1, .beta2 = stage_.adam_beta2, .epsilon = stage_.adam_epsilon},
      .muon = {.momentum = stage_.muon_momentum}};
  ShardedOptimizer optimizer(TrainedOf(parameters, stage_), options, ranks, around_.pool);
  if (resume_from != nullptr) RETURN_IF_ERROR(checkpoints.LoadOptimizer(*resume_from, optimizer));
  RETURN_IF_ERROR(CollectGradients(optimizer));  // puts every gradient in its place
  const std::vector<SavedValues> values = ValuesOf(parameters);
  const Schedule schedule = {.num_steps = num_steps,
                             .warmup_ratio = stage_.warmup_ratio,
                             .decay_ratio = stage_.decay_ratio,
                             .min_lr_ratio = stage_.min_lr_ratio};
  double save_s = 0.0;
  const auto save = [&] {
    const Clock::time_point begin = Clock::now();
    const Status saved = checkpoints.Save(state, values, &optimizer);
    save_s = SecondsSince(begin);
    return saved;
  };

  double last_step_s = 0.0;
  while (state.step < num_steps) {
    const Clock::time_point begin = Clock::now();
    StatusOr<Window> taken = TakeWindow(stream);
    const Window empty;
    const Window& window = taken.ok() ? *taken : empty;
    // The reasons to stop are summed with the counts, so that all ranks stop at the same step.
    const bool late =
        around_.time_limit_s > 0.0 && SecondsSince(around_.start) + 2.0 * (last_step_s + save_s) > around_.time_limit_s;
    const Stopped asked = around_.stop.load();
    int64_t sums[] = {window.labels,
                      window.samples,
                      window.tokens,
                      taken.ok() ? 0 : 1,
                      asked == Stopped::kInterrupt ? 1 : 0,
                      asked == Stopped::kTerminate ? 1 : 0,
                      late ? 1 : 0};
    RETURN_IF_ERROR(ranks.AllReduceSum(std::span<int64_t>(sums)));
    if (!taken.ok()) return taken.status();
    if (sums[3] > 0) return Unavailable("another rank has no data to go on with: see its message");
    if (sums[4] + sums[5] + sums[6] > 0) {
      RETURN_IF_ERROR(save());
      return sums[5] > 0 ? Stopped::kTerminate : sums[4] > 0 ? Stopped::kInterrupt : Stopped::kTimeLimit;
    }

    const double factor = schedule.Factor(state.step);
    const int64_t operations = ProductOperations();
    double loss = 0.0, norm = 0.0, flops = 0.0;
    if (sums[0] > 0) {
      torch::manual_seed(StepSeed(state.seed, state.global_step, ranks.rank()));
      ASSIGN_OR_RETURN(loss, ForwardBackward(window, sums[0]));
      RETURN_IF_ERROR(CollectGradients(optimizer));
      ASSIGN_OR_RETURN(const double squares, optimizer.ReduceGradients());
      double shared[] = {loss, squares, static_cast<double>(ProductOperations() - operations)};
      RETURN_IF_ERROR(ranks.AllReduceSum(std::span<double>(shared)));
      loss = shared[0];
      norm = std::sqrt(shared[1]);
      flops = shared[2];
      if (!std::isfinite(loss) || !std::isfinite(norm)) {
        std::string sources;
        for (const Packed& batch : window.batches) {
          for (const std::string& source : batch.sources) {
            if (sources.size() < 500) sources += StrCat(sources.empty() ? "" : ", ", source);
          }
        }
        return FailedPrecondition(StrCat("stage ", stage_.name, ", step ", state.step + 1, ": loss ", loss,
                                         ", gradient norm ", norm, "; the step's samples: ", sources,
                                         "; a smaller lr or max_grad_norm may help"));
      }
      const double scale =
          stage_.max_grad_norm > 0.0 && norm > stage_.max_grad_norm ? stage_.max_grad_norm / norm : 1.0;
      RETURN_IF_ERROR(Guarded("optimiser step", [&] { return optimizer.Step(factor, scale); }));
      model_.WeightsChanged();
    }
    ++state.step;
    ++state.global_step;
    if (state.step % kStepsBetweenReturns == 0) ReturnFreeMemory();
    state.samples += sums[1];
    last_step_s = SecondsSince(begin);
    state.elapsed_s += last_step_s;
    if (around_.on_step && ranks.rank() == 0) {
      StepMetrics metrics = {.stage = stage_.name,
                             .step = state.step,
                             .global_step = state.global_step,
                             .num_steps = num_steps,
                             .loss = loss,
                             .lr = factor * stage_.lr,
                             .grad_norm = norm,
                             .samples = sums[1],
                             .tokens = sums[2],
                             .labels = sums[0],
                             .flops = flops,
                             .step_s = last_step_s,
                             .wait_s = window.wait_s,
                             .memory_bytes = ResidentBytes(),
                             .elapsed_s = state.elapsed_s};
      around_.on_step(metrics);
    }
    if (stage_.save_every > 0 && state.step % stage_.save_every == 0 && state.step < num_steps) {
      RETURN_IF_ERROR(save());
    }
  }
  for (Parameter& parameter : parameters) parameter.value.mutable_grad() = torch::Tensor();
  return Stopped::kNo;
}

}  // namespace galago::train

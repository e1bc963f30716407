#include "train/loop/plan.h"

#include <algorithm>
#include <chrono>
#include <cstdio>

#include "src/base/strings.h"
#include "train/loop/guard.h"
#include "train/modules/torch.h"

namespace galago::train {
namespace {

constexpr int kMicroBatches = 2;  // looked at; the first one also warms up and is not timed

double SecondsSince(std::chrono::steady_clock::time_point begin) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

std::string Count(double count) {
  char text[32];
  if (count >= 1e4 && count < 1e6) {
    std::snprintf(text, sizeof(text), "%.1f k", count / 1e3);
  } else if (count >= 1e9) {
    std::snprintf(text, sizeof(text), "%.2f G", count / 1e9);
  } else if (count >= 1e6) {
    std::snprintf(text, sizeof(text), "%.2f M", count / 1e6);
  } else {
    std::snprintf(text, sizeof(text), "%.0f", count);
  }
  return text;
}

StatusOr<StagePlan> PlanStage(const StageConfig& stage, RunParts& parts, Ranks& ranks) {
  StagePlan plan;
  plan.name = stage.name;
  ASSIGN_OR_RETURN(const std::unique_ptr<BatchStream> stream, parts.make_stream(stage, 0));
  plan.num_steps = NumSteps(stage, stream->steps_per_epoch());
  plan.samples = plan.num_steps * stage.global_batch;
  SetTrainedParts(parts.model, stage);
  int64_t moments = 0;
  for (const TrainedValues& trained : TrainedOf(parts.model.parameters(), stage)) {
    const auto count = static_cast<int64_t>(trained.values.size());
    plan.trained += count;
    moments += (trained.muon_rows > 0 ? 1 : 2) * count;
  }
  plan.state_bytes = 4.0 * static_cast<double>(plan.trained) + 4.0 * static_cast<double>(moments) / ranks.size();
  int64_t rows = 0, labels = 0;
  for (int i = 0; i < kMicroBatches; ++i) {
    ASSIGN_OR_RETURN(const Packed batch, stream->Next());
    rows += static_cast<int64_t>(batch.ids.size());
    labels += batch.num_labels;
    const auto begin = std::chrono::steady_clock::now();
    RETURN_IF_ERROR(Guarded("first micro-batch", [&]() -> Status {
      LossOptions options = LossOf(stage, parts.tokens);
      options.divisor = static_cast<double>(std::max<int64_t>(1, batch.num_labels));
      if (batch.num_labels > 0) parts.model.Loss(batch, options).backward();
      return OkStatus();
    }));
    plan.micro_batch_s = SecondsSince(begin);
    plan.peak_bytes = std::max(plan.peak_bytes, ResidentBytes());
    for (Parameter& parameter : parts.model.parameters()) parameter.value.mutable_grad() = torch::Tensor();
  }
  const double micro_batches = static_cast<double>(plan.num_steps) * static_cast<double>(stage.global_batch) /
                               static_cast<double>(stage.micro_batch);
  plan.tokens = static_cast<double>(rows) / kMicroBatches * micro_batches;
  plan.labels = static_cast<double>(labels) / kMicroBatches * micro_batches;
  plan.seconds = plan.micro_batch_s * micro_batches / ranks.size();
  return plan;
}

}  // namespace

StatusOr<RunPlan> MakePlan(const Recipe& recipe, RunParts& parts, Ranks& ranks) {
  RunPlan plan;
  for (const Parameter& parameter : parts.model.parameters()) {
    int64_t& count = parameter.part == Part::kVision      ? plan.vision
                     : parameter.part == Part::kProjector ? plan.projector
                                                          : plan.language;
    count += parameter.value.numel();
  }
  for (const StageConfig& stage : recipe.stages) {
    ASSIGN_OR_RETURN(StagePlan stage_plan, PlanStage(stage, parts, ranks));
    plan.stages.push_back(std::move(stage_plan));
  }
  return plan;
}

std::string PlanText(const RunPlan& plan) {
  std::string text =
      StrCat("parameters: vision ", Count(static_cast<double>(plan.vision)), ", projector ",
             Count(static_cast<double>(plan.projector)), ", language ", Count(static_cast<double>(plan.language)),
             "; together ", Count(static_cast<double>(plan.vision + plan.projector + plan.language)), "\n\n");
  char line[256];
  std::snprintf(line, sizeof(line), "%-16s %8s %10s %10s %10s %10s %11s %11s %10s\n", "stage", "steps", "trained",
                "samples", "tokens", "labels", "state/rank", "memory", "time");
  text += line;
  double seconds = 0.0;
  for (const StagePlan& stage : plan.stages) {
    std::snprintf(line, sizeof(line), "%-16s %8lld %10s %10s %10s %10s %11s %11s %10s\n", stage.name.c_str(),
                  static_cast<long long>(stage.num_steps), Count(static_cast<double>(stage.trained)).c_str(),
                  Count(static_cast<double>(stage.samples)).c_str(), Count(stage.tokens).c_str(),
                  Count(stage.labels).c_str(), HumanBytes(static_cast<uint64_t>(stage.state_bytes)).c_str(),
                  HumanBytes(stage.peak_bytes + static_cast<uint64_t>(stage.state_bytes)).c_str(),
                  ClockText(stage.seconds).c_str());
    text += line;
    seconds += stage.seconds;
  }
  text +=
      StrCat("\ntime in all: ", ClockText(seconds),
             "  (tokens, memory and time follow from the first micro-batches of each stage on this machine, without "
             "the optimiser's own; of several ranks with Muon some hold more state than others)\n");
  return text;
}

}  // namespace galago::train

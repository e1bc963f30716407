#include "apps/cli/memory_check.h"

#include <bit>
#include <optional>

#include "src/base/strings.h"

namespace galago::cli {
namespace {

// Below this a picture and a question hardly fit.
constexpr int64_t kSmallestContext = 512;

// The largest power of two of context that fits with this precision, and its plan.
std::optional<MemoryPlan> LargestFit(const MemoryPlan& plan, Precision precision, const PlanFor& plan_for) {
  for (auto ctx = static_cast<int64_t>(std::bit_floor(static_cast<uint64_t>(plan.ctx_size - 1)));
       ctx >= kSmallestContext; ctx /= 2) {
    const StatusOr<MemoryPlan> smaller = plan_for(precision, ctx);
    if (!smaller.ok()) return std::nullopt;
    if (smaller->total <= plan.available) return *smaller;
  }
  return std::nullopt;
}

std::string Saving(const MemoryPlan& plan, const MemoryPlan& smaller, std::string_view flags) {
  return StrCat(flags, " saves ", HumanBytes(plan.total - smaller.total), " (", HumanBytes(smaller.total), " in all)");
}

}  // namespace

std::string MemoryLine(const MemoryPlan& plan) {
  return StrCat("memory: ", HumanBytes(plan.weights), " weights + ", HumanBytes(plan.kv_cache), " KV cache (",
                plan.ctx_size, " tokens) + ", HumanBytes(plan.vision_workspace), " vision + ",
                HumanBytes(plan.activations), " activations = ", HumanBytes(plan.total), " of ",
                HumanBytes(plan.available), " available");
}

Status CheckMemory(const MemoryPlan& plan, Precision precision, const PlanFor& plan_for) {
  if (plan.total <= plan.available) return OkStatus();
  std::string remedies;
  const auto add = [&](const std::string& remedy) { remedies += StrCat(remedies.empty() ? "" : ", or ", remedy); };
  if (const auto fit = plan.ctx_size > 1 ? LargestFit(plan, precision, plan_for) : std::nullopt) {
    add(Saving(plan, *fit, StrCat("--ctx-size ", fit->ctx_size)));
  }
  if (precision == Precision::kF32) {
    const StatusOr<MemoryPlan> half = plan_for(Precision::kBf16, plan.ctx_size);
    if (half.ok() && half->total <= plan.available) {
      add(Saving(plan, *half, "--precision bf16"));
    } else if (const auto fit = plan.ctx_size > 1 ? LargestFit(plan, Precision::kBf16, plan_for) : std::nullopt) {
      add(Saving(plan, *fit, StrCat("--precision bf16 --ctx-size ", fit->ctx_size)));
    }
  }
  if (remedies.empty()) {
    const StatusOr<MemoryPlan> least = plan_for(Precision::kBf16, kSmallestContext);
    remedies = "no context is small enough";
    if (least.ok()) {
      remedies = StrCat("even --ctx-size ", kSmallestContext, " needs ", HumanBytes(least->total));
    }
  }
  return ResourceExhausted(StrCat("the model needs ", HumanBytes(plan.total), " at --ctx-size ", plan.ctx_size, ", ",
                                  HumanBytes(plan.available), " are available: ", remedies,
                                  "; --memory-limit SIZE overrides the measure, --force loads anyway"));
}

}  // namespace galago::cli

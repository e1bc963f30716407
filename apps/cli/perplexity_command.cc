#include <fmt/format.h>

#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "src/base/file.h"
#include "src/base/strings.h"

// `galago eval perplexity FILE` (docs/evaluation.md).
namespace galago::cli {
namespace {

constexpr size_t kMaxText = size_t{64} << 20;

Json ResultJson(const std::string& file, const EngineModel& model, const PerplexityResult& result) {
  Json json = {{"schema", "galago.perplexity/1"},
               {"model", model.name()},
               {"file", file},
               {"window", result.window},
               {"windows", result.windows},
               {"perplexity", result.perplexity},
               {"loss_standard_error", result.standard_error}};
  if (result.agreement) {
    json["reference_perplexity"] = *result.reference_perplexity;
    json["kl_divergence"] = result.agreement->kl_divergence;
    json["top1_agreement"] = result.agreement->top1;
  }
  return json;
}

std::string ResultText(const PerplexityResult& result) {
  std::string text = fmt::format("perplexity {:.4f} ({} windows of {} tokens, standard error of the loss {:.4f})\n",
                                 result.perplexity, result.windows, result.window, result.standard_error);
  if (result.agreement) {
    text += fmt::format("reference {:.4f}: {:+.2f} %; KL divergence {:.5f}, same likeliest token {:.2f} %\n",
                        *result.reference_perplexity, 100 * (result.perplexity / *result.reference_perplexity - 1),
                        result.agreement->kl_divergence, 100 * result.agreement->top1);
  }
  return text;
}

}  // namespace

Exit PerplexityCommand(World& world, const Options& options) {
  const bool json = options.eval.json == "-";
  if (options.arguments.size() != 2) {
    return Fail(world, json, Stage::kUsage, InvalidArgument("which text? galago eval perplexity FILE"));
  }
  const std::string& file = options.arguments[1];
  const StatusOr<std::string> text = ReadFile(file, kMaxText);
  if (!text.ok()) return Fail(world, json, Stage::kInput, text.status());

  Failure failure;
  const auto open = [&](const Options& of) -> std::unique_ptr<EngineModel> {
    std::unique_ptr<EngineModel> model = OpenModel(world, of, failure);
    if (model == nullptr) return nullptr;
    const StatusOr<LoadReport> loaded = model->LoadWeights(&world.stop.cancel());
    if (loaded.ok()) return model;
    failure = {Stage::kModel, loaded.status()};
    return nullptr;
  };
  const std::unique_ptr<EngineModel> model = open(options);
  if (model == nullptr) return Fail(world, json, failure.stage, failure.status);
  std::unique_ptr<EngineModel> against;
  if (!options.eval.against.empty()) {
    Options reference = options;
    reference.model = options.eval.against;
    reference.model_options.adapter.clear();  // what it changed is what is asked
    against = open(reference);
    if (against == nullptr) return Fail(world, json, failure.stage, failure.status);
  }
  PerplexityOptions measure = {.window = options.eval.window,
                               .max_windows = options.eval.windows,
                               .threads = options.session.threads,
                               .isa = options.session.isa,
                               .cancel = &world.stop.cancel()};
  measure.on_window = [&](int64_t done, int64_t total) { world.log.Debug(StrCat("window ", done, " of ", total)); };
  StatusOr<PerplexityResult> result = Unavailable("");
  {
    const Busy busy(world.busy);
    result = model->Perplexity(against.get(), *text, measure);
  }
  if (!result.ok()) {
    const Exit exit = Fail(world, json, Stage::kInput, result.status());
    return result.status().code() == StatusCode::kCancelled ? ExitOfStop(world.stop.cause()) : exit;
  }
  return Deliver(world, json ? StrCat(Dump(ResultJson(file, *model, *result)), "\n") : ResultText(*result));
}

}  // namespace galago::cli

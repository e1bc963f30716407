#include <chrono>

#include "apps/cli/commands.h"
#include "apps/cli/memory_check.h"
#include "apps/cli/model_ref.h"
#include "apps/cli/progress.h"
#include "apps/cli/values.h"
#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::cli {
namespace {

constexpr size_t kMaxPromptBytes = size_t{16} << 20;

Status CheckUtf8(std::string_view text, std::string_view what) {
  for (size_t at = 0; at < text.size();) {
    const size_t length = Utf8Length(text.substr(at));
    if (length == 0) return DataLoss(StrCat(what, " is not UTF-8 at byte ", at));
    at += length;
  }
  return OkStatus();
}

}  // namespace

std::optional<std::string> LocateModel(World& world, const std::string& reference, Failure& failure) {
  StatusOr<std::string> path = ResolveModel(reference, world.surroundings.env);
  if (path.ok()) return *std::move(path);
  failure.stage = reference.empty() ? Stage::kUsage : IsHubReference(reference) ? Stage::kHub : Stage::kModel;
  failure.status = path.status();
  return std::nullopt;
}

std::unique_ptr<EngineModel> OpenModel(World& world, const Options& options, Failure& failure) {
  if (!options.bench.shape.empty()) {
    failure.stage = Stage::kUsage;
    StatusOr<std::unique_ptr<EngineModel>> model =
        world.engine.OpenShape(options.bench.shape, options.bench.random, options.model_options);
    if (!model.ok()) {
      failure.status = model.status();
      return nullptr;
    }
    return std::move(model).value();
  }
  const std::optional<std::string> path = LocateModel(world, options.model, failure);
  if (!path) return nullptr;
  failure.stage = Stage::kModel;
  StatusOr<std::unique_ptr<EngineModel>> model = world.engine.Open(*path, options.model_options);
  if (!model.ok()) {
    failure.status = model.status();
    return nullptr;
  }
  return std::move(model).value();
}

std::unique_ptr<Loaded> Load(World& world, const Options& options, Weights weights, Failure& failure) {
  auto loaded = std::make_unique<Loaded>();
  loaded->model = OpenModel(world, options, failure);
  if (loaded->model == nullptr) return nullptr;
  const auto plan_for = [&](Precision precision, int64_t ctx_size) -> StatusOr<MemoryPlan> {
    MemoryPlan plan;
    if (precision == options.model_options.precision) {
      plan = loaded->model->PlanMemory(ctx_size);
    } else {
      Options other = options;
      other.model_options.precision = precision;
      Failure why;
      const std::unique_ptr<EngineModel> model = OpenModel(world, other, why);
      if (model == nullptr) return why.status;
      plan = model->PlanMemory(ctx_size);
    }
    if (options.memory_limit != 0) plan.available = options.memory_limit;
    return plan;
  };
  const auto fail = [&](const Status& status) {
    failure.status = status;
    return nullptr;
  };
  const int64_t max_context = loaded->model->max_context();
  if (options.session.ctx_size > max_context) {
    return fail(InvalidArgument(StrCat("--ctx-size: ", options.session.ctx_size, " is more than the model's limit of ",
                                       max_context, " tokens")));
  }
  loaded->memory = plan_for(options.model_options.precision, options.session.ctx_size).value();
  if (weights == Weights::kLoad) {
    world.log.Info(MemoryLine(loaded->memory));
    const Status fits = CheckMemory(loaded->memory, options.model_options.precision, plan_for);
    if (!fits.ok() && !options.force) return fail(fits);
    const LoadProgress progress(world.log, ResolveProgress(options.progress, world.err_is_terminal, options.log_level),
                                loaded->model->name(), loaded->memory.weights);
    StatusOr<LoadReport> report = loaded->model->LoadWeights(&world.stop.cancel());
    if (!report.ok()) return fail(report.status());
    loaded->report = *std::move(report);
  }
  for (const std::string& note : loaded->report.notes) world.log.Info(note);
  StatusOr<std::unique_ptr<EngineSession>> session = loaded->model->CreateSession(options.session);
  if (!session.ok()) return fail(session.status());
  loaded->session = std::move(session).value();
  world.log.Debug(StrCat("kernels ", loaded->session->isa(), ", ", loaded->session->threads(), " threads, context ",
                         loaded->session->ctx_size(), " tokens"));
  return loaded;
}

StatusOr<std::string> ReadPrompt(World& world, const Options& options) {
  if (!options.prompt)
    return InvalidArgument("there is no question: use --prompt TEXT, --file FILE, or --file - to read standard input");
  std::string text = options.prompt->value;
  if (options.prompt->is_file) {
    const std::string file = text;
    ASSIGN_OR_RETURN(text, file == "-" ? world.read_stdin(kMaxPromptBytes) : ReadFile(file, kMaxPromptBytes));
    // The line end that editors put at the end of a file is not part of the question.
    if (text.ends_with('\n')) text.pop_back();
    if (text.ends_with('\r')) text.pop_back();
  }
  RETURN_IF_ERROR(CheckUtf8(text, "the prompt"));
  return text;
}

StatusOr<std::string> ReadSystem(const Options& options) {
  if (!options.system) return std::string();
  std::string text = *options.system;
  if (text.starts_with('@')) {
    ASSIGN_OR_RETURN(text, ReadFile(text.substr(1), kMaxPromptBytes));
    if (text.ends_with('\n')) text.pop_back();
  }
  RETURN_IF_ERROR(CheckUtf8(text, "the system message"));
  return text;
}

StatusOr<std::vector<Part>> MediaParts(World& world, const Options& options) {
  int stdin_uses = options.prompt && options.prompt->is_file && options.prompt->value == "-" ? 1 : 0;
  std::vector<Part> parts;
  for (const MediaItem& item : options.media) {
    if (item.source == "-" && ++stdin_uses > 1) return InvalidArgument("standard input (-) can be used only once");
    if (item.source == "-" && !item.kind) {
      return InvalidArgument("--media -: standard input needs --image or --video");
    }
    ASSIGN_OR_RETURN(const std::string source, MediaSource(item.source));
    PartKind kind = PartKind::kImage;
    if (item.kind) {
      kind = *item.kind;
    } else {
      ASSIGN_OR_RETURN(kind, world.engine.GuessMediaKind(source));
    }
    parts.push_back(kind == PartKind::kVideo ? Part::Video(source, options.media_options)
                                             : Part::Image(source, options.media_options));
  }
  return parts;
}

GenerateOptions GenerateOptionsFor(const Options& options, int64_t ctx_size, const Stop& stop) {
  GenerateOptions generate = options.generate;
  if (generate.max_tokens < 0) generate.max_tokens = ctx_size;
  generate.cancel = &stop.cancel();
  return generate;
}

}  // namespace galago::cli

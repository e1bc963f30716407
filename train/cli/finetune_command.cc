#include "train/cli/finetune_command.h"

#include <algorithm>
#include <cstdio>
#include <optional>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/spec/parse.h"
#include "train/cli/commands.h"
#include "train/cli/flags.h"
#include "train/loop/adapter.h"
#include "train/loop/assembly.h"
#include "train/loop/guard.h"
#include "train/loop/plan.h"
#include "train/world/task.h"
#include "train/world/writer.h"

namespace galago::train {
namespace {

struct FinetuneFlags {
  std::vector<std::string> data;
  std::string media, registry, mixture, out = "runs/finetune", vision = "layernorm", llm = "lora", precision = "bf16",
                                        on_bad = "fail";
  int64_t rank = 16, batch = 64, micro_batch = 8, steps = 0, max_length = 2048, seed = 1, save_every = 0, workers = 1;
  double alpha = 16.0, lr = 2e-4, lr_vision = 0.0, lr_projector = 0.0, epochs = 1.0, max_grad_norm = 1.0, soft_ce = 0.0;
  bool dry_run = false;
  SessionFlags session;
};

Usage FinetuneUsage(FinetuneFlags& f) {
  Usage usage = {
      "galago-train finetune MODEL --data PATH [options]",
      "Trains a finished model on new data: adapters on the decoder, the projector, and the norms of the vision tower "
      "at\n"
      "a rate of their own. Writes OUT/stage-1-finetune, a full model with the adapters merged, which OUT/model "
      "points\n"
      "to, and OUT/adapter. Goes on where it stopped, as run does.",
      {Texts("--data", "PATH", f.data, "LLaVA conversations in JSON, or a folder written by world; repeatable"),
       Text("--media", "DIR", f.media, "folder of their pictures and videos (default: that of each file)"),
       Text("--registry", "FILE", f.registry, "data sets by name, in place of --data"),
       Text("--mixture", "TEXT", f.mixture, "what to train on of the registry"),
       Text("--out", "DIR", f.out, "where the run lives (default: runs/finetune)"),
       Text("--llm", "HOW", f.llm, "lora, full or frozen (default: lora)"),
       Whole("--lora-rank", "R", f.rank, 1, 4096, "default 16"),
       Number("--lora-alpha", "A", f.alpha, 1e-3, 1e6, "default 16"),
       Text("--vision", "HOW", f.vision, "layernorm, full or frozen (default: layernorm)"),
       Number("--lr", "RATE", f.lr, 1e-12, 10.0, "peak rate (default: 2e-4)"),
       Number("--lr-vision", "RATE", f.lr_vision, 0.0, 10.0, "of the vision tower (default: a tenth of --lr)"),
       Number("--lr-projector", "RATE", f.lr_projector, 0.0, 10.0, "of the projector (default: --lr)"),
       Whole("--batch", "N", f.batch, 1, 1 << 24, "samples of an optimiser step (default: 64)"),
       Whole("--micro-batch", "N", f.micro_batch, 1, 1 << 20, "samples of a forward pass (default: 8)"),
       Number("--epochs", "N", f.epochs, 0.0, 1e6, "default 1"),
       Whole("--steps", "N", f.steps, 0, int64_t{1} << 40, "in place of --epochs"),
       Whole("--max-length", "N", f.max_length, 1, 1 << 24, "rows of a sequence (default: 2048)"),
       Number("--max-grad-norm", "X", f.max_grad_norm, 0.0, 1e9, "0: no clipping (default: 1)"),
       Number("--soft-ce-std", "X", f.soft_ce, 0.0, 1e3, "smoothed targets among time tokens (default: 0, off)"),
       Text("--precision", "P", f.precision, "bf16 or f32 (default: bf16)"),
       Text("--on-bad-record", "HOW", f.on_bad, "fail, skip or resample (default: fail)"),
       Whole("--save-every", "N", f.save_every, 0, int64_t{1} << 40, "steps between checkpoints (default: at the end)"),
       Whole("--workers", "N", f.workers, 1, 1024, "threads that prepare data (default: 1)"),
       Whole("--seed", "N", f.seed, 0, int64_t{1} << 62, "default 1"),
       Switch("--dry-run", f.dry_run, "count parameters, tokens, memory and time; train nothing")}};
  AddSessionFlags(usage, f.session);
  return usage;
}

// The command as the run's recipe: but for where it runs, which changes nothing of what is learnt.
std::string RecordOf(std::span<const std::string> args) {
  constexpr std::string_view kPlaces[] = {"--out", "--threads", "--time-limit", "--workers"};
  std::string record = "# galago-train finetune";
  for (size_t i = 0; i < args.size(); ++i) {
    const std::string_view flag = std::string_view(args[i]).substr(0, args[i].find('='));
    if (std::ranges::find(kPlaces, flag) == std::end(kPlaces)) {
      record += " " + args[i];
    } else if (flag == args[i]) {
      ++i;  // its value
    }
  }
  return record + "\n";
}

constexpr size_t kMaxWorldFile = size_t{1} << 20;

// What `galago-train world` wrote, a data set for each task: its marks stand where the media belong, and its times are
// times.
Status AddWorld(const std::filesystem::path& folder, std::vector<std::string>& sets) {
  const std::filesystem::path head = folder / "world.json";
  ASSIGN_OR_RETURN(const Json world, ReadJsonFile(head, {.max_bytes = kMaxWorldFile}));
  if (!world.is_object() || world.value("format", Json()) != world::kWorldFormat ||
      world.value("version", Json()) != world::kWorldVersion) {
    return DataLoss(StrCat(head.string(), ": is not of ", world::kWorldFormat, " version ", world::kWorldVersion));
  }
  if (world.value("split", Json()) != world::Name(world::Split::kTrain)) {
    return InvalidArgument(StrCat(folder.string(), ": is not of World's training split; the other is to test on"));
  }
  const Json* tasks = JsonFind(world, "tasks");
  if (tasks == nullptr || !tasks->is_object() || tasks->empty()) {
    return DataLoss(StrCat(head.string(), ": names no tasks"));
  }
  const std::vector<std::string> known = world::TaskNames();
  for (const auto& [task, count] : tasks->items()) {
    if (std::ranges::find(known, task) == known.end()) {
      return DataLoss(StrCat(head.string(), ": World has no task ", Printable(task)));
    }
    sets.push_back(StrCat("kind = \"world_directory\"\npath = ", Json(folder.string()).dump(),
                          "\ntask = ", Json(task).dump(), "\n"));
  }
  return OkStatus();
}

// What --data names as a registry. JSON's strings are strings of TOML, too.
StatusOr<std::string> RegistryText(const FinetuneFlags& flags, std::string& mixture) {
  std::vector<std::string> sets;
  for (const std::string& data : flags.data) {
    const std::filesystem::path path = std::filesystem::absolute(data);
    std::error_code error;
    if (std::filesystem::is_directory(path, error)) {
      RETURN_IF_ERROR(AddWorld(path, sets));
      continue;
    }
    const std::filesystem::path media =
        flags.media.empty() ? path.parent_path() : std::filesystem::absolute(flags.media);
    sets.push_back(StrCat("kind = \"conversations\"\npath = ", Json(path.string()).dump(),
                          "\nmedia_dir = ", Json(media.string()).dump(), "\n"));
  }
  std::string text;
  for (size_t i = 0; i < sets.size(); ++i) {
    const std::string name = StrCat("data", i + 1);
    text += StrCat("[datasets.", name, "]\n", sets[i]);
    mixture += StrCat(i == 0 ? "" : "+", name);
  }
  return text;
}

}  // namespace

StatusOr<FinetuneRequest> ParseFinetuneRequest(std::span<const std::string> args) {
  FinetuneFlags f;
  const Usage usage = FinetuneUsage(f);
  ASSIGN_OR_RETURN(const std::vector<std::string> rest, ParseFlags(usage, args));
  FinetuneRequest request;
  if (rest.size() == 1 && rest.front() == "--help") {
    request.help = true;
    return request;
  }
  if (rest.size() != 1) return InvalidArgument(StrCat("one model is needed: ", usage.synopsis));
  if (f.data.empty() == f.registry.empty()) {
    return InvalidArgument("data is needed: --data PATH, or --registry FILE with --mixture TEXT");
  }
  if (f.registry.empty() != f.mixture.empty()) return InvalidArgument("--registry and --mixture go together");
  RETURN_IF_ERROR(OneOf("--llm", f.llm, {"lora", "full", "frozen"}));
  RETURN_IF_ERROR(OneOf("--vision", f.vision, {"layernorm", "full", "frozen"}));
  RETURN_IF_ERROR(OneOf("--precision", f.precision, {"bf16", "f32"}));
  RETURN_IF_ERROR(OneOf("--on-bad-record", f.on_bad, {"fail", "skip", "resample"}));
  if (f.batch % f.micro_batch != 0) {
    return InvalidArgument(StrCat("--batch ", f.batch, " is no multiple of --micro-batch ", f.micro_batch));
  }

  request.out = f.out;
  request.dry_run = f.dry_run;
  request.session = f.session;
  request.lora = f.llm == "lora";
  request.lora_options = {.rank = f.rank, .alpha = f.alpha, .seed = static_cast<uint64_t>(f.seed)};
  Recipe& recipe = request.recipe;
  recipe.name = "finetune";
  recipe.seed = f.seed;
  recipe.start = rest.front();
  recipe.init = Start::kCheckpoint;
  recipe.workers = f.workers;
  recipe.on_bad_record = f.on_bad;
  StageConfig stage;
  stage.name = "finetune";
  stage.mixture = f.mixture;
  if (f.registry.empty()) {
    ASSIGN_OR_RETURN(recipe.registry_text, RegistryText(f, stage.mixture));
  } else {
    recipe.registries = {f.registry};
  }
  stage.tune_vision = f.vision != "frozen";
  stage.vision_norms_only = f.vision == "layernorm";
  stage.tune_projector = true;
  stage.tune_llm = f.llm != "frozen";
  stage.lr = f.lr;
  stage.lr_vision = f.lr_vision > 0.0 ? f.lr_vision : f.lr / 10.0;
  if (f.lr_projector > 0.0) stage.lr_projector = f.lr_projector;
  stage.global_batch = f.batch;
  stage.micro_batch = f.micro_batch;
  stage.epochs = f.epochs;
  stage.steps = f.steps;
  stage.max_length = f.max_length;
  stage.max_grad_norm = f.max_grad_norm;
  stage.soft_ce_std = f.soft_ce;
  stage.precision = f.precision == "f32" ? ComputePrecision::kF32 : ComputePrecision::kBf16;
  stage.save_every = f.save_every;
  recipe.stages.push_back(std::move(stage));
  recipe.text = RecordOf(args);
  return request;
}

int FinetuneCommand(Args args) {
  const StatusOr<FinetuneRequest> request = ParseFinetuneRequest(args);
  if (!request.ok()) return Fail(request.status());
  if (request->help) {
    FinetuneFlags defaults;
    std::fputs(HelpText(FinetuneUsage(defaults)).c_str(), stdout);
    return 0;
  }
  StatusOr<std::unique_ptr<Session>> session = Session::Begin(request->session);
  if (!session.ok()) return Fail(session.status(), Exit::kUsage);
  StatusOr<std::unique_ptr<Assembly>> assembly = Assembly::Make(request->recipe, (*session)->ranks());
  if (!assembly.ok()) return (*session)->Fail(assembly.status(), ModelExit(assembly.status()));
  if (request->lora) {
    const Status added = (*assembly)->model().AddLora(request->lora_options);
    if (!added.ok()) return (*session)->Fail(added, ExitCodeFor(added));
  }
  RunParts parts = (*assembly)->parts();
  if (request->dry_run) {
    const StatusOr<RunPlan> plan = MakePlan(request->recipe, parts, (*session)->ranks());
    if (!plan.ok()) return (*session)->Fail(plan.status(), ExitCodeFor(plan.status()));
    if ((*session)->ranks().rank() == 0) std::fputs(PlanText(*plan).c_str(), stdout);
    return 0;
  }
  if (request->lora) {
    parts.export_model = [&, export_model = parts.export_model](Vlm& model, const std::filesystem::path& folder) {
      return Guarded("writing the adapter", [&]() -> Status {
        // Merging takes the adapters from the model, so they are written first.
        const std::filesystem::path adapter = request->out / "adapter";
        RETURN_IF_ERROR(SaveAdapter(model, request->lora_options, request->recipe.start, adapter));
        model.MergeLora();
        return export_model(model, folder);
      });
    };
  }
  return (*session)->Train(request->recipe, {.out = request->out}, parts);
}

}  // namespace galago::train

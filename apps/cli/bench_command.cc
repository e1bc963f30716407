#include <algorithm>
#include <filesystem>
#include <utility>

#include "apps/cli/bench_report.h"
#include "apps/cli/bench_svg.h"
#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "src/base/base64.h"
#include "src/base/file.h"
#include "src/base/strings.h"

// `galago bench` (docs/benchmarks.md).
namespace galago::cli {
namespace {

bool Wants(const BenchOptions& bench, BenchStageKind kind) {
  return bench.stages.empty() || std::ranges::find(bench.stages, kind) != bench.stages.end();
}

Status CheckFlags(const Options& options) {
  const BenchOptions& bench = options.bench;
  if (!bench.shape.empty() && !options.model.empty()) return InvalidArgument("--shape and --model exclude each other");
  if (!bench.limits && bench.shape.empty() && options.model.empty()) {
    return InvalidArgument("what to measure is missing: --limits, --model MODEL or --shape NAME");
  }
  if (bench.shape.empty() && bench.random != RandomModelOptions()) {
    return InvalidArgument("--weights, --head and --tower go with --shape; a checkpoint has weights of its own");
  }
  if (bench.svg == "-" && options.json) return InvalidArgument("--svg: standard output is taken by --json");
  const std::filesystem::path folder = std::filesystem::path(bench.svg).parent_path();
  std::error_code error;
  if (bench.svg != "-" && !folder.empty() && !std::filesystem::is_directory(folder, error)) {
    return InvalidArgument(StrCat("--svg: there is no folder ", Printable(folder.string(), 256)));
  }
  return OkStatus();
}

// A picture that costs what a photograph costs from its pixels on: soft gradients, as a data: URI of a PPM.
std::string PictureSource(PictureSize size) {
  std::string ppm = StrCat("P6\n", size.width, " ", size.height, "\n255\n");
  for (int64_t y = 0; y < size.height; ++y) {
    for (int64_t x = 0; x < size.width; ++x) {
      ppm += static_cast<char>(255 * x / size.width);
      ppm += static_cast<char>(255 * y / size.height);
      ppm += static_cast<char>((x + y) % 256);
    }
  }
  return StrCat("data:image/x-portable-pixmap;base64,", Base64(ppm));
}

// One report in the making.
class Bench {
 public:
  Bench(World& world, const Options& options, BenchReport& report)
      : world_(world), options_(options), bench_(options.bench), report_(report) {}

  // Everything that was asked for; on failure fills `failure`.
  bool Run(Failure& failure) {
    if (!bench_.shape.empty() || !options_.model.empty()) {
      if (!LoadModel(failure)) return false;
      failure.stage = Stage::kInput;
      for (const auto step :
           {&Bench::MeasureTower, &Bench::MeasurePrefill, &Bench::MeasureDecode, &Bench::MeasurePictures}) {
        failure.status = (this->*step)();
        if (!failure.status.ok()) return false;
      }
      report_.peak_host_bytes = PeakHostBytes();
      stages_.reset();
      loaded_.reset();  // its memory is the limits' to read
    }
    failure.stage = Stage::kInput;
    failure.status = MeasureLimits();
    return failure.status.ok();
  }

 private:
  bool LoadModel(Failure& failure) {
    Options options = options_;
    if (options.session.ctx_size == 0) {
      std::unique_ptr<EngineModel> model = OpenModel(world_, options, failure);
      if (model == nullptr) return false;
      options.session.ctx_size = std::min(model->max_context(), NeededContext());
    }
    options.session.media_cache_bytes = 0;  // every picture is seen anew
    // A made-up model is no measure of loading, and a file that takes long is measured once.
    constexpr double kLongMs = 2000;
    const int64_t loads = bench_.shape.empty() && Wants(bench_, BenchStageKind::kLoad) ? bench_.repeats : 1;
    for (int64_t i = 0; i < loads; ++i) {
      loaded_.reset();
      loaded_ = Load(world_, options, Weights::kLoad, failure);
      if (loaded_ == nullptr) return false;
      report_.load_ms.push_back(loaded_->report.load_ms);
      if (loaded_->report.load_ms > kLongMs) break;
    }
    failure.stage = Stage::kModel;
    StatusOr<std::unique_ptr<EngineStages>> stages = loaded_->model->CreateStages(options.session);
    failure.status = stages.status();
    if (!stages.ok()) return false;
    stages_ = *std::move(stages);
    report_.model = loaded_->model->name();
    if (!bench_.shape.empty()) report_.random = bench_.random;
    report_.isa = loaded_->session->isa();
    report_.threads = loaded_->session->threads();
    report_.precision = options.model_options.precision;
    report_.prefill_chunk = options.session.prefill_chunk;
    report_.ctx_size = loaded_->session->ctx_size();
    report_.repeats = bench_.repeats;
    report_.warmup = bench_.warmup;
    report_.memory = loaded_->memory;
    report_.notes = loaded_->report.notes;
    return true;
  }

  // The longest of what will be measured; a picture of many tiles takes some 3000 tokens.
  int64_t NeededContext() const {
    int64_t needed = Wants(bench_, BenchStageKind::kPicture) ? 4096 : 1;
    if (Wants(bench_, BenchStageKind::kPrefill)) {
      for (const int64_t tokens : bench_.prefill) needed = std::max(needed, tokens);
    }
    if (Wants(bench_, BenchStageKind::kDecode)) {
      for (const int64_t depth : bench_.depths) needed = std::max(needed, depth + 1);
    }
    return needed;
  }

  // `work` as often as flags say, with `steps` samples a repeat.
  Status Measure(BenchStageKind kind, int64_t count, int64_t steps, const std::function<StatusOr<StageWork>()>& work) {
    world_.log.Info(StrCat("measuring ", Name(kind), " ", count));
    BenchStage stage{.kind = kind, .count = count};
    for (int64_t i = 0; i < bench_.warmup; ++i) {
      RETURN_IF_ERROR(CheckStop());
      RETURN_IF_ERROR(work().status());
    }
    for (int64_t i = 0; i < bench_.repeats * steps; ++i) {
      RETURN_IF_ERROR(CheckStop());
      const Stopwatch watch;
      ASSIGN_OR_RETURN(stage.work, work());
      watch.Take(stage.samples);
    }
    report_.stages.push_back(std::move(stage));
    return OkStatus();
  }

  Status MeasureTower() {
    if (!Wants(bench_, BenchStageKind::kTower) || !loaded_->model->sees()) return OkStatus();
    for (const int64_t tiles : bench_.tiles) {
      RETURN_IF_ERROR(Measure(BenchStageKind::kTower, tiles, 1, [&] { return stages_->See(tiles); }));
    }
    return OkStatus();
  }

  Status MeasurePrefill() {
    if (!Wants(bench_, BenchStageKind::kPrefill)) return OkStatus();
    for (const int64_t tokens : bench_.prefill) {
      RETURN_IF_ERROR(Measure(BenchStageKind::kPrefill, tokens, 1, [&] { return stages_->Compute(tokens, 0); }));
    }
    return OkStatus();
  }

  Status MeasureDecode() {
    if (!Wants(bench_, BenchStageKind::kDecode)) return OkStatus();
    for (const int64_t depth : bench_.depths) {
      // Fills the cache, which is not decoding.
      RETURN_IF_ERROR(stages_->Compute(1, depth).status());
      RETURN_IF_ERROR(
          Measure(BenchStageKind::kDecode, depth, bench_.steps, [&] { return stages_->Compute(1, depth); }));
    }
    return OkStatus();
  }

  Status MeasurePictures() {
    if (!Wants(bench_, BenchStageKind::kPicture) || !loaded_->model->sees()) return OkStatus();
    for (const PictureSize& size : bench_.pictures) {
      world_.log.Info(StrCat("measuring picture ", size.width, "x", size.height));
      BenchPicture picture{.size = size};
      const std::string source = PictureSource(size);
      for (int64_t i = 0; i < bench_.warmup + bench_.repeats; ++i) {
        RETURN_IF_ERROR(MeasurePicture(source, i, i < bench_.warmup ? nullptr : &picture));
      }
      report_.pictures.push_back(std::move(picture));
    }
    return OkStatus();
  }

  // The first token about the picture; times go to `picture` if given.
  Status MeasurePicture(const std::string& source, int64_t turn, BenchPicture* picture) {
    RETURN_IF_ERROR(CheckStop());
    // A system message of its own, so that nothing of the turn before is reused.
    const std::vector<Message> conversation = {
        {.role = Role::kSystem, .parts = {Part::Text(StrCat(turn, " is the number of this question."))}},
        {.role = Role::kUser,
         .parts = {Part::Image(source, options_.media_options), Part::Text("What is in this picture?")}}};
    GenerateOptions generate{.max_tokens = 1, .ignore_eos = true, .cancel = &world_.stop.cancel()};
    ASSIGN_OR_RETURN(
        const GenerateResult result,
        loaded_->session->Generate(conversation, generate, [](std::string_view) { return Flow::kContinue; }));
    if (picture == nullptr) return OkStatus();
    picture->tiles = result.prompt.media.empty() ? 0 : result.prompt.media[0].tiles;
    picture->prompt_tokens = result.usage.prompt_tokens;
    picture->media_ms.push_back(result.timings.decode_media_ms);
    picture->vision_ms.push_back(result.timings.vision_ms);
    picture->prefill_ms.push_back(result.timings.prompt_ms);
    picture->first_token_ms.push_back(result.timings.ttft_ms);
    return OkStatus();
  }

  Status MeasureLimits() {
    if (!bench_.limits && bench_.svg.empty() && !Wants(bench_, BenchStageKind::kLimits)) return OkStatus();
    world_.log.Info("measuring limits");
    LimitOptions limits{.repeats = static_cast<int>(bench_.repeats), .cancel = &world_.stop.cancel()};
    if (report_.model.empty() && options_.session.threads > 0) limits.threads = {options_.session.threads};
    if (!report_.model.empty() && !bench_.limits) limits.threads = {report_.threads};
    ASSIGN_OR_RETURN(report_.limits, world_.engine.MeasureLimits(limits));
    if (report_.model.empty()) report_.threads = report_.limits.empty() ? 0 : report_.limits.back().threads;
    return OkStatus();
  }

  Status CheckStop() const {
    if (world_.stop.cause() == StopCause::kNone) return OkStatus();
    return Cancelled("stopped while measuring");
  }

  World& world_;
  const Options& options_;
  const BenchOptions& bench_;
  BenchReport& report_;
  std::unique_ptr<Loaded> loaded_;
  std::unique_ptr<EngineStages> stages_;
};

Exit ListShapes(World& world, const Options& options) {
  const std::vector<PublishedShape> shapes = world.engine.Shapes();
  if (options.json) {
    Json json = {{"schema", "galago.shapes/1"}, {"shapes", Json::array()}};
    for (const PublishedShape& shape : shapes) json["shapes"].push_back({{"name", shape.name}, {"what", shape.what}});
    return Deliver(world, StrCat(Dump(json), "\n"));
  }
  std::string out;
  for (const PublishedShape& shape : shapes) {
    std::string name = shape.name;
    name.resize(std::max<size_t>(20, name.size() + 2), ' ');
    out += StrCat(name, shape.what, "\n");
  }
  return Deliver(world, out);
}

}  // namespace

Exit BenchCommand(World& world, const Options& options) {
  if (options.bench.list_shapes) return ListShapes(world, options);
  if (const Status flags = CheckFlags(options); !flags.ok()) return Fail(world, options.json, Stage::kUsage, flags);
  BenchReport report;
  report.system = world.engine.System();
  report.build = world.engine.Build();
  const Deadline deadline(world.stop, options.timeout_s);
  Failure failure;
  const bool done = [&] {
    const Busy busy(world.busy);
    return Bench(world, options, report).Run(failure);
  }();
  if (!done) {
    const StopCause cause = world.stop.cause();
    const bool stopped = failure.status.code() == StatusCode::kCancelled && cause != StopCause::kNone;
    const Exit exit = Fail(world, options.json, failure.stage, failure.status);
    return stopped ? ExitOfStop(cause) : exit;
  }
  if (!options.bench.svg.empty()) {
    const StatusOr<std::string> svg = RooflineSvg(report);
    if (!svg.ok()) return Fail(world, options.json, Stage::kInput, svg.status());
    if (options.bench.svg == "-") return Deliver(world, *svg);
    if (const Status written = WriteFileAtomically(options.bench.svg, *svg); !written.ok()) {
      return Fail(world, options.json, Stage::kInput, written);
    }
  }
  return Deliver(world, options.json ? StrCat(Dump(BenchJson(report)), "\n") : BenchText(report));
}

}  // namespace galago::cli

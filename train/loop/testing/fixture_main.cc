// loop_fixture OUT STEPS WIDTH SAVE_EVERY [stop-at STEP | die-at STEP RANK | fail-at STEP RANK]: trains the test model
// by a recipe of two stages of STEPS steps, the second with Muon. Prints "state STAGE BYTES" of the optimiser. Exit
// code 0 when finished, 3 when stopped, 1 on failure.
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "src/base/strings.h"
#include "train/loop/run.h"
#include "train/loop/testing/test_model.h"
#include "train/modules/torch_setup.h"

namespace galago::train {
namespace {

constexpr int64_t kVocab = 17;

int Main(int argc, char** argv) {
  const std::filesystem::path out = argv[1];
  const int64_t steps = std::atoll(argv[2]), width = std::atoll(argv[3]), save_every = std::atoll(argv[4]);
  const std::string event = argc > 6 ? argv[5] : "";
  const int64_t event_step = argc > 6 ? std::atoll(argv[6]) : 0;
  const int event_rank = argc > 7 ? std::atoi(argv[7]) : 0;

  StatusOr<std::unique_ptr<Ranks>> ranks = ConnectRanks();
  if (!ranks.ok()) {
    std::fprintf(stderr, "error: %s\n", MessageOf(ranks.status()).c_str());
    return 1;
  }
  UseThreads(1);
  ThreadPool pool(1);
  std::atomic<Stopped> stop = Stopped::kNo;
  Recipe recipe;
  recipe.name = "fixture";
  recipe.text = StrCat("# stages of ", steps, " steps\n");
  for (const char* name : {"one", "two"}) {
    StageConfig stage = TestStage(name);
    stage.steps = steps;
    stage.save_every = save_every;
    recipe.stages.push_back(stage);
  }
  recipe.stages[0].tune_llm = false;
  recipe.stages[1].optimizer = OptimizerKind::kMuon;
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, width, 1);
  StatusOr<MetricsFile> metrics = Unavailable("rank 0 writes the metrics");
  if ((*ranks)->rank() == 0) {
    std::error_code ignored;
    std::filesystem::create_directories(out, ignored);
    metrics = MetricsFile::Append(out / "metrics.jsonl");
  }
  Surroundings around = {.ranks = **ranks, .pool = pool, .stop = stop};
  around.on_message = [](const std::string& message) { std::printf("%s\n", message.c_str()); };
  around.on_step = [&](const StepMetrics& step) {
    metrics->Write(step).IgnoreError();
    if (event == "stop-at" && step.global_step == event_step) stop = Stopped::kInterrupt;
  };
  RunParts parts = {.model = *model};
  parts.make_stream = [&](const StageConfig& stage, int64_t first_step) -> StatusOr<std::unique_ptr<BatchStream>> {
    struct Eventful : BatchStream {
      std::unique_ptr<BatchStream> inner;
      int64_t left = -1;  // micro-batches until the event
      bool dies = false;
      int rank = 0;
      int64_t steps_per_epoch() const override { return inner->steps_per_epoch(); }
      StatusOr<Packed> Next() override {
        if (left-- == 0) {
          if (dies) ::raise(SIGKILL);
          return DataLoss("data.json:7: broken");
        }
        return inner->Next();
      }
      std::string Summary() const override { return StrCat("read by ", rank); }
    };
    auto stream = std::make_unique<Eventful>();
    stream->inner = MakeTestStream(kVocab, stage, first_step, (*ranks)->rank(), (*ranks)->size());
    stream->rank = (*ranks)->rank();
    stream->dies = event == "die-at";
    if ((event == "die-at" || event == "fail-at") && (*ranks)->rank() == event_rank) {
      stream->left = event_step * stage.Accumulation((*ranks)->size());
    }
    SetTrainedParts(*model, stage);
    std::printf("state %s %zu\n", stage.name.c_str(),
                ShardedOptimizer(TrainedOf(model->parameters(), stage), {}, **ranks, pool).state_bytes());
    return std::unique_ptr<BatchStream>(std::move(stream));
  };
  parts.export_model = [](Vlm&, const std::filesystem::path& folder) -> Status {
    std::filesystem::create_directories(folder);
    return OkStatus();
  };
  const StatusOr<RunEnd> end = Run(recipe, {.out = out}, parts, around);
  std::fflush(stdout);
  if (!end.ok()) {
    std::fprintf(stderr, "error: rank %d: %s\n", (*ranks)->rank(), MessageOf(end.status()).c_str());
    if ((*ranks)->size() > 1) (*ranks)->Abort(1);
    return 1;
  }
  if (*end == RunEnd::kAlreadyFinished) std::printf("finished\n");
  return *end == RunEnd::kFinished || *end == RunEnd::kAlreadyFinished ? 0 : 3;
}

}  // namespace
}  // namespace galago::train

int main(int argc, char** argv) {
  if (argc < 5) return 2;
  return galago::train::Main(argc, argv);
}

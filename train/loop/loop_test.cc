#include <gmock/gmock.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <thread>

#include "src/base/file.h"
#include "train/loop/run.h"
#include "train/loop/testing/test_model.h"

// The loop over a test model, within this process and as a program that is stopped, killed and started by mpirun.
namespace galago::train {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

constexpr int64_t kVocab = 17;

fs::path FreshFolder(const std::string& name) {
  const fs::path folder = fs::path(testing::TempDir()) / ("galago_loop_" + std::to_string(::getpid())) / name;
  fs::remove_all(folder);
  fs::create_directories(folder);
  return folder;
}

struct Ended {
  int code = -1;  // 128 + signal if it was killed
  std::string text;
};

// Starts a program with its output in a file.
pid_t Start(const std::vector<std::string>& args, const fs::path& log) {
  std::fflush(nullptr);  // or the child says it again
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setenv("OMP_NUM_THREADS", "1", 1);
    if (std::freopen(log.c_str(), "w", stdout) == nullptr) ::_exit(127);
    ::dup2(STDOUT_FILENO, STDERR_FILENO);
    std::vector<char*> argv;
    for (const std::string& arg : args) argv.push_back(const_cast<char*>(arg.c_str()));
    argv.push_back(nullptr);
    ::execvp(argv[0], argv.data());
    ::_exit(127);
  }
  return pid;
}

Ended Finish(pid_t pid, const fs::path& log) {
  int status = 0;
  ::waitpid(pid, &status, 0);
  return {WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), ReadFile(log, 1 << 20).value_or("")};
}

Ended RunProgram(const std::vector<std::string>& args, const fs::path& log) { return Finish(Start(args, log), log); }

std::vector<std::string> Fixture(const fs::path& out, int64_t steps, int64_t width, int64_t save_every) {
  return {LOOP_FIXTURE, out.string(), std::to_string(steps), std::to_string(width), std::to_string(save_every)};
}

std::vector<std::string> With(std::vector<std::string> args, const std::vector<std::string>& more) {
  args.insert(args.end(), more.begin(), more.end());
  return args;
}

std::vector<std::string> Mpirun(int count, const std::vector<std::string>& args) {
  return With({"mpirun", "--allow-run-as-root", "--oversubscribe", "--mca", "btl_vader_single_copy_mechanism", "none",
               "-n", std::to_string(count)},
              args);
}

std::vector<double> LossesOf(const fs::path& out) {
  const StatusOr<MetricsHistory> history = ReadMetrics(out / "metrics.jsonl");
  EXPECT_TRUE(history.ok()) << history.status();
  std::vector<double> losses;
  if (history.ok()) {
    for (const StepMetrics& step : history->steps) losses.push_back(step.loss);
  }
  return losses;
}

std::string FinalModel(const fs::path& out, int64_t step) {
  const auto bytes = ReadFile(out / ("checkpoint-" + std::to_string(step)) / "model.safetensors", 1 << 26);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.value_or("");
}

TEST(StageLoop, LearnsAndLeavesFrozenPartsAlone) {
  const std::unique_ptr<Ranks> ranks = SingleRank();
  ThreadPool pool(2);
  const std::atomic<Stopped> stop = Stopped::kNo;
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 32, 1);
  StageConfig stage = TestStage("one");
  stage.tune_vision = false;
  stage.steps = 150;
  const torch::Tensor embedding = model->parameters()[0].value.clone();
  std::vector<double> losses;
  Surroundings around = {.ranks = *ranks, .pool = pool, .stop = stop};
  around.on_step = [&](const StepMetrics& metrics) { losses.push_back(metrics.loss); };
  const auto stream = MakeTestStream(kVocab, stage, 0, 0, 1);
  Checkpoints checkpoints(FreshFolder("learns"), 1, *ranks);
  LoopState state;
  const TokenFacts tokens;
  const StatusOr<Stopped> stopped =
      StageLoop(*model, stage, tokens, around).Run(*stream, stage.steps, checkpoints, nullptr, state);
  ASSERT_TRUE(stopped.ok()) << stopped.status();
  ASSERT_EQ(losses.size(), 150u);
  EXPECT_NEAR(losses[0], std::log(17.0), 0.1);
  EXPECT_LT(losses.back(), 0.05);
  EXPECT_TRUE(embedding.equal(model->parameters()[0].value));
  EXPECT_EQ(state.samples, 150 * 8);
}

// Micro-batches with very different numbers of labels: the step is the same however the batch is cut.
TEST(StageLoop, AccumulationDoesNotChangeTheStep) {
  const std::unique_ptr<Ranks> ranks = SingleRank();
  ThreadPool pool(1);
  const std::atomic<Stopped> stop = Stopped::kNo;
  std::vector<std::vector<double>> losses;
  for (const int64_t micro_batch : {1, 2, 8}) {
    const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 16, 1);
    StageConfig stage = TestStage("one");
    stage.micro_batch = micro_batch;
    stage.max_length = 1024;
    Surroundings around = {.ranks = *ranks, .pool = pool, .stop = stop};
    losses.emplace_back();
    around.on_step = [&](const StepMetrics& metrics) { losses.back().push_back(metrics.loss); };
    const auto stream = MakeTestStream(kVocab, stage, 0, 0, 1);
    Checkpoints checkpoints(FreshFolder("accumulation"), 1, *ranks);
    LoopState state;
    const TokenFacts tokens;
    ASSERT_TRUE(StageLoop(*model, stage, tokens, around).Run(*stream, 20, checkpoints, nullptr, state).ok());
  }
  for (size_t i = 0; i < losses[0].size(); ++i) {
    EXPECT_NEAR(losses[0][i], losses[1][i], 2e-5) << i;
    EXPECT_NEAR(losses[0][i], losses[2][i], 2e-5) << i;
  }
}

TEST(ShardedOptimizer, FollowsAdamWsFormula) {
  const std::unique_ptr<Ranks> ranks = SingleRank();
  ThreadPool pool(1);
  std::vector<float> values = {1.0f, -2.0f}, bias = {0.5f};
  ShardedOptimizer optimizer({{"w", values, 0.1, 0.01}, {"b", bias, 0.2, 0.0}}, {}, *ranks, pool);
  double m = 0.0, v = 0.0, want = 1.0;
  for (int t = 1; t <= 3; ++t) {
    const double g = 0.3 * t;
    optimizer.gradient(0)[0] = static_cast<float>(g);
    const StatusOr<double> squares = optimizer.ReduceGradients();
    ASSERT_TRUE(squares.ok());
    EXPECT_NEAR(*squares, g * g, 1e-6);
    ASSERT_TRUE(optimizer.Step(0.5, 1.0).ok());
    const double lr = 0.05;
    m = 0.9 * m + 0.1 * g;
    v = 0.999 * v + 0.001 * g * g;
    want =
        want * (1 - lr * 0.01) - lr * (m / (1 - std::pow(0.9, t))) / (std::sqrt(v / (1 - std::pow(0.999, t))) + 1e-8);
    EXPECT_NEAR(values[0], want, 1e-6);
    EXPECT_EQ(optimizer.gradient(0)[0], 0.0f);
  }
  EXPECT_EQ(bias[0], 0.5f);
}

// What five Newton-Schulz iterations make of a singular value.
double Iterated(double s) {
  for (int i = 0; i < 5; ++i) s = 3.4445 * s - 4.7750 * std::pow(s, 3) + 2.0315 * std::pow(s, 5);
  return s;
}

// Singular vectors stay, singular values become what the polynomial makes of their share of the norm.
TEST(Muon, FollowsTheFormulaOnKnownSingularValues) {
  const std::vector<double> left[] = {{0.6, 0.8, 0.0}, {0.8, -0.6, 0.0}}, right[] = {{0.6, 0.8}, {-0.8, 0.6}};
  const double singular[] = {3.0, 0.5};
  const double norm = std::hypot(singular[0], singular[1]);
  for (const bool tall : {true, false}) {
    const int64_t rows = tall ? 3 : 2, columns = tall ? 2 : 3;
    std::vector<float> gradient(6), values(6, 1.0f), averages(6);
    std::vector<double> want(6, 1.0), direction(6);
    for (int64_t r = 0; r < 3; ++r) {
      for (int64_t c = 0; c < 2; ++c) {
        const auto at = static_cast<size_t>(tall ? r * 2 + c : c * 3 + r);
        for (int k = 0; k < 2; ++k) {
          const double outer = left[k][static_cast<size_t>(r)] * right[k][static_cast<size_t>(c)];
          gradient[at] += static_cast<float>(singular[k] * outer);
          direction[at] += Iterated(singular[k] / norm) * outer;
        }
      }
    }
    // Within some 16 roundings of numbers of size one. Two steps: gradients that stay the same leave the direction as
    // it is, whatever their size.
    for (int step = 0; step < 2; ++step) {
      MuonStep(values, gradient, averages, rows, columns, {.momentum = 0.9}, 0.1, 0.5, 7.0f);
      for (size_t i = 0; i < 6; ++i) {
        want[i] = want[i] * (1.0 - 0.1 * 0.5) - 0.1 * 0.2 * std::sqrt(3.0) * direction[i];
        EXPECT_NEAR(values[i], want[i], 2e-6) << (tall ? "tall " : "wide ") << i << " step " << step;
      }
    }
    EXPECT_NEAR(averages[0], 7.0 * gradient[0] * (1.0 - 0.9 * 0.9), 1e-5);
  }
}

TEST(Muon, AZeroGradientMovesNothing) {
  std::vector<float> values = {1.0f, -2.0f, 3.0f, 4.0f}, averages(4);
  const std::vector<float> before = values, gradient(4);
  MuonStep(values, gradient, averages, 2, 2, {}, 0.1, 0.0, 1.0f);
  EXPECT_EQ(values, before);
}

// Ranks that do nothing: for what is divided among them.
class ManyRanks : public Ranks {
 public:
  ManyRanks(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  int local_size() const override { return size_; }
  std::string_view engine() const override { return "none"; }
  Status AllReduceSum(std::span<int64_t>) override { return OkStatus(); }
  Status AllReduceSum(std::span<double>) override { return OkStatus(); }
  Status ReduceScatterSum(std::span<const float>, std::span<float>) override { return OkStatus(); }
  Status AllGather(std::span<const float>, std::span<float>) override { return OkStatus(); }
  Status Broadcast(std::span<std::byte>) override { return OkStatus(); }
  Status Barrier() override { return OkStatus(); }
  void Abort(int) override {}

 private:
  int rank_, size_;
};

// Every element has its state on one rank, on more ranks than there are parameters, too.
TEST(ShardedOptimizer, RanksShareWhatThereIs) {
  ThreadPool pool(1);
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 16, 1);
  for (const OptimizerKind kind : {OptimizerKind::kAdamW, OptimizerKind::kMuon}) {
    std::map<std::string, std::vector<int>> seen;
    for (int rank = 0; rank < 7; ++rank) {
      ManyRanks ranks(rank, 7);
      StageConfig stage = TestStage("one");
      stage.optimizer = kind;
      SetTrainedParts(*model, stage);
      ShardedOptimizer optimizer(TrainedOf(model->parameters(), stage), {}, ranks, pool);
      for (const ShardedOptimizer::Piece& piece : optimizer.pieces()) {
        const TrainedValues& trained = optimizer.trained()[piece.parameter];
        std::vector<int>& counts = seen[trained.name];
        counts.resize(trained.values.size());
        for (size_t i = 0; i < piece.exp_avg.size(); ++i) ++counts[static_cast<size_t>(piece.offset) + i];
        if (trained.muon_rows > 0) {
          EXPECT_EQ(piece.exp_avg.size(), trained.values.size()) << "cut";
        }
      }
    }
    EXPECT_EQ(seen.size(), 5u);
    for (const auto& [name, counts] : seen) {
      for (const int count : counts) ASSERT_EQ(count, 1) << name;
    }
  }
}

TEST(ShardedOptimizer, MuonTrainsHiddenWeightsAndAdamTheRest) {
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 16, 1);
  StageConfig stage = TestStage("one");
  stage.optimizer = OptimizerKind::kMuon;
  SetTrainedParts(*model, stage);
  for (const TrainedValues& trained : TrainedOf(model->parameters(), stage)) {
    EXPECT_EQ(trained.muon_rows, trained.name == "mm_projector/fc.weight" ? 16 : 0) << trained.name;
  }
}

TEST(Run, StoppedAndResumedIsTheSameRun) {
  const fs::path whole = FreshFolder("whole"), parts = FreshFolder("parts");
  const fs::path log = whole / "log";
  ASSERT_EQ(RunProgram(Fixture(whole, 20, 16, 0), log).code, 0) << ReadFile(log, 1 << 20).value_or("");
  // Stopped in the first stage and in the second, then finished, then asked once more.
  Ended ended = RunProgram(With(Fixture(parts, 20, 16, 0), {"stop-at", "7"}), log);
  EXPECT_EQ(ended.code, 3) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr("stopped at stage 1 one, step 7"));
  ended = RunProgram(With(Fixture(parts, 20, 16, 0), {"stop-at", "31"}), log);
  EXPECT_EQ(ended.code, 3) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr("going on from checkpoint-7: stage 1 one, step 7"));
  ended = RunProgram(Fixture(parts, 20, 16, 0), log);
  EXPECT_EQ(ended.code, 0) << ended.text;
  ended = RunProgram(Fixture(parts, 20, 16, 0), log);
  EXPECT_EQ(ended.code, 0) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr("finished"));
  EXPECT_TRUE(FinalModel(whole, 40) == FinalModel(parts, 40)) << "the weights differ";
  EXPECT_EQ(LossesOf(whole), LossesOf(parts));
  EXPECT_TRUE(fs::exists(parts / "stage-1-one") && fs::exists(parts / "stage-2-two"));
  EXPECT_EQ(fs::read_symlink(parts / "model"), "stage-2-two");
}

TEST(Run, AChangedRecipeIsSaidAndTheOldOneIsKept) {
  const fs::path out = FreshFolder("changed");
  const fs::path log = out / "log";
  ASSERT_EQ(RunProgram(With(Fixture(out, 20, 16, 0), {"stop-at", "7"}), log).code, 3);
  Ended ended = RunProgram(With(Fixture(out, 12, 16, 0), {"stop-at", "9"}), log);
  EXPECT_EQ(ended.code, 3) << ended.text;
  EXPECT_THAT(ended.text, HasSubstr("that is kept as recipe-1.toml"));
  EXPECT_EQ(ReadFile(out / "recipe-1.toml", 1 << 20).value_or(""), "# stages of 20 steps\n");
  EXPECT_EQ(ReadFile(out / "recipe.toml", 1 << 20).value_or(""), "# stages of 12 steps\n");
  ended = RunProgram(Fixture(out, 12, 16, 0), log);
  EXPECT_EQ(ended.code, 0) << ended.text;
  EXPECT_THAT(ended.text, Not(HasSubstr("kept as")));
  // Where nothing is left to train nothing is recorded.
  ended = RunProgram(Fixture(out, 20, 16, 0), log);
  EXPECT_THAT(ended.text, HasSubstr("finished"));
  EXPECT_EQ(ReadFile(out / "recipe.toml", 1 << 20).value_or(""), "# stages of 12 steps\n");
}

// Killed again and again, most of the time while a checkpoint is being written.
TEST(Run, KilledAndResumedIsTheSameRun) {
  const fs::path whole = FreshFolder("kill_whole"), parts = FreshFolder("kill_parts");
  const fs::path log = whole / "log";
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_EQ(RunProgram(Fixture(whole, 25, 256, 1), log).code, 0);
  const auto took = std::chrono::steady_clock::now() - begin;
  int kills = 0;
  for (int i = 0; i < 6; ++i) {
    const pid_t pid = Start(Fixture(parts, 25, 256, 1), log);
    std::this_thread::sleep_for(took * (30 + 7 * i) / 100);
    ::kill(pid, SIGKILL);
    if (Finish(pid, log).code == 128 + SIGKILL) ++kills;
  }
  EXPECT_GT(kills, 0);
  const Ended ended = RunProgram(Fixture(parts, 25, 256, 1), log);
  EXPECT_EQ(ended.code, 0) << ended.text;
  EXPECT_TRUE(FinalModel(whole, 50) == FinalModel(parts, 50)) << "the weights differ";
  EXPECT_EQ(LossesOf(whole), LossesOf(parts));
}

TEST(Run, CheckpointsThatAreCutShortArePassedOver) {
  const fs::path whole = FreshFolder("cut_whole"), out = FreshFolder("cut");
  const fs::path log = out / "log";
  ASSERT_EQ(RunProgram(Fixture(whole, 20, 16, 5), log).code, 0);
  ASSERT_EQ(RunProgram(With(Fixture(out, 20, 16, 5), {"stop-at", "12"}), log).code, 3);
  ASSERT_TRUE(fs::exists(out / "checkpoint-10") && fs::exists(out / "checkpoint-12"));
  const fs::path model = out / "checkpoint-12" / "model.safetensors";
  fs::resize_file(model, fs::file_size(model) - 100);
  Ended ended = RunProgram(With(Fixture(out, 20, 16, 5), {"stop-at", "12"}), log);
  EXPECT_THAT(ended.text, HasSubstr("checkpoint-12 is incomplete"));
  EXPECT_THAT(ended.text, HasSubstr("going on from checkpoint-10"));
  fs::remove(out / "checkpoint-12" / "state.json");
  ended = RunProgram(Fixture(out, 20, 16, 5), log);
  EXPECT_EQ(ended.code, 0) << ended.text;
  EXPECT_TRUE(FinalModel(whole, 40) == FinalModel(out, 40)) << "the weights differ";

  // None is complete: the run does not begin again on top of them.
  for (const auto& entry : fs::directory_iterator(out)) {
    if (entry.path().filename().string().starts_with("checkpoint-")) fs::remove(entry.path() / "state.json");
  }
  ended = RunProgram(Fixture(out, 20, 16, 5), log);
  EXPECT_EQ(ended.code, 1);
  EXPECT_THAT(ended.text, HasSubstr("none is complete"));
}

// A limit on the size of files stands for a full disk.
TEST(Checkpoints, AFullDiskLeavesTheOlderOneAlone) {
  const fs::path out = FreshFolder("full");
  const std::unique_ptr<Ranks> ranks = SingleRank();
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 256, 1);
  Checkpoints checkpoints(out, 1, *ranks);
  LoopState state = {.stage_name = "one", .global_step = 1};
  const std::vector<SavedValues> values = ValuesOf(model->parameters());
  ASSERT_TRUE(checkpoints.Save(state, values, nullptr).ok());
  std::signal(SIGXFSZ, SIG_IGN);
  rlimit old = {};
  ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
  const rlimit small = {100'000, old.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
  state.global_step = 2;
  const Status status = checkpoints.Save(state, values, nullptr);
  ::setrlimit(RLIMIT_FSIZE, &old);
  EXPECT_FALSE(status.ok());
  EXPECT_THAT(MessageOf(status), HasSubstr("tmp-checkpoint-2/model.safetensors"));
  EXPECT_FALSE(fs::exists(out / "tmp-checkpoint-2"));
  std::vector<std::string> passed_over;
  const auto found = checkpoints.FindNewest(passed_over);
  ASSERT_TRUE(found.ok() && found->has_value());
  EXPECT_EQ((*found)->state.global_step, 1);
  EXPECT_TRUE(passed_over.empty());
}

// The optimiser of one stage of the test model; its gradients are all ones.
std::unique_ptr<ShardedOptimizer> OptimizerOf(Vlm& model, OptimizerKind kind, Ranks& ranks, ThreadPool& pool) {
  StageConfig stage = TestStage("one");
  stage.optimizer = kind;
  SetTrainedParts(model, stage);
  auto optimizer = std::make_unique<ShardedOptimizer>(TrainedOf(model.parameters(), stage), ShardedOptimizer::Options{},
                                                      ranks, pool);
  for (size_t i = 0; i < optimizer->trained().size(); ++i) std::ranges::fill(optimizer->gradient(i), 1.0f);
  return optimizer;
}

TEST(Checkpoints, MuonGoesOnFromAdamWAndNotTheOtherWay) {
  const std::unique_ptr<Ranks> ranks = SingleRank();
  ThreadPool pool(1);
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 16, 1);
  const auto saved = [&](OptimizerKind kind) {
    const auto optimizer = OptimizerOf(*model, kind, *ranks, pool);
    EXPECT_TRUE(optimizer->ReduceGradients().ok() && optimizer->Step(1.0, 1.0).ok());
    Checkpoints checkpoints(FreshFolder(kind == OptimizerKind::kMuon ? "from_muon" : "from_adamw"), 1, *ranks);
    EXPECT_TRUE(checkpoints.Save({.stage_name = "one"}, ValuesOf(model->parameters()), optimizer.get()).ok());
    std::vector<std::string> passed_over;
    return **checkpoints.FindNewest(passed_over);
  };
  const Checkpoints reader("", 1, *ranks);
  const FoundCheckpoint adamw = saved(OptimizerKind::kAdamW), muon = saved(OptimizerKind::kMuon);

  const auto goes_on = OptimizerOf(*model, OptimizerKind::kMuon, *ranks, pool);
  ASSERT_TRUE(reader.LoadOptimizer(adamw, *goes_on).ok());
  EXPECT_EQ(goes_on->num_steps(), 1);
  for (const ShardedOptimizer::Piece& piece : goes_on->pieces()) {
    EXPECT_EQ(piece.exp_avg_sq.empty(), goes_on->trained()[piece.parameter].name == "mm_projector/fc.weight");
    for (const float average : piece.exp_avg) EXPECT_NEAR(average, 0.1f, 1e-7) << "AdamW's, a tenth of the gradient";
    for (const float square : piece.exp_avg_sq) EXPECT_NEAR(square, 0.001f, 1e-8);
  }
  const Status back = reader.LoadOptimizer(muon, *OptimizerOf(*model, OptimizerKind::kAdamW, *ranks, pool));
  EXPECT_THAT(MessageOf(back), HasSubstr("lacks 256 of this rank's elements"));
  EXPECT_THAT(MessageOf(back), HasSubstr("another optimizer"));
}

TEST(Checkpoints, RotationCountsByNumber) {
  const fs::path out = FreshFolder("rotation");
  const std::unique_ptr<Ranks> ranks = SingleRank();
  const std::unique_ptr<Vlm> model = MakeTestModel(kVocab, 4, 1);
  Checkpoints checkpoints(out, 2, *ranks);
  for (const int64_t step : {8, 9, 10, 11}) {
    ASSERT_TRUE(
        checkpoints.Save({.stage_name = "one", .global_step = step}, ValuesOf(model->parameters()), nullptr).ok());
  }
  EXPECT_FALSE(fs::exists(out / "checkpoint-9"));
  EXPECT_TRUE(fs::exists(out / "checkpoint-10") && fs::exists(out / "checkpoint-11"));
}

TEST(Metrics, LaterLinesCountAndBrokenOnesAreCounted) {
  const fs::path file = FreshFolder("metrics") / "metrics.jsonl";
  {
    StatusOr<MetricsFile> metrics = MetricsFile::Append(file);
    ASSERT_TRUE(metrics.ok());
    for (const int64_t step : {1, 2, 3}) {
      ASSERT_TRUE(metrics->Write({.stage = "one", .global_step = step, .loss = 1.0 * step}).ok());
    }
  }
  std::ofstream(file, std::ios::app) << "{\"stage\": \"one\", \"glob";  // cut short
  StatusOr<MetricsFile> metrics = MetricsFile::Append(file);
  ASSERT_TRUE(metrics.ok());
  ASSERT_TRUE(metrics->Write({.stage = "one", .global_step = 3, .loss = 7.0}).ok());
  const StatusOr<MetricsHistory> history = ReadMetrics(file);
  ASSERT_TRUE(history.ok());
  ASSERT_EQ(history->steps.size(), 3u);
  EXPECT_EQ(history->steps[2].loss, 7.0);
  EXPECT_EQ(history->num_broken, 1);
}

TEST(Ranks, LaunchersAreRecognised) {
  const auto kind = [](std::map<std::string, std::string> env) {
    return DetectLauncher([&](const char* name) {
             const auto it = env.find(name);
             return it == env.end() ? nullptr : it->second.c_str();
           })
        .kind;
  };
  using Kind = LaunchedBy::Kind;
  EXPECT_EQ(kind({}), Kind::kNone);
  EXPECT_EQ(kind({{"OMPI_COMM_WORLD_SIZE", "2"}}), Kind::kMpi);
  EXPECT_EQ(kind({{"PMIX_RANK", "0"}, {"SLURM_STEP_ID", "0"}}), Kind::kMpi);
  EXPECT_EQ(kind({{"SLURM_NTASKS", "4"}}), Kind::kNone);
  EXPECT_EQ(kind({{"SLURM_STEP_ID", "0"}, {"SLURM_STEP_NUM_TASKS", "4"}}), Kind::kSlurmWithoutPmi);
  EXPECT_EQ(kind({{"RANK", "0"}, {"WORLD_SIZE", "2"}}), Kind::kTorchrun);
  EXPECT_EQ(kind({{"RANK", "0"}, {"WORLD_SIZE", "1"}}), Kind::kNone);
}

// Of a stage's optimiser on the rank that holds most.
int64_t StateBytes(const std::string& text, const std::string& stage) {
  const std::string before = "state " + stage + " ";
  int64_t most = -1;
  for (size_t at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
    most = std::max<int64_t>(most, std::atoll(text.c_str() + at + before.size()));
  }
  return most;
}

TEST(Ranks, TwoGiveTheCurveOfOne) {
  const fs::path one = FreshFolder("one"), two = FreshFolder("two");
  const Ended single = RunProgram(Fixture(one, 50, 32, 0), one / "log");
  ASSERT_EQ(single.code, 0) << single.text;
  const Ended pair = RunProgram(Mpirun(2, Fixture(two, 50, 32, 0)), two / "log");
  ASSERT_EQ(pair.code, 0) << pair.text;
  const std::vector<double> want = LossesOf(one), got = LossesOf(two);
  ASSERT_EQ(want.size(), 100u);
  ASSERT_EQ(got.size(), 100u);
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(want[i], got[i], 1e-3) << "step " << i + 1;
  ASSERT_GT(StateBytes(single.text, "one"), 0);
  EXPECT_LE(StateBytes(pair.text, "one"), StateBytes(single.text, "one") * 6 / 10);
  // With Muon parameters stay whole: of 1152 values with two moments and 1024 with one, one rank has the 1024 and half
  // of the others, but for a few.
  EXPECT_EQ(StateBytes(single.text, "two"), (2 * 1152 + 1024) * 4);
  EXPECT_LE(StateBytes(pair.text, "two"), StateBytes(single.text, "two") * 7 / 10);
  EXPECT_THAT(single.text, HasSubstr("stage one: read by 0"));
  EXPECT_THAT(pair.text, HasSubstr("stage one (rank 0): read by 0"));
  EXPECT_THAT(pair.text, HasSubstr("stage one (rank 1): read by 1"));
}

TEST(Ranks, ACheckpointOfTwoIsGoneOnWithByOne) {
  const fs::path one = FreshFolder("shards_one"), two = FreshFolder("shards_two");
  ASSERT_EQ(RunProgram(Fixture(one, 20, 32, 0), one / "log").code, 0);
  const Ended stopped = RunProgram(Mpirun(2, With(Fixture(two, 20, 32, 0), {"stop-at", "30"})), two / "log");
  EXPECT_THAT(stopped.text, HasSubstr("stopped at stage 2 two, step 10"));
  ASSERT_TRUE(fs::exists(two / "checkpoint-30/optimizer-1-of-2.safetensors")) << stopped.text;
  const Ended ended = RunProgram(Fixture(two, 20, 32, 0), two / "log");
  ASSERT_EQ(ended.code, 0) << ended.text;
  const std::vector<double> want = LossesOf(one), got = LossesOf(two);
  ASSERT_EQ(got.size(), want.size());
  for (size_t i = 0; i < want.size(); ++i) EXPECT_NEAR(want[i], got[i], 1e-3) << "step " << i + 1;
}

TEST(Ranks, AKilledRankEndsTheOthers) {
  const fs::path out = FreshFolder("killed");
  const Ended ended = RunProgram(Mpirun(2, With(Fixture(out, 20, 16, 5), {"die-at", "8", "1"})), out / "log");
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.text, HasSubstr("exited on signal 9 (Killed)"));
  EXPECT_TRUE(fs::exists(out / "checkpoint-5/state.json"));
}

TEST(Ranks, AFailureOfOneIsNamedAndEndsTheOthers) {
  const fs::path out = FreshFolder("failed");
  const Ended ended = RunProgram(Mpirun(2, With(Fixture(out, 20, 16, 5), {"fail-at", "8", "1"})), out / "log");
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(ended.text, HasSubstr("rank 1: data.json:7: broken"));
}

TEST(Ranks, FoldersThatDifferAreRefused) {
  const fs::path here = FreshFolder("one_machine"), there = FreshFolder("another");
  ASSERT_EQ(RunProgram(With(Fixture(there, 20, 16, 0), {"stop-at", "7"}), there / "log").code, 3);
  const std::vector<std::string> both =
      With(With(Mpirun(1, Fixture(here, 20, 16, 0)), {":", "-n", "1"}), Fixture(there, 20, 16, 0));
  const Ended ended = RunProgram(both, here / "log");
  EXPECT_NE(ended.code, 0);
  EXPECT_THAT(
      ended.text,
      HasSubstr("rank 1: goes on from stage 1 step 7, rank 0 from stage 1 step 0: the run's folder must be the same"));

  const fs::path fresh = FreshFolder("fresh"), other = FreshFolder("other_fresh");
  const Ended begun = RunProgram(
      With(With(Mpirun(1, Fixture(fresh, 20, 16, 0)), {":", "-n", "1"}), Fixture(other, 20, 16, 0)), fresh / "log");
  EXPECT_NE(begun.code, 0);
  EXPECT_THAT(begun.text, HasSubstr("rank 1: " + other.string() + ": has not the recipe.toml that rank 0 has written"));
}

}  // namespace
}  // namespace galago::train

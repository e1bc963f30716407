#ifndef GALAGO_CLI_BENCH_REPORT_H_
#define GALAGO_CLI_BENCH_REPORT_H_

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/bench_samples.h"
#include "apps/cli/options.h"
#include "galago/bench.h"
#include "galago/system.h"
#include "src/base/json.h"

// What `galago bench` found, and how it is told.
namespace galago::cli {

inline constexpr std::array<BenchStageKind, 6> kBenchStages = {BenchStageKind::kLoad,    BenchStageKind::kTower,
                                                               BenchStageKind::kPrefill, BenchStageKind::kDecode,
                                                               BenchStageKind::kPicture, BenchStageKind::kLimits};
std::string_view Name(BenchStageKind kind);
std::string_view Name(WeightFormat format);  // "bf16", "w4", "w6", "w8"

struct BenchStage {
  BenchStageKind kind = BenchStageKind::kPrefill;
  int64_t count = 0;     // tiles, tokens; for decoding the depth
  Samples samples;       // of one tower call, one prefill, one decoded token
  StageWork work;        // of one sample
  double units() const;  // tiles or tokens of one sample
};

// Picture to first token, all stages of Session::Generate.
struct BenchPicture {
  PictureSize size;
  int64_t tiles = 0, prompt_tokens = 0;
  std::vector<double> media_ms, vision_ms, prefill_ms, first_token_ms;
};

struct BenchReport {
  SystemFacts system;
  BuildFacts build;
  // Empty if only limits were asked for.
  std::string model;
  std::optional<RandomModelOptions> random;  // the weights are made up
  std::string isa;
  int threads = 0;
  Precision precision = Precision::kBf16;
  int64_t prefill_chunk = 0, ctx_size = 0, repeats = 0, warmup = 0;
  MemoryPlan memory;
  uint64_t peak_host_bytes = 0;
  std::vector<double> load_ms;
  std::vector<std::string> notes;
  std::vector<BenchStage> stages;
  std::vector<BenchPicture> pictures;
  std::vector<MachineLimit> limits;
};

// The least time a machine of these limits could take: whichever of arithmetic and memory takes longer.
struct Roof {
  const MachineLimit* arithmetic = nullptr;
  const MachineLimit* memory = nullptr;
  double seconds = 0;
};
// Of limits measured with the report's number of threads: the fastest arithmetic of the precision at hand among the
// instructions in use. Nothing if there is none.
std::optional<Roof> RoofOf(const BenchReport& report, const StageWork& work);

std::string BenchText(const BenchReport& report);
Json BenchJson(const BenchReport& report);  // schema galago.bench/1

}  // namespace galago::cli

#endif  // GALAGO_CLI_BENCH_REPORT_H_

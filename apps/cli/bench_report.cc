#include "apps/cli/bench_report.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "eval/table.h"
#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

// "avx512_bf16" of a limit and "avx512bf16" of a kernel family are the same instructions.
std::string Plain(std::string_view isa) { return ReplaceAll(std::string(isa), "_", ""); }

// Whether kernels of family `isa` may use the instructions a limit was measured with.
bool Uses(std::string_view isa, const MachineLimit& limit) {
  const std::string family = Plain(isa), used = Plain(limit.isa);
  if (family == "ref" || family == "avx2" || family == "avx512" || family == "neon") {
    return used == family || (family == "avx512" && used == "avx2");
  }
  if (family.starts_with("avx512")) return used != "amx";
  if (family == "neondot") return used == "neon" || used == "neondotprod";
  if (family == "neonbf16") return used != "neoni8mm";
  return true;
}

// What a precision multiplies with, and what is slower than that.
bool Suits(Precision precision, const MachineLimit& limit) {
  if (limit.name == "fma_f32") return true;
  if (limit.name == "bf16" || limit.name == "amx_bf16") return precision != Precision::kF32;
  return precision == Precision::kInt8;
}

std::string What(const BenchStage& stage) {
  switch (stage.kind) {
    case BenchStageKind::kTower:
      return stage.count == 1 ? "1 tile" : StrCat(stage.count, " tiles");
    case BenchStageKind::kPrefill:
      return StrCat(stage.count, " tokens");
    case BenchStageKind::kDecode:
      return StrCat("depth ", stage.count);
    default:
      return "";
  }
}

// Three digits that matter, with a decimal prefix: 31.2 G.
std::string Scaled(double value, std::string_view unit) {
  const std::array<const char*, 5> prefixes = {"", "k", "M", "G", "T"};
  size_t i = 0;
  for (; i + 1 < prefixes.size() && value >= 999.5; ++i) value /= 1000;
  return fmt::format("{:.{}f} {}{}", value, value < 9.995 ? 2 : value < 99.95 ? 1 : 0, prefixes[i], unit);
}

std::string Ms(double ms) { return fmt::format("{:.{}f}", ms, ms < 10 ? 2 : ms < 1000 ? 1 : 0); }

double Rounded(double value) { return static_cast<double>(static_cast<int64_t>(value * 1000.0 + 0.5)) / 1000.0; }

Json SummaryJson(std::span<const double> samples) {
  const Summary summary = Summarise(samples);
  return {{"median", Rounded(summary.median)},
          {"p95", Rounded(summary.p95)},
          {"min", Rounded(summary.min)},
          {"max", Rounded(summary.max)}};
}

std::string LimitsText(const std::vector<MachineLimit>& limits) {
  std::set<int> threads;
  for (const MachineLimit& limit : limits) threads.insert(limit.threads);
  eval::Table table{.header = {"limit", "instructions"}, .num_text = 2};
  for (const int n : threads) table.header.push_back(n == 1 ? "1 thread" : StrCat(n, " threads"));
  for (const MachineLimit& limit : limits) {
    if (limit.threads != *threads.begin()) continue;
    std::vector<std::string> row = {limit.name, limit.isa};
    for (const int n : threads) {
      const auto same = std::ranges::find_if(limits, [&](const MachineLimit& other) {
        return other.threads == n && other.name == limit.name && other.isa == limit.isa;
      });
      row.push_back(same == limits.end() ? "" : Scaled(same->best, limit.name == "dram_read" ? "B/s" : "op/s"));
    }
    table.rows.push_back(std::move(row));
  }
  return eval::TextTable(table);
}

// Share of the roof if the processors' time were spent on all threads side by side: what is left of the wall's share
// where others keep the machine busy, and an upper bound where threads wait for each other.
double CpuFraction(const BenchReport& report, const BenchStage& stage, const Roof& roof) {
  const double cpu_seconds = Summarise(stage.samples.cpu_ms).median / 1e3;
  return cpu_seconds > 0 ? roof.seconds * report.threads / cpu_seconds : 0;
}

std::string StagesText(const BenchReport& report) {
  eval::Table table{
      .header = {"stage", "", "median ms", "p95 ms", "cpu ms", "a second", "op/s", "B/s", "of roof", "by cpu"},
      .num_text = 2};
  for (const BenchStage& stage : report.stages) {
    const Summary wall = Summarise(stage.samples.wall_ms), cpu = Summarise(stage.samples.cpu_ms);
    const double seconds = wall.median / 1e3;
    const std::optional<Roof> roof = RoofOf(report, stage.work);
    table.rows.push_back(
        {std::string(Name(stage.kind)), What(stage), Ms(wall.median), Ms(wall.p95), Ms(cpu.median),
         fmt::format("{:.2f} {}", stage.units() / seconds, stage.kind == BenchStageKind::kTower ? "tiles" : "tokens"),
         Scaled(stage.work.operations / seconds, ""), Scaled(stage.work.bytes / seconds, ""),
         roof ? fmt::format("{:.0f} % {}", 100 * roof->seconds / seconds,
                            stage.work.bytes / roof->memory->best >= roof->seconds ? roof->memory->name
                                                                                   : roof->arithmetic->name)
              : "",
         roof ? fmt::format("{:.0f} %", 100 * CpuFraction(report, stage, *roof)) : ""});
  }
  return eval::TextTable(table);
}

std::string PicturesText(const BenchReport& report) {
  eval::Table table{.header = {"picture", "tiles", "tokens", "media ms", "vision ms", "prefill ms", "first token ms"},
                    .num_text = 1};
  for (const BenchPicture& picture : report.pictures) {
    table.rows.push_back({StrCat(picture.size.width, "x", picture.size.height), StrCat(picture.tiles),
                          StrCat(picture.prompt_tokens), Ms(Summarise(picture.media_ms).median),
                          Ms(Summarise(picture.vision_ms).median), Ms(Summarise(picture.prefill_ms).median),
                          Ms(Summarise(picture.first_token_ms).median)});
  }
  return eval::TextTable(table);
}

Json StageJson(const BenchReport& report, const BenchStage& stage) {
  const double seconds = Summarise(stage.samples.wall_ms).median / 1e3;
  const auto rate = [&](double amount) { return seconds > 0 ? amount / seconds : 0.0; };
  Json json = {{"stage", Name(stage.kind)},
               {stage.kind == BenchStageKind::kTower    ? "tiles"
                : stage.kind == BenchStageKind::kDecode ? "depth"
                                                        : "tokens",
                stage.count},
               {"samples", stage.samples.wall_ms.size()},
               {"wall_ms", SummaryJson(stage.samples.wall_ms)},
               {"cpu_ms", SummaryJson(stage.samples.cpu_ms)},
               {"per_second", Rounded(rate(stage.units()))},
               {"operations", stage.work.operations},
               {"bytes", stage.work.bytes},
               {"operations_per_second", rate(stage.work.operations)},
               {"bytes_per_second", rate(stage.work.bytes)},
               {"roof", nullptr}};
  if (const std::optional<Roof> roof = RoofOf(report, stage.work); roof && seconds > 0) {
    json["roof"] = {{"arithmetic", roof->arithmetic->name},
                    {"instructions", roof->arithmetic->isa},
                    {"ms", Rounded(1e3 * roof->seconds)},
                    {"fraction", Rounded(roof->seconds / seconds)},
                    {"fraction_by_cpu", Rounded(CpuFraction(report, stage, *roof))}};
  }
  return json;
}

}  // namespace

std::string_view Name(BenchStageKind kind) {
  switch (kind) {
    case BenchStageKind::kLoad:
      return "load";
    case BenchStageKind::kTower:
      return "tower";
    case BenchStageKind::kPrefill:
      return "prefill";
    case BenchStageKind::kDecode:
      return "decode";
    case BenchStageKind::kPicture:
      return "picture";
    case BenchStageKind::kLimits:
      return "limits";
  }
  return "";
}

std::string_view Name(WeightFormat format) {
  switch (format) {
    case WeightFormat::kBf16:
      return "bf16";
    case WeightFormat::kW4:
      return "w4";
    case WeightFormat::kW6:
      return "w6";
    case WeightFormat::kW8:
      return "w8";
  }
  return "";
}

double BenchStage::units() const { return kind == BenchStageKind::kDecode ? 1.0 : static_cast<double>(count); }

std::optional<Roof> RoofOf(const BenchReport& report, const StageWork& work) {
  Roof roof;
  for (const MachineLimit& limit : report.limits) {
    if (limit.threads != report.threads) continue;
    if (limit.name == "dram_read") {
      roof.memory = &limit;
    } else if (Uses(report.isa, limit) && Suits(report.precision, limit) &&
               (roof.arithmetic == nullptr || limit.best > roof.arithmetic->best)) {
      roof.arithmetic = &limit;
    }
  }
  if (roof.memory == nullptr || roof.arithmetic == nullptr) return std::nullopt;
  roof.seconds = std::max(work.operations / roof.arithmetic->best, work.bytes / roof.memory->best);
  return roof;
}

std::string BenchText(const BenchReport& report) {
  std::string out;
  const auto line = [&](std::string_view name, const std::string& value) {
    out += fmt::format("{:<10}{}\n", name, value);
  };
  line("machine", StrCat(report.system.cpu_model, ", ", report.system.usable_cores, " usable cores"));
  if (!report.model.empty()) {
    const auto& random = report.random;
    line("model", random ? StrCat(report.model, ", random weights: decoder ", Name(random->decoder), ", head ",
                                  Name(random->head), ", tower ", Name(random->tower))
                         : report.model);
    line("kernels", StrCat(report.isa, ", ", report.threads, report.threads == 1 ? " thread, " : " threads, ",
                           Name(report.precision), ", prompts in chunks of ", report.prefill_chunk));
    line("memory", StrCat(HumanBytes(report.peak_host_bytes), " at most; weights ", HumanBytes(report.memory.weights),
                          ", KV cache of ", report.ctx_size, " tokens ", HumanBytes(report.memory.kv_cache)));
    if (!report.load_ms.empty()) line("load", StrCat(Ms(Summarise(report.load_ms).median), " ms"));
    line("runs", StrCat("medians of ", report.repeats, " after ", report.warmup, " to warm up"));
  }
  if (!report.stages.empty()) out += StrCat("\n", StagesText(report));
  if (!report.pictures.empty()) out += StrCat("\n", PicturesText(report));
  if (!report.limits.empty()) out += StrCat("\n", LimitsText(report.limits));
  return out;
}

Json BenchJson(const BenchReport& report) {
  Json json = {{"schema", "galago.bench/1"},
               {"machine",
                {{"cpu", report.system.cpu_model},
                 {"usable_cores", report.system.usable_cores},
                 {"features", report.system.cpu_features}}},
               {"engine", {{"version", report.build.version}, {"compiler", report.build.compiler}}},
               {"model", nullptr},
               {"stages", Json::array()},
               {"pictures", Json::array()},
               {"limits", Json::array()}};
  if (!report.model.empty()) {
    json["model"] = {{"name", report.model}, {"random", nullptr}};
    if (report.random) {
      json["model"]["random"] = {{"decoder", Name(report.random->decoder)},
                                 {"head", Name(report.random->head)},
                                 {"tower", Name(report.random->tower)},
                                 {"seed", report.random->seed}};
    }
    json["device"] = {{"isa", report.isa},
                      {"threads", report.threads},
                      {"precision", Name(report.precision)},
                      {"prefill_chunk", report.prefill_chunk},
                      {"ctx_size", report.ctx_size}};
    json["runs"] = {{"repeats", report.repeats}, {"warmup", report.warmup}};
    json["memory"] = {{"peak_host", report.peak_host_bytes},
                      {"weights", report.memory.weights},
                      {"kv_cache", report.memory.kv_cache},
                      {"vision_workspace", report.memory.vision_workspace},
                      {"activations", report.memory.activations}};
    json["load_ms"] = SummaryJson(report.load_ms);
    json["notes"] = report.notes;
  }
  for (const BenchStage& stage : report.stages) json["stages"].push_back(StageJson(report, stage));
  for (const BenchPicture& picture : report.pictures) {
    json["pictures"].push_back({{"width", picture.size.width},
                                {"height", picture.size.height},
                                {"tiles", picture.tiles},
                                {"prompt_tokens", picture.prompt_tokens},
                                {"decode_media_ms", SummaryJson(picture.media_ms)},
                                {"vision_ms", SummaryJson(picture.vision_ms)},
                                {"prompt_ms", SummaryJson(picture.prefill_ms)},
                                {"ttft_ms", SummaryJson(picture.first_token_ms)}});
  }
  for (const MachineLimit& limit : report.limits) {
    json["limits"].push_back({{"name", limit.name},
                              {"instructions", limit.isa},
                              {"threads", limit.threads},
                              {"unit", limit.name == "dram_read" ? "B/s" : "op/s"},
                              {"median", limit.median},
                              {"best", limit.best}});
  }
  return json;
}

}  // namespace galago::cli

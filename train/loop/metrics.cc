#include "train/loop/metrics.h"

#include <unistd.h>

#include <cmath>
#include <cstring>
#include <map>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"

namespace galago::train {
namespace {

constexpr size_t kMaxMetricsBytes = size_t{1} << 32;
constexpr int64_t kMaxCount = int64_t{1} << 53;

StatusOr<StepMetrics> FromLine(std::string_view line, std::string_view what) {
  ASSIGN_OR_RETURN(const Json json, ParseJson(line, what));
  if (!json.is_object()) return DataLoss(StrCat(what, ": no JSON object"));
  StepMetrics m;
  Status status = OkStatus();
  const auto whole = [&](const char* key, int64_t& out) {
    const auto value = JsonInt(json, key, what, 0, kMaxCount);
    if (!value.ok()) status = value.status();
    if (value.ok() && *value) out = **value;
  };
  const auto number = [&](const char* key, double& out) {
    const auto value = JsonNumber(json, key, what);
    if (!value.ok()) status = value.status();
    if (value.ok() && *value) out = **value;
  };
  const auto name = JsonString(json, "stage", what);
  if (!name.ok()) return name.status();
  m.stage = name->value_or("");
  whole("step", m.step);
  whole("global_step", m.global_step);
  whole("num_steps", m.num_steps);
  number("loss", m.loss);
  number("lr", m.lr);
  number("grad_norm", m.grad_norm);
  whole("samples", m.samples);
  whole("tokens", m.tokens);
  whole("labels", m.labels);
  number("flops", m.flops);
  number("step_s", m.step_s);
  number("wait_s", m.wait_s);
  int64_t memory = 0;
  whole("memory_bytes", memory);
  m.memory_bytes = static_cast<uint64_t>(memory);
  number("elapsed_s", m.elapsed_s);
  RETURN_IF_ERROR(status);
  return m;
}

std::string Fixed(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof(text), "%.*f", digits, value);
  return text;
}

}  // namespace

StatusOr<MetricsFile> MetricsFile::Append(const std::filesystem::path& path) {
  bool cut_short = false;
  if (std::FILE* old = std::fopen(path.c_str(), "rb")) {
    cut_short = std::fseek(old, -1, SEEK_END) == 0 && std::fgetc(old) != '\n';
    std::fclose(old);
  }
  std::FILE* file = std::fopen(path.c_str(), "ab");
  if (file == nullptr) return Unavailable(StrCat(path.string(), ": cannot be written: ", std::strerror(errno)));
  MetricsFile metrics(path, file);
  if (cut_short && std::fputc('\n', file) == EOF) return Unavailable(StrCat(path.string(), ": cannot be written"));
  return metrics;
}

Status MetricsFile::Write(const StepMetrics& m) {
  const Json json = {{"stage", m.stage},
                     {"step", m.step},
                     {"global_step", m.global_step},
                     {"num_steps", m.num_steps},
                     {"loss", m.loss},
                     {"lr", m.lr},
                     {"grad_norm", m.grad_norm},
                     {"samples", m.samples},
                     {"tokens", m.tokens},
                     {"labels", m.labels},
                     {"flops", m.flops},
                     {"step_s", m.step_s},
                     {"wait_s", m.wait_s},
                     {"memory_bytes", m.memory_bytes},
                     {"elapsed_s", m.elapsed_s}};
  const std::string line = json.dump() + "\n";
  if (std::fwrite(line.data(), 1, line.size(), file_.get()) != line.size() || std::fflush(file_.get()) != 0) {
    const int error = errno;
    const std::string message = StrCat(path_.string(), ": cannot be written: ", std::strerror(error));
    return error == ENOSPC || error == EDQUOT ? ResourceExhausted(message) : Unavailable(message);
  }
  return OkStatus();
}

StatusOr<MetricsHistory> ReadMetrics(const std::filesystem::path& path) {
  ASSIGN_OR_RETURN(const std::string text, ReadFile(path, kMaxMetricsBytes));
  MetricsHistory history;
  std::map<int64_t, StepMetrics> by_step;
  int64_t number = 0;
  for (const std::string& line : Split(text, '\n')) {
    ++number;
    if (Trim(line).empty()) continue;
    StatusOr<StepMetrics> metrics = FromLine(line, StrCat(path.string(), ":", number));
    if (metrics.ok()) {
      by_step[metrics->global_step] = *std::move(metrics);
    } else {
      ++history.num_broken;
    }
  }
  for (auto& [step, metrics] : by_step) history.steps.push_back(std::move(metrics));
  return history;
}

uint64_t ResidentBytes() {
  std::FILE* file = std::fopen("/proc/self/statm", "r");
  if (file == nullptr) return 0;
  unsigned long size = 0, resident = 0;
  const int got = std::fscanf(file, "%lu %lu", &size, &resident);
  std::fclose(file);
  return got == 2 ? uint64_t{resident} * static_cast<uint64_t>(::sysconf(_SC_PAGESIZE)) : 0;
}

std::string ClockText(double seconds) {
  const auto total = static_cast<int64_t>(std::llround(std::max(0.0, std::min(seconds, 1e9))));
  char text[64];
  if (total >= 3600) {
    std::snprintf(text, sizeof(text), "%ld:%02ld:%02ld", static_cast<long>(total / 3600),
                  static_cast<long>(total / 60 % 60), static_cast<long>(total % 60));
  } else {
    std::snprintf(text, sizeof(text), "%ld:%02ld", static_cast<long>(total / 60), static_cast<long>(total % 60));
  }
  return text;
}

std::string ProgressLine(const StepMetrics& now, double samples_per_s, double tokens_per_s, double wait_share,
                         double left_s) {
  char lr[32];
  std::snprintf(lr, sizeof(lr), "%.2e", now.lr);
  return StrCat(now.stage, " ", now.step, "/", now.num_steps, "  loss ", Fixed(now.loss, 4), "  lr ", lr, "  norm ",
                Fixed(now.grad_norm, 2), "  ", Fixed(samples_per_s, 1), " samples/s  ", Fixed(tokens_per_s, 0),
                " tokens/s  data wait ", Fixed(100.0 * wait_share, 0), " %  ", HumanBytes(now.memory_bytes), "  left ",
                ClockText(left_s));
}

}  // namespace galago::train

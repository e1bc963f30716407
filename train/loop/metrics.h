#ifndef GALAGO_TRAIN_LOOP_METRICS_H_
#define GALAGO_TRAIN_LOOP_METRICS_H_

#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "galago/status.h"

namespace galago::train {

// One optimiser step: a line of OUT/metrics.jsonl. Counts are sums over ranks.
struct StepMetrics {
  std::string stage;
  int64_t step = 0;         // within the stage, counted from 1 once done
  int64_t global_step = 0;  // over all stages
  int64_t num_steps = 0;    // of the stage
  double loss = 0.0;        // per label token, with all that the stage adds to it
  double lr = 0.0;          // the default rate; parts may have their own
  double grad_norm = 0.0;   // before clipping
  int64_t samples = 0;
  int64_t tokens = 0;  // rows of the language model, media included
  int64_t labels = 0;
  double flops = 0.0;   // operations of the matrix products
  double step_s = 0.0;  // wall time, waiting included
  double wait_s = 0.0;  // of it, waiting for data
  uint64_t memory_bytes = 0;
  double elapsed_s = 0.0;  // of training since the beginning of the run, over all starts
};

// Appends to metrics.jsonl. A line that an interruption cut short is closed first; after going back to an earlier
// checkpoint the steps since then appear again, and the later line counts.
class MetricsFile {
 public:
  static StatusOr<MetricsFile> Append(const std::filesystem::path& path);
  Status Write(const StepMetrics& metrics);

 private:
  struct Close {
    void operator()(std::FILE* file) const { std::fclose(file); }
  };
  MetricsFile(std::filesystem::path path, std::FILE* file) : path_(std::move(path)), file_(file) {}
  std::filesystem::path path_;
  std::unique_ptr<std::FILE, Close> file_;
};

struct MetricsHistory {
  std::vector<StepMetrics> steps;  // one of each global step, ascending
  int64_t num_broken = 0;          // lines that could not be read
};
StatusOr<MetricsHistory> ReadMetrics(const std::filesystem::path& path);

// Memory this process holds at present.
uint64_t ResidentBytes();

// "1:02:03", "4:05".
std::string ClockText(double seconds);

// The progress line: where the run stands, speed and time left by the mean of the last steps.
std::string ProgressLine(const StepMetrics& now, double samples_per_s, double tokens_per_s, double wait_share,
                         double left_s);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_METRICS_H_

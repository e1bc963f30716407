#ifndef GALAGO_TRAIN_LOOP_REPORT_H_
#define GALAGO_TRAIN_LOOP_REPORT_H_

#include <filesystem>
#include <string>

#include "galago/status.h"

namespace galago::train {

// One HTML page about a run that needs no network: curves of loss, rate and gradient norm by stage, speed, and the
// scores of the model after each stage where `galago eval world --json` was written to stage-N-NAME/scores.json.
StatusOr<std::string> ReportHtml(const std::filesystem::path& out);
// To out/report.html.
StatusOr<std::filesystem::path> WriteReport(const std::filesystem::path& out);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_REPORT_H_

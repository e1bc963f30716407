#ifndef GALAGO_CLI_BENCH_SVG_H_
#define GALAGO_CLI_BENCH_SVG_H_

#include <string>

#include "apps/cli/bench_report.h"

namespace galago::cli {

// The roofline picture of a report (Williams, Waterman, Patterson 2009): operations a byte to the right, operations a
// second upwards, both logarithmic; memory is the slope, each arithmetic limit a ceiling, each stage a numbered point
// that the legend explains. A complete SVG document that needs no font or style of its own. FailedPrecondition if the
// report has no limits for its number of threads.
StatusOr<std::string> RooflineSvg(const BenchReport& report);

}  // namespace galago::cli

#endif  // GALAGO_CLI_BENCH_SVG_H_

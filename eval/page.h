#ifndef GALAGO_EVAL_PAGE_H_
#define GALAGO_EVAL_PAGE_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "eval/summary.h"
#include "eval/world_set.h"

namespace galago::eval {

// At most `per_task` wrong answers of each task, all kinds in turn, in the order of the set. Wrong: less than the full
// score, for times less than half covered.
std::vector<Answer> ChooseFailures(const WorldSet& set, std::span<const Answer> answers, int64_t per_task);

// One file that needs no other and no network: the table, and failures with their pictures. A picture that cannot be
// read any more is named instead of shown.
std::string ReportPage(const Report& report, const WorldSet& set, std::span<const Answer> answers, int64_t per_task);

}  // namespace galago::eval

#endif  // GALAGO_EVAL_PAGE_H_

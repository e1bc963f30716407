#ifndef GALAGO_CLI_JSON_OUTPUT_H_
#define GALAGO_CLI_JSON_OUTPUT_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "apps/cli/exit_codes.h"
#include "apps/cli/options.h"
#include "galago/model.h"
#include "galago/session.h"
#include "galago/system.h"
#include "src/base/json.h"

// The JSON documents of docs/cli.md.
namespace galago::cli {

// One line; bytes that are not UTF-8 become U+FFFD.
std::string Dump(const Json& json);

// "run_" and 26 digits: milliseconds since 1970 and 80 random bits, in Crockford's base 32 (the ULID layout), so that
// ids sort by time.
std::string MakeRequestId();

Json ErrorJson(Stage stage, const Status& status, std::string_view request_id);

// Facts about a run that its result does not carry.
struct RunContext {
  std::string id;
  std::string model;
  std::string isa;
  int threads = 0;
  BuildFacts build;
  double load_ms = 0;
  uint64_t peak_host_bytes = 0;
  std::vector<std::string> warnings;  // besides those of the prompt
};
Json RunJson(const GenerateResult& result, const RunContext& context, const Options& options);
Json PlanJson(const PromptPlan& plan, const MemoryPlan& memory, const RunContext& context);

Json TokensJson(const std::vector<Token>& tokens, std::string_view model);
Json VersionJson(const BuildFacts& build);

Json MediaJson(std::span<const MediaInfo> media);

// Largest resident memory of this process so far.
uint64_t PeakHostBytes();

}  // namespace galago::cli

#endif  // GALAGO_CLI_JSON_OUTPUT_H_

#include <fmt/format.h>

#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "src/base/strings.h"

namespace galago::cli {

Exit Fail(World& world, bool json, Stage stage, const Status& status, std::string_view request_id) {
  world.log.Error(MessageOf(status));
  if (json) {
    const std::string id = request_id.empty() ? MakeRequestId() : std::string(request_id);
    Deliver(world, StrCat(Dump(ErrorJson(stage, status, id)), "\n"));
  }
  return ExitCodeFor(stage, status);
}

Exit Deliver(World& world, std::string_view text) {
  const Status status = world.out.Write(text);
  if (status.ok() || status.code() == StatusCode::kFailedPrecondition) return Exit::kSuccess;
  world.log.Error(MessageOf(status));
  return Exit::kResources;
}

std::string StatsText(const GenerateResult& result, double load_ms) {
  const Usage& usage = result.usage;
  const Timings& timings = result.timings;
  int64_t reused = 0;
  for (const MediaInfo& media : result.prompt.media) reused += media.cached ? 1 : 0;
  std::string out;
  const auto line = [&](std::string_view name, double ms, const std::string& rest) {
    out += fmt::format("{:<8}{:>10.1f} ms{}{}\n", name, ms, rest.empty() ? "" : "  ", rest);
  };
  if (load_ms > 0) line("load", load_ms, "");
  if (!result.prompt.media.empty()) {
    line("media", timings.decode_media_ms, "");
    line("vision", timings.vision_ms,
         fmt::format("{} media, {} from cache, {} tokens", result.prompt.media.size(), reused,
                     usage.image_tokens + usage.video_tokens));
  }
  line("prompt", timings.prompt_ms,
       fmt::format("{} tokens, {} cached, {} computed", usage.prompt_tokens, usage.cached_tokens,
                   usage.prompt_tokens - usage.cached_tokens));
  line("first", timings.ttft_ms, "");
  line("answer", timings.generate_ms,
       fmt::format("{} tokens, {:.2f} tokens/s, seed {}", usage.completion_tokens, timings.tokens_per_second,
                   result.seed));
  return out;
}

Exit ExitOfStop(StopCause cause) {
  switch (cause) {
    case StopCause::kNone:
      return Exit::kSuccess;
    case StopCause::kInterrupt:
      return Exit::kInterrupted;
    case StopCause::kTerminate:
      return Exit::kTerminated;
    case StopCause::kDeadline:
      return Exit::kTimeout;
  }
  return Exit::kInternal;
}

}  // namespace galago::cli

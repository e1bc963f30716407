#include <fmt/format.h>

#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "apps/cli/memory_check.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

// The conversation that --system, --prompt and the media amount to. Warnings of media placement are added.
StatusOr<std::vector<Message>> BuildConversation(World& world, const Options& options,
                                                 std::vector<std::string>& warnings) {
  ASSIGN_OR_RETURN(const std::string text, ReadPrompt(world, options));
  ASSIGN_OR_RETURN(std::vector<Part> media, MediaParts(world, options));
  ASSIGN_OR_RETURN(const std::string system, ReadSystem(options));
  std::vector<Message> conversation;
  if (options.system) conversation.push_back({.role = Role::kSystem, .parts = {Part::Text(system)}});
  if (options.generate.raw && media.empty()) {
    // Markers in a raw prompt without media are text like any other.
    conversation.push_back({.role = Role::kUser, .parts = {Part::Text(text)}});
    return conversation;
  }
  ASSIGN_OR_RETURN(UserMessage user, world.engine.PlaceMedia(text, std::move(media)));
  warnings.insert(warnings.end(), user.warnings.begin(), user.warnings.end());
  conversation.push_back(std::move(user.message));
  return conversation;
}

std::string PlanText(const PromptPlan& plan, const MemoryPlan& memory, bool for_terminal) {
  std::string out;
  for (size_t i = 0; i < plan.media.size(); ++i) {
    const MediaInfo& info = plan.media[i];
    out += fmt::format("media {}: {} {}, {}x{}", i + 1, info.kind == PartKind::kVideo ? "video" : "image",
                       Printable(info.source, 256), info.width, info.height);
    if (!info.frame_indices.empty()) {
      out += ", frames";
      for (const int64_t frame : info.frame_indices) out += StrCat(" ", frame);
    }
    if (info.grid) out += fmt::format(", grid {}x{}", (*info.grid)[0], (*info.grid)[1]);
    out += fmt::format(", {} tiles, {} tokens\n", info.tiles, info.tokens);
  }
  out += fmt::format("tokens: {} in all, {} of pictures, {} of videos\n", plan.usage.prompt_tokens,
                     plan.usage.image_tokens, plan.usage.video_tokens);
  out += StrCat(MemoryLine(memory), "\n");
  out += StrCat("prompt:\n", for_terminal ? NeutraliseControls(plan.rendered) : plan.rendered, "\n");
  return out;
}

Exit DryRun(World& world, const Options& options, const std::vector<Message>& conversation, RunContext context) {
  Failure failure;
  const std::unique_ptr<Loaded> loaded = Load(world, options, Weights::kSkip, failure);
  if (loaded == nullptr) return Fail(world, options.json, failure.stage, failure.status, context.id);
  context.model = loaded->model->name();
  const StatusOr<PromptPlan> plan =
      loaded->session->Plan(conversation, GenerateOptionsFor(options, loaded->session->ctx_size(), world.stop));
  if (!plan.ok()) return Fail(world, options.json, Stage::kInput, plan.status(), context.id);
  for (const std::string& warning : plan->warnings) world.log.Warning(warning);
  if (options.json) return Deliver(world, StrCat(Dump(PlanJson(*plan, loaded->memory, context)), "\n"));
  return Deliver(world, PlanText(*plan, loaded->memory, world.out_is_terminal));
}

Exit Answer(World& world, const Options& options, const std::vector<Message>& conversation, RunContext context) {
  const Deadline deadline(world.stop, options.timeout_s);
  Failure failure;
  const std::unique_ptr<Loaded> loaded = Load(world, options, Weights::kLoad, failure);
  const Status late = DeadlineExceeded(StrCat("the time limit of ", options.timeout_s, " s is reached"));
  const bool cancelled = loaded == nullptr && failure.status.code() == StatusCode::kCancelled;
  if (world.stop.cause() == StopCause::kDeadline && (loaded != nullptr || cancelled)) {
    return Fail(world, options.json, Stage::kInput, late, context.id);
  }
  if (loaded == nullptr) return Fail(world, options.json, failure.stage, failure.status, context.id);
  Exit written = Exit::kSuccess;
  bool reader_gone = false;
  const auto on_text = [&](std::string_view text) {
    if (options.json) return Flow::kContinue;
    const Status status = world.out.Write(world.out_is_terminal ? NeutraliseControls(text) : std::string(text));
    if (status.ok()) return Flow::kContinue;
    reader_gone = status.code() == StatusCode::kFailedPrecondition;
    if (!reader_gone) {
      world.log.Error(MessageOf(status));
      written = Exit::kResources;
    }
    return Flow::kStop;
  };
  StatusOr<GenerateResult> result = [&] {
    const Busy busy(world.busy);
    return loaded->session->Generate(conversation, GenerateOptionsFor(options, loaded->session->ctx_size(), world.stop),
                                     on_text);
  }();
  const StopCause cause = world.stop.cause();
  if (!result.ok()) {
    const bool stopped = result.status().code() == StatusCode::kCancelled && cause != StopCause::kNone;
    if (!stopped) return Fail(world, options.json, Stage::kInput, result.status(), context.id);
    const Status status = cause == StopCause::kDeadline ? late : Cancelled("stopped by a signal");
    Fail(world, options.json, Stage::kInput, status, context.id);
    return ExitOfStop(cause);
  }
  if (written != Exit::kSuccess || reader_gone) return written;
  if (!options.json) {
    written = Deliver(world, "\n");
  } else {
    context.model = loaded->model->name();
    context.isa = loaded->session->isa();
    context.threads = loaded->session->threads();
    context.build = world.engine.Build();
    context.load_ms = loaded->report.load_ms;
    context.peak_host_bytes = PeakHostBytes();
    if (cause == StopCause::kDeadline) context.warnings.push_back(MessageOf(late));
    written = Deliver(world, StrCat(Dump(RunJson(*result, context, options)), "\n"));
  }
  for (const std::string& warning : result->prompt.warnings) world.log.Warning(warning);
  if (options.stats) world.log.Print(StatsText(*result, loaded->report.load_ms));
  if (cause == StopCause::kDeadline) world.log.Error(MessageOf(late));
  // A stop that came after the last token stopped nothing.
  const bool stopped = result->finish_reason == FinishReason::kCancelled && cause != StopCause::kNone;
  return stopped ? ExitOfStop(cause) : written;
}

}  // namespace

Exit RunCommand(World& world, const Options& options) {
  RunContext context;
  context.id = MakeRequestId();
  StatusOr<std::vector<Message>> conversation = BuildConversation(world, options, context.warnings);
  if (!conversation.ok()) return Fail(world, options.json, Stage::kInput, conversation.status(), context.id);
  for (const std::string& warning : context.warnings) world.log.Warning(warning);
  return options.dry_run ? DryRun(world, options, *conversation, std::move(context))
                         : Answer(world, options, *conversation, std::move(context));
}

}  // namespace galago::cli

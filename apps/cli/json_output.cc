#include "apps/cli/json_output.h"

#include <sys/resource.h>

#include <chrono>
#include <random>

#include "src/base/strings.h"
#include "src/base/utf8.h"

namespace galago::cli {
namespace {

// Whole milliseconds hide what a fast machine does; three decimals are enough for everything.
double Rounded(double ms) { return static_cast<double>(static_cast<int64_t>(ms * 1000.0 + 0.5)) / 1000.0; }

Json UsageJson(const Usage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"image_tokens", usage.image_tokens},
          {"video_tokens", usage.video_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"cached_tokens", usage.cached_tokens}};
}

Json Warnings(const PromptPlan& plan, const RunContext& context) {
  Json out = Json::array();
  for (const std::string& warning : context.warnings) out.push_back(warning);
  for (const std::string& warning : plan.warnings) out.push_back(warning);
  return out;
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

}  // namespace

std::string Dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

std::string MakeRequestId() {
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  uint64_t time = static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch())
          .count());
  std::string id(26, '0');
  for (size_t i = 10; i-- > 0; time >>= 5) id[i] = kDigits[time & 31];
  std::random_device random;
  for (size_t i = 10; i < id.size(); ++i) id[i] = kDigits[random() & 31];
  return StrCat("run_", id);
}

Json ErrorJson(Stage stage, const Status& status, std::string_view request_id) {
  const ErrorKind kind = ErrorKindFor(stage, status);
  return {{"error",
           {{"message", MessageOf(status)},
            {"type", kind.type},
            {"code", kind.code},
            {"param", nullptr},
            {"request_id", request_id},
            {"details", {{"exit_code", static_cast<int>(ExitCodeFor(stage, status))}}}}}};
}

Json MediaJson(std::span<const MediaInfo> media) {
  Json out = Json::array();
  for (const MediaInfo& info : media) {
    const bool video = info.kind == PartKind::kVideo;
    Json item = {{"index", out.size()},
                 {"type", video ? "video" : "image"},
                 {"source", info.source},
                 {"sha256", info.sha256},
                 {"format", info.format},
                 {"width", info.width},
                 {"height", info.height},
                 {"decoded", info.decoded},
                 {"orientation", info.orientation},
                 {"tiles", info.tiles},
                 {"tokens", info.tokens},
                 {"cached", info.cached}};
    if (info.grid) item["grid"] = *info.grid;
    if (video) {
      item["frames"] = info.frame_indices.size();
      item["frame_indices"] = info.frame_indices;
      item["timestamps"] = info.timestamps_s;
    }
    out.push_back(std::move(item));
  }
  return out;
}

Json RunJson(const GenerateResult& result, const RunContext& context, const Options& options) {
  const SamplingOptions& sampling = options.generate.sampling;
  return {{"schema", "galago.run/1"},
          {"id", context.id},
          {"model", context.model},
          {"text", result.text},
          {"token_ids", result.token_ids},
          {"finish_reason", Name(result.finish_reason)},
          {"seed", result.seed},
          {"usage", UsageJson(result.usage)},
          {"media", MediaJson(result.prompt.media)},
          {"timings",
           {{"load_ms", Rounded(context.load_ms)},
            {"decode_media_ms", Rounded(result.timings.decode_media_ms)},
            {"vision_ms", Rounded(result.timings.vision_ms)},
            {"prompt_ms", Rounded(result.timings.prompt_ms)},
            {"ttft_ms", Rounded(result.timings.ttft_ms)},
            {"generate_ms", Rounded(result.timings.generate_ms)},
            {"tokens_per_second", Rounded(result.timings.tokens_per_second)}}},
          {"memory", {{"peak_host", context.peak_host_bytes}, {"peak_device", 0}}},
          {"engine", {{"version", context.build.version}, {"features", context.build.features}}},
          {"device",
           {{"isa", context.isa}, {"threads", context.threads}, {"precision", Name(options.model_options.precision)}}},
          {"sampling",
           {{"temperature", sampling.temperature},
            {"top_k", sampling.top_k},
            {"top_p", sampling.top_p},
            {"min_p", sampling.min_p},
            {"repeat_penalty", sampling.repeat_penalty},
            {"presence_penalty", sampling.presence_penalty},
            {"frequency_penalty", sampling.frequency_penalty}}},
          {"warnings", Warnings(result.prompt, context)}};
}

Json PlanJson(const PromptPlan& plan, const MemoryPlan& memory, const RunContext& context) {
  return {{"schema", "galago.plan/1"},
          {"id", context.id},
          {"model", context.model},
          {"usage", UsageJson(plan.usage)},
          {"media", MediaJson(plan.media)},
          {"rendered", plan.rendered},
          {"input_ids", plan.input_ids},
          {"memory",
           {{"weights", memory.weights},
            {"kv_cache", memory.kv_cache},
            {"vision_workspace", memory.vision_workspace},
            {"activations", memory.activations},
            {"total", memory.total},
            {"available", memory.available},
            {"ctx_size", memory.ctx_size}}},
          {"warnings", Warnings(plan, context)}};
}

Json TokensJson(const std::vector<Token>& tokens, std::string_view model) {
  Json ids = Json::array(), pieces = Json::array();
  for (const Token& token : tokens) {
    ids.push_back(token.id);
    // A piece may be part of a character: then its bytes, as llama.cpp's server does it.
    if (IsUtf8(token.piece)) {
      pieces.push_back(token.piece);
    } else {
      Json bytes = Json::array();
      for (const char c : token.piece) bytes.push_back(static_cast<uint8_t>(c));
      pieces.push_back(std::move(bytes));
    }
  }
  return {{"schema", "galago.tokenize/1"}, {"model", model}, {"ids", std::move(ids)}, {"pieces", std::move(pieces)}};
}

Json VersionJson(const BuildFacts& build) {
  return {{"schema", "galago.version/1"}, {"version", build.version},   {"cli", build.version},        {"schemas", 1},
          {"compiler", build.compiler},   {"features", build.features}, {"libraries", build.libraries}};
}

uint64_t PeakHostBytes() {
  rusage usage = {};
  if (::getrusage(RUSAGE_SELF, &usage) != 0) return 0;
  return static_cast<uint64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
}

}  // namespace galago::cli

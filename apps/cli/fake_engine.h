#ifndef GALAGO_CLI_FAKE_ENGINE_H_
#define GALAGO_CLI_FAKE_ENGINE_H_

#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "apps/cli/engine.h"
#include "src/base/strings.h"

// An engine for tests: answers with given pieces of text, counts calls and remembers what it was asked.
namespace galago::cli {

struct FakeBehaviour {
  std::vector<std::string> pieces = {"Two ", "dogs."};  // one token each
  Status open, load, create, plan, generate;            // what fails
  std::map<std::string, Status> bad_media;              // GuessMediaKind of these sources
  MemoryPlan memory{.weights = 1000 << 20, .available = uint64_t{8000} << 20};
  uint64_t kv_bytes_per_token = 1 << 20;
  std::function<void()> before_piece;

  // What was seen.
  std::string opened_path;
  ModelOptions model_options;
  SessionOptions session_options;
  std::vector<std::vector<Message>> conversations;
  std::vector<GenerateOptions> generate_options;
  int loads = 0;

  std::string converted_to;
  QuantizeOptions quantize_options;
  Status quantized;  // what fails
  PerplexityOptions perplexity_options;

  // Of `bench`.
  Status stages, limits;  // what fails
  std::string shape;
  RandomModelOptions random;
  LimitOptions limit_options;
  std::vector<std::pair<int64_t, int64_t>> computed;  // tokens, past
  std::vector<int64_t> seen;                          // tiles
};

inline PromptPlan FakePlan(const std::vector<Message>& conversation) {
  PromptPlan plan;
  for (const Message& message : conversation) {
    for (const Part& part : message.parts) {
      if (part.kind == PartKind::kText) {
        plan.rendered += part.text;
        plan.usage.prompt_tokens += static_cast<int64_t>(part.text.size());
        continue;
      }
      const bool video = part.kind == PartKind::kVideo;
      plan.rendered += video ? "<vila/video>" : "<image>";
      plan.media.push_back({.kind = part.kind,
                            .source = part.source,
                            .sha256 = "00",
                            .format = "png",
                            .width = 4,
                            .height = 3,
                            .tiles = 1,
                            .tokens = 100});
      plan.usage.prompt_tokens += 100;
      (video ? plan.usage.video_tokens : plan.usage.image_tokens) += 100;
    }
  }
  return plan;
}

class FakeSession : public EngineSession {
 public:
  FakeSession(FakeBehaviour& behaviour, int64_t ctx_size) : behaviour_(behaviour), ctx_size_(ctx_size) {}
  StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation, const GenerateOptions&) override {
    if (!behaviour_.plan.ok()) return behaviour_.plan;
    return FakePlan(conversation);
  }
  StatusOr<GenerateResult> Generate(const std::vector<Message>& conversation, const GenerateOptions& options,
                                    const OnText& on_text) override {
    behaviour_.conversations.push_back(conversation);
    behaviour_.generate_options.push_back(options);
    if (!behaviour_.generate.ok()) return behaviour_.generate;
    GenerateResult result;
    result.prompt = FakePlan(conversation);
    result.timings = {.decode_media_ms = 1, .vision_ms = 20, .prompt_ms = 300, .ttft_ms = 325};
    result.usage = result.prompt.usage;
    result.seed = options.sampling.seed.value_or(77);
    for (const std::string& piece : behaviour_.pieces) {
      if (behaviour_.before_piece) behaviour_.before_piece();
      if (options.cancel != nullptr && *options.cancel) {
        result.finish_reason = FinishReason::kCancelled;
        break;
      }
      result.text += piece;
      result.token_ids.push_back(static_cast<int32_t>(result.token_ids.size()));
      if (on_text(piece) == Flow::kStop) {
        result.finish_reason = FinishReason::kCancelled;
        break;
      }
    }
    result.usage.completion_tokens = static_cast<int64_t>(result.token_ids.size());
    return result;
  }
  std::string isa() const override { return "ref"; }
  int threads() const override { return 2; }
  int64_t ctx_size() const override { return ctx_size_; }

 private:
  FakeBehaviour& behaviour_;
  int64_t ctx_size_;
};

class FakeStages : public EngineStages {
 public:
  explicit FakeStages(FakeBehaviour& behaviour) : behaviour_(behaviour) {}
  StatusOr<StageWork> See(int64_t tiles) override {
    behaviour_.seen.push_back(tiles);
    if (!behaviour_.stages.ok()) return behaviour_.stages;
    return StageWork{.operations = 1e6 * static_cast<double>(tiles), .bytes = 1e3};
  }
  StatusOr<StageWork> Compute(int64_t tokens, int64_t past) override {
    behaviour_.computed.emplace_back(tokens, past);
    if (behaviour_.before_piece) behaviour_.before_piece();
    if (!behaviour_.stages.ok()) return behaviour_.stages;
    return StageWork{.operations = 1e6 * static_cast<double>(tokens), .bytes = 1e3};
  }

 private:
  FakeBehaviour& behaviour_;
};

class FakeModel : public EngineModel {
 public:
  FakeModel(FakeBehaviour& behaviour, Precision precision) : behaviour_(behaviour), precision_(precision) {}
  StatusOr<LoadReport> LoadWeights(const std::atomic<bool>*) override {
    ++behaviour_.loads;
    if (!behaviour_.load.ok()) return behaviour_.load;
    return LoadReport{.load_ms = 12};
  }
  std::string name() const override { return "fake"; }
  bool sees() const override { return true; }
  int64_t max_context() const override { return 4096; }
  std::string DescribeText() const override { return "a fake\x1b[31m model"; }
  std::string DescribeJson() const override { return R"({"schema":"galago.inspect/1"})"; }
  MemoryPlan PlanMemory(int64_t ctx_size) const override {
    MemoryPlan plan = behaviour_.memory;
    if (precision_ == Precision::kF32) plan.weights *= 2;
    plan.ctx_size = ctx_size == 0 ? max_context() : ctx_size;
    plan.kv_cache = behaviour_.kv_bytes_per_token * static_cast<uint64_t>(plan.ctx_size);
    plan.total = plan.weights + plan.kv_cache;
    return plan;
  }
  StatusOr<std::vector<Token>> Tokenize(const std::string& text, bool add_special, bool parse_special) const override {
    std::vector<Token> tokens;
    if (add_special) tokens.push_back({1, "<s>"});
    if (parse_special && text == "<eos>") return std::vector<Token>{{2, "<eos>"}};
    for (const char c : text) tokens.push_back({static_cast<uint8_t>(c), std::string(1, c)});
    return tokens;
  }
  StatusOr<std::string> Detokenize(const std::vector<int32_t>& ids) const override {
    std::string out;
    for (const int32_t id : ids) {
      if (id > 255) return OutOfRange(StrCat("token ", id, " lies outside the vocabulary of 256"));
      out += static_cast<char>(id);
    }
    return out;
  }
  StatusOr<std::unique_ptr<EngineSession>> CreateSession(const SessionOptions& options) const override {
    behaviour_.session_options = options;
    if (!behaviour_.create.ok()) return behaviour_.create;
    return std::make_unique<FakeSession>(behaviour_, options.ctx_size == 0 ? 4096 : options.ctx_size);
  }
  StatusOr<std::unique_ptr<EngineStages>> CreateStages(const SessionOptions&) const override {
    return std::make_unique<FakeStages>(behaviour_);
  }
  StatusOr<PerplexityResult> Perplexity(const EngineModel* reference, const std::string&,
                                        const PerplexityOptions& options) const override {
    behaviour_.perplexity_options = options;
    PerplexityResult result = {.windows = 3, .window = options.window, .perplexity = 12.5, .standard_error = 0.01};
    if (reference == nullptr) return result;
    result.reference_perplexity = 12.0;
    result.agreement = {.kl_divergence = 0.02, .top1 = 0.9};
    return result;
  }

 private:
  FakeBehaviour& behaviour_;
  Precision precision_;
};

class FakeEngine : public Engine {
 public:
  explicit FakeEngine(FakeBehaviour& behaviour) : behaviour_(behaviour) {}
  StatusOr<std::unique_ptr<EngineModel>> Open(const std::string& path, const ModelOptions& options) override {
    behaviour_.opened_path = path;
    behaviour_.model_options = options;
    if (!behaviour_.open.ok()) return behaviour_.open;
    return std::make_unique<FakeModel>(behaviour_, options.precision);
  }
  StatusOr<std::unique_ptr<EngineModel>> OpenShape(const std::string& name, const RandomModelOptions& random,
                                                   const ModelOptions& options) override {
    behaviour_.shape = name;
    behaviour_.random = random;
    behaviour_.model_options = options;
    if (!behaviour_.open.ok()) return behaviour_.open;
    return std::make_unique<FakeModel>(behaviour_, options.precision);
  }
  std::vector<PublishedShape> Shapes() override { return {{"Fake-1B", "a fake"}, {"Fake-2B", "another"}}; }
  StatusOr<std::vector<MachineLimit>> MeasureLimits(const LimitOptions& options) override {
    behaviour_.limit_options = options;
    if (!behaviour_.limits.ok()) return behaviour_.limits;
    std::vector<MachineLimit> limits;
    for (const int threads : options.threads.empty() ? std::vector<int>{1, 2} : options.threads) {
      const double n = threads;
      limits.push_back({"dram_read", "avx2", threads, 1e10 * n, 1.1e10 * n});
      limits.push_back({"fma_f32", "avx2", threads, 1e11 * n, 1.1e11 * n});
      limits.push_back({"bf16", "avx512_bf16", threads, 2e11 * n, 2.2e11 * n});
    }
    return limits;
  }
  StatusOr<ConvertReport> Convert(const std::string& path, const ModelOptions& options, const std::string& output,
                                  const std::atomic<bool>*) override {
    behaviour_.opened_path = path;
    behaviour_.model_options = options;
    behaviour_.converted_to = output;
    if (!behaviour_.load.ok()) return behaviour_.load;
    return ConvertReport{.bytes = 12'000'000, .tensors = 7, .ms = 1500, .notes = {"repacked"}};
  }
  StatusOr<QuantizeReport> Quantize(const std::string& path, const ModelOptions& options, const std::string& output,
                                    const QuantizeOptions& quantize) override {
    behaviour_.opened_path = path;
    behaviour_.model_options = options;
    behaviour_.converted_to = output;
    behaviour_.quantize_options = quantize;
    if (!behaviour_.quantized.ok()) return behaviour_.quantized;
    return QuantizeReport{.bytes_before = 8'000'000,
                          .bytes = 2'000'000,
                          .calibration_tokens = 512,
                          .searches = {{0, "mlp", 2.0, 1.0, 0.5}, {1, "mlp", 2.0, 0.5, 0.25}},
                          .notes = {"a note"},
                          .ms = 2000};
  }
  // Media first; a marker without media is refused.
  StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) override {
    if (text.find("<image>") != std::string::npos && media.empty()) {
      return InvalidArgument("1 <image> marker, 0 pictures");
    }
    UserMessage out;
    out.message.parts = std::move(media);
    out.message.parts.push_back(Part::Text(text));
    if (text == "warn") out.warnings.push_back("a warning about media");
    return out;
  }
  StatusOr<PartKind> GuessMediaKind(const std::string& source) override {
    if (const auto bad = behaviour_.bad_media.find(source); bad != behaviour_.bad_media.end()) return bad->second;
    return source.ends_with(".mp4") ? PartKind::kVideo : PartKind::kImage;
  }
  SystemFacts System() override {
    return {.cpu_model = "Fake CPU",
            .usable_cores = 2,
            .cpu_features = {"avx2"},
            .isas = {"ref", "avx2"},
            .memory_total = uint64_t{16} << 30,
            .memory_available = uint64_t{8} << 30,
            .video_decoders = {"h264"}};
  }
  BuildFacts Build() override {
    return {.version = "0.1.0", .compiler = "g++", .features = {"avx2"}, .libraries = {"libpng 1.6"}};
  }

 private:
  FakeBehaviour& behaviour_;
};

}  // namespace galago::cli

#endif  // GALAGO_CLI_FAKE_ENGINE_H_

#include <utility>

#include "apps/cli/engine.h"

namespace galago::cli {
namespace {

class RealSession : public EngineSession {
 public:
  explicit RealSession(std::unique_ptr<Session> session) : session_(std::move(session)) {}
  StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation, const GenerateOptions& options) override {
    return session_->Plan(conversation, options);
  }
  StatusOr<GenerateResult> Generate(const std::vector<Message>& conversation, const GenerateOptions& options,
                                    const OnText& on_text) override {
    return session_->Generate(conversation, options, on_text);
  }
  std::string isa() const override { return session_->isa(); }
  int threads() const override { return session_->threads(); }
  int64_t ctx_size() const override { return session_->ctx_size(); }

 private:
  std::unique_ptr<Session> session_;
};

class RealStages : public EngineStages {
 public:
  explicit RealStages(std::unique_ptr<Stages> stages) : stages_(std::move(stages)) {}
  StatusOr<StageWork> See(int64_t tiles) override { return stages_->See(tiles); }
  StatusOr<StageWork> Compute(int64_t tokens, int64_t past) override { return stages_->Compute(tokens, past); }

 private:
  std::unique_ptr<Stages> stages_;
};

class RealModel : public EngineModel {
 public:
  explicit RealModel(std::shared_ptr<Model> model) : model_(std::move(model)) {}
  StatusOr<LoadReport> LoadWeights(const std::atomic<bool>* cancel) override { return model_->LoadWeights(cancel); }
  std::string name() const override { return model_->name(); }
  bool sees() const override { return model_->sees(); }
  int64_t max_context() const override { return model_->max_context(); }
  std::string DescribeText() const override { return model_->DescribeText(); }
  std::string DescribeJson() const override { return model_->DescribeJson(); }
  MemoryPlan PlanMemory(int64_t ctx_size) const override { return model_->PlanMemory(ctx_size); }
  StatusOr<std::vector<Token>> Tokenize(const std::string& text, bool add_special, bool parse_special) const override {
    return model_->Tokenize(text, add_special, parse_special);
  }
  StatusOr<std::string> Detokenize(const std::vector<int32_t>& ids) const override { return model_->Detokenize(ids); }
  StatusOr<std::unique_ptr<EngineSession>> CreateSession(const SessionOptions& options) const override {
    ASSIGN_OR_RETURN(std::unique_ptr<Session> session, Session::Create(model_, options));
    return std::make_unique<RealSession>(std::move(session));
  }
  StatusOr<std::unique_ptr<EngineStages>> CreateStages(const SessionOptions& options) const override {
    ASSIGN_OR_RETURN(std::unique_ptr<Stages> stages, Stages::Create(model_, options));
    return std::make_unique<RealStages>(std::move(stages));
  }
  StatusOr<PerplexityResult> Perplexity(const EngineModel* reference, const std::string& text,
                                        const PerplexityOptions& options) const override {
    const auto* other = static_cast<const RealModel*>(reference);
    return MeasurePerplexity(*model_, other == nullptr ? nullptr : other->model_.get(), text, options);
  }

 private:
  std::shared_ptr<Model> model_;
};

class RealEngine : public Engine {
 public:
  StatusOr<std::unique_ptr<EngineModel>> Open(const std::string& path, const ModelOptions& options) override {
    ASSIGN_OR_RETURN(std::shared_ptr<Model> model, Model::Open(path, options));
    return std::make_unique<RealModel>(std::move(model));
  }
  StatusOr<std::unique_ptr<EngineModel>> OpenShape(const std::string& name, const RandomModelOptions& random,
                                                   const ModelOptions& options) override {
    ASSIGN_OR_RETURN(std::shared_ptr<Model> model, OpenPublishedShape(name, random, options));
    return std::make_unique<RealModel>(std::move(model));
  }
  std::vector<PublishedShape> Shapes() override { return PublishedShapes(); }
  StatusOr<std::vector<MachineLimit>> MeasureLimits(const LimitOptions& options) override {
    return galago::MeasureLimits(options);
  }
  StatusOr<QuantizeReport> Quantize(const std::string& path, const ModelOptions& options, const std::string& output,
                                    const QuantizeOptions& quantize) override {
    return QuantizeModel(path, options, output, quantize);
  }
  StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) override {
    return galago::PlaceMedia(text, std::move(media));
  }
  StatusOr<PartKind> GuessMediaKind(const std::string& source) override { return galago::GuessMediaKind(source); }
  StatusOr<ConvertReport> Convert(const std::string& path, const ModelOptions& options, const std::string& output,
                                  const std::atomic<bool>* cancel) override {
    return ConvertModel(path, options, output, cancel);
  }
  SystemFacts System() override { return InspectSystem(); }
  BuildFacts Build() override { return InspectBuild(); }
};

}  // namespace

std::unique_ptr<Engine> MakeEngine() { return std::make_unique<RealEngine>(); }

}  // namespace galago::cli

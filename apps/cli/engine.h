#ifndef GALAGO_CLI_ENGINE_H_
#define GALAGO_CLI_ENGINE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "galago/bench.h"
#include "galago/convert.h"
#include "galago/message.h"
#include "galago/model.h"
#include "galago/perplexity.h"
#include "galago/quantize.h"
#include "galago/session.h"
#include "galago/status.h"
#include "galago/system.h"

// What the commands need of the engine, word for word the public API, as an interface: tests answer with a fake.
namespace galago::cli {

class EngineSession {
 public:
  virtual ~EngineSession() = default;
  virtual StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation, const GenerateOptions& options) = 0;
  virtual StatusOr<GenerateResult> Generate(const std::vector<Message>& conversation, const GenerateOptions& options,
                                            const OnText& on_text) = 0;
  virtual std::string isa() const = 0;
  virtual int threads() const = 0;
  virtual int64_t ctx_size() const = 0;
};

class EngineStages {
 public:
  virtual ~EngineStages() = default;
  virtual StatusOr<StageWork> See(int64_t tiles) = 0;
  virtual StatusOr<StageWork> Compute(int64_t tokens, int64_t past) = 0;
};

class EngineModel {
 public:
  virtual ~EngineModel() = default;
  virtual StatusOr<LoadReport> LoadWeights(const std::atomic<bool>* cancel) = 0;
  virtual std::string name() const = 0;
  virtual bool sees() const = 0;
  virtual int64_t max_context() const = 0;
  virtual std::string DescribeText() const = 0;
  virtual std::string DescribeJson() const = 0;
  virtual MemoryPlan PlanMemory(int64_t ctx_size) const = 0;
  virtual StatusOr<std::vector<Token>> Tokenize(const std::string& text, bool add_special,
                                                bool parse_special) const = 0;
  virtual StatusOr<std::string> Detokenize(const std::vector<int32_t>& ids) const = 0;
  virtual StatusOr<std::unique_ptr<EngineSession>> CreateSession(const SessionOptions& options) const = 0;
  virtual StatusOr<std::unique_ptr<EngineStages>> CreateStages(const SessionOptions& options) const = 0;
  // `reference` may be null, else it is of the same engine.
  virtual StatusOr<PerplexityResult> Perplexity(const EngineModel* reference, const std::string& text,
                                                const PerplexityOptions& options) const = 0;
};

class Engine {
 public:
  virtual ~Engine() = default;
  virtual StatusOr<std::unique_ptr<EngineModel>> Open(const std::string& path, const ModelOptions& options) = 0;
  virtual StatusOr<std::unique_ptr<EngineModel>> OpenShape(const std::string& name, const RandomModelOptions& random,
                                                           const ModelOptions& options) = 0;
  virtual std::vector<PublishedShape> Shapes() = 0;
  virtual StatusOr<std::vector<MachineLimit>> MeasureLimits(const LimitOptions& options) = 0;
  virtual StatusOr<QuantizeReport> Quantize(const std::string& path, const ModelOptions& options,
                                            const std::string& output, const QuantizeOptions& quantize) = 0;
  virtual StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) = 0;
  virtual StatusOr<PartKind> GuessMediaKind(const std::string& source) = 0;
  virtual StatusOr<ConvertReport> Convert(const std::string& path, const ModelOptions& options,
                                          const std::string& output, const std::atomic<bool>* cancel) = 0;
  virtual SystemFacts System() = 0;
  virtual BuildFacts Build() = 0;
};

// The engine this program is linked with.
std::unique_ptr<Engine> MakeEngine();

}  // namespace galago::cli

#endif  // GALAGO_CLI_ENGINE_H_

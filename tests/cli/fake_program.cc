#include <chrono>
#include <cstdlib>
#include <thread>

#include "apps/cli/fake_engine.h"

// `galago` whose model says "word " four hundred times, one every 10 ms when the variable FAKE_SLOW is set.
namespace galago::cli {
namespace {

class SlowEngine : public Engine {
 public:
  SlowEngine() : fake_(behaviour_) {
    behaviour_.pieces.assign(400, "word ");
    if (std::getenv("FAKE_SLOW") != nullptr) {
      behaviour_.before_piece = [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); };
    }
  }
  StatusOr<std::unique_ptr<EngineModel>> Open(const std::string& path, const ModelOptions& options) override {
    return fake_.Open(path, options);
  }
  StatusOr<UserMessage> PlaceMedia(const std::string& text, std::vector<Part> media) override {
    return fake_.PlaceMedia(text, std::move(media));
  }
  StatusOr<PartKind> GuessMediaKind(const std::string& source) override { return fake_.GuessMediaKind(source); }
  SystemFacts System() override { return fake_.System(); }
  BuildFacts Build() override { return fake_.Build(); }

 private:
  FakeBehaviour behaviour_;
  FakeEngine fake_;
};

}  // namespace

std::unique_ptr<Engine> MakeEngine() { return std::make_unique<SlowEngine>(); }

}  // namespace galago::cli

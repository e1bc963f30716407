#include <chrono>
#include <cstdlib>
#include <thread>

#include "apps/cli/fake_engine.h"

// `galago` whose model says "word " four hundred times, one every 10 ms when the variable FAKE_SLOW is set.
namespace galago::cli {
namespace {

FakeBehaviour ManyWords() {
  FakeBehaviour behaviour;
  behaviour.pieces.assign(400, "word ");
  if (std::getenv("FAKE_SLOW") != nullptr) {
    behaviour.before_piece = [] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); };
  }
  return behaviour;
}

// Before the engine, whose base would be made first.
struct Words {
  FakeBehaviour behaviour = ManyWords();
};

class SlowEngine : private Words, public FakeEngine {
 public:
  SlowEngine() : FakeEngine(behaviour) {}
};

}  // namespace

std::unique_ptr<Engine> MakeEngine() { return std::make_unique<SlowEngine>(); }

}  // namespace galago::cli

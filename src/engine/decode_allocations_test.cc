#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include "galago/session.h"
#include "src/engine/model_parts.h"

// Memory that C++ code asks for, and what tensors and arenas take, counted: on all threads.
namespace {
std::atomic<int64_t> allocations = 0;

void* Allocate(size_t size, size_t alignment) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  void* const memory = alignment <= alignof(std::max_align_t)
                           ? std::malloc(size)
                           : std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}
}  // namespace

void* operator new(size_t size) { return Allocate(size, 1); }
void* operator new[](size_t size) { return Allocate(size, 1); }
void* operator new(size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void* operator new[](size_t size, std::align_val_t alignment) { return Allocate(size, static_cast<size_t>(alignment)); }
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }
void operator delete(void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, std::align_val_t) noexcept { std::free(memory); }
void operator delete(void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t, std::align_val_t) noexcept { std::free(memory); }

extern "C" int posix_memalign(void** memory, size_t alignment, size_t size) {
  allocations.fetch_add(1, std::memory_order_relaxed);
  *memory = std::aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
  return *memory == nullptr ? ENOMEM : 0;
}

namespace galago {
namespace {

// Notes how many allocations there have been whenever one token is about to be computed.
class CountingRunner : public models::Runner {
 public:
  explicit CountingRunner(std::shared_ptr<const models::Runner> runner) : runner_(std::move(runner)) {
    counts_.reserve(1000);
  }
  const spec::ModelSpec& spec() const override { return runner_->spec(); }
  StatusOr<models::EncodedMedia> EncodeMedia(const ops::ExecContext& ctx,
                                             const models::EncodeRequest& request) const override {
    return runner_->EncodeMedia(ctx, request);
  }
  Status EmbedTokens(const ops::ExecContext& ctx, std::span<const int32_t> ids, std::span<float> out) const override {
    return runner_->EmbedTokens(ctx, ids, out);
  }
  Status Forward(const ops::ExecContext& ctx, std::span<float> hidden, int64_t num_rows, int64_t past,
                 const nn::KvView& kv, std::span<float> logits) const override {
    if (num_rows == 1) counts_.push_back(allocations.load());
    return runner_->Forward(ctx, hidden, num_rows, past, kv, logits);
  }
  const std::vector<int64_t>& counts() const { return counts_; }

 private:
  std::shared_ptr<const models::Runner> runner_;
  mutable std::vector<int64_t> counts_;
};

// From one token to the next nothing is allocated: not by the layers on any thread, the sampler, the cache, nor for the
// text, whose pieces are short. The first token may still find room that is kept.
TEST(Decode, AllocatesNothing) {
  struct Case {
    Precision precision;
    std::optional<models::RandomFormat> random;  // weights made up in these types, in place of the checkpoint's
  };
  const Case cases[] = {
      {Precision::kF32, {}},
      {Precision::kBf16, {}},
      {Precision::kInt8, {{.decoder = DType::kW4G32, .head = DType::kW8G32}}},
  };
  const auto opened =
      Model::Open(std::string(GALAGO_SOURCE_DIR) + "/tests/golden/data/nvila_lite_2b/model", {}).value();
  for (const Case& one : cases) {
    for (const double temperature : {0.0, 0.8}) {
      auto parts = std::make_unique<Model::Parts>(opened->parts());
      parts->options.precision = one.precision;
      parts->random = one.random;
      const auto loaded = std::make_shared<Model>(std::move(parts));
      ASSERT_TRUE(loaded->LoadWeights().ok());
      parts = std::make_unique<Model::Parts>(loaded->parts());
      auto counting = std::make_shared<CountingRunner>(parts->runner);
      const CountingRunner& runner = *counting;
      parts->runner = std::move(counting);
      const auto session = Session::Create(std::make_shared<Model>(std::move(parts)), {.threads = 2}).value();
      GenerateOptions options = {.max_tokens = 100, .ignore_eos = true};
      options.sampling.temperature = temperature;
      options.sampling.seed = 1;
      const auto answer = session->Generate({{Role::kUser, {Part::Text("What is this?")}}}, options,
                                            [](std::string_view) { return Flow::kContinue; });
      ASSERT_TRUE(answer.ok()) << answer.status();
      ASSERT_EQ(runner.counts().size(), 99u);
      for (size_t i = 2; i < runner.counts().size(); ++i) {
        EXPECT_EQ(runner.counts()[i] - runner.counts()[i - 1], 0) << "for token " << i;
      }
    }
  }
}

}  // namespace
}  // namespace galago

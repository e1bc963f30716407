#include "galago/perplexity.h"

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "src/base/arena.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "src/engine/kv_cache.h"
#include "src/engine/model_parts.h"
#include "src/ops/exec_context.h"

namespace galago {
namespace {

constexpr int64_t kChunk = 64;  // positions whose logits are held at a time

// Logits become log-probabilities.
void LogSoftmax(std::span<float> logits) {
  const float most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const float logit : logits) sum += std::exp(double{logit} - double{most});
  const double shift = double{most} + std::log(sum);
  for (float& logit : logits) logit = static_cast<float>(double{logit} - shift);
}

// A model at work on one window.
class Reader {
 public:
  Reader(const Model& model, const ops::ExecContext& ctx, engine::KvCache cache)
      : parts_(&model.parts()), ctx_(ctx), cache_(std::move(cache)) {
    ctx_.precision = engine::OpsPrecision(parts_->options.precision);
  }
  static StatusOr<Reader> Create(const Model& model, const ops::ExecContext& ctx, int64_t window) {
    if (!model.has_weights()) return FailedPrecondition("the model's weights are not loaded");
    ASSIGN_OR_RETURN(engine::KvCache cache, engine::KvCache::Create(model.parts().spec.language, window,
                                                                    engine::KvDType(model.parts().options.precision)));
    return Reader(model, ctx, std::move(cache));
  }

  // Log-probabilities [ids, V] of what follows each of `ids`, which stand at `past` of the window.
  StatusOr<std::span<const float>> Read(std::span<const int32_t> ids, int64_t past) {
    const auto rows = static_cast<int64_t>(ids.size());
    const auto vocab = static_cast<size_t>(parts_->spec.language.vocab_size);
    hidden_.resize(ids.size() * static_cast<size_t>(parts_->spec.language.hidden_size));
    logits_.resize(ids.size() * vocab);
    RETURN_IF_ERROR(parts_->runner->EmbedTokens(ctx_, ids, hidden_));
    RETURN_IF_ERROR(parts_->runner->Forward(ctx_, hidden_, rows, past, cache_.view(), logits_));
    ctx_.pool->ParallelFor(
        rows, [&](int64_t i) { LogSoftmax(std::span(logits_).subspan(static_cast<size_t>(i) * vocab, vocab)); });
    return std::span<const float>(logits_);
  }

 private:
  const Model::Parts* parts_;
  ops::ExecContext ctx_;
  engine::KvCache cache_;
  std::vector<float> hidden_, logits_;
};

struct Sums {
  double loss = 0, reference_loss = 0, kl = 0;
  int64_t same = 0;
};

}  // namespace

StatusOr<PerplexityResult> MeasurePerplexity(const Model& model, const Model* reference, const std::string& text,
                                             const PerplexityOptions& options) {
  const Model::Parts& parts = model.parts();
  const int64_t vocab = parts.spec.language.vocab_size;
  if (options.window < 2 || options.window > model.max_context()) {
    return InvalidArgument(
        StrCat("windows of ", options.window, " tokens, the model takes 2 to ", model.max_context()));
  }
  if (reference != nullptr && reference->parts().spec.language.vocab_size != vocab) {
    return InvalidArgument(StrCat("the vocabularies have ", vocab, " and ", reference->parts().spec.language.vocab_size,
                                  " tokens, they cannot be compared"));
  }
  ASSIGN_OR_RETURN(const std::vector<int32_t> ids, parts.tokenizer->Encode(text, {.add_special = true}));
  int64_t windows = static_cast<int64_t>(ids.size()) / options.window;
  if (windows == 0) {
    return InvalidArgument(
        StrCat("the text has ", ids.size(), " tokens, one window of ", options.window, " is needed"));
  }
  if (options.max_windows > 0) windows = std::min(windows, options.max_windows);

  ASSIGN_OR_RETURN(const kernels::KernelTable kernels, ops::ChooseKernels(options.isa));
  ThreadPool pool(options.threads);
  Arena arena;
  const ops::ExecContext ctx = {.pool = &pool, .kernels = &kernels, .arena = &arena, .cancel = options.cancel};
  ASSIGN_OR_RETURN(Reader reader, Reader::Create(model, ctx, options.window));
  std::optional<Reader> other;
  if (reference != nullptr) {
    ASSIGN_OR_RETURN(other, Reader::Create(*reference, ctx, options.window));
  }

  std::vector<double> losses;  // mean of each window
  Sums all;
  const auto width = static_cast<size_t>(vocab);
  for (int64_t w = 0; w < windows; ++w) {
    RETURN_IF_ERROR(ctx.CheckCancel());
    const std::span<const int32_t> window =
        std::span(ids).subspan(static_cast<size_t>(w * options.window), static_cast<size_t>(options.window));
    Sums sums;
    for (int64_t past = 0; past < options.window; past += kChunk) {
      const int64_t rows = std::min(kChunk, options.window - past);
      const auto chunk = window.subspan(static_cast<size_t>(past), static_cast<size_t>(rows));
      ASSIGN_OR_RETURN(const std::span<const float> logp, reader.Read(chunk, past));
      std::span<const float> expected;
      if (other) {
        ASSIGN_OR_RETURN(expected, other->Read(chunk, past));
      }
      std::vector<Sums> of(static_cast<size_t>(rows));
      pool.ParallelFor(rows, [&](int64_t i) {
        if (past + i + 1 == options.window) return;  // nothing of the window follows its last token
        const auto next = static_cast<size_t>(window[static_cast<size_t>(past + i + 1)]);
        const std::span<const float> p = logp.subspan(static_cast<size_t>(i) * width, width);
        Sums& sum = of[static_cast<size_t>(i)];
        sum.loss = -double{p[next]};
        if (expected.empty()) return;
        const std::span<const float> q = expected.subspan(static_cast<size_t>(i) * width, width);
        sum.reference_loss = -double{q[next]};
        for (size_t v = 0; v < width; ++v) sum.kl += std::exp(double{q[v]}) * (double{q[v]} - double{p[v]});
        sum.same = std::ranges::max_element(p) - p.begin() == std::ranges::max_element(q) - q.begin() ? 1 : 0;
      });
      for (const Sums& sum : of) {
        sums.loss += sum.loss;
        all.reference_loss += sum.reference_loss;
        all.kl += sum.kl;
        all.same += sum.same;
      }
    }
    losses.push_back(sums.loss / static_cast<double>(options.window - 1));
    if (options.on_window) options.on_window(w + 1, windows);
  }

  PerplexityResult result = {.windows = windows, .window = options.window};
  double mean = 0, squares = 0;
  const auto count = static_cast<double>(windows);
  for (const double loss : losses) mean += loss / count;
  for (const double loss : losses) squares += (loss - mean) * (loss - mean);
  result.perplexity = std::exp(mean);
  if (windows > 1) result.standard_error = std::sqrt(squares / (count - 1) / count);
  if (other) {
    const double positions = count * static_cast<double>(options.window - 1);
    result.reference_perplexity = std::exp(all.reference_loss / positions);
    result.agreement = {.kl_divergence = all.kl / positions, .top1 = static_cast<double>(all.same) / positions};
  }
  return result;
}

}  // namespace galago

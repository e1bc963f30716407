#include <algorithm>
#include <cstring>
#include <utility>

#include "galago/bench.h"
#include "src/base/arena.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "src/engine/kv_cache.h"
#include "src/engine/model_parts.h"
#include "src/engine/stage_work.h"
#include "src/kernels/table.h"
#include "src/ops/exec_context.h"
#include "src/tensor/convert.h"

namespace galago {
namespace {

// Uniform in [-1, 1): what pixels, keys and values look like to arithmetic.
std::vector<float> Noise(size_t size) {
  std::vector<float> noise(size);
  uint32_t state = 1;
  for (float& value : noise) {
    state = state * 1664525u + 1013904223u;
    value = static_cast<float>(static_cast<int32_t>(state)) * 0x1p-31f;
  }
  return noise;
}

}  // namespace

struct Stages::State {
  State(std::shared_ptr<const Model> the_model, const SessionOptions& options, const kernels::KernelTable& table,
        engine::KvCache cache)
      : model(std::move(the_model)),
        prefill_chunk(options.prefill_chunk),
        kernels(table),
        isa(kernels::Name(table.isa)),
        pool(options.threads),
        kv(std::move(cache)),
        logits(static_cast<size_t>(spec().language.vocab_size)) {}

  const Model::Parts& parts() const { return model->parts(); }
  const spec::ModelSpec& spec() const { return parts().spec; }
  ops::ExecContext Context() {
    return {.pool = &pool,
            .kernels = &kernels,
            .precision = engine::OpsPrecision(parts().options.precision),
            .arena = &arena};
  }
  void FillCache(int64_t positions);

  std::shared_ptr<const Model> model;
  int64_t prefill_chunk;
  kernels::KernelTable kernels;
  std::string isa;
  ThreadPool pool;
  Arena arena;
  engine::KvCache kv;
  int64_t filled = 0;  // positions of kv that hold noise
  std::vector<float> logits;
  std::vector<float> pixels;
};

// A page that was never written is no memory at all to the processor: reading it would cost nothing.
void Stages::State::FillCache(int64_t positions) {
  if (positions <= filled) return;
  const nn::KvView view = kv.view();
  Tensor one = Tensor::F32({view.head_dim});
  std::ranges::copy(Noise(static_cast<size_t>(view.head_dim)), one.f32().begin());
  const Tensor row = Converted(one.view(), view.dtype);
  for (const nn::KvPointers& layer : view.layers) {
    for (int64_t head = 0; head < view.num_kv_heads; ++head) {
      for (int64_t at = filled; at < positions; ++at) {
        const size_t offset = static_cast<size_t>(head * view.capacity + at) * row.num_bytes();
        std::memcpy(layer.k + offset, row.data(), row.num_bytes());
        std::memcpy(layer.v + offset, row.data(), row.num_bytes());
      }
    }
  }
  filled = positions;
}

Stages::Stages(std::unique_ptr<State> state) : state_(std::move(state)) {}
Stages::~Stages() = default;
const std::string& Stages::isa() const { return state_->isa; }
int Stages::threads() const { return state_->pool.num_threads(); }

StatusOr<std::unique_ptr<Stages>> Stages::Create(std::shared_ptr<const Model> model, const SessionOptions& options) {
  if (model->parts().runner == nullptr) return FailedPrecondition("the model's weights are not loaded");
  // The same limits, checked and worded once.
  ASSIGN_OR_RETURN(const std::unique_ptr<Session> session, Session::Create(model, options));
  ASSIGN_OR_RETURN(const kernels::KernelTable table, ops::ChooseKernels(options.isa));
  ASSIGN_OR_RETURN(engine::KvCache cache, engine::KvCache::Create(model->parts().spec.language, session->ctx_size(),
                                                                  engine::KvDType(model->parts().options.precision)));
  return std::unique_ptr<Stages>(
      new Stages(std::make_unique<State>(std::move(model), options, table, std::move(cache))));
}

StatusOr<StageWork> Stages::See(int64_t tiles) {
  State& state = *state_;
  const spec::ModelSpec& spec = state.spec();
  if (!spec.vision || !spec.projector) return InvalidArgument("this model reads text only: it has no vision tower");
  if (tiles < 1 || tiles > MediaOptions::kMaxTiles) {
    return InvalidArgument(StrCat(tiles, " tiles, expected 1 to ", MediaOptions::kMaxTiles));
  }
  const int64_t side = spec.preprocess.size;
  const Shape shape = {tiles, 3, side, side};
  if (static_cast<int64_t>(state.pixels.size()) != shape.NumElements()) {
    state.pixels = Noise(static_cast<size_t>(shape.NumElements()));
  }
  // Pictures of era A are not cut; what may come in numbers there are the frames of a video.
  const bool frames = spec.prompt.era == spec::Era::kA && tiles > 1;
  const Arena::Scope scope(state.arena);
  ASSIGN_OR_RETURN(const models::EncodedMedia media,
                   state.parts().runner->EncodeMedia(
                       state.Context(),
                       {.pixels = state.pixels,
                        .shape = shape,
                        .layout = {.kind = frames ? spec::MediaKind::kVideo : spec::MediaKind::kImage, .tiles = tiles},
                        .framing = {}}));
  return StageWork{.operations = engine::TileOperations(spec) * static_cast<double>(tiles),
                   .bytes = static_cast<double>(state.parts().vision_bytes)};
}

StatusOr<StageWork> Stages::Compute(int64_t tokens, int64_t past) {
  State& state = *state_;
  const spec::LanguageModelSpec& spec = state.spec().language;
  if (tokens < 1 || past < 0 || tokens > state.kv.capacity() - past) {
    return OutOfRange(
        StrCat(tokens, " tokens after ", past, " others do not fit the context of ", state.kv.capacity()));
  }
  state.FillCache(past);
  for (int64_t done = 0; done < tokens;) {
    const int64_t count = std::min(tokens - done, state.prefill_chunk);
    const Arena::Scope scope(state.arena);
    const std::span<float> hidden = state.arena.Floats(count * spec.hidden_size);
    const std::span<int32_t> ids = state.arena.Take<int32_t>(count);
    // Spread over the table, as words are; 7919 is a prime.
    for (int64_t i = 0; i < count; ++i) {
      ids[static_cast<size_t>(i)] = static_cast<int32_t>((past + done + i + 1) * 7919 % spec.vocab_size);
    }
    const bool last = done + count == tokens;
    RETURN_IF_ERROR(state.parts().runner->EmbedTokens(state.Context(), ids, hidden));
    RETURN_IF_ERROR(state.parts().runner->Forward(state.Context(), hidden, count, past + done, state.kv.view(),
                                                  last ? std::span<float>(state.logits) : std::span<float>()));
    done += count;
  }
  state.filled = std::max(state.filled, past + tokens);
  const auto chunks = static_cast<double>((tokens + state.prefill_chunk - 1) / state.prefill_chunk);
  const auto element = static_cast<int64_t>(InfoOf(state.kv.view().dtype).block_bytes);
  return StageWork{.operations = engine::DecoderOperations(spec, tokens, past),
                   .bytes = chunks * static_cast<double>(state.parts().token_bytes) +
                            engine::CacheBytes(spec, tokens, past, state.prefill_chunk, element)};
}

}  // namespace galago

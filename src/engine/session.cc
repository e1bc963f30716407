#include "galago/session.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstring>
#include <random>
#include <set>
#include <system_error>
#include <utility>

#include "src/base/arena.h"
#include "src/base/strings.h"
#include "src/base/thread_pool.h"
#include "src/engine/answer_stream.h"
#include "src/engine/conversation.h"
#include "src/engine/kv_cache.h"
#include "src/engine/media_cache.h"
#include "src/engine/media_input.h"
#include "src/engine/model_parts.h"
#include "src/engine/sampler.h"
#include "src/engine/trace.h"
#include "src/kernels/table.h"
#include "src/ops/exec_context.h"
#include "src/text/prompt.h"

namespace galago {
namespace {

using Clock = std::chrono::steady_clock;
double MsSince(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// A conversation ready to be computed: planned media, token ids with slots, and what each position is made of.
struct Request {
  std::vector<std::unique_ptr<engine::MediaItem>> media;
  std::vector<std::vector<int64_t>> slot_rows;  // of each item
  text::Prompt prompt;
  std::vector<engine::Cell> cells;  // [T]
  std::vector<int32_t> text_ids;    // ids of the text positions, in order
  PromptPlan plan;
};

bool Cancelled(const GenerateOptions& options) {
  return options.cancel != nullptr && options.cancel->load(std::memory_order_relaxed);
}

GenerateResult::Margin MarginOf(std::span<const float> logits) {
  float best = -INFINITY, second = -INFINITY, largest = 0;
  for (const float logit : logits) {
    largest = std::max(largest, std::abs(logit));
    second = std::max(second, std::min(best, logit));
    best = std::max(best, logit);
  }
  return {.gap = best - second, .largest = largest};
}

}  // namespace

struct Session::State {
  State(std::shared_ptr<const Model> the_model, const SessionOptions& the_options, const kernels::KernelTable& table,
        engine::KvCache cache)
      : model(std::move(the_model)),
        options(the_options),
        kernels(table),
        isa(kernels::Name(table.isa)),
        pool(the_options.threads),
        kv(std::move(cache)),
        media_cache(the_options.media_cache_bytes) {}

  const Model::Parts& parts() const { return model->parts(); }
  const spec::ModelSpec& spec() const { return parts().spec; }

  ops::ExecContext Context(ops::Observer* observer, const std::atomic<bool>* cancel) {
    return {.pool = &pool,
            .kernels = &kernels,
            .precision = engine::OpsPrecision(parts().options.precision),
            .arena = &arena,
            .observer = observer,
            .cancel = cancel};
  }

  StatusOr<Request> Prepare(const std::vector<Message>& conversation, const GenerateOptions& options);
  void ForgetMediaNumbers(const Request& request);
  Status AddSlots(Request& request);
  StatusOr<models::EncodedMedia> Encode(Request& request, size_t index, const GenerateOptions& options,
                                        engine::Trace* trace, Timings& timings);
  StatusOr<std::vector<std::shared_ptr<const models::EncodedMedia>>> See(Request& request, int64_t reused,
                                                                         const GenerateOptions& options,
                                                                         engine::Trace* trace, Timings& timings);
  Status Prefill(const Request& request, int64_t reused,
                 std::span<const std::shared_ptr<const models::EncodedMedia>> rows, const GenerateOptions& options,
                 engine::Trace* trace, std::span<float> logits);
  Status FillHidden(const Request& request, int64_t begin, int64_t end,
                    std::span<const std::shared_ptr<const models::EncodedMedia>> rows, std::span<float> hidden);
  // Text newlines that part the tiles of `dynamic`; the last one goes when the picture ends the turn.
  int64_t TileNewlines(const spec::MediaLayout& layout, size_t num_media) const {
    const bool tiled = layout.kind == spec::MediaKind::kImage && (layout.tiles > 1 || num_media == 1);
    return spec().prompt.newline_after_tile && tiled ? layout.tiles : 0;
  }
  int64_t MediaNumber(const std::string& key) {
    const auto [found, is_new] = media_numbers.try_emplace(key, next_media_number);
    next_media_number += is_new ? 1 : 0;
    return found->second;
  }

  std::shared_ptr<const Model> model;
  SessionOptions options;
  kernels::KernelTable kernels;
  std::string isa;
  ThreadPool pool;
  Arena arena;
  engine::KvCache kv;
  engine::MediaCache media_cache;
  std::map<std::string, int64_t> media_numbers;  // media item key -> the number its cells carry, never used twice
  int64_t next_media_number = 0;
};

Session::Session(std::unique_ptr<State> state) : state_(std::move(state)) {}
Session::~Session() = default;

StatusOr<std::unique_ptr<Session>> Session::Create(std::shared_ptr<const Model> model, const SessionOptions& options) {
  SessionOptions checked = options;
  if (checked.threads < 0 || checked.threads > 1024) {
    return InvalidArgument(StrCat("threads is ", checked.threads, ", expected 0 (one per core) to 1024"));
  }
  if (checked.prefill_chunk < 1) {
    return InvalidArgument(StrCat("prefill chunk is ", checked.prefill_chunk, ", expected 1 or more tokens"));
  }
  const int64_t limit = model->max_context();
  if (checked.ctx_size == 0) checked.ctx_size = limit;
  if (checked.ctx_size < 1 || checked.ctx_size > limit) {
    return InvalidArgument(StrCat("context size is ", checked.ctx_size, ", the model takes 1 to ", limit, " tokens"));
  }
  ASSIGN_OR_RETURN(const kernels::KernelTable table, ops::ChooseKernels(checked.isa));
  ASSIGN_OR_RETURN(engine::KvCache cache, engine::KvCache::Create(model->parts().spec.language, checked.ctx_size,
                                                                  engine::KvDType(model->parts().options.precision)));
  try {
    return std::unique_ptr<Session>(
        new Session(std::make_unique<State>(std::move(model), checked, table, std::move(cache))));
  } catch (const std::system_error& error) {
    return ResourceExhausted(StrCat("cannot start the threads asked for: ", error.what()));
  }
}

const std::string& Session::isa() const { return state_->isa; }
int Session::threads() const { return state_->pool.num_threads(); }
int64_t Session::ctx_size() const { return state_->options.ctx_size; }

// -------------------------------------------------------------------------------------------------------------
// Planning

// Keeps the numbers of this request's media and of those that cells of the cache carry.
void Session::State::ForgetMediaNumbers(const Request& request) {
  std::set<int64_t> used;
  for (const engine::Cell& cell : kv.cells()) {
    if (cell.id < 0) used.insert(-1 - cell.id);
  }
  for (const auto& item : request.media) used.insert(MediaNumber(item->key()));
  std::erase_if(media_numbers, [&](const auto& entry) { return !used.contains(entry.second); });
}

// Positions: one per text id, and as many per slot as the item has rows there.
Status Session::State::AddSlots(Request& request) {
  for (const text::PromptPiece& piece : request.prompt.pieces) {
    if (const auto* ids = std::get_if<std::vector<int32_t>>(&piece)) {
      for (const int32_t id : *ids) {
        if (id < 0 || id >= spec().language.vocab_size) {
          return Internal(
              StrCat("the prompt has token ", id, ", the embedding table ends at ", spec().language.vocab_size - 1));
        }
        request.cells.push_back({id, 0});
        request.text_ids.push_back(id);
      }
      continue;
    }
    const auto& slot = std::get<text::MediaSlot>(piece);
    const std::vector<int64_t>& rows = request.slot_rows[static_cast<size_t>(slot.media_index)];
    int64_t first = 0;
    for (int64_t i = 0; i < slot.slot_index; ++i) first += rows[static_cast<size_t>(i)];
    const int64_t number = MediaNumber(request.media[static_cast<size_t>(slot.media_index)]->key());
    for (int64_t i = 0; i < rows[static_cast<size_t>(slot.slot_index)]; ++i) {
      request.cells.push_back({-1 - number, first + i});
    }
  }
  return OkStatus();
}

StatusOr<Request> Session::State::Prepare(const std::vector<Message>& conversation, const GenerateOptions& options) {
  Request request;
  if (conversation.empty() || conversation.back().role != Role::kUser) {
    return InvalidArgument("a conversation must end with a user message");
  }
  ASSIGN_OR_RETURN(request.media, engine::PlanMedia(spec(), conversation, options.cancel));
  ForgetMediaNumbers(request);
  ASSIGN_OR_RETURN(request.slot_rows, engine::SlotRowsOf(parts(), request.media));
  if (options.raw) {
    if (conversation.size() != 1 || conversation[0].parts.size() != 1 || !request.media.empty()) {
      return InvalidArgument("a raw prompt is one text and nothing else");
    }
    const std::string& text = conversation[0].parts[0].text;
    ASSIGN_OR_RETURN(request.prompt.input_ids,
                     parts().tokenizer->Encode(text, {.add_special = true, .parse_special = options.parse_special}));
    request.prompt.rendered = text;
    if (!request.prompt.input_ids.empty()) request.prompt.pieces.emplace_back(request.prompt.input_ids);
  } else {
    ASSIGN_OR_RETURN(const std::vector<text::Turn> turns,
                     engine::TurnsOf(spec(), conversation, request.media, request.slot_rows));
    ASSIGN_OR_RETURN(request.prompt, text::BuildPrompt(spec().prompt, *parts().tokenizer, turns,
                                                       {.parse_special = options.parse_special}));
  }
  RETURN_IF_ERROR(AddSlots(request));
  if (request.cells.empty()) return InvalidArgument("the prompt is empty");

  PromptPlan& plan = request.plan;
  plan.rendered = request.prompt.rendered;
  plan.input_ids.assign(request.prompt.input_ids.begin(), request.prompt.input_ids.end());
  plan.warnings = request.prompt.warnings;
  plan.usage.prompt_tokens = static_cast<int64_t>(request.cells.size());
  for (size_t i = 0; i < request.media.size(); ++i) {
    const engine::MediaItem& item = *request.media[i];
    MediaInfo info = item.info();
    for (const int64_t rows : request.slot_rows[i]) info.rows += rows;
    info.tokens = info.rows + TileNewlines(item.layout(), request.media.size());
    (info.kind == PartKind::kImage ? plan.usage.image_tokens : plan.usage.video_tokens) += info.tokens;
    plan.media.push_back(std::move(info));
    plan.warnings.insert(plan.warnings.end(), item.warnings().begin(), item.warnings().end());
  }
  return request;
}

StatusOr<PromptPlan> Session::Plan(const std::vector<Message>& conversation, const GenerateOptions& options) {
  ASSIGN_OR_RETURN(Request request, state_->Prepare(conversation, options));
  return std::move(request.plan);
}

// ------------------------------------------------------------------------------------------------------------
// Computing

// Pixels and rows of one item. A video is decoded and encoded slice by slice, unless somebody wants to see its tensors
// whole.
StatusOr<models::EncodedMedia> Session::State::Encode(Request& request, size_t index, const GenerateOptions& generate,
                                                      engine::Trace* trace, Timings& timings) {
  const engine::MediaItem& item = *request.media[index];
  const text::FramingIds& framing =
      item.layout().kind == spec::MediaKind::kVideo ? parts().video_framing : parts().image_framing;
  int64_t total = 0;
  for (const int64_t slot : request.slot_rows[index]) total += slot;
  models::EncodedMedia media = {.rows = Tensor::F32({total, spec().language.hidden_size}),
                                .slot_rows = request.slot_rows[index]};
  const std::span<float> out = media.rows.f32();
  size_t written = 0;
  double vision_ms = 0;
  const auto encode = [&](const media::Preprocessed& slice, bool last) -> Status {
    const auto start = Clock::now();
    if (trace != nullptr) {
      trace->OnTensor(StrCat("media.", index, ".pixel_values"), slice.pixels.shape(), slice.pixels.f32());
    }
    const Arena::Scope scope(arena);
    ASSIGN_OR_RETURN(const models::EncodedMedia encoded,
                     parts().runner->EncodeMedia(
                         Context(trace, generate.cancel),
                         {.pixels = slice.pixels.f32(),
                          .shape = slice.pixels.shape(),
                          .layout = slice.layout,
                          .framing = {framing.start, framing.end, last ? framing.sep : std::vector<int32_t>()},
                          .media_index = static_cast<int64_t>(index)}));
    const std::span<const float> rows = encoded.rows.f32();
    CHECK_LE(rows.size(), out.size() - written);
    std::ranges::copy(rows, out.begin() + static_cast<std::ptrdiff_t>(written));
    written += rows.size();
    vision_ms += MsSince(start);
    return OkStatus();
  };
  const auto start = Clock::now();
  if (Cancelled(generate)) return Cancelled("stopped before the picture was encoded");
  const int64_t frames = trace == nullptr ? spec::FramesPerSlice(spec()) : 0;
  RETURN_IF_ERROR(item.Pixels(frames, &pool, request.plan.warnings, encode));
  CHECK_EQ(written, out.size());
  timings.decode_media_ms += MsSince(start) - vision_ms;
  timings.vision_ms += vision_ms;
  return media;
}

// Rows of every item that has a position at or after `reused`; null for the others.
StatusOr<std::vector<std::shared_ptr<const models::EncodedMedia>>> Session::State::See(Request& request, int64_t reused,
                                                                                       const GenerateOptions& generate,
                                                                                       engine::Trace* trace,
                                                                                       Timings& timings) {
  std::vector<std::shared_ptr<const models::EncodedMedia>> rows(request.media.size());
  for (size_t i = 0; i < request.media.size(); ++i) {
    const engine::MediaItem& item = *request.media[i];
    const int64_t id = -1 - MediaNumber(item.key());
    const bool needed = std::any_of(request.cells.begin() + reused, request.cells.end(),
                                    [&](const engine::Cell& cell) { return cell.id == id; });
    if (!needed) {
      request.plan.media[i].cached = true;
      continue;
    }
    if (trace == nullptr && (rows[i] = media_cache.Find(item.key())) != nullptr) {
      request.plan.media[i].cached = true;
      continue;
    }
    ASSIGN_OR_RETURN(models::EncodedMedia encoded, Encode(request, i, generate, trace, timings));
    rows[i] = std::make_shared<const models::EncodedMedia>(std::move(encoded));
    media_cache.Insert(item.key(), rows[i]);
  }
  return rows;
}

// Embeddings of positions [begin, end) into hidden [end - begin, D].
Status Session::State::FillHidden(const Request& request, int64_t begin, int64_t end,
                                  std::span<const std::shared_ptr<const models::EncodedMedia>> rows,
                                  std::span<float> hidden) {
  const int64_t width = spec().language.hidden_size;
  std::map<int64_t, size_t> item_of;  // cell id -> item; equal pictures share their rows
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i] != nullptr) item_of.emplace(-1 - MediaNumber(request.media[i]->key()), i);
  }
  const ops::ExecContext ctx = Context(nullptr, nullptr);
  for (int64_t at = begin; at < end;) {
    float* const out = hidden.data() + (at - begin) * width;
    const engine::Cell& cell = request.cells[static_cast<size_t>(at)];
    if (cell.id < 0) {
      const models::EncodedMedia& media = *rows[item_of.at(cell.id)];
      std::memcpy(out, media.rows.f32().data() + cell.row * width, static_cast<size_t>(width) * sizeof(float));
      ++at;
      continue;
    }
    std::vector<int32_t> ids;
    for (; at < end && request.cells[static_cast<size_t>(at)].id >= 0; ++at) {
      ids.push_back(static_cast<int32_t>(request.cells[static_cast<size_t>(at)].id));
    }
    RETURN_IF_ERROR(parts().runner->EmbedTokens(ctx, ids, {out, ids.size() * static_cast<size_t>(width)}));
  }
  return OkStatus();
}

Status Session::State::Prefill(const Request& request, int64_t reused,
                               std::span<const std::shared_ptr<const models::EncodedMedia>> rows,
                               const GenerateOptions& generate, engine::Trace* trace, std::span<float> logits) {
  const auto total = static_cast<int64_t>(request.cells.size());
  const int64_t width = spec().language.hidden_size;
  for (int64_t begin = reused; begin < total;) {
    if (Cancelled(generate)) return Cancelled("stopped while the prompt was computed");
    const int64_t end = std::min(total, begin + options.prefill_chunk);
    const Arena::Scope scope(arena);
    const std::span<float> hidden = arena.Floats((end - begin) * width);
    RETURN_IF_ERROR(FillHidden(request, begin, end, rows, hidden));
    if (trace != nullptr) trace->OnTensor("lm.inputs_embeds", Shape({end - begin, width}), hidden);
    const std::span<float> wanted = end == total ? logits : std::span<float>();
    RETURN_IF_ERROR(
        parts().runner->Forward(Context(trace, generate.cancel), hidden, end - begin, begin, kv.view(), wanted));
    for (; begin < end; ++begin) kv.Append(request.cells[static_cast<size_t>(begin)]);
  }
  return OkStatus();
}

StatusOr<GenerateResult> Session::Generate(const std::vector<Message>& conversation, const GenerateOptions& options,
                                           const OnText& on_text) {
  State& state = *state_;
  const Model::Parts& parts = state.parts();
  if (parts.runner == nullptr) return FailedPrecondition("the model's weights are not loaded");
  const int64_t vocab_size = state.spec().language.vocab_size;
  RETURN_IF_ERROR(engine::CheckSampling(options.sampling, vocab_size));
  if (options.max_tokens < 0) {
    return InvalidArgument(StrCat("max tokens is ", options.max_tokens, ", expected 0 or more"));
  }
  const auto start = Clock::now();
  GenerateResult result;
  result.seed = options.sampling.seed ? *options.sampling.seed : std::random_device()();

  ASSIGN_OR_RETURN(Request request, state.Prepare(conversation, options));
  result.timings.decode_media_ms = MsSince(start);
  const auto total = static_cast<int64_t>(request.cells.size());
  if (total >= state.kv.capacity()) {
    return OutOfRange(StrCat("the prompt takes ", total, " tokens (", request.plan.usage.image_tokens, " of pictures, ",
                             request.plan.usage.video_tokens, " of video), the context holds ", state.kv.capacity(),
                             ": no room for an answer"));
  }
  std::unique_ptr<engine::Trace> trace;
  if (!options.trace_path.empty()) trace = std::make_unique<engine::Trace>();

  // What the previous call left in the cache is reused; the last position is computed always, for its logits.
  if (trace != nullptr) state.kv.Truncate(0);
  const int64_t reused = std::min(state.kv.KeepCommonPrefix(request.cells), total - 1);
  state.kv.Truncate(reused);
  ASSIGN_OR_RETURN(const auto rows, state.See(request, reused, options, trace.get(), result.timings));

  std::vector<float> logits(static_cast<size_t>(vocab_size));
  const auto prompt_start = Clock::now();
  RETURN_IF_ERROR(state.Prefill(request, reused, rows, options, trace.get(), logits));
  result.timings.prompt_ms = MsSince(prompt_start);
  if (trace != nullptr) {
    std::vector<int64_t> ids;
    for (const engine::Cell& cell : request.cells) ids.push_back(cell.id < 0 ? text::kMediaSlotId : cell.id);
    trace->AddIds("lm.input_ids", ids);
    RETURN_IF_ERROR(trace->Write(options.trace_path));
  }

  engine::Sampler sampler(options.sampling, vocab_size, result.seed);
  sampler.AcceptPrompt(request.text_ids);
  double duration_s = 0;
  for (const MediaInfo& info : request.plan.media)
    duration_s = info.kind == PartKind::kVideo ? info.duration_s : duration_s;
  engine::AnswerStream::Options stream_options = {
      .stops = options.stop, .trim = !options.raw, .video_duration_s = duration_s};
  if (!options.raw && !options.ignore_eos) {
    stream_options.stops.insert(stream_options.stops.end(), parts.stop_strings.begin(), parts.stop_strings.end());
  }
  engine::AnswerStream stream(parts.tokenizer, state.spec().video, std::move(stream_options), on_text);

  const int64_t room = state.kv.capacity() - total;
  const int64_t limit = std::min(options.max_tokens, room);
  const auto width = static_cast<size_t>(state.spec().language.hidden_size);
  std::vector<float> hidden(width);
  result.finish_reason = FinishReason::kLength;
  // Answers of ordinary length find their room here: from one token to the next nothing is allocated.
  constexpr int64_t kUsual = 4096;
  const auto usual = static_cast<size_t>(std::min(limit, kUsual));
  result.token_ids.reserve(usual);
  if (options.want_margins) result.margins.reserve(usual);
  stream.Reserve(usual);
  auto first_token_at = Clock::now();
  bool finished = false;
  for (int64_t step = 0; step < limit; ++step) {
    if (Cancelled(options)) {
      result.finish_reason = FinishReason::kCancelled;
      break;
    }
    if (!std::all_of(logits.begin(), logits.end(), [](float logit) { return std::isfinite(logit); })) {
      return DataLoss("the model computes numbers that are not finite: its weights are damaged or not meant for this");
    }
    const GenerateResult::Margin margin = options.want_margins ? MarginOf(logits) : GenerateResult::Margin();
    const int32_t id = sampler.Choose(logits);
    if (step == 0) {
      first_token_at = Clock::now();
      result.timings.ttft_ms = MsSince(start);
    }
    const bool ends =
        !options.ignore_eos && std::find(parts.stop_ids.begin(), parts.stop_ids.end(), id) != parts.stop_ids.end();
    if (ends) {
      result.finish_reason = FinishReason::kStop;
      break;
    }
    result.token_ids.push_back(id);
    if (options.want_margins) result.margins.push_back(margin);
    sampler.Accept(id);
    if (!stream.Push(id)) {
      result.finish_reason = stream.stopped_by_caller() ? FinishReason::kCancelled : FinishReason::kStop;
      finished = true;
      break;
    }
    if (step + 1 == limit) break;
    const Arena::Scope scope(state.arena);
    const ops::ExecContext ctx = state.Context(nullptr, nullptr);  // a single token is computed to its end
    RETURN_IF_ERROR(parts.runner->EmbedTokens(ctx, {&id, 1}, hidden));
    RETURN_IF_ERROR(parts.runner->Forward(ctx, hidden, 1, state.kv.length(), state.kv.view(), logits));
    state.kv.Append({id, 0});
  }
  if (!finished) stream.Finish();

  result.timings.generate_ms = MsSince(first_token_at);
  const auto made = static_cast<double>(result.token_ids.size());
  if (made > 1 && result.timings.generate_ms > 0) {
    result.timings.tokens_per_second = (made - 1) / (result.timings.generate_ms / 1000.0);
  }
  result.text = stream.text();
  result.prompt = std::move(request.plan);
  result.usage = result.prompt.usage;
  result.usage.cached_tokens = reused;
  result.usage.completion_tokens = static_cast<int64_t>(result.token_ids.size());
  return result;
}

}  // namespace galago

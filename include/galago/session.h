#ifndef GALAGO_SESSION_H_
#define GALAGO_SESSION_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "galago/message.h"
#include "galago/model.h"
#include "galago/status.h"

namespace galago {

struct SessionOptions {
  int threads = 0;              // 0: one per usable core
  int64_t ctx_size = 0;         // tokens of KV cache; 0: the model's own limit
  int64_t prefill_chunk = 512;  // tokens computed at once; changes memory and latency, never the answer
  std::string isa;              // kernel family to force ("ref", "avx2", ...); empty: the best this CPU has
  uint64_t media_cache_bytes = uint64_t{256} << 20;  // encoded pictures kept for reuse
};

// temperature 0 is greedy, the other sampling fields then only matter where they change logits (penalties, bias).
struct SamplingOptions {
  float temperature = 0.0f;
  int32_t top_k = 0;  // 0: off
  float top_p = 1.0f;
  float min_p = 0.0f;
  float repeat_penalty = 1.0f;  // over the last repeat_last_n tokens of prompt and answer
  int32_t repeat_last_n = 64;
  float presence_penalty = 0.0f;  // over generated tokens
  float frequency_penalty = 0.0f;
  std::map<int32_t, float> logit_bias;
  std::optional<uint64_t> seed;  // default: random, reported in the result
};

struct GenerateOptions {
  int64_t max_tokens = 512;
  SamplingOptions sampling;
  std::vector<std::string> stop;  // also end the answer; not part of it
  bool ignore_eos = false;        // stop tokens are generated like any other
  bool parse_special = false;     // special-token spellings in user text become tokens
  bool raw = false;               // the one user text is the whole prompt: no template, BOS as the tokenizer adds it
  std::string trace_path;         // safetensors file of named intermediates of the prompt (float32)
  bool want_margins = false;      // fill GenerateResult::margins
  // Set to true from anywhere, it ends the answer with kCancelled, and what comes before the answer (media, prompt)
  // with the status Cancelled, within the time of one layer.
  const std::atomic<bool>* cancel = nullptr;
};

enum class Flow { kContinue, kStop };
// Whole UTF-8 text as it is generated, on the calling thread.
using OnText = std::function<Flow(std::string_view)>;

enum class FinishReason { kStop, kLength, kCancelled };
inline std::string_view Name(FinishReason reason) {
  switch (reason) {
    case FinishReason::kStop:
      return "stop";
    case FinishReason::kLength:
      return "length";
    case FinishReason::kCancelled:
      return "cancelled";
  }
  return "";
}

struct MediaInfo {
  PartKind kind = PartKind::kImage;
  std::string source;             // as given; a data: URI cut to 64 characters
  std::string sha256;             // of the encoded bytes
  std::string format;             // "jpeg", "png", ..., "video"
  int64_t width = 0, height = 0;  // as stored
  std::array<int64_t, 2> decoded = {0, 0};
  int orientation = 1;
  int64_t tiles = 0;                           // encoder inputs
  std::optional<std::array<int64_t, 2>> grid;  // (columns, rows) of the ratio search
  std::vector<int64_t> frame_indices;          // video; -1: a black frame put in front
  std::vector<double> timestamps_s;            // video
  double duration_s = 0;                       // video
  int64_t rows = 0;                            // embedding rows, those of the encoder's own newline tokens included
  int64_t tokens = 0;   // positions: rows, and the text newlines that part the tiles of a picture
  bool cached = false;  // rows came from the media cache
};

struct Usage {
  int64_t prompt_tokens = 0;  // all positions before the answer, media rows included
  int64_t image_tokens = 0;
  int64_t video_tokens = 0;
  int64_t cached_tokens = 0;  // of prompt_tokens: taken from the KV cache, not computed
  int64_t completion_tokens = 0;
};

struct Timings {
  double decode_media_ms = 0;    // bytes to pixel tensors
  double vision_ms = 0;          // tower and projector
  double prompt_ms = 0;          // prefill
  double ttft_ms = 0;            // call to first token
  double generate_ms = 0;        // after the first token
  double tokens_per_second = 0;  // of generate_ms
};

// What a request amounts to, without computing it.
struct PromptPlan {
  std::string rendered;            // the prompt as text, media as their marker
  std::vector<int64_t> input_ids;  // before splicing; -200 where a media slot stands
  std::vector<MediaInfo> media;
  Usage usage;  // token counts only
  std::vector<std::string> warnings;
};

struct GenerateResult {
  std::string text;
  std::vector<int32_t> token_ids;  // as generated, stop token excluded
  // For each of token_ids: how far the best logit was above the second best, and the largest magnitude of a logit.
  // Tells a near tie, which rounding may decide, from a real difference.
  struct Margin {
    float gap = 0, largest = 0;
  };
  std::vector<Margin> margins;
  FinishReason finish_reason = FinishReason::kStop;
  uint64_t seed = 0;
  PromptPlan prompt;
  Usage usage;
  Timings timings;
};

// One conversation on one model: owns the KV cache, so that a prompt sharing its beginning with the previous one
// computes only what is new. Not thread-safe: one caller at a time.
class Session {
 public:
  // The model needs its weights only for Generate.
  static StatusOr<std::unique_ptr<Session>> Create(std::shared_ptr<const Model> model, const SessionOptions& options);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  // Renders and counts: reads media headers and picture sizes, computes nothing.
  StatusOr<PromptPlan> Plan(const std::vector<Message>& conversation, const GenerateOptions& options);

  // Answers the conversation, which must end with a user message. Blocks until done. On failure the session stays
  // usable. OutOfRange when the prompt exceeds the context, naming both numbers.
  StatusOr<GenerateResult> Generate(const std::vector<Message>& conversation, const GenerateOptions& options,
                                    const OnText& on_text);

  const std::string& isa() const;  // the kernel family in use
  int threads() const;
  int64_t ctx_size() const;

 private:
  struct State;
  explicit Session(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace galago

#endif  // GALAGO_SESSION_H_

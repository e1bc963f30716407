#ifndef GALAGO_MODEL_H_
#define GALAGO_MODEL_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"

namespace galago {

enum class Precision {
  kF32,   // reference mode: float32 arithmetic on the stored weights
  kBf16,  // activations rounded to bf16 in front of products with bf16 and quantised weights, float32 sums; the default
  kInt8   // the same, but in front of quantised weights activations are quantised, too: 8 bits for each row and group
};
inline std::string_view Name(Precision precision) {
  switch (precision) {
    case Precision::kF32:
      return "f32";
    case Precision::kBf16:
      return "bf16";
    case Precision::kInt8:
      return "int8";
  }
  return "";
}

// Which of the reference repository's two behaviours a VILA-1.5 checkpoint gets (docs/models.md).
enum class Vila15 {
  kEraA,         // May to July 2024: the code the checkpoints were released with
  kEraAAug2024,  // the same but for video frames: sampling ends on the last frame, short videos get no black frames
  kEraB          // December 2024 on
};

// Deviations of llama.cpp's MobileVLM/LLaVA graphs, for comparison; all off by default.
struct LlamaCppQuirks {
  bool drop_last_layer = false;
  bool class_token_last = false;
  bool gelu_tanh = false;
  bool pad_bottom_right = false;
};

struct ModelOptions {
  std::string mmproj;         // GGUF only: the picture half of the pair
  std::string adapter;        // folder of an adapter in PEFT's format, added to the weights as they are loaded
  std::string chat_template;  // name of a built-in template; empty: from the checkpoint
  Vila15 vila15 = Vila15::kEraA;
  LlamaCppQuirks quirks;
  Precision precision = Precision::kBf16;
};

struct Token {
  int32_t id = 0;
  std::string piece;  // its bytes; may be part of a UTF-8 character
};

// Bytes. Weights mapped from files count in full although the system may drop and reread their pages.
struct MemoryPlan {
  uint64_t weights = 0;
  uint64_t kv_cache = 0;
  uint64_t vision_workspace = 0;
  uint64_t activations = 0;
  uint64_t total = 0;
  uint64_t available = 0;  // what the system or control group says is free, less a reserve
  int64_t ctx_size = 0;
};

struct LoadReport {
  uint64_t mapped_bytes = 0;     // used in place; those an adapter was added to count here, too
  uint64_t converted_bytes = 0;  // copied because their type had to change
  double load_ms = 0;
  std::vector<std::string> notes;
};

// A checkpoint: what it is, its tokenizer and, once loaded, its weights. Immutable after LoadWeights and shared by
// sessions without locks.
class Model {
 public:
  // Reads configuration and tokenizer, no weights: enough for Describe, Tokenize and dry runs.
  static StatusOr<std::shared_ptr<Model>> Open(const std::string& path, const ModelOptions& options);
  ~Model();
  Model(const Model&) = delete;
  Model& operator=(const Model&) = delete;

  // `cancel` may be null; set to true from anywhere, it ends loading with Cancelled.
  StatusOr<LoadReport> LoadWeights(const std::atomic<bool>* cancel = nullptr);
  bool has_weights() const;

  const std::string& name() const;   // last component of the path
  bool sees() const;                 // has a vision tower
  int64_t max_context() const;       // the checkpoint's own limit in tokens
  std::string DescribeText() const;  // for people
  std::string DescribeJson() const;  // schema galago.inspect/1

  // What running with this context needs. ctx_size 0: the model's own.
  MemoryPlan PlanMemory(int64_t ctx_size) const;

  // parse_special: spellings of special tokens become those tokens. add_special: BOS/EOS as the tokenizer does.
  // OutOfRange for text beyond the tokenizer's limits.
  StatusOr<std::vector<Token>> Tokenize(const std::string& text, bool add_special, bool parse_special) const;
  StatusOr<std::string> Detokenize(const std::vector<int32_t>& ids) const;

  struct Parts;  // the engine's side; opaque to applications
  explicit Model(std::unique_ptr<Parts> parts);
  const Parts& parts() const { return *parts_; }

 private:
  std::unique_ptr<Parts> parts_;
};

}  // namespace galago

#endif  // GALAGO_MODEL_H_

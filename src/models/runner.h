#ifndef GALAGO_MODELS_RUNNER_H_
#define GALAGO_MODELS_RUNNER_H_

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/nn/kv_view.h"
#include "src/ops/exec_context.h"
#include "src/spec/media_layout.h"
#include "src/spec/model_spec.h"
#include "src/tensor/tensor.h"

// All the engine sees of a model: rows in, rows out, on memory it lends. Nothing here loops over time.
namespace galago::models {

// Token ids of the strings embedded around each encoded picture or frame; empty where there is none.
struct FramingIds {
  std::vector<int32_t> start;
  std::vector<int32_t> end;
  std::vector<int32_t> sep;
};

struct EncodeRequest {
  std::span<const float> pixels;
  Shape shape;  // [layout.tiles, 3, side, side], side = spec().preprocess.size
  spec::MediaLayout layout;
  FramingIds framing;
  int64_t media_index = 0;  // I of the trace names "vision.I.hidden.0", ...
};

// A picture or video as the language model takes it.
struct EncodedMedia {
  Tensor rows;                     // [M, D] f32, slot after slot, framing included
  std::vector<int64_t> slot_rows;  // rows of each placeholder the item has in the prompt; their sum is M
};

// Immutable after loading and shared by all sessions without locks; the ExecContext belongs to one caller at a time.
// Everything may end with Cancelled soon after ctx.cancel is set; positions of kv from `past` on are then undefined.
//
// With ctx.observer set these names are reported (I = media_index, L = 0, 1, ...):
//   vision.I.hidden.L  [calls, P, C]  input of the tower's layer L; the last one is its output
//   vision.I.selected  [tiles, N, M]  what the projector takes
//   projector.I.out    [tiles, R, D]
//   media.I.embeds     [rows, D]      EncodedMedia::rows
//   lm.hidden.L        [T, D]         input of decoder layer L; the last one is before the final norm
//   lm.logits          [V]
class Runner {
 public:
  virtual ~Runner() = default;
  virtual const spec::ModelSpec& spec() const = 0;

  // Pixels to rows. InvalidArgument for text-only models, pixels that do not suit the layout, and videos whose number
  // of frames cannot be pooled.
  virtual StatusOr<EncodedMedia> EncodeMedia(const ops::ExecContext& ctx, const EncodeRequest& request) const = 0;

  // ids [T], each a row of the embedding table -> out [T, D]. InvalidArgument names an id beyond the table.
  virtual Status EmbedTokens(const ops::ExecContext& ctx, std::span<const int32_t> ids, std::span<float> out) const = 0;

  // Runs num_rows (T) new positions whose input embeddings are hidden [T, D] (consumed: left in an unspecified state),
  // after the `past` positions kv already holds; their keys and values are written to [past, past + T). logits [W, V]
  // of the last W positions, V = spec().language.vocab_size; empty if they are not wanted, W = 1 for an answer.
  // OutOfRange if kv is too short.
  virtual Status Forward(const ops::ExecContext& ctx, std::span<float> hidden, int64_t num_rows, int64_t past,
                         const nn::KvView& kv, std::span<float> logits) const = 0;
};

// Weights made up in memory instead of read from files, for measuring (random_weights.h). Types are f32, f16, bf16 or
// a panel type.
struct RandomFormat {
  DType decoder = DType::kBF16;  // matrices of the decoder's layers
  DType head = DType::kBF16;     // the tables of the vocabulary
  DType tower = DType::kBF16;    // matrices of the tower's layers
  uint64_t seed = 1;
};

struct LoadOptions {
  // kF32 keeps every weight exact; kBf16 may expand block types of GGUF files to bf16.
  ops::Precision precision = ops::Precision::kF32;
  const std::atomic<bool>* cancel = nullptr;  // set to true: loading ends with Cancelled at the next tensor
  std::optional<RandomFormat> random;         // then no file is opened
  std::filesystem::path adapter;              // added to the weights (lora.h); empty: none
};

// Where the bytes of the weights are.
struct LoadReport {
  uint64_t mapped_bytes = 0;     // used where the file is mapped
  uint64_t converted_bytes = 0;  // copied because their type, order or alignment had to change, or made up
  uint64_t token_bytes = 0;      // what one new position reads: the decoder's layers and its head
  uint64_t vision_bytes = 0;     // what one tile reads: tower and projector
  std::vector<std::string> notes;
};

struct LoadedRunner {
  std::unique_ptr<const Runner> runner;
  LoadReport report;
};

// Opens the checkpoint's weights and holds every tensor's shape against the spec:
// "model.safetensors: model.layers.3.mlp.up_proj.weight is [5632, 2048], the config needs [5504, 2048]".
StatusOr<LoadedRunner> LoadRunner(const spec::ModelSpec& spec, const LoadOptions& options = {});

}  // namespace galago::models

#endif  // GALAGO_MODELS_RUNNER_H_

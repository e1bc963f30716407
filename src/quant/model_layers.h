#ifndef GALAGO_QUANT_MODEL_LAYERS_H_
#define GALAGO_QUANT_MODEL_LAYERS_H_

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "galago/status.h"
#include "src/base/file.h"
#include "src/models/vlm_runner.h"
#include "src/ops/exec_context.h"
#include "src/quant/layer_search.h"
#include "src/quant/smoothing.h"

// The parts of a model, layer by layer: one layer's float32 copy, or the head's, and the calibration's activations are
// all that is held in memory, results go to disk.
namespace galago::quant {

// What takes the place of a part's tensors, by the names the part asked for them: panels for matrices, float32 for
// vectors.
class Replacements {
 public:
  // `file` must outlive this and keeps the elements.
  explicit Replacements(ScratchFile& file) : file_(file) {}
  // A name that is there already gets the new tensor.
  Status Put(const std::string& name, const Tensor& tensor);
  // Null if the part's own tensor stays.
  const TensorView* Find(std::string_view name) const;

 private:
  ScratchFile& file_;
  std::map<std::string, TensorView, std::less<>> tensors_;
};

using OnLayer = std::function<void(int64_t done, int64_t total)>;

struct DecoderOptions {
  int bits = 4;  // or 6, 8: to nearest in groups of 128, 32 or 16
  SearchOptions search;
  std::filesystem::path directory;  // of searches; empty: none
  OnLayer on_layer;
};

struct DecoderResult {
  std::vector<LayerSearch> searches;  // empty without calibration; limits are not kept
  int64_t resumed = 0;
};

// Whether `group` divides the inputs of every matrix of the decoder: asked before hours of work.
Status CheckDecoderGroups(const models::LanguageModel& model, const models::Weights& weights, int64_t group);

// CheckDecoderGroups holds for 4 bits. `sequences` are the calibration, consumed; empty: everything is rounded to the
// nearest.
StatusOr<DecoderResult> QuantizeDecoder(const ops::ExecContext& ctx, const models::LanguageModel& model,
                                        const models::Weights& weights, Sequences sequences,
                                        const DecoderOptions& options, Replacements& result);

// The matrix behind the logits, which may be the table of embeddings too, in 4 bits (groups as given), 6 or 8.
Status QuantizeHead(const ops::ExecContext& ctx, const models::LanguageModel& model, const models::Weights& weights,
                    int bits, int64_t group, Replacements& result);

// W8A8 weights of all of the tower's layers; `maxima` may be empty: then nothing is smoothed.
Status QuantizeTower(const ops::ExecContext& ctx, const models::VisionEncoder& tower, const models::Weights& weights,
                     const TowerMaxima& maxima, double alpha, const OnLayer& on_layer, Replacements& result);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_MODEL_LAYERS_H_

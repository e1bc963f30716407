#ifndef GALAGO_TRAIN_MODULES_WEIGHTS_H_
#define GALAGO_TRAIN_MODULES_WEIGHTS_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "src/io/tensor_store.h"
#include "train/modules/blocks.h"
#include "train/modules/vlm.h"

// Where a model's parameters come from (a checkpoint, or drawn as the reference draws them) and the list of them.
namespace galago::train {

// How a tensor starts when it is not read.
struct Initial {
  enum class Kind { kConstant, kNormal, kTruncatedNormal, kUniform };
  Kind kind = Kind::kConstant;
  double value = 0.0;  // the constant, the standard deviation, or the bound
};
inline Initial Constant(double value) { return {Initial::Kind::kConstant, value}; }
inline Initial Normal(double std) { return {Initial::Kind::kNormal, std}; }
inline Initial Uniform(double bound) { return {Initial::Kind::kUniform, bound}; }
// Glorot's: the same variance forth and back.
Initial XavierUniform(int64_t out, int64_t in);
// Variance 1 / in, cut at two standard deviations as JAX does (and transformers' SigLIP after it).
Initial LecunNormal(int64_t in);
// PyTorch's default for Linear and Conv2d.
Initial DefaultUniform(int64_t in);

class ParameterList {
 public:
  // Drawn from `seed`; each tensor's numbers depend on the seed and its name alone.
  ParameterList(const spec::ModelSpec& spec, uint64_t seed);
  // Read from the checkpoint the spec was parsed from.
  static StatusOr<ParameterList> Open(const spec::ModelSpec& spec);

  bool is_new() const { return stores_.empty(); }
  // All that follows belongs to this part.
  void Begin(Part part);
  enum class Role { kWeight, kHidden, kBias, kNorm };
  // A float32 leaf of this shape under the checkpoint's name. DataLoss if the file holds another shape.
  StatusOr<Tensor> Take(const std::string& name, const std::vector<int64_t>& shape, const Initial& initial, Role role);
  // Parameters nothing reads (layers behind the selected one): written again at export, never trained.
  void BeginUnused() { unused_now_ = true; }
  void EndUnused() { unused_now_ = false; }
  // The float tensors of the checkpoint that nobody asked for, taken along unused. Nothing for a new model.
  Status TakeRest();

  // NAME.weight [out, in], NAME.bias [out].
  struct LinearInitial {
    Initial weight;
    Initial bias = Constant(0.0);
  };
  StatusOr<Linear> TakeLinear(const std::string& name, int64_t out, int64_t in, bool bias,
                              const LinearInitial& initial);
  // The weight [V, D] that turns rows into scores of words.
  StatusOr<Linear> TakeHead(const std::string& name, int64_t vocab, int64_t in, const Initial& initial);
  // Several, stacked.
  struct LinearShape {
    std::string name;
    int64_t out = 0;
  };
  StatusOr<Linear> TakeLinears(const std::vector<LinearShape>& parts, int64_t in, bool bias,
                               const LinearInitial& initial);
  // NAME.weight and, for LayerNorm, NAME.bias.
  StatusOr<Norm> TakeNorm(const std::string& name, RowNorm kind, int64_t width, double eps);

  std::vector<Parameter> parameters;
  std::vector<Parameter> unused;

 private:
  ParameterList() = default;
  StatusOr<Tensor> Read(const std::string& name, const std::vector<int64_t>& shape) const;
  std::string FullName(Part part, const std::string& name) const;
  Tensor Draw(const std::string& name, const std::vector<int64_t>& shape, const Initial& initial) const;

  spec::Layout layout_ = spec::Layout::kSubfolders;
  uint64_t seed_ = 0;
  std::map<Part, io::TensorStore> stores_;  // empty for new models
  Part part_ = Part::kVision;
  bool unused_now_ = false;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_WEIGHTS_H_

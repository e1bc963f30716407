#ifndef GALAGO_TRAIN_MODULES_BLOCKS_H_
#define GALAGO_TRAIN_MODULES_BLOCKS_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <utility>
#include <vector>

#include "train/modules/row_kernels.h"
#include "train/modules/torch.h"

// The differentiable blocks all modules are made of. Activations are [N, width] in the type of the products (float32
// or bf16); the residual stream, weights and all sums are float32.
namespace galago::train {

using torch::Tensor;

// An autograd Function takes an absent tensor as an empty optional, not as an undefined tensor.
using MaybeTensor = c10::optional<Tensor>;
inline MaybeTensor Maybe(const Tensor& tensor) { return tensor.defined() ? MaybeTensor(tensor) : MaybeTensor(); }
inline Tensor OrUndefined(const MaybeTensor& tensor) { return tensor ? *tensor : Tensor(); }

// a b of matrices, and of batches of them; the operations (two for each multiply-add) are counted.
Tensor Product(const Tensor& a, const Tensor& b);
Tensor BatchedProduct(const Tensor& a, const Tensor& b);
// A factor in the type in which it is multiplied: what a factor of several products is made once before them.
Tensor Widened(const Tensor& factor);

// The residual stream before a branch's result is added: rows + (delta + bias) * scale. Adding waits for the next norm,
// which reads the sum anyway.
struct Stream {
  Tensor rows;   // [N, D] f32
  Tensor delta;  // [N, D] or undefined: nothing waits
  Tensor bias;   // [D] f32 or undefined
  Tensor scale;  // [D] f32 or undefined
};
// [N, D] f32.
Tensor Settle(const Stream& stream);
// The chosen rows of it. `rows` int64 [n].
Stream Select(const Stream& stream, const Tensor& rows);

struct Norm {
  RowNorm kind = RowNorm::kLayerNorm;
  double eps = 1e-6;
  Tensor gain;   // [D]
  Tensor shift;  // [D], LayerNorm only
};
struct Normed {
  Stream stream;  // settled
  Tensor y;       // [N, D] of `type`
};
// With a waiting delta, `type` is its type.
Normed AddNorm(const Stream& stream, const Norm& norm, torch::ScalarType type);

// Low-rank addition to a frozen weight: scale * up (down x).
struct Lora {
  Tensor down;  // [r, in]
  Tensor up;    // [out, r]
  double scale = 1.0;
};

// One product with one or several weights stacked along their outputs (q, k and v; gate and up). Biases are not added
// here but by whatever reads the product next.
class Linear {
 public:
  Linear() = default;
  // Float32 leaves [out, in]; biases [out], all or none.
  explicit Linear(std::vector<Tensor> weights, std::vector<Tensor> biases = {});
  // x [N, in] -> [N, sum of outs] of x's type.
  Tensor operator()(const Tensor& x) const;
  // [sum of outs], undefined if there is none.
  Tensor bias() const;
  // The weights stacked, in this type, without a graph. Kept until Forget.
  const Tensor& operand(torch::ScalarType type) const;
  // To be called when leaves have changed.
  void Forget() const { operand_ = Tensor(); }
  const std::vector<Tensor>& weights() const { return weights_; }
  // One for each weight or none at all.
  std::vector<Lora>& lora() { return lora_; }

 private:
  std::vector<Tensor> weights_;
  std::vector<Tensor> biases_;
  std::vector<Lora> lora_;
  mutable Tensor operand_;
};

// activation(x + bias); bias may be undefined.
Tensor BiasActivation(const Tensor& x, const Tensor& bias, RowActivation activation);
// silu(gate) * up of [N, 2F].
Tensor SwiGlu(const Tensor& gate_up);

// Who attends to whom: segments of consecutive rows that do not see each other. Segments of similar length are padded
// to the longest of their group, so that the products are batched ones.
struct AttentionPlan : torch::CustomClassHolder {
  struct Group {
    std::vector<int32_t> first_rows, lengths;
    int64_t padded = 0;
    bool full = false;  // no padding at all
  };
  int64_t rows = 0;
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head_dim = 0;
  bool causal = false;
  std::vector<Group> groups;
  // Rotary embedding, decoders only.
  std::vector<int32_t> positions;  // [rows]
  Tensor cosines, sines;           // [positions, H / 2] f32
};
using AttentionPlanPtr = c10::intrusive_ptr<AttentionPlan>;
// Groups for segments [cu_seqlens[i], cu_seqlens[i + 1]).
std::vector<AttentionPlan::Group> GroupSegments(std::span<const int32_t> cu_seqlens);

// qkv [rows, (heads + 2 kv_heads) * H], bias [its width] or undefined -> [rows, heads * H].
Tensor Attention(const Tensor& qkv, const Tensor& bias, const AttentionPlanPtr& plan);

// Pixels [T, 3, S, S] f32 -> [T * G * G, 3 * p * p] of `type`, G = S / p, channels before rows before columns.
Tensor Patches(const Tensor& pixels, int64_t patch, torch::ScalarType type);

// Rows of the table and of media in the order `sources` gives: s >= 0 is row s of the table, s < 0 row -1 - s of media.
// table [V, D], media [M, D] f32 or undefined -> [N, D] f32.
Tensor FuseRows(const Tensor& table, const Tensor& media, std::span<const int32_t> sources);

// Sum of the cross entropies of x [n, D] times head^T [V, D] against `targets` [n], divided by `divisor`. Logits exist
// for one chunk of rows at a time; the gradients are made with them.
struct CrossEntropyOptions {
  double divisor = 1.0;
  double soft_std = 0.0;  // targets among the time tokens are spread out
  int32_t time_first = 0;
  int32_t time_count = 0;
};
Tensor LinearCrossEntropy(const Tensor& x, const Linear& head, std::span<const int32_t> targets,
                          const CrossEntropyOptions& options);
// The single terms, [n] f32, undivided and without a graph.
Tensor CrossEntropies(const Tensor& x, const Linear& head, std::span<const int32_t> targets,
                      const CrossEntropyOptions& options);

// layer(rows) whose inside is computed again in the backward pass instead of being kept. Weights the layer reads get
// their gradients as they would without.
using LayerFunction = std::function<Tensor(const Tensor&)>;
Tensor Recompute(const Tensor& rows, LayerFunction layer);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_BLOCKS_H_

#ifndef GALAGO_TRAIN_MODULES_ROW_KERNELS_H_
#define GALAGO_TRAIN_MODULES_ROW_KERNELS_H_

#include <cstdint>

// What training does between the matrix products, one fused pass each, on raw rows: plain loops compiled once per
// instruction set. All arithmetic is float32; T, the type activations are kept in, is float or the bits of a bf16.
// Every kernel works on rows [begin, end) so that the caller can share them among threads. Sums over rows (gradients of
// biases and gains) are added to buffers of the calling thread.
namespace galago::train {

enum class RowNorm { kNone, kLayerNorm, kRmsNorm };

// h_out = h + (delta + bias) * scale, then y = norm(h_out) * gain + shift.
template <class T>
struct AddNormArgs {
  int64_t width = 0;  // D
  RowNorm norm = RowNorm::kNone;
  float eps = 0.0f;
  const float* h = nullptr;      // [N, D]
  const T* delta = nullptr;      // [N, D] or null: h_out = h
  const float* bias = nullptr;   // [D] or null
  const float* scale = nullptr;  // [D] or null
  const float* gain = nullptr;   // [D]
  const float* shift = nullptr;  // [D] or null
  float* h_out = nullptr;        // [N, D]; null without delta
  T* y = nullptr;                // [N, D]; null for RowNorm::kNone
  float* mean = nullptr;         // [N], LayerNorm
  float* rstd = nullptr;         // [N]
};

template <class T>
struct AddNormBackwardArgs {
  int64_t width = 0;
  RowNorm norm = RowNorm::kNone;
  const float* h_out = nullptr;  // [N, D]
  const T* delta = nullptr;      // needed for d_scale only
  const float* bias = nullptr;
  const float* scale = nullptr;
  const float* gain = nullptr;
  const float* mean = nullptr;
  const float* rstd = nullptr;
  const T* dy = nullptr;          // [N, D] or null
  const float* dh_out = nullptr;  // [N, D] or null
  float* dh = nullptr;            // [N, D]
  T* d_delta = nullptr;           // [N, D] or null
  float* d_gain = nullptr;        // [D] of this thread, or null; so the next three
  float* d_shift = nullptr;
  float* d_bias = nullptr;
  float* d_scale = nullptr;
};

enum class RowActivation { kGeluTanh, kGeluErf, kQuickGelu, kSilu };

// y = activation(x + bias), x, y [N, F].
template <class T>
struct ActivationArgs {
  int64_t width = 0;
  RowActivation activation = RowActivation::kGeluErf;
  const T* x = nullptr;
  const float* bias = nullptr;  // [F] or null
  T* y = nullptr;
  // Backward.
  const T* dy = nullptr;
  T* dx = nullptr;
  float* d_bias = nullptr;  // [F] of this thread, or null
};

// y = silu(gate) * up; gate and up side by side, gate_up [N, 2F], y [N, F].
template <class T>
struct SwiGluArgs {
  int64_t width = 0;  // F
  const T* gate_up = nullptr;
  T* y = nullptr;
  const T* dy = nullptr;   // backward
  T* d_gate_up = nullptr;  // [N, 2F]
};

// Softmax over rows of scores [B, R, L] in place, times `scale` before it. With lengths, batch b counts only rows and
// columns below lengths[b / batches_per_length]; a row stands for position row % L and, if causal, sees columns up to
// it. All else is 0.
template <class T>
struct SoftmaxArgs {
  int64_t rows = 0;     // R, a multiple of L
  int64_t columns = 0;  // L
  bool causal = false;
  float scale = 1.0f;
  const int32_t* lengths = nullptr;
  int64_t batches_per_length = 1;
  T* scores = nullptr;       // forward: scores in, probabilities out
  const T* probs = nullptr;  // backward
  T* d_scores = nullptr;     // backward: gradient of the probabilities in, of the scores out
};

// Between packed rows [N, stride] and padded heads [S * heads, L, H] of one group of segments. Batches run over
// segments. `rotary`: 1 rotates by the row's position, -1 back, 0 not at all.
template <class T>
struct HeadsArgs {
  int64_t heads = 0;
  int64_t head_dim = 0;    // H
  int64_t padded = 0;      // L
  int64_t row_stride = 0;  // elements from packed row to packed row
  int rotary = 0;
  const int32_t* first_rows = nullptr;  // [S] first packed row of each segment
  const int32_t* lengths = nullptr;     // [S]
  const int32_t* positions = nullptr;   // [N], for rotary
  const float* cosines = nullptr;       // [positions, H / 2]
  const float* sines = nullptr;
  const float* bias = nullptr;  // [heads * H] added on the way to the heads, or null
  float* d_bias = nullptr;      // [heads * H] of this thread: sums on the way back, or null
  T* rows = nullptr;            // at the first column of these heads
  T* padded_heads = nullptr;
};

// Cross entropy of logits [N, V] against target[row], in place: the logits become gradients times `factor`. With
// std > 0, targets in [time_first, time_first + time_count) are spread over that range as a discrete Gaussian.
template <class T>
struct CrossEntropyArgs {
  int64_t vocab = 0;
  T* logits = nullptr;
  const int32_t* targets = nullptr;
  float* losses = nullptr;  // [N]
  float factor = 1.0f;
  bool gradients = true;
  int32_t time_first = 0;
  int32_t time_count = 0;
  float soft_std = 0.0f;
};

template <class T>
struct RowKernels {
  void (*add_norm)(const AddNormArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*add_norm_backward)(const AddNormBackwardArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*activation)(const ActivationArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*activation_backward)(const ActivationArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*swiglu)(const SwiGluArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*swiglu_backward)(const SwiGluArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*softmax)(const SoftmaxArgs<T>&, int64_t begin, int64_t end) = nullptr;           // batches
  void (*softmax_backward)(const SoftmaxArgs<T>&, int64_t begin, int64_t end) = nullptr;  // batches
  void (*to_heads)(const HeadsArgs<T>&, int64_t begin, int64_t end) = nullptr;            // segments
  void (*from_heads)(const HeadsArgs<T>&, int64_t begin, int64_t end) = nullptr;          // segments
  void (*cross_entropy)(const CrossEntropyArgs<T>&, int64_t begin, int64_t end) = nullptr;
  void (*sum_rows)(const T* x, int64_t width, float* sums, int64_t begin, int64_t end) = nullptr;  // sums[c] += x[r][c]
  void (*from_f32)(const float* x, T* y, int64_t begin, int64_t end) = nullptr;                    // elements
};

struct RowKernelTable {
  RowKernels<float> f32;
  RowKernels<uint16_t> bf16;
};

// The best for this processor.
const RowKernelTable& RowKernelsHere();

// One per instruction set.
extern const RowKernelTable kRowKernelsBase;
#if defined(__x86_64__)
extern const RowKernelTable kRowKernelsAvx2;
extern const RowKernelTable kRowKernelsAvx512;
#endif

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_ROW_KERNELS_H_

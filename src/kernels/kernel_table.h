#ifndef GALAGO_KERNELS_KERNEL_TABLE_H_
#define GALAGO_KERNELS_KERNEL_TABLE_H_

#include <cstdint>

#include "src/tensor/panel_layout.h"

// What a kernel is called with. This header is included by objects built for newer instruction sets, so it holds plain
// structs and nothing of the standard library beyond <cstdint>.
//
// Rules all kernels keep: noexcept, no allocation, no checks (ops/ has refused bad shapes). Activations are float32,
// row-major. Inputs of 16-bit types and weights may lie at any address; float32 activations at multiples of 4. Nothing
// outside the stated output is written. One output adds its terms in one order, which depends on the instruction set,
// the precision and the length of the sum, never on the position of the output, its tile or its neighbours.
namespace galago::kernels {

enum class Isa : uint8_t {
  kRef,
  kAvx2,
  kAvx512,
  kAvx512Vnni,
  kAvx512Bf16,
  kAmx,
  kNeon,
  kNeonDot,
  kNeonBf16,
  kNeonI8mm
};

// kF32: weights are widened, products and sums are float32.
// kBf16: where the weights are bf16, activations are rounded to bf16 (nearest even) first and products are summed in
// float32. With f32 or f16 weights kBf16 does what kF32 does. Quantised weights count as exact numbers: activations are
// rounded to bf16, sums are float32.
// kInt8: in front of quantised weights activations are quantised too, each row by groups of columns (those of the
// weights; for kW8Row the whole row), to a scale max|x| / 127 and codes of 8 bits; products of codes are summed
// exactly. The result has the same bits on every instruction set: see ref/panel_gemm.cc. With float weights kInt8 does
// what kBf16 does.
enum class Precision : uint8_t { kF32, kBf16, kInt8 };
constexpr int kNumPrecisions = 3;

// A group of activations with a smaller maximum is quantised as if it had this one.
constexpr float kLeastMax = 1e-30f;

enum class FloatType : uint8_t { kF32, kF16, kBF16 };
constexpr int kNumFloatTypes = 3;
[[gnu::always_inline]] constexpr int64_t SizeOf(FloatType type) { return type == FloatType::kF32 ? 4 : 2; }

enum class Activation : uint8_t {
  kNone,
  kGeluTanh,    // 0.5 x (1 + tanh(sqrt(2/pi) (x + 0.044715 x^3)))
  kGeluErf,     // 0.5 x (1 + erf(x / sqrt(2)))
  kQuickGelu,   // x sigmoid(1.702 x)
  kSilu,        // x sigmoid(x)
  kRelu,        // max(x, 0)
  kHardSwish,   // x clamp(x + 3, 0, 6) / 6
  kHardSigmoid  // clamp(x + 3, 0, 6) / 6
};
constexpr int kNumActivations = 8;

// Rows [m0, m1) of activations [M, K] into the form `run` reads. Packed rows are independent of each other.
struct GemmPackArgs {
  const float* a;  // row 0 of [M, K]
  int64_t lda;     // floats between rows
  int64_t m0, m1;  // m0 is a multiple of row_tile; m1 too, or M
  int64_t k;
  void* packed;  // all rows of the matrix: packed_bytes(M, K), aligned to 64
};

// c[i - m0, j - n0] = sum over k of a[i, k] * w[j, k], for i in [m0, m1), j in [n0, n1).
// For panels: n0 is a multiple of 16 and n1 too, or N; w is the first panel.
struct GemmArgs {
  const void* a;   // row 0 of float32 [M, K] where `pack` is null, else what `pack` made of it
  int64_t lda;     // floats between rows; unused when packed
  const void* w;   // row 0 of [N, K] in the weight type, contiguous, any alignment
  int64_t m0, m1;  // m0 is a multiple of row_tile; m1 too, or M
  int64_t n0, n1;
  int64_t k;
  float* c;
  int64_t ldc;  // floats between rows
};

struct GemmKernel {
  int64_t row_tile;                                        // rows of activations computed together
  int64_t (*packed_bytes)(int64_t m, int64_t k) noexcept;  // null with pack
  void (*pack)(const GemmPackArgs& args) noexcept;         // null: run reads float32 rows
  void (*run)(const GemmArgs& args) noexcept;
};

// out = residual + scale * activation(c + bias), with absent parts left out.
struct EpilogueArgs {
  const float* c;  // [m, n]
  int64_t ldc;
  int64_t m, n;
  const float* bias;  // [n] or null
  Activation activation;
  const float* scale;     // [n] or null
  const float* residual;  // [m, n] or null; may be out
  int64_t ld_residual;
  float* out;
  int64_t ld_out;
};

// LayerNorm: (x - mean) / sqrt(variance + eps) * weight + bias, biased variance. RmsNorm: x / sqrt(mean(x^2) + eps) *
// weight, bias unused.
struct NormArgs {
  const float* x;  // [rows, cols]
  int64_t ldx;
  int64_t rows, cols;
  const float* weight;  // [cols]
  const float* bias;    // [cols] or null
  float eps;
  float* out;  // may be x
  int64_t ld_out;
};

// Softmax attention of a group of query rows over the keys of one head.
//   scores[r, s] = scale * q[r] . k[s];  out[r] = softmax(scores[r, 0:limit[r]]) v
// Keys are taken in blocks of kKeyBlock positions counted from position 0, so a row's result depends on its own query
// and its keys alone. The table's slot for bf16 rounds queries, keys, values and exp(score - the highest up to this
// block) to bf16; all sums are float32.
constexpr int64_t kKeyBlock = 64;
struct AttentionArgs {
  const float* const* q;  // [rows] pointers to [head_dim]
  float* const* out;      // [rows] pointers to [head_dim]; out[r] may be q[r]
  const int64_t* limit;   // [rows] keys each row sees, >= 1, never descending
  int64_t rows;           // at most kMaxAttentionRows
  int64_t head_dim;
  float scale;
  FloatType kv_type;  // kF32 or kBF16
  const void* k;      // position 0 of this head
  const void* v;
  int64_t ld_k, ld_v;  // elements between positions
  float* scratch;      // AttentionScratchFloats(head_dim), aligned to 64
};
constexpr int64_t kMaxAttentionRows = 96;
// Head dimension padded to the widest vector; blocks of keys (transposed) and values; per row: scores, output, query
// and the running maximum and sum.
[[gnu::always_inline]] constexpr int64_t PaddedHeadDim(int64_t head_dim) { return (head_dim + 15) / 16 * 16; }
[[gnu::always_inline]] constexpr int64_t AttentionScratchFloats(int64_t head_dim) {
  return PaddedHeadDim(head_dim) * (2 * kKeyBlock + 2 * kMaxAttentionRows) + kMaxAttentionRows * (kKeyBlock + 2);
}

enum class RopePairs : uint8_t {
  kHalfSplit,   // channels (i, i + head_dim / 2)
  kInterleaved  // channels (2i, 2i + 1)
};
struct RopeArgs {
  float* x;  // [rows, heads, head_dim], rotated in place
  int64_t ldx;
  int64_t rows, heads, head_dim;
  const float* cos;  // [rows, head_dim / 2]
  const float* sin;
  RopePairs pairs;
};

// 3x3, zero padding 1, one filter a channel, channels last: output row `y` of [out_h, out_w, channels].
struct DepthwiseArgs {
  const float* x;  // [h, w, channels]
  int64_t h, w, channels;
  int64_t stride;
  const float* weight;  // [9, channels]: tap (row, column) at row * 3 + column
  const float* bias;    // [channels] or null
  int64_t y;            // output row
  int64_t out_w;
  float* out;  // [out_w, channels] of that row
};

// Adaptive average pooling, channels last: output row `y`. Cell i averages input cells floor(i in / out) ..
// ceil((i + 1) in / out) - 1; the value is (sum / rows) / columns.
struct AreaPoolArgs {
  const float* x;  // [h, w, channels]
  int64_t ldx;     // floats between cells of x
  int64_t h, w, channels;
  int64_t out_h, out_w;
  int64_t y;
  float* out;      // cell 0 of output row y
  int64_t ld_out;  // floats between cells of out
};

// out[o, i] = (x[o, 0, i] + ... + x[o, group - 1, i]) / group.
struct MeanArgs {
  const float* x;  // [outer, group, inner]
  int64_t outer, group, inner;
  float* out;  // [outer, inner]
};

// PyTorch's bicubic (A = -0.75, half-pixel centres, border clamp, no antialias) of one plane.
struct BicubicArgs {
  const float* x;  // [h, w]
  int64_t h, w;
  int64_t out_h, out_w;
  float* out;  // [out_h, out_w]
};

// One entry for every computation. ref::Table() fills all of them; an instruction set replaces what it does better.
struct KernelTable {
  Isa isa;
  GemmKernel gemm[2][kNumFloatTypes];  // [kF32, kBf16][weight type]
  GemmKernel panel_gemm[kNumPrecisions][kNumPanelTypes];
  void (*epilogue)(const EpilogueArgs& args) noexcept;
  void (*layer_norm)(const NormArgs& args) noexcept;
  void (*rms_norm)(const NormArgs& args) noexcept;
  void (*attention[2])(const AttentionArgs& args) noexcept;  // [kF32, others]
  void (*rope)(const RopeArgs& args) noexcept;
  // Element by element over n floats; out may be an input.
  void (*activate)(Activation activation, const float* x, float* out, int64_t n) noexcept;
  void (*activate_multiply)(Activation activation, const float* gate, const float* up, float* out, int64_t n) noexcept;
  void (*add)(const float* a, const float* b, float* out, int64_t n) noexcept;
  void (*multiply)(const float* a, const float* b, float* out, int64_t n) noexcept;
  // n elements between float32 and another float type, round to nearest even.
  void (*to_f32)(FloatType type, const void* in, float* out, int64_t n) noexcept;
  void (*from_f32)(FloatType type, const float* in, void* out, int64_t n) noexcept;
  void (*depthwise_conv3x3)(const DepthwiseArgs& args) noexcept;
  void (*area_pool)(const AreaPoolArgs& args) noexcept;
  void (*mean_groups)(const MeanArgs& args) noexcept;
  void (*resize_bicubic)(const BicubicArgs& args) noexcept;

  const GemmKernel& Gemm(Precision precision, FloatType weight) const {
    return gemm[precision == Precision::kF32 ? 0 : 1][static_cast<int>(weight)];
  }
  void Attention(Precision precision, const AttentionArgs& args) const {
    attention[precision == Precision::kF32 ? 0 : 1](args);
  }
  const GemmKernel& Gemm(Precision precision, PanelType weight) const {
    return panel_gemm[static_cast<int>(precision)][static_cast<int>(weight)];
  }
};

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_KERNEL_TABLE_H_

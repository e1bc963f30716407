#ifndef GALAGO_KERNELS_CPU_ATTENTION_INL_H_
#define GALAGO_KERNELS_CPU_ATTENTION_INL_H_

#include "src/kernels/cpu/math-inl.h"

// Attention with a running softmax (Milakov and Gimelshein, 2018) over blocks of kKeyBlock keys. Keys of a block are
// turned to [head_dim, keys] first, so that scores and outputs are both sums of vectors times scalars: score s adds its
// head_dim products in order, output d its keys in order.
namespace galago::kernels {

// Where a call keeps its intermediate results (AttentionScratchFloats).
struct AttentionScratch {
  float* keys;     // [padded head_dim, kKeyBlock]
  float* values;   // [kKeyBlock, padded head_dim]
  float* query;    // [rows, padded head_dim]
  float* out;      // [rows, padded head_dim], not yet divided by total
  float* scores;   // [rows, kKeyBlock], then probabilities
  float* highest;  // [rows] maximum so far
  float* total;    // [rows] sum of probabilities so far
};

// Copies positions [0, n) of one head, widened; values beyond head_dim are zero.
template <class V, FloatType kType>
inline void LoadValues(const char* v, int64_t ld, int64_t n, int64_t head_dim, int64_t padded, float* out) {
  for (int64_t s = 0; s < n; ++s) {
    const char* row = v + s * ld * SizeOf(kType);
    for (int64_t d = 0; d < padded; d += V::kLanes) {
      const int64_t left = head_dim - d;
      auto x = V::Zero();
      if (left >= V::kLanes) {
        x = V::template LoadAs<kType>(row + d * SizeOf(kType));
      } else if (left > 0) {
        x = V::template LoadAsN<kType>(row + d * SizeOf(kType), left);
      }
      V::Store(out + s * padded + d, x);
    }
  }
}

// keys[d, s] of positions [0, n); columns from n to a whole vector are zero.
template <class V, FloatType kType>
inline void LoadKeys(const char* k, int64_t ld, int64_t n, int64_t head_dim, int64_t padded, float* out) {
  for (int64_t s = 0; s < n; s += V::kLanes) {
    for (int64_t d = 0; d < padded; d += V::kLanes) {
      typename V::F32 square[V::kLanes];
      const int64_t left = head_dim - d;
      for (int64_t i = 0; i < V::kLanes; ++i) {
        const char* p = k + ((s + i) * ld + d) * SizeOf(kType);
        if (s + i >= n || left <= 0) {
          square[i] = V::Zero();
        } else if (left >= V::kLanes) {
          square[i] = V::template LoadAs<kType>(p);
        } else {
          square[i] = V::template LoadAsN<kType>(p, left);
        }
      }
      V::Transpose(square);
      for (int64_t i = 0; i < V::kLanes; ++i) V::Store(out + (d + i) * kKeyBlock + s, square[i]);
    }
  }
}

// c[i, 0 .. kVecs vectors) = init c + sum over t in [0, n) of a[i, t] * b[t, ...]; kAdd: c is added to, else written.
template <class V, int kRows, int kVecs, bool kAdd>
inline void OuterTile(const float* a, int64_t lda, const float* b, int64_t ldb, int64_t n, float* c, int64_t ldc) {
  typename V::F32 sums[kRows][kVecs];
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVecs; ++j) sums[i][j] = kAdd ? V::Load(c + i * ldc + j * V::kLanes) : V::Zero();
  }
  for (int64_t t = 0; t < n; ++t) {
    typename V::F32 b_t[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) b_t[j] = V::Load(b + t * ldb + j * V::kLanes);
#pragma GCC unroll 8
    for (int i = 0; i < kRows; ++i) {
      const auto a_t = V::Set1(a[i * lda + t]);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) sums[i][j] = V::MulAdd(a_t, b_t[j], sums[i][j]);
    }
  }
#pragma GCC unroll 8
  for (int i = 0; i < kRows; ++i) {
    for (int j = 0; j < kVecs; ++j) V::Store(c + i * ldc + j * V::kLanes, sums[i][j]);
  }
}

// The tile for `rows` in [1, kRows].
template <class V, int kVecs, bool kAdd, int kRows = V::kTileRows>
inline void OuterTileOf(int64_t rows, const float* a, int64_t lda, const float* b, int64_t ldb, int64_t n, float* c,
                        int64_t ldc) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return OuterTileOf<V, kVecs, kAdd, kRows - 1>(rows, a, lda, b, ldb, n, c, ldc);
  }
  OuterTile<V, kRows, kVecs, kAdd>(a, lda, b, ldb, n, c, ldc);
}

// c [rows, cols] = (c +) a [rows, n] b [n, cols]; cols a multiple of kLanes.
template <class V, bool kAdd>
inline void OuterProduct(int64_t rows, int64_t cols, int64_t n, const float* a, int64_t lda, const float* b,
                         int64_t ldb, float* c, int64_t ldc) {
  for (int64_t i = 0; i < rows; i += V::kTileRows) {
    int64_t j = 0;
    for (; j + V::kTileVecs * V::kLanes <= cols; j += V::kTileVecs * V::kLanes) {
      OuterTileOf<V, V::kTileVecs, kAdd>(rows - i, a + i * lda, lda, b + j, ldb, n, c + i * ldc + j, ldc);
    }
    for (; j < cols; j += V::kLanes) {
      OuterTileOf<V, 1, kAdd>(rows - i, a + i * lda, lda, b + j, ldb, n, c + i * ldc + j, ldc);
    }
  }
}

// Turns row r's scores of a block, of which the first n count, into probabilities against the running maximum, and
// scales what was summed before to the new maximum.
template <class V>
inline void SoftmaxStep(const AttentionScratch& at, int64_t r, int64_t n, float scale, int64_t padded) {
  float* scores = at.scores + r * kKeyBlock;
  constexpr float kNever = -__builtin_inff();
  const auto factor = V::Set1(scale);
  auto high = V::Set1(kNever);
  for (int64_t s = n; s < kKeyBlock; ++s) scores[s] = kNever;
  for (int64_t s = 0; s < kKeyBlock; s += V::kLanes) {
    // -inf times a scale of zero would be NaN; scales are positive.
    const auto scaled = V::Mul(V::Load(scores + s), factor);
    V::Store(scores + s, scaled);
    high = V::Max(high, scaled);
  }
  const float block_high = V::ReduceMax(high);
  const float highest = block_high > at.highest[r] ? block_high : at.highest[r];
  auto sum = V::Zero();
  for (int64_t s = 0; s < kKeyBlock; s += V::kLanes) {
    const auto p = Exp<V>(V::Sub(V::Load(scores + s), V::Set1(highest)));
    V::Store(scores + s, p);
    sum = V::Add(sum, p);
  }
  float lanes[V::kLanes];
  V::Store(lanes, Exp<V>(V::Set1(at.highest[r] - highest)));
  const float shrink = lanes[0];
  at.highest[r] = highest;
  at.total[r] = at.total[r] * shrink + V::Sum(sum);
  if (shrink != 1.0f) {
    for (int64_t d = 0; d < padded; d += V::kLanes) {
      V::Store(at.out + r * padded + d, V::Mul(V::Load(at.out + r * padded + d), V::Set1(shrink)));
    }
  }
}

template <class V, FloatType kType>
inline void AttentionOver(const AttentionArgs& args) {
  const int64_t padded = PaddedHeadDim(args.head_dim);
  AttentionScratch at;
  at.keys = args.scratch;
  at.values = at.keys + padded * kKeyBlock;
  at.query = at.values + padded * kKeyBlock;
  at.out = at.query + padded * kMaxAttentionRows;
  at.scores = at.out + padded * kMaxAttentionRows;
  at.highest = at.scores + kMaxAttentionRows * kKeyBlock;
  at.total = at.highest + kMaxAttentionRows;

  int64_t keys = 0;
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t d = 0; d < args.head_dim; ++d) at.query[r * padded + d] = args.q[r][d];
    for (int64_t d = 0; d < padded; d += V::kLanes) V::Store(at.out + r * padded + d, V::Zero());
    at.highest[r] = -__builtin_inff();
    at.total[r] = 0.0f;
    if (args.limit[r] > keys) keys = args.limit[r];
  }
  for (int64_t base = 0; base < keys; base += kKeyBlock) {
    const int64_t n = keys - base < kKeyBlock ? keys - base : kKeyBlock;
    LoadKeys<V, kType>(static_cast<const char*>(args.k) + base * args.ld_k * SizeOf(kType), args.ld_k, n, args.head_dim,
                       padded, at.keys);
    LoadValues<V, kType>(static_cast<const char*>(args.v) + base * args.ld_v * SizeOf(kType), args.ld_v, n,
                         args.head_dim, padded, at.values);
    // Rows are in ascending order of what they see or all see the same: those that see nothing of the block are a
    // prefix.
    int64_t first = 0;
    while (args.limit[first] <= base) ++first;
    const int64_t rows = args.rows - first;
    const int64_t n_padded = (n + V::kLanes - 1) / V::kLanes * V::kLanes;
    OuterProduct<V, false>(rows, n_padded, args.head_dim, at.query + first * padded, padded, at.keys, kKeyBlock,
                           at.scores + first * kKeyBlock, kKeyBlock);
    for (int64_t r = first; r < args.rows; ++r) {
      const int64_t seen = args.limit[r] - base < n ? args.limit[r] - base : n;
      SoftmaxStep<V>(at, r, seen, args.scale, padded);
    }
    OuterProduct<V, true>(rows, padded, n, at.scores + first * kKeyBlock, kKeyBlock, at.values, padded,
                          at.out + first * padded, padded);
  }
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t d = 0; d < args.head_dim; ++d) args.out[r][d] = at.out[r * padded + d] / at.total[r];
  }
}

template <class V>
void Attention(const AttentionArgs& args) noexcept {
  if (args.kv_type == FloatType::kF32) {
    AttentionOver<V, FloatType::kF32>(args);
  } else {
    AttentionOver<V, FloatType::kBF16>(args);
  }
}

template <class V>
void OverrideAttention(KernelTable& table) {
  table.attention = Attention<V>;
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_ATTENTION_INL_H_

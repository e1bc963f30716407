#ifndef GALAGO_KERNELS_CPU_ATTENTION_INL_H_
#define GALAGO_KERNELS_CPU_ATTENTION_INL_H_

#include "src/kernels/cpu/math-inl.h"

// Attention with a running softmax (Milakov and Gimelshein, 2018) over blocks of kKeyBlock keys. Keys of a block are
// turned to [head_dim, keys] first, so that scores and outputs are both sums of vectors times scalars: score s adds its
// head_dim products in order, output d its keys in order.
//
// A Terms policy says what a 32-bit word of an operand holds and how words are multiplied: one float (FloatTerms), one
// rounded to bf16 (RoundedTerms), or two neighbours along the sum as bf16.
//   V, Operand         vectors of floats and of words
//   kTerms             numbers in a word
//   kReads<kType>      whether a number as the cache holds it is a word when widened to float
//   Load, Set1         words at an address, one word in all lanes
//   MulAdd             sum + the products of a and b
//   KeyWords<kType>    the next kLanes words of a key's `left` numbers, zero beyond
//   ValueWords<kType>  words of the values of kTerms keys `stride` bytes apart, of which `keys` exist, for kLanes
//                      dimensions, of which `left` exist
//   Store              kLanes floats as kLanes / kTerms words
namespace galago::kernels {

// Where a call keeps its intermediate results (AttentionScratchFloats).
struct AttentionScratch {
  float* keys;     // words: [padded head_dim / terms, kKeyBlock]
  float* values;   // words: [kKeyBlock / terms, padded head_dim]
  float* query;    // words: [rows, padded head_dim / terms]
  float* out;      // [rows, padded head_dim], not yet divided by total
  float* scores;   // [rows, kKeyBlock], then the words of probabilities
  float* highest;  // [rows] maximum so far
  float* total;    // [rows] sum of probabilities so far
};

template <class F>
struct FloatTerms {
  using V = F;
  using Operand = typename V::F32;
  static constexpr int64_t kTerms = 1;
  template <FloatType kType>
  static constexpr bool kReads = true;
  static Operand Load(const float* p) { return V::Load(p); }
  static Operand Set1(const float* p) { return V::Set1(*p); }
  static typename V::F32 MulAdd(Operand a, Operand b, typename V::F32 sum) { return V::MulAdd(a, b, sum); }
  template <FloatType kType>
  static typename V::F32 KeyWords(const char* key, int64_t left) {
    if (left >= V::kLanes) return V::template LoadAs<kType>(key);
    return left > 0 ? V::template LoadAsN<kType>(key, left) : V::Zero();
  }
  template <FloatType kType>
  static typename V::F32 ValueWords(const char* value, int64_t, int64_t, int64_t left) {
    return KeyWords<kType>(value, left);
  }
  static void Store(float* words, typename V::F32 x) { V::Store(words, x); }
};

template <class F>
struct RoundedTerms : FloatTerms<F> {
  using V = F;
  template <FloatType kType>
  static constexpr bool kReads = kType == FloatType::kBF16;
  template <FloatType kType>
  static typename V::F32 KeyWords(const char* key, int64_t left) {
    const auto x = FloatTerms<V>::template KeyWords<kType>(key, left);
    return kType == FloatType::kBF16 ? x : Rounded(x);
  }
  template <FloatType kType>
  static typename V::F32 ValueWords(const char* value, int64_t, int64_t, int64_t left) {
    return KeyWords<kType>(value, left);
  }
  static void Store(float* words, typename V::F32 x) { V::Store(words, Rounded(x)); }

 private:
  static typename V::F32 Rounded(typename V::F32 x) {
    uint16_t bits[V::kLanes];
    V::template StoreAs<FloatType::kBF16>(bits, x);
    return V::template LoadAs<FloatType::kBF16>(bits);
  }
};

// Values of positions [0, n) of one head; those beyond head_dim are zero.
template <class T, FloatType kType>
inline void LoadValues(const char* v, int64_t ld, int64_t n, int64_t head_dim, int64_t padded, float* out) {
  using V = typename T::V;
  for (int64_t s = 0; s < n; s += T::kTerms, out += padded) {
    const char* row = v + s * ld * SizeOf(kType);
    for (int64_t d = 0; d < padded; d += V::kLanes) {
      V::Store(out + d,
               T::template ValueWords<kType>(row + d * SizeOf(kType), ld * SizeOf(kType), n - s, head_dim - d));
    }
  }
}

// keys[d, s] of positions [0, n); columns from n to a whole vector are zero.
template <class T, FloatType kType>
inline void LoadKeys(const char* k, int64_t ld, int64_t n, int64_t head_dim, int64_t padded, float* out) {
  using V = typename T::V;
  const int64_t words = padded / T::kTerms;
  for (int64_t s = 0; s < n; s += V::kLanes) {
    for (int64_t word = 0; word < words; word += V::kLanes) {
      const int64_t d = word * T::kTerms;
      typename V::F32 square[V::kLanes];
      const char* key = k + (s * ld + d) * SizeOf(kType);
      const int64_t stride = ld * SizeOf(kType), count = words - word;
      // Whole squares, nearly all there are, in a path of their own that needs no memory.
      if (s + V::kLanes <= n && head_dim - d >= V::kLanes * T::kTerms && count >= V::kLanes) {
#pragma GCC unroll 16
        for (int64_t i = 0; i < V::kLanes; ++i) {
          square[i] = T::template KeyWords<kType>(key + i * stride, V::kLanes * T::kTerms);
        }
        V::Transpose(square);
#pragma GCC unroll 16
        for (int64_t i = 0; i < V::kLanes; ++i) V::Store(out + (word + i) * kKeyBlock + s, square[i]);
        continue;
      }
#pragma GCC unroll 16
      for (int64_t i = 0; i < V::kLanes; ++i) {
        square[i] = s + i < n ? T::template KeyWords<kType>(key + i * stride, head_dim - d) : V::Zero();
      }
      V::Transpose(square);
      for (int64_t i = 0; i < V::kLanes && i < count; ++i) V::Store(out + (word + i) * kKeyBlock + s, square[i]);
    }
  }
}

// Words in rows `ld` apart, ready in scratch memory or as the cache has them.
template <class T>
struct ReadyWords {
  const float* at;
  int64_t ld;
  ReadyWords From(int64_t column) const { return {at + column, ld}; }
  typename T::Operand Load(int64_t row, int64_t column) const { return T::Load(at + row * ld + column); }
};
template <class T, FloatType kType>
struct CachedWords {
  const char* at;
  int64_t ld;
  CachedWords From(int64_t column) const { return {at + column * SizeOf(kType), ld}; }
  typename T::Operand Load(int64_t row, int64_t column) const {
    return T::V::template LoadAs<kType>(at + (row * ld + column) * SizeOf(kType));
  }
};

// c[i, 0 .. kVecs vectors) = init c + sum over words t in [0, n) of a[i, t] * b[t, ...]; kAdd: c is added to, else
// written.
template <class T, int kRows, int kVecs, bool kAdd, class B>
inline void OuterTile(const float* a, int64_t lda, const B& b, int64_t n, float* c, int64_t ldc) {
  using V = typename T::V;
  typename V::F32 sums[kRows][kVecs];
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) sums[i][j] = kAdd ? V::Load(c + i * ldc + j * V::kLanes) : V::Zero();
  }
  for (int64_t t = 0; t < n; ++t) {
    typename T::Operand b_t[kVecs];
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) b_t[j] = b.Load(t, j * V::kLanes);
#pragma GCC unroll 16
    for (int i = 0; i < kRows; ++i) {
      const auto a_t = T::Set1(a + i * lda + t);
#pragma GCC unroll 8
      for (int j = 0; j < kVecs; ++j) sums[i][j] = T::MulAdd(a_t, b_t[j], sums[i][j]);
    }
  }
#pragma GCC unroll 16
  for (int i = 0; i < kRows; ++i) {
#pragma GCC unroll 8
    for (int j = 0; j < kVecs; ++j) V::Store(c + i * ldc + j * V::kLanes, sums[i][j]);
  }
}

// The tile for `rows` in [1, kRows], or more.
template <class T, int kVecs, bool kAdd, int kRows = T::V::kTileRows, class B>
inline void OuterTileOf(int64_t rows, const float* a, int64_t lda, const B& b, int64_t n, float* c, int64_t ldc) {
  if constexpr (kRows > 1) {
    if (rows < kRows) return OuterTileOf<T, kVecs, kAdd, kRows - 1>(rows, a, lda, b, n, c, ldc);
  }
  OuterTile<T, kRows, kVecs, kAdd>(a, lda, b, n, c, ldc);
}

// The same for `vecs` in [1, kVecs].
template <class T, bool kAdd, int kVecs = T::V::kTileVecs, class B>
inline void OuterTileOfVecs(int64_t vecs, int64_t rows, const float* a, int64_t lda, const B& b, int64_t n, float* c,
                            int64_t ldc) {
  if constexpr (kVecs > 1) {
    if (vecs < kVecs) return OuterTileOfVecs<T, kAdd, kVecs - 1>(vecs, rows, a, lda, b, n, c, ldc);
  }
  OuterTileOf<T, kVecs, kAdd>(rows, a, lda, b, n, c, ldc);
}

// c [rows, cols] = (c +) a [rows, n] b [n, cols], n in words; cols a multiple of kLanes.
template <class T, bool kAdd, class B>
inline void OuterProduct(int64_t rows, int64_t cols, int64_t n, const float* a, int64_t lda, const B& b, float* c,
                         int64_t ldc) {
  using V = typename T::V;
  // Tiles as wide as each other: the five vectors of 72 numbers go in three and two, not in four and one.
  const int64_t vecs = cols / V::kLanes;
  const int64_t tiles = (vecs + V::kTileVecs - 1) / V::kTileVecs;
  for (int64_t i = 0; i < rows; i += V::kTileRows) {
    int64_t done = 0;
    for (int64_t tile = 0; tile < tiles; ++tile) {
      const int64_t end = vecs * (tile + 1) / tiles, j = done * V::kLanes;
      OuterTileOfVecs<T, kAdd>(end - done, rows - i, a + i * lda, lda, b.From(j), n, c + i * ldc + j, ldc);
      done = end;
    }
  }
}

// Turns row r's scores of a block, of which the first n count, into probabilities against the running maximum, and
// scales what was summed before to the new maximum.
template <class T>
inline void SoftmaxStep(const AttentionScratch& at, int64_t r, int64_t n, float scale, int64_t padded) {
  using V = typename T::V;
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
    T::Store(scores + s / T::kTerms, p);  // never beyond what was read
    sum = V::Add(sum, p);
  }
  if (highest == at.highest[r]) {
    at.total[r] += V::Sum(sum);
    return;
  }
  const auto shrink = Exp<V>(V::Set1(at.highest[r] - highest));
  float lanes[V::kLanes];
  V::Store(lanes, shrink);
  at.highest[r] = highest;
  at.total[r] = at.total[r] * lanes[0] + V::Sum(sum);
  for (int64_t d = 0; d < padded; d += V::kLanes) {
    V::Store(at.out + r * padded + d, V::Mul(V::Load(at.out + r * padded + d), shrink));
  }
}

template <class T, FloatType kType>
inline void AttentionOver(const AttentionArgs& args) {
  using V = typename T::V;
  const int64_t padded = PaddedHeadDim(args.head_dim), words = padded / T::kTerms;
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
    for (int64_t d = 0; d < padded; d += V::kLanes) {
      const int64_t left = args.head_dim - d;
      T::Store(at.query + r * words + d / T::kTerms,
               left >= V::kLanes ? V::Load(args.q[r] + d) : V::LoadN(args.q[r] + d, left > 0 ? left : 0));
      V::Store(at.out + r * padded + d, V::Zero());
    }
    at.highest[r] = -__builtin_inff();
    at.total[r] = 0.0f;
    if (args.limit[r] > keys) keys = args.limit[r];
  }
  for (int64_t base = 0; base < keys; base += kKeyBlock) {
    const int64_t n = keys - base < kKeyBlock ? keys - base : kKeyBlock;
    LoadKeys<T, kType>(static_cast<const char*>(args.k) + base * args.ld_k * SizeOf(kType), args.ld_k, n, args.head_dim,
                       padded, at.keys);
    // Rows are in ascending order of what they see or all see the same: those that see nothing of the block are a
    // prefix.
    int64_t first = 0;
    while (args.limit[first] <= base) ++first;
    const int64_t rows = args.rows - first;
    const int64_t n_padded = (n + V::kLanes - 1) / V::kLanes * V::kLanes;
    OuterProduct<T, false>(rows, n_padded, (args.head_dim + T::kTerms - 1) / T::kTerms, at.query + first * words, words,
                           ReadyWords<T>{at.keys, kKeyBlock}, at.scores + first * kKeyBlock, kKeyBlock);
    for (int64_t r = first; r < args.rows; ++r) {
      const int64_t seen = args.limit[r] - base < n ? args.limit[r] - base : n;
      SoftmaxStep<T>(at, r, seen, args.scale, padded);
    }
    const char* values = static_cast<const char*>(args.v) + base * args.ld_v * SizeOf(kType);
    const auto add = [&](const auto& words_of_values) {
      OuterProduct<T, true>(rows, padded, (n + T::kTerms - 1) / T::kTerms, at.scores + first * kKeyBlock, kKeyBlock,
                            words_of_values, at.out + first * padded, padded);
    };
    if constexpr (T::template kReads<kType>) {
      if (rows <= V::kTileRows && padded == args.head_dim) {  // read once, as in decoding: not worth a copy
        add(CachedWords<T, kType>{values, args.ld_v});
        continue;
      }
    }
    LoadValues<T, kType>(values, args.ld_v, n, args.head_dim, padded, at.values);
    add(ReadyWords<T>{at.values, padded});
  }
  for (int64_t r = 0; r < args.rows; ++r) {
    for (int64_t d = 0; d < args.head_dim; ++d) args.out[r][d] = at.out[r * padded + d] / at.total[r];
  }
}

template <class T>
void Attention(const AttentionArgs& args) noexcept {
  if (args.kv_type == FloatType::kF32) {
    AttentionOver<T, FloatType::kF32>(args);
  } else {
    AttentionOver<T, FloatType::kBF16>(args);
  }
}

template <class V>
void OverrideAttention(KernelTable& table) {
  table.attention[0] = Attention<FloatTerms<V>>;
  table.attention[1] = Attention<RoundedTerms<V>>;
}

template <class T>
void OverrideBf16Attention(KernelTable& table) {
  table.attention[1] = Attention<T>;
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_ATTENTION_INL_H_

#ifndef GALAGO_KERNELS_CPU_GRID_INL_H_
#define GALAGO_KERNELS_CPU_GRID_INL_H_

#include "src/kernels/cpu/elementwise-inl.h"

// Feature maps with channels last: vectors run along the channels.
namespace galago::kernels {

// One output cell: up to nine input cells times their taps.
template <class V>
struct DepthwiseCell {
  const float* input[9];  // null: outside the map
  const float* weight;    // [9, channels]
  const float* bias;
  int64_t channels;
  float* out;

  void Full(int64_t c) const { V::Store(out + c, Value(c, V::kLanes)); }
  void Tail(int64_t c, int64_t n) const { V::StoreN(out + c, Value(c, n), n); }

 private:
  static typename V::F32 At(const float* p, int64_t n) { return n == V::kLanes ? V::Load(p) : V::LoadN(p, n); }
  typename V::F32 Value(int64_t c, int64_t n) const {
    auto sum = bias != nullptr ? At(bias + c, n) : V::Zero();
    for (int tap = 0; tap < 9; ++tap) {
      if (input[tap] == nullptr) continue;
      sum = V::MulAdd(At(input[tap] + c, n), At(weight + tap * channels + c, n), sum);
    }
    return sum;
  }
};

template <class V>
void DepthwiseConv3x3(const DepthwiseArgs& args) noexcept {
  for (int64_t x = 0; x < args.out_w; ++x) {
    DepthwiseCell<V> cell = {{}, args.weight, args.bias, args.channels, args.out + x * args.channels};
    for (int64_t tap = 0; tap < 9; ++tap) {
      const int64_t in_y = args.y * args.stride + tap / 3 - 1;
      const int64_t in_x = x * args.stride + tap % 3 - 1;
      const bool inside = in_y >= 0 && in_y < args.h && in_x >= 0 && in_x < args.w;
      cell.input[tap] = inside ? args.x + (in_y * args.w + in_x) * args.channels : nullptr;
    }
    ForVectors<V>(args.channels, cell);
  }
}

// (sum of rows x cols cells / rows) / cols.
template <class V>
struct WindowMean {
  const float* x;
  int64_t row_stride, col_stride;
  int64_t rows, cols;
  float* out;

  void Full(int64_t c) const { V::Store(out + c, Value(c, V::kLanes)); }
  void Tail(int64_t c, int64_t n) const { V::StoreN(out + c, Value(c, n), n); }

 private:
  typename V::F32 Value(int64_t c, int64_t n) const {
    auto sum = V::Zero();
    for (int64_t i = 0; i < rows; ++i) {
      for (int64_t j = 0; j < cols; ++j) {
        const float* p = x + i * row_stride + j * col_stride + c;
        sum = V::Add(sum, n == V::kLanes ? V::Load(p) : V::LoadN(p, n));
      }
    }
    return V::Div(V::Div(sum, V::Set1(static_cast<float>(rows))), V::Set1(static_cast<float>(cols)));
  }
};

template <class V>
void AreaPool(const AreaPoolArgs& args) noexcept {
  const int64_t y0 = args.y * args.h / args.out_h;
  const int64_t y1 = ((args.y + 1) * args.h + args.out_h - 1) / args.out_h;
  for (int64_t x = 0; x < args.out_w; ++x) {
    const int64_t x0 = x * args.w / args.out_w;
    const int64_t x1 = ((x + 1) * args.w + args.out_w - 1) / args.out_w;
    ForVectors<V>(args.channels, WindowMean<V>{args.x + (y0 * args.w + x0) * args.ldx, args.w * args.ldx, args.ldx,
                                               y1 - y0, x1 - x0, args.out + x * args.ld_out});
  }
}

template <class V>
void MeanGroups(const MeanArgs& args) noexcept {
  for (int64_t o = 0; o < args.outer; ++o) {
    ForVectors<V>(args.inner, WindowMean<V>{args.x + o * args.group * args.inner, args.inner, 0, args.group, 1,
                                            args.out + o * args.inner});
  }
}

template <class V>
void OverrideGrid(KernelTable& table) {
  table.depthwise_conv3x3 = DepthwiseConv3x3<V>;
  table.area_pool = AreaPool<V>;
  table.mean_groups = MeanGroups<V>;
}

}  // namespace galago::kernels

#endif  // GALAGO_KERNELS_CPU_GRID_INL_H_

#include <algorithm>

#include "train/modules/blocks.h"
#include "train/modules/parallel.h"

namespace galago::train {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

Tensor ToTensor(std::span<const int32_t> values) {
  const Tensor tensor = at::empty({static_cast<int64_t>(values.size())}, at::TensorOptions(at::kInt));
  std::ranges::copy(values, tensor.data_ptr<int32_t>());
  return tensor;
}

struct FuseRowsFunction : torch::autograd::Function<FuseRowsFunction> {
  static Tensor forward(AutogradContext* ctx, const Tensor& table, const MaybeTensor& maybe_media,
                        const Tensor& sources) {
    const Tensor media = OrUndefined(maybe_media);
    const int64_t n = sources.size(0);
    const int64_t d = table.size(1);
    const Tensor out = at::empty({n, d}, at::TensorOptions(at::kFloat));
    const float* table_data = Data<float>(table);
    const float* media_data = Data<float>(media);
    const int32_t* source = sources.data_ptr<int32_t>();
    float* to = Data<float>(out);
    for (int64_t i = 0; i < n; ++i) {
      if (source[i] >= 0) {
        CHECK_LT(source[i], table.size(0));
      } else {
        CHECK(media.defined());
        CHECK_LT(-1 - source[i], media.size(0));
      }
    }
    ForRows(n, d, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const float* from = source[i] >= 0 ? table_data + source[i] * d : media_data + (-1 - source[i]) * d;
        std::copy_n(from, d, to + i * d);
      }
    });
    ctx->save_for_backward({sources});
    ctx->saved_data["table"] = table.size(0);
    ctx->saved_data["media"] = media.defined() ? media.size(0) : int64_t{-1};
    return out;
  }

  static variable_list backward(AutogradContext* ctx, variable_list grads) {
    const Tensor sources = ctx->get_saved_variables()[0];
    const Tensor dy = grads[0].contiguous();
    const int64_t media_rows = ctx->saved_data["media"].toInt();
    const int64_t n = sources.size(0);
    const int64_t d = dy.size(1);
    Tensor d_table, d_media;
    if (ctx->needs_input_grad(0)) d_table = at::zeros({ctx->saved_data["table"].toInt(), d}, dy.options());
    if (media_rows >= 0 && ctx->needs_input_grad(1)) d_media = at::zeros({media_rows, d}, dy.options());
    float* table = Data<float>(d_table);
    float* media = Data<float>(d_media);
    const float* from = Data<float>(dy);
    const int32_t* source = sources.data_ptr<int32_t>();
    // Threads share the columns, so that rows which go to one place are added in order.
    at::parallel_for(0, d, 32, [&](int64_t begin, int64_t end) {
      for (int64_t i = 0; i < n; ++i) {
        float* to = source[i] >= 0 ? table : media;
        if (to == nullptr) continue;
        to += (source[i] >= 0 ? source[i] : -1 - source[i]) * d;
        for (int64_t c = begin; c < end; ++c) to[c] += from[i * d + c];
      }
    });
    return {d_table, d_media, Tensor()};
  }
};

}  // namespace

Tensor Patches(const Tensor& pixels, int64_t patch, torch::ScalarType type) {
  const int64_t tiles = pixels.size(0);
  const int64_t channels = pixels.size(1);
  const int64_t side = pixels.size(2);
  const int64_t grid = side / patch;
  const int64_t width = channels * patch * patch;
  const Tensor out = at::empty({tiles * grid * grid, width}, at::TensorOptions(type));
  const float* from = Data<float>(pixels);
  WithType(type, [&]<class T>(std::type_identity<T>) {
    T* to = Data<T>(out);
    ForRows(tiles * grid, grid * width, [&](int64_t begin, int64_t end) {
      for (int64_t line = begin; line < end; ++line) {  // a row of patches
        const int64_t tile = line / grid;
        const int64_t top = line % grid * patch;
        for (int64_t column = 0; column < grid; ++column) {
          T* at = to + (line * grid + column) * width;
          for (int64_t c = 0; c < channels; ++c) {
            for (int64_t y = 0; y < patch; ++y, at += patch) {
              const float* pixel = from + ((tile * channels + c) * side + top + y) * side + column * patch;
              Kernels<T>().from_f32(pixel, at, 0, patch);
            }
          }
        }
      }
    });
  });
  return out;
}

Tensor FuseRows(const Tensor& table, const Tensor& media, std::span<const int32_t> sources) {
  return FuseRowsFunction::apply(table, Maybe(media), ToTensor(sources));
}

}  // namespace galago::train

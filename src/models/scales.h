#ifndef GALAGO_MODELS_SCALES_H_
#define GALAGO_MODELS_SCALES_H_

#include <array>
#include <cstdint>
#include <optional>
#include <span>

#include "src/models/vision_encoder.h"
#include "src/ops/exec_context.h"
#include "src/spec/model_spec.h"

// "Scale then compress" (S2): the tower looks at a picture at several sizes, and the feature maps, brought to one grid,
// are joined along their channels, smallest scale first (bfshi/scaling_on_scales: s2wrapper/core.py).
// They fail only when cancelled.
namespace galago::models {

// pixels [3, largest, largest] of one picture -> out [grid^2, scales * C], grid that of the output scale.
Status EncodeStaticS2(const ops::ExecContext& ctx, const VisionEncoder& encoder, const spec::StaticS2& s2,
                      std::span<const float> pixels, ops::View out, HiddenStates* hidden);

// The tiles of one picture, scale after scale, each scale's in row-major order; those of the last scale form
// block[0] rows of block[1]. out [blocks * N, scales * C]: the merged map cut into the tower-sized blocks the projector
// takes, in row-major order (NVlabs/VILA: llava/model/llava_arch.py, merge_features_for_dynamic_s2).
Status EncodeDynamicS2(const ops::ExecContext& ctx, const VisionEncoder& encoder, const spec::DynamicS2& s2,
                       std::array<int64_t, 2> block, std::span<const float> pixels, ops::View out,
                       HiddenStates* hidden);

// A tile without block (one of several pictures, a video frame): its features once for every scale.
// pixels [tiles, 3, S, S] -> out [tiles * N, scales * C].
Status EncodeRepeated(const ops::ExecContext& ctx, const VisionEncoder& encoder, int64_t scales,
                      std::span<const float> pixels, int64_t tiles, ops::View out, HiddenStates* hidden);

// Tiles a dynamic S2 picture has in all.
int64_t NumDynamicS2Tiles(const spec::DynamicS2& s2, std::array<int64_t, 2> block);

}  // namespace galago::models

#endif  // GALAGO_MODELS_SCALES_H_

#ifndef GALAGO_TRAIN_MODULES_VISION_TOWER_H_
#define GALAGO_TRAIN_MODULES_VISION_TOWER_H_

#include <optional>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"
#include "train/modules/blocks.h"
#include "train/modules/weights.h"

namespace galago::train {

struct EncoderLayer {
  Norm norm1;
  Linear qkv;
  std::optional<Norm> q_norm, k_norm;  // InternViT: over all channels, before the split into heads
  Linear out;
  Tensor scale1;  // InternViT's layer scale, or undefined
  Norm norm2;
  Linear fc1;
  Linear fc2;
  Tensor scale2;
  RowActivation activation = RowActivation::kGeluTanh;

  Stream Apply(const Stream& stream, const AttentionPlanPtr& plan, torch::ScalarType type) const;
};

// SigLIP, CLIP and InternViT.
class VisionTower {
 public:
  static StatusOr<VisionTower> Make(const spec::VisionSpec& spec, ParameterList& list);

  struct Options {
    torch::ScalarType type = torch::kFloat;
    bool recompute = false;
  };
  // Pixels [T, 3, S, S] f32 -> the selected layer's selected rows [T, num_selected, C] f32.
  Tensor operator()(const Tensor& pixels, const Options& options) const;

  const spec::VisionSpec& spec() const { return spec_; }
  std::vector<EncoderLayer>& layers() { return layers_; }
  void Forget() const;

 private:
  Stream Embed(const Tensor& pixels, torch::ScalarType type) const;

  spec::VisionSpec spec_;
  Linear patch_embedding_;
  Tensor class_token_;  // [C], CLIP and InternViT
  Tensor positions_;    // [P, C], a view of the leaf
  std::optional<Norm> pre_norm_;
  std::vector<EncoderLayer> layers_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_VISION_TOWER_H_

#ifndef GALAGO_TRAIN_LOOP_ADAPTER_H_
#define GALAGO_TRAIN_LOOP_ADAPTER_H_

#include <filesystem>

#include "galago/status.h"
#include "train/modules/vlm.h"

// An adapter on disk, in the format that PEFT reads:
//   adapter_config.json                  rank, alpha, target modules, the base model
//   adapter_model.safetensors            "base_model.model.model.layers.0.mlp.up_proj.lora_A.weight", ... float32
//   non_lora_trainables.safetensors      what else was trained (projector, norms of the tower), under the checkpoint's
//                                        names with the part in front: "mm_projector.layers.1.weight"
namespace galago::train {

// Writes the adapters of `model` and whatever else is trained at present into a new folder.
Status SaveAdapter(Vlm& model, const LoraOptions& options, const std::filesystem::path& base_model,
                   const std::filesystem::path& folder);

// Puts an adapter on its base model. DataLoss if it is of another model.
Status LoadAdapter(Vlm& model, const std::filesystem::path& folder);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_LOOP_ADAPTER_H_

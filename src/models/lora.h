#ifndef GALAGO_MODELS_LORA_H_
#define GALAGO_MODELS_LORA_H_

#include <atomic>
#include <filesystem>
#include <string>

#include "galago/status.h"
#include "src/io/tensor_store.h"
#include "src/spec/model_spec.h"

namespace galago::models {

// The tensors of a checkpoint's parts. Where the parts lie in one folder, each store has the tensors of all.
struct PartStores {
  io::TensorStore language;
  io::TensorStore vision;
  io::TensorStore projector;
};

// Adds an adapter in PEFT's format, a folder as `galago-train finetune` writes it, to the weights of its base model, in
// memory: W + (lora_alpha / r) B A in float32 by the best kernels of the machine, rounded to the type W has, and
// whatever non_lora_trainables.safetensors holds in place of what was there, rounded likewise. Merging writes the same
// weights if it writes that type, but for the rounding of the float32 sums. Returns a sentence about what was added.
//
// NotFound for tensors and files that are missing, DataLoss for an adapter of another model or a damaged one,
// Unimplemented for kinds of adapters that are more than that sum and for quantised weights (merge first, then
// quantise), InvalidArgument for a checkpoint in one file, Cancelled.
StatusOr<std::string> AddAdapter(const std::filesystem::path& folder, const spec::ModelSpec& spec, PartStores& stores,
                                 const std::atomic<bool>* cancel);

}  // namespace galago::models

#endif  // GALAGO_MODELS_LORA_H_

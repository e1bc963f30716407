#ifndef GALAGO_QUANT_OUTPUT_DIRECTORY_H_
#define GALAGO_QUANT_OUTPUT_DIRECTORY_H_

#include <cstdint>
#include <filesystem>

#include "galago/status.h"
#include "src/quant/model_layers.h"
#include "src/spec/model_spec.h"

namespace galago::quant {

// InvalidArgument for models that are no Hugging Face directory of a layout with a config.json of the decoder's own.
Status CheckDirectoryLayout(const spec::ModelSpec& spec);

// The model's directory with its decoder's matrices as AutoAWQ's "gemm" layout has them and the folded norms in f16;
// everything else is copied. Written beside `output` and renamed.
Status WriteAwqDirectory(const spec::ModelSpec& spec, const Replacements& language, int64_t group,
                         const std::filesystem::path& output);

}  // namespace galago::quant

#endif  // GALAGO_QUANT_OUTPUT_DIRECTORY_H_

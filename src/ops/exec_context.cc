#include "src/ops/exec_context.h"

#include <string>

#include "src/base/strings.h"
#include "src/kernels/table.h"

namespace galago::ops {

StatusOr<kernels::KernelTable> ChooseKernels(std::string_view isa_name) {
  const kernels::CpuFeatures features = kernels::DetectCpuFeatures();
  if (isa_name.empty()) return kernels::MakeKernelTable(kernels::AvailableIsas(features).back());
  const auto isa = kernels::IsaFromName(isa_name);
  if (!isa.has_value()) {
    std::string known;
    for (const std::string_view name : kernels::IsaNames()) known += StrCat(known.empty() ? "" : ", ", name);
    return InvalidArgument(StrCat("unknown instruction set \"", Printable(isa_name), "\"; known are ", known));
  }
  const std::string missing = kernels::MissingFor(features, *isa);
  if (!missing.empty()) {
    return InvalidArgument(StrCat("instruction set ", isa_name, " needs ", missing, ", which this machine lacks"));
  }
  return kernels::MakeKernelTable(*isa);
}

}  // namespace galago::ops

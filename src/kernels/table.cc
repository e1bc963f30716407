#include "src/kernels/table.h"

#include <array>

#include "src/base/check.h"
#include "src/kernels/cpu/overrides.h"
#include "src/kernels/ref/ref.h"

namespace galago::kernels {
namespace {

struct IsaInfo {
  Isa isa;
  std::string_view name;
};
// Slowest first.
constexpr std::array<IsaInfo, 10> kIsas = {{
    {Isa::kRef, "ref"},
    {Isa::kAvx2, "avx2"},
    {Isa::kAvx512, "avx512"},
    {Isa::kAvx512Vnni, "avx512vnni"},
    {Isa::kAvx512Bf16, "avx512bf16"},
    {Isa::kAmx, "amx"},
    {Isa::kNeon, "neon"},
    {Isa::kNeonDot, "neon_dot"},
    {Isa::kNeonBf16, "neon_bf16"},
    {Isa::kNeonI8mm, "neon_i8mm"},
}};

}  // namespace

std::string_view Name(Isa isa) {
  for (const IsaInfo& info : kIsas) {
    if (info.isa == isa) return info.name;
  }
  CHECK(false);
  return {};
}

std::vector<std::string_view> IsaNames() {
  std::vector<std::string_view> names;
  for (const IsaInfo& info : kIsas) names.push_back(info.name);
  return names;
}

std::optional<Isa> IsaFromName(std::string_view name) {
  for (const IsaInfo& info : kIsas) {
    if (info.name == name) return info.isa;
  }
  return std::nullopt;
}

std::vector<Isa> AvailableIsas(const CpuFeatures& features) {
  std::vector<Isa> isas;
  for (const IsaInfo& info : kIsas) {
    if (MissingFor(features, info.isa).empty()) isas.push_back(info.isa);
  }
  return isas;
}

std::string MissingFor(const CpuFeatures& features, Isa isa) {
  std::string missing;
  const auto need = [&](bool present, std::string_view what) {
    if (present) return;
    if (!missing.empty()) missing += ", ";
    missing += what;
  };
  // Every x86 set builds on those before it, and so does every Arm set.
  const bool x86 = isa >= Isa::kAvx2 && isa <= Isa::kAmx;
  const bool arm = isa >= Isa::kNeon;
  if (x86) need(features.avx2, "avx2 with fma and f16c");
  if (x86 && isa >= Isa::kAvx512) need(features.avx512, "avx512 f, bw, vl, dq");
  if (x86 && isa >= Isa::kAvx512Vnni) need(features.avx512_vnni, "avx512_vnni");
  if (x86 && isa >= Isa::kAvx512Bf16) need(features.avx512_bf16, "avx512_bf16");
  if (isa == Isa::kAmx) need(features.amx_bf16 && features.amx_int8, "amx bf16 and int8 and the system's permission");
  if (arm) need(features.neon, "neon");
  if (isa >= Isa::kNeonDot) need(features.neon_dotprod, "dotprod");
  if (isa >= Isa::kNeonBf16) need(features.neon_bf16, "bf16");
  if (isa >= Isa::kNeonI8mm) need(features.neon_i8mm, "i8mm");
  return missing;
}

KernelTable MakeKernelTable(Isa isa) {
  KernelTable table = ref::Table();
#if defined(__x86_64__)
  if (isa >= Isa::kAvx2) avx2::Override(table);
  if (isa >= Isa::kAvx512) avx512::Override(table);
  if (isa >= Isa::kAvx512Vnni) avx512vnni::Override(table);
  if (isa >= Isa::kAvx512Bf16) avx512bf16::Override(table);
  if (isa >= Isa::kAmx) amx::Override(table);
#elif defined(__aarch64__)
  if (isa >= Isa::kNeon) neon::Override(table);
  if (isa >= Isa::kNeonDot) neon_dot::Override(table);
  if (isa >= Isa::kNeonBf16) neon_bf16::Override(table);
  if (isa >= Isa::kNeonI8mm) neon_i8mm::Override(table);
#endif
  table.isa = isa;
  return table;
}

}  // namespace galago::kernels

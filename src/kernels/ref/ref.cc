#include "src/kernels/ref/ref.h"

namespace galago::kernels::ref {

KernelTable Table() {
  KernelTable table = {};
  table.isa = Isa::kRef;
  FillGemm(table);
  FillPanelGemm(table);
  FillElementwise(table);
  FillNorm(table);
  FillAttention(table);
  FillGrid(table);
  return table;
}

}  // namespace galago::kernels::ref

// Compiled with the flags of this instruction set only: see CMakeLists.txt.
#define GALAGO_ROW_TABLE kRowKernelsBase
#include "train/modules/row_kernels-inl.h"

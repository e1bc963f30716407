// Compiled with the flags of this instruction set only: see CMakeLists.txt.
#define GALAGO_ROW_TABLE kRowKernelsAvx2
#include "train/modules/row_kernels-inl.h"

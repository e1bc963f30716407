#ifndef GALAGO_TRAIN_MODULES_TORCH_SETUP_H_
#define GALAGO_TRAIN_MODULES_TORCH_SETUP_H_

namespace galago::train {

// To be called at the start of main, before any thread or tensor: what LibTorch and its BLAS read from the environment
// while they are loaded. Where the environment lacks it the program starts itself once more with it.
//   OPENBLAS_CORETYPE: OpenBLAS 0.3.21 takes new CPUs for old ones, at a fifth of the speed
//                      (OpenMathLib/OpenBLAS issue 4267); set to the core type of this machine.
//   ATEN_CPU_CAPABILITY=avx512: ATen's own kernels stay at AVX2 otherwise.
//   OMP_WAIT_POLICY=passive, GOMP_SPINCOUNT=0: threads that wait do not take the cores of the data loader.
void SetUpTorchEnvironment(char** argv);

// Threads of LibTorch in this process; 0: one per usable core.
void SetTorchThreads(int num_threads);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_TORCH_SETUP_H_

#ifndef GALAGO_TRAIN_MODULES_TORCH_SETUP_H_
#define GALAGO_TRAIN_MODULES_TORCH_SETUP_H_

// LibTorch as Debian packages it runs on one thread, with reference kernels and an OpenBLAS that does not know current
// processors. What it takes to use the machine; see docs/training.md.
namespace galago::train {

// To be called first in main, before any thread exists. Some libraries read their settings when they are loaded: if
// those are missing from the environment, they are set and the program replaces itself by a new copy, once. Settings
// the user made are kept.
void PrepareProcess(char** argv);

// Threads of the products and kernels; 0: all this process may run on. Called once, after PrepareProcess.
void UseThreads(int threads);

// What one step frees the next one takes again. Where the allocator is jemalloc (galago-train links it), KeepFreeMemory
// stops it from giving pages back, which the kernel would clear anew; as steps come in ever new shapes what is kept
// falls to pieces, by some megabytes a step, so ReturnFreeMemory gives all of it back at once, for a fraction of a
// second. Elsewhere they do nothing.
void KeepFreeMemory();
void ReturnFreeMemory();

// Whether LibTorch multiplies bf16 at speed here: its engine, oneDNN, does so on x86 with AVX-512 only
// (pytorch/pytorch: aten/src/ATen/native/mkldnn/Utils.h, mkldnn_bf16_device_check). Elsewhere factors are widened and
// products rounded.
bool HasBf16Products();

}  // namespace galago::train

#endif  // GALAGO_TRAIN_MODULES_TORCH_SETUP_H_

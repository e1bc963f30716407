#ifndef GALAGO_SYSTEM_H_
#define GALAGO_SYSTEM_H_

#include <cstdint>
#include <string>
#include <vector>

// What this machine and this build are: `doctor` and `version`.
namespace galago {

struct SystemFacts {
  std::string cpu_model;
  int usable_cores = 0;
  std::vector<std::string> cpu_features;                            // those that kernels exist for
  std::vector<std::string> isas;                                    // kernel families that run here, best last
  uint64_t memory_total = 0, memory_available = 0, swap_total = 0;  // bytes
  std::vector<std::string> video_decoders;                          // names of codecs that can be decoded
};
SystemFacts InspectSystem();

struct BuildFacts {
  std::string version;  // "0.1.0"
  std::string compiler;
  std::vector<std::string> features;   // "avx2", "avx512", "amx", "neon", "video", ...
  std::vector<std::string> libraries;  // "libjpeg-turbo 2.1.5", ...
};
BuildFacts InspectBuild();

}  // namespace galago

#endif  // GALAGO_SYSTEM_H_

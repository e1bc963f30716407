#ifndef GALAGO_ENGINE_MEMORY_PLAN_H_
#define GALAGO_ENGINE_MEMORY_PLAN_H_

#include <cstdint>
#include <string_view>

namespace galago::engine {

// Bytes this process may still take: what the system calls available, or what its control group leaves, whichever is
// less. 0 if neither can be read.
uint64_t AvailableMemory();

// The number of a /proc/meminfo line such as "MemAvailable:   123 kB" in bytes; 0 if absent.
uint64_t MeminfoBytes(std::string_view meminfo, std::string_view key);

}  // namespace galago::engine

#endif  // GALAGO_ENGINE_MEMORY_PLAN_H_

#ifndef GALAGO_BASE_HASH_H_
#define GALAGO_BASE_HASH_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>

namespace galago {

// FNV-1a, 64 bit: for goldens, not against adversaries.
uint64_t Fnv1a64(std::span<const std::byte> bytes);

// A checksum at the speed of memory, for weights: any change within one 8-byte word changes it, others with odds of one
// in 2^64. Not against adversaries.
uint64_t Checksum64(std::span<const std::byte> bytes);

// SHA-256 as 64 lower-case hex digits. Identifies pictures in caches, where a collision would answer about another one.
std::string Sha256Hex(std::span<const std::byte> bytes);

}  // namespace galago

#endif  // GALAGO_BASE_HASH_H_

#include "src/base/hash.h"

#include <openssl/evp.h>

#include <array>
#include <cstring>

#include "src/base/check.h"

namespace galago {

uint64_t Fnv1a64(std::span<const std::byte> bytes) {
  uint64_t hash = 0xcbf29ce484222325u;
  for (const std::byte byte : bytes) hash = (hash ^ static_cast<uint64_t>(byte)) * 0x100000001b3u;
  return hash;
}

uint64_t Checksum64(std::span<const std::byte> bytes) {
  // Eight lanes, so that one multiplication need not wait for another. Each step is a bijection of the lane and of the
  // word.
  constexpr uint64_t kPrime = 0x9e3779b97f4a7c15u;
  constexpr size_t kLanes = 8;
  constexpr size_t kAhead = 2048;  // bytes: weights fresh from a file are in no cache
  std::array<uint64_t, kLanes> lanes;
  for (size_t i = 0; i < kLanes; ++i) lanes[i] = kPrime * (i + 1);
  const std::byte* at = bytes.data();
  size_t left = bytes.size();
  for (; left >= sizeof(lanes); left -= sizeof(lanes), at += sizeof(lanes)) {
    __builtin_prefetch(at + kAhead);
    // Word by word: a copy of all eight makes g++ keep the lanes in memory.
    for (size_t i = 0; i < kLanes; ++i) {
      uint64_t word = 0;
      std::memcpy(&word, at + i * sizeof(word), sizeof(word));
      const uint64_t mixed = (lanes[i] ^ word) * kPrime;
      lanes[i] = mixed ^ mixed >> 32;
    }
  }
  std::array<uint64_t, kLanes> rest = {};
  if (left != 0) std::memcpy(rest.data(), at, left);
  uint64_t sum = bytes.size();
  for (size_t i = 0; i < kLanes; ++i) {
    for (const uint64_t word : {rest[i], lanes[i]}) {
      sum = (sum ^ word) * kPrime;
      sum ^= sum >> 29;
    }
  }
  return sum;
}

std::string Sha256Hex(std::span<const std::byte> bytes) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest;
  unsigned int length = 0;
  CHECK(EVP_Digest(bytes.data(), bytes.size(), digest.data(), &length, EVP_sha256(), nullptr) == 1);
  constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < length; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

}  // namespace galago

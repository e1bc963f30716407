#ifndef GALAGO_TEXT_TOKEN_MATCHER_H_
#define GALAGO_TEXT_TOKEN_MATCHER_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace galago::text {

// Finds fixed strings in text: at one place, the longest. A trie over bytes.
class TokenMatcher {
 public:
  void Add(std::string_view token, int32_t value);
  bool empty() const { return next_.empty(); }

  struct Match {
    size_t length = 0;  // 0: no token begins here
    int32_t value = -1;
  };
  Match LongestAt(std::string_view text, size_t position) const;

 private:
  static uint64_t Key(uint32_t node, char byte) { return (uint64_t{node} << 8) | static_cast<unsigned char>(byte); }
  std::array<bool, 256> starts_{};  // bytes some token begins with: skips most of ordinary text
  std::unordered_map<uint64_t, uint32_t> next_;
  std::unordered_map<uint32_t, int32_t> values_;  // by node; node 0 is the root
  uint32_t num_nodes_ = 1;
};

}  // namespace galago::text

#endif  // GALAGO_TEXT_TOKEN_MATCHER_H_

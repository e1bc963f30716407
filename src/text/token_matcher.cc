#include "src/text/token_matcher.h"

namespace galago::text {

void TokenMatcher::Add(std::string_view token, int32_t value) {
  if (token.empty()) return;
  starts_[static_cast<unsigned char>(token.front())] = true;
  uint32_t node = 0;
  for (const char byte : token) {
    const auto [it, inserted] = next_.try_emplace(Key(node, byte), num_nodes_);
    if (inserted) ++num_nodes_;
    node = it->second;
  }
  values_.insert_or_assign(node, value);
}

TokenMatcher::Match TokenMatcher::LongestAt(std::string_view text, size_t position) const {
  Match best;
  if (position >= text.size() || !starts_[static_cast<unsigned char>(text[position])]) return best;
  uint32_t node = 0;
  for (size_t i = position; i < text.size(); ++i) {
    const auto it = next_.find(Key(node, text[i]));
    if (it == next_.end()) break;
    node = it->second;
    if (const auto value = values_.find(node); value != values_.end()) best = {i + 1 - position, value->second};
  }
  return best;
}

}  // namespace galago::text

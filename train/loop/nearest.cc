#include "train/loop/nearest.h"

#include <algorithm>
#include <vector>

namespace galago::train {
namespace {

size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string Nearest(std::string_view name, std::span<const std::string> candidates) {
  name = name.substr(0, 64);  // foreign text; longer names than ours differ anyway
  const auto best = std::ranges::min_element(
      candidates, {}, [&](const std::string& candidate) { return EditDistance(name, candidate); });
  return best == candidates.end() ? std::string() : *best;
}

}  // namespace galago::train

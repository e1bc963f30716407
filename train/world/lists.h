#ifndef GALAGO_TRAIN_WORLD_LISTS_H_
#define GALAGO_TRAIN_WORLD_LISTS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/world/phrases.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// Questions that name several things and are answered by as many words: "Where: fish, cup, star?", "top, left, middle".
// Training alone has them. A question about one thing teaches one look at the picture; here every name asked for is
// one, for two or three tokens instead of twenty.
namespace galago::world {

struct ListItem {
  std::string name;
  std::string answer;
};

// Names up to `most` of the items, in any order, in the place of "{names}"; "{head}" is what is asked of each. nullopt
// for fewer than two.
std::optional<Exchange> ListQuestion(const Wordings& wordings, std::string_view kind, std::vector<ListItem> items,
                                     size_t most, Rng& rng, std::string_view head = {});

// "a, b, c"
std::string Listed(std::span<const std::string> words);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_LISTS_H_

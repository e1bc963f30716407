#ifndef GALAGO_TRAIN_WORLD_LISTS_H_
#define GALAGO_TRAIN_WORLD_LISTS_H_

#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/world/phrases.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// What holds of several things, one by one: {"fish", "red"}, {"cup", "blue"}. It is asked, in training alone, by
// questions that name several things and are answered by as many words; or told, as a text (facts.cc). A question about
// one thing teaches one look at the picture for twenty tokens; here every name is one, for two or three.
namespace galago::world {

struct ListItem {
  std::string name;
  std::string answer;
};
struct List {
  std::string_view kind;               // of the question
  std::string title;                   // "colour": begins the text, and is "{head}" of the wordings
  const Wordings* wordings = nullptr;  // "What colour: {names}?"; lives as long as the program. Null: told only
  std::vector<ListItem> items;         // no name twice
};

// A picture or clip and its lists, no list telling what another one tells.
struct Told {
  Medium medium;
  std::vector<List> lists;
};

// One training sample in so many asks lists instead of single questions: beside each other one would give away the
// other's answers.
inline constexpr double kAskLists = 0.3;

// A question for each list: up to six of its items, in any order, in the place of "{names}".
std::vector<Exchange> QuestionsOf(std::span<const List> lists, Metric metric, Rng& rng);

// "colour: fish red, cup blue. count: fish 1, moons 0." with lists and items in any order: a name stands before what is
// told of it, so that it says where to look.
std::string FactsOf(std::vector<List> lists, Rng& rng);

// One list in the same form, "place: fish top left, cup no.", its answers marked as what is told.
Exchange FindsExchange(const List& list);

// Items in which something that is there and something that is not come as a coin falls (`in_vain` for the latter),
// until nothing there is left: so no answer follows from those before it. At most `most`. `absent` gives something that
// is not there, or nullopt if it finds nothing.
template <class Absent>
std::vector<ListItem> SoughtItems(std::vector<ListItem> present, size_t most, double in_vain, Rng& rng,
                                  const Absent& absent) {
  rng.Shuffle(present);
  std::vector<ListItem> items;
  while (!present.empty() && items.size() < most) {
    if (rng.Chance(in_vain)) {
      std::optional<ListItem> item = absent();
      if (!item) break;
      items.push_back(*std::move(item));
    } else {
      items.push_back(std::move(present.back()));
      present.pop_back();
    }
  }
  return items;
}

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_LISTS_H_

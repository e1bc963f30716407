#ifndef GALAGO_TRAIN_WORLD_LISTS_H_
#define GALAGO_TRAIN_WORLD_LISTS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "src/media/image.h"
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
  const Wordings* wordings = nullptr;  // "What colour: {names}?"; lives as long as the program
  std::vector<ListItem> items;         // no name twice
};

// A picture and its lists, no list telling what another one tells.
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

// The same of one list, as an exchange in which the answers alone are told.
Exchange FindsExchange(List list, Rng& rng);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_LISTS_H_

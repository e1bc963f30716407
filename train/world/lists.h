#ifndef GALAGO_TRAIN_WORLD_LISTS_H_
#define GALAGO_TRAIN_WORLD_LISTS_H_

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/world/phrases.h"
#include "train/world/rng.h"
#include "train/world/sample.h"

// What holds of several things, one by one: {"fish", "red"}, {"cup", "blue"}. Training alone has these, in two forms:
// questions that name several things and are answered by as many words, and texts. A question about one thing teaches
// one look at the picture for twenty tokens; here every name is one, for two or three.
namespace galago::world {

struct ListItem {
  std::string name;
  std::string answer;
};
struct List {
  std::string_view kind;     // of the question
  std::string title;         // "colour": begins the text, and is "{head}" of the wordings
  const Wordings* wordings;  // "What colour: {names}?"; lives as long as the program
  std::vector<ListItem> items;
};

// Puts a question for each list among the exchanges: up to six of its items, in any order, in the place of "{names}".
void AddQuestions(std::span<const List> lists, Metric metric, Rng& rng, std::vector<Exchange>& exchanges);

// "colour: fish red, cup blue. count: fish 1, moons 0." with lists and items in any order: a name stands before what is
// told of it, so that it says where to look.
std::string TextOf(std::vector<List> lists, Rng& rng);

// "a, b, c"
std::string Listed(std::span<const std::string> words);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_LISTS_H_

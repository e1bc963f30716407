#ifndef GALAGO_TRAIN_WORLD_LEXICON_H_
#define GALAGO_TRAIN_WORLD_LEXICON_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "train/world/rng.h"
#include "train/world/sample.h"

// The words World writes into pictures.
namespace galago::world {

// All words of the lexicon, lower-case, separated by spaces.
std::string_view LexiconText();
std::span<const std::string_view> Lexicon();

// One word in eight, and every word of nine letters, is never drawn in training. The answer depends on the word alone,
// so a word is held out from every task that writes.
bool IsHeldoutWord(std::string_view lower_case_word);

// A word of the lexicon with `min_letters` to `max_letters` letters. Held-out pictures show held-out and known words,
// about half of each.
std::string_view PickWord(Rng& rng, Split split, size_t min_letters, size_t max_letters);

// Syllables that could be a word and are none of the lexicon's: what only reading can find out.
std::string InventWord(Rng& rng, size_t min_letters, size_t max_letters);

// Nouns by kind, for what is listed, sold and counted.
enum class Topic {
  kFruit,
  kVegetable,
  kFood,
  kDrink,
  kAnimal,
  kTool,
  kToy,
  kClothing,
  kVehicle,
  kInstrument,
  kSport,
  kFlower,
  kPerson,
  kCity,
  kDay,
  kMonth
};
// In singular and lower case, but for names.
std::span<const std::string_view> Nouns(Topic topic);
// Those that `split` may draw; days and months belong to both.
std::vector<std::string_view> NounsOf(Topic topic, Split split);
// `count` different nouns of at most `max_letters` letters; fewer when the topic has no more. In held-out pictures at
// least one is held out, where the topic has one that short.
std::vector<std::string> PickNouns(Topic topic, size_t count, size_t max_letters, Rng& rng, Split split);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_LEXICON_H_

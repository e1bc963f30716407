#ifndef GALAGO_TRAIN_WORLD_PHRASES_H_
#define GALAGO_TRAIN_WORLD_PHRASES_H_

#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/world/rng.h"
#include "train/world/sample.h"

// Wordings of questions and sentences.
namespace galago::world {

// The ways one thing is said; `heldout` holds those that training never shows. Held-out wordings put together words
// and turns of phrase that training does show in other places: the test is of understanding, not of vocabulary.
// "{name}" marks what Fill() puts in.
struct Wordings {
  // No wording may be in both lists.
  Wordings(std::initializer_list<std::string_view> train, std::initializer_list<std::string_view> heldout);
  Wordings() = default;  // of what is never asked

  std::vector<std::string_view> train;
  std::vector<std::string_view> heldout;
};
std::string_view Pick(const Wordings& wordings, Rng& rng, Split split);

using Slots = std::initializer_list<std::pair<std::string_view, std::string_view>>;
// Puts the values in the place of "{name}" marks; every mark must have a value.
std::string Fill(std::string_view wording, Slots slots);
// Pick and Fill.
std::string Say(const Wordings& wordings, Rng& rng, Split split, Slots slots = {});

// Asks for the title of a chart or a document.
const Wordings& TitleWordings();

// A training question as it is, or now and then led in or followed by words that ask nothing ("Question: ..."). Who has
// met no such words takes them for part of the question. What holds marks or lines of its own stays as it is.
std::string Framed(std::string question, Rng& rng);

// How many questions of a sort one picture gets at most: `heldout` in held-out pictures, four more in training, where a
// question costs a small part of what drawing and seeing its picture do.
int64_t UpTo(int64_t heldout, Split split);

// "a star", "an orange star".
std::string WithArticle(std::string_view noun);
// "a", "a and b", "a, b and c".
std::string JoinWords(std::span<const std::string> words);
// "a, b, c".
std::string Listed(std::span<const std::string> words);
// First letter in upper case.
std::string Capitalised(std::string_view text);
// All letters in upper case.
std::string Upper(std::string_view text);
// "zero" to "twelve".
std::string_view NumberWord(int64_t number);

}  // namespace galago::world

#endif  // GALAGO_TRAIN_WORLD_PHRASES_H_

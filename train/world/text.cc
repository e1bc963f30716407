#include "train/world/text.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/lexicon.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"

namespace galago::world {
namespace {

Exchange Make(std::string_view kind, std::string question, std::string answer) {
  return {std::move(question), std::move(answer), std::string(kind), Metric::kExact};
}

std::string_view YesNo(bool yes) { return yes ? "yes" : "no"; }

// Operands of the split's slice.
std::pair<int64_t, int64_t> Operands(Rng& rng, Split split, int64_t high) {
  for (;;) {
    const int64_t a = rng.Int(1, high);
    const int64_t b = rng.Int(1, high);
    if (IsHeldoutSum(a, b) == (split == Split::kHeldout)) return {a, b};
  }
}

Exchange Add(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What is {a} + {b}?", "What is {a} plus {b}?", "{a} + {b} = ?", "Add {a} and {b}.",
       "How much do {a} and {b} make?", "{a} plus {b} is what?", "Tell me {a} + {b}.", "What do {a} and {b} make?",
       "{a} + {b} is how much?", "Say how much {a} and {b} is."},
      {"How much is {a} plus {b}?", "How much is {a} + {b}?"}};
  const auto [a, b] = Operands(rng, split, 12);
  return Make("add", Say(kWordings, rng, split, {{"a", StrCat(a)}, {"b", StrCat(b)}}), StrCat(a + b));
}

Exchange Subtract(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What is {a} - {b}?", "What is {a} minus {b}?", "{a} - {b} = ?", "{a} minus {b} is what?", "Tell me {a} - {b}.",
       "{a} - {b} is how much?", "How much is left of {a} without {b}?"},
      {"How much is {a} minus {b}?", "How much is {a} - {b}?"}};
  const auto [a, b] = Operands(rng, split, 12);
  return Make("subtract", Say(kWordings, rng, split, {{"a", StrCat(a + b)}, {"b", StrCat(b)}}), StrCat(a));
}

Exchange Multiply(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What is {a} x {b}?", "What is {a} times {b}?", "{a} x {b} = ?", "{a} times {b} is what?", "Tell me {a} x {b}.",
       "{a} x {b} is how much?", "How much does {a} times {b} make?"},
      {"How much is {a} times {b}?", "How much is {a} x {b}?"}};
  const auto [a, b] = Operands(rng, split, 10);
  return Make("multiply", Say(kWordings, rng, split, {{"a", StrCat(a)}, {"b", StrCat(b)}}), StrCat(a * b));
}

Exchange Larger(Rng& rng, Split split) {
  static const Wordings kLarger{
      {"Which is larger, {a} or {b}?", "Which number is larger: {a} or {b}?", "Is {a} or {b} larger?",
       "Tell me which is larger, {a} or {b}.", "What number is larger, {a} or {b}?", "Of {a} and {b}, which is larger?",
       "Which one is larger: {a} or {b}?"},
      {"What is larger, {a} or {b}?"}};
  static const Wordings kSmaller{
      {"Which is smaller, {a} or {b}?", "Which number is smaller: {a} or {b}?", "Is {a} or {b} smaller?",
       "Tell me which is smaller, {a} or {b}.", "What number is smaller, {a} or {b}?",
       "Of {a} and {b}, which is smaller?", "Which one is smaller: {a} or {b}?"},
      {"What is smaller, {a} or {b}?"}};
  const int64_t high = rng.Pick<int64_t>({20, 100, 999});
  const int64_t a = rng.Int(0, high);
  int64_t b = rng.Int(0, high);
  if (a == b) b = a + 1;
  const bool larger = rng.Chance(0.5);
  return Make("compare", Say(larger ? kLarger : kSmaller, rng, split, {{"a", StrCat(a)}, {"b", StrCat(b)}}),
              StrCat(larger ? std::max(a, b) : std::min(a, b)));
}

Exchange More(Rng& rng, Split split) {
  static const Wordings kWordings{{"Is {a} more than {b}?", "Is {a} larger than {b}?", "Is {a} higher than {b}?",
                                   "Is it true that {a} is more than {b}?", "Is the number {a} larger than {b}?",
                                   "Tell me if {a} is more than {b}."},
                                  {"Is the number {a} more than {b}?"}};
  const int64_t a = rng.Int(0, 50);
  int64_t b = rng.Int(0, 50);
  if (a == b) b = a + 1;
  return Make("more", Say(kWordings, rng, split, {{"a", StrCat(a)}, {"b", StrCat(b)}}), std::string(YesNo(a > b)));
}

std::vector<std::string> SomeWords(Rng& rng, Split split, size_t count) {
  std::vector<std::string> words;
  while (words.size() < count) {
    std::string word(PickWord(rng, split, 3, 6));
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
  }
  return words;
}

std::string Joined(const std::vector<std::string>& words) {
  std::string text;
  for (const std::string& word : words) text += text.empty() ? word : StrCat(" ", word);
  return text;
}

Exchange Sort(Rng& rng, Split split) {
  static const Wordings kWordings{{"Sort the numbers: {list}", "Put the numbers in order: {list}", "Sort these: {list}",
                                   "Put in order: {list}", "Order the numbers: {list}", "Sort these numbers: {list}",
                                   "Tell me the order of: {list}", "What is the order of these numbers: {list}"},
                                  {"Put these numbers in order: {list}", "Sort: {list}"}};
  std::vector<int64_t> numbers;
  const int64_t count = split == Split::kHeldout && rng.Chance(0.2) ? 5 : rng.Int(3, 4);
  while (static_cast<int64_t>(numbers.size()) < count) {
    const int64_t number = rng.Int(1, 30);
    if (std::find(numbers.begin(), numbers.end(), number) == numbers.end()) numbers.push_back(number);
  }
  const auto list = [&] {
    std::vector<std::string> texts;
    for (const int64_t number : numbers) texts.push_back(StrCat(number));
    return Joined(texts);
  };
  const std::string question = Say(kWordings, rng, split, {{"list", list()}});
  std::sort(numbers.begin(), numbers.end());
  return Make("sort", question, list());
}

Exchange Copy(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"Repeat: {text}", "Say: {text}", "Write: {text}", "Copy this: {text}", "Copy: {text}", "Write this: {text}",
       "Say again: {text}", "Tell me this: {text}", "Repeat these words: {text}"},
      {"Repeat this: {text}", "Say this: {text}"}};
  const int64_t longest = split == Split::kHeldout && rng.Chance(0.2) ? 5 : 4;
  std::vector<std::string> words = SomeWords(rng, split, static_cast<size_t>(rng.Int(1, longest)));
  for (std::string& word : words) {
    if (rng.Chance(0.3)) word = InventWord(rng, 3, 7);
    if (rng.Chance(0.15)) word = StrCat(rng.Int(1, 999));
    if (rng.Chance(0.2)) word = Capitalised(word);
  }
  const std::string text = Joined(words);
  return Make("copy", Say(kWordings, rng, split, {{"text", text}}), text);
}

std::string SomeWord(Rng& rng, Split split) {
  return rng.Chance(0.25) ? InventWord(rng, 3, 7) : std::string(PickWord(rng, split, 3, 7));
}

Exchange Spell(Rng& rng, Split split) {
  static const Wordings kWordings{{"Spell \"{word}\".", "How is \"{word}\" spelled?", "How do you spell \"{word}\"?",
                                   "Tell me how \"{word}\" is spelled.", "Say the letters of \"{word}\".",
                                   "How is the word \"{word}\" spelled?", "Spell this: \"{word}\"."},
                                  {"Spell the word \"{word}\"."}};
  const std::string word = SomeWord(rng, split);
  std::vector<std::string> letters;
  for (const char c : word) letters.emplace_back(1, c);
  return Make("spell", Say(kWordings, rng, split, {{"word", word}}), Joined(letters));
}

Exchange Unspell(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"Which word is spelled {letters}?", "What word is {letters}?", "What word is spelled {letters}?",
       "Tell me the word {letters}.", "Read the word: {letters}", "Which word do you read: {letters}?",
       "Which word has the letters {letters}?"},
      {"Which word is {letters}?"}};
  const std::string word = SomeWord(rng, split);
  std::vector<std::string> letters;
  for (const char c : word) letters.emplace_back(1, c);
  return Make("unspell", Say(kWordings, rng, split, {{"letters", Joined(letters)}}), word);
}

Exchange CountLetters(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"How many letters does \"{word}\" have?", "How many letters are in \"{word}\"?",
       "Count the letters of \"{word}\".", "How many letters does the word \"{word}\" have?",
       "Tell me how many letters \"{word}\" has.", "What is the number of letters in \"{word}\"?",
       "How many letters are there in \"{word}\"?", "How many letters has \"{word}\"?"},
      {"How many letters are in the word \"{word}\"?"}};
  const std::string word = SomeWord(rng, split);
  return Make("letter-count", Say(kWordings, rng, split, {{"word", word}}), StrCat(word.size()));
}

Exchange EndLetter(Rng& rng, Split split) {
  static const Wordings kFirst{
      {"What is the first letter of \"{word}\"?", "Which letter comes first in \"{word}\"?",
       "Tell me the first letter of \"{word}\".", "What letter is first in \"{word}\"?",
       "What is the first letter in the word \"{word}\"?", "Which is the first letter of \"{word}\"?"},
      {"What is the first letter of the word \"{word}\"?"}};
  static const Wordings kLast{
      {"What is the last letter of \"{word}\"?", "Which letter comes last in \"{word}\"?",
       "Tell me the last letter of \"{word}\".", "What letter is last in \"{word}\"?",
       "What is the last letter in the word \"{word}\"?", "Which is the last letter of \"{word}\"?"},
      {"What is the last letter of the word \"{word}\"?"}};
  const std::string word = SomeWord(rng, split);
  const bool first = rng.Chance(0.5);
  return Make("end-letter", Say(first ? kFirst : kLast, rng, split, {{"word", word}}),
              std::string(1, first ? word.front() : word.back()));
}

Exchange PlaceInList(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"Which word is {place}: {list}?", "What is the {place} word of: {list}?", "What is the {place} word: {list}?",
       "Tell me the {place} word: {list}", "Which one is {place}: {list}?", "Name the {place} word of: {list}",
       "Which word comes {place}: {list}?"},
      {"Which is the {place} word: {list}?"}};
  static constexpr std::array<std::string_view, 3> kPlaces = {"first", "second", "third"};
  const std::vector<std::string> words =
      SomeWords(rng, split, static_cast<size_t>(rng.Int(3, split == Split::kHeldout ? 5 : 4)));
  const auto place = static_cast<size_t>(rng.Int(0, 3));
  if (place == 3)
    return Make("list", Say(kWordings, rng, split, {{"place", "last"}, {"list", Joined(words)}}), words.back());
  return Make("list", Say(kWordings, rng, split, {{"place", kPlaces[place]}, {"list", Joined(words)}}), words[place]);
}

Exchange CountWords(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"How many words are there: {list}?", "How many words: {list}?", "Count the words: {list}",
       "How many words do you see: {list}?", "Tell me how many words: {list}", "What is the number of words: {list}?",
       "How many words are these: {list}?"},
      {"How many words are here: {list}?"}};
  const auto count = static_cast<size_t>(rng.Int(1, 5));
  return Make("word-count", Say(kWordings, rng, split, {{"list", Joined(SomeWords(rng, split, count))}}),
              StrCat(count));
}

struct Category {
  Topic topic;
  std::string_view name;
};
constexpr std::array<Category, 11> kCategories = {{{Topic::kFruit, "fruit"},
                                                   {Topic::kVegetable, "vegetable"},
                                                   {Topic::kDrink, "drink"},
                                                   {Topic::kAnimal, "animal"},
                                                   {Topic::kTool, "tool"},
                                                   {Topic::kClothing, "piece of clothing"},
                                                   {Topic::kVehicle, "vehicle"},
                                                   {Topic::kInstrument, "instrument"},
                                                   {Topic::kSport, "sport"},
                                                   {Topic::kFlower, "flower"},
                                                   {Topic::kCity, "city"}}};

// Words that belong to two kinds, or hardly to their own, are not asked about.
bool IsClear(std::string_view noun) {
  constexpr std::array<std::string_view, 27> kUnclear = {
      "tomato", "pumpkin", "pepper", "corn",   "olive", "orange", "squash", "date", "shake",
      "punch",  "water",   "broth",  "bell",   "horn",  "level",  "file",   "tape", "glue",
      "hood",   "fern",    "clover", "violet", "iris",  "sled",   "rocket", "Bath", "Nice"};
  return std::find(kUnclear.begin(), kUnclear.end(), noun) == kUnclear.end();
}

// Of the words training may write, for both splits: what a thing is, is known or not.
std::string_view ClearNoun(const Category& category, Rng& rng) {
  for (;;) {
    const std::string_view noun = rng.Pick(NounsOf(category.topic, Split::kTrain));
    if (IsClear(noun)) return noun;
  }
}

// "an apple"; "milk", "golf" and "Oslo" have no article.
std::string Named(const Category& category, std::string_view noun) {
  constexpr std::array<std::string_view, 8> kMass = {"kale",    "garlic", "celery",  "broccoli",
                                                     "spinach", "chard",  "lettuce", "jeans"};
  const bool bare = category.topic == Topic::kCity || category.topic == Topic::kSport ||
                    category.topic == Topic::kDrink || std::find(kMass.begin(), kMass.end(), noun) != kMass.end();
  return bare ? std::string(noun) : WithArticle(noun);
}

Exchange IsKind(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"Is {noun} {kind}?", "Would you call {noun} {kind}?", "Is it true that {noun} is {kind}?",
       "Do you call {noun} {kind}?", "Would people call {noun} {kind}?", "Can you call {noun} {kind}?",
       "Tell me if {noun} is {kind}."},
      {"Do people call {noun} {kind}?"}};
  const Category& category = rng.Pick(kCategories);
  const std::string_view noun = ClearNoun(category, rng);
  const bool yes = rng.Chance(0.5);
  const Category* asked = &category;
  while (!yes && asked->topic == category.topic) asked = &rng.Pick(kCategories);
  return Make("is-kind",
              Say(kWordings, rng, split, {{"noun", Named(category, noun)}, {"kind", WithArticle(asked->name)}}),
              std::string(YesNo(yes)));
}

Exchange WhatKind(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What kind of thing is {noun}?", "A thing of what kind is {noun}?", "Tell me what {noun} is.",
       "What kind is {noun}?", "Of which kind is {noun}?", "Which kind is {noun}?", "What is {noun}?"},
      {"Which kind of thing is {noun}?"}};
  const Category& category = rng.Pick(kCategories);
  const std::string_view noun = ClearNoun(category, rng);
  return Make("kind", Say(kWordings, rng, split, {{"noun", Named(category, noun)}}), WithArticle(category.name));
}

Exchange OddOneOut(Rng& rng, Split split) {
  static const Wordings kWordings{{"Which one is {kind}: {list}?", "Find {kind}: {list}", "Which is {kind}: {list}?",
                                   "Which of them is {kind}: {list}?", "Which word is {kind}: {list}?",
                                   "Tell me which is {kind}: {list}", "Which of all is {kind}: {list}?"},
                                  {"Which of these is {kind}: {list}?"}};
  const Category& category = rng.Pick(kCategories);
  const Category* others = &category;
  while (others->topic == category.topic) others = &rng.Pick(kCategories);
  std::vector<std::string> words = {std::string(ClearNoun(category, rng))};
  const std::string answer = words[0];
  while (words.size() < 3) {
    std::string word(ClearNoun(*others, rng));
    if (std::find(words.begin(), words.end(), word) == words.end()) words.push_back(std::move(word));
  }
  rng.Shuffle(words);
  return Make("odd-one", Say(kWordings, rng, split, {{"kind", WithArticle(category.name)}, {"list", Joined(words)}}),
              answer);
}

Exchange NumberPattern(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What comes next: {list}?", "Continue: {list}", "What is next: {list}?", "Tell me what comes next: {list}",
       "Which is the next: {list}?", "What comes after these: {list}?", "Which one comes next: {list}?"},
      {"Which number comes next: {list}?"}};
  const int64_t step = rng.Pick<int64_t>({1, 2, 2, 3, 5, 10, -1, -2});
  const int64_t start = step > 0 ? rng.Int(0, 20) : rng.Int(10, 30);
  std::vector<std::string> numbers;
  const int64_t count = rng.Int(3, 4);
  for (int64_t i = 0; i < count; ++i) numbers.push_back(StrCat(start + i * step));
  return Make("pattern", Say(kWordings, rng, split, {{"list", Joined(numbers)}}), StrCat(start + count * step));
}

Exchange AlternatingPattern(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What comes next: {list}?", "Continue: {list}", "What is next: {list}?", "Tell me what comes next: {list}",
       "Which is the next: {list}?", "What comes after these: {list}?", "Which one comes next: {list}?"},
      {"Which word comes next: {list}?"}};
  static constexpr std::array<std::string_view, 10> kThings = {"red",    "blue", "green", "yellow", "star",
                                                               "circle", "cat",  "dog",   "up",     "down"};
  const std::string_view a = rng.Pick(kThings);
  std::string_view b = a;
  while (b == a) b = rng.Pick(kThings);
  std::vector<std::string> words;
  const int64_t count = rng.Int(3, 6);
  for (int64_t i = 0; i < count; ++i) words.emplace_back(i % 2 == 0 ? a : b);
  return Make("alternate", Say(kWordings, rng, split, {{"list", Joined(words)}}), std::string(count % 2 == 0 ? a : b));
}

Exchange NextDay(Rng& rng, Split split) {
  static const Wordings kAfter{
      {"Which {unit} comes after {name}?", "What {unit} is after {name}?", "Tell me the {unit} after {name}.",
       "Which {unit} is after {name}?", "Name the {unit} after {name}.", "What is the {unit} after {name}?"},
      {"What {unit} comes after {name}?"}};
  static const Wordings kBefore{
      {"Which {unit} comes before {name}?", "What {unit} is before {name}?", "Tell me the {unit} before {name}.",
       "Which {unit} is before {name}?", "Name the {unit} before {name}.", "What is the {unit} before {name}?"},
      {"What {unit} comes before {name}?"}};
  const bool day = rng.Chance(0.5);
  const std::span<const std::string_view> names = Nouns(day ? Topic::kDay : Topic::kMonth);
  const auto at = static_cast<size_t>(rng.Int(0, static_cast<int64_t>(names.size()) - 1));
  const bool after = rng.Chance(0.6);
  const size_t answer = (at + (after ? 1 : names.size() - 1)) % names.size();
  return Make("calendar",
              Say(after ? kAfter : kBefore, rng, split, {{"unit", day ? "day" : "month"}, {"name", names[at]}}),
              std::string(names[answer]));
}

Exchange ChangeCase(Rng& rng, Split split) {
  static const Wordings kUpper{
      {"Write {word} in capital letters.", "Put {word} in capital letters.", "Say {word} in capital letters.",
       "Put the word {word} in capital letters.", "In capital letters, write {word}."},
      {"Write the word {word} in capital letters."}};
  static const Wordings kLower{
      {"Write {word} in small letters.", "Put {word} in small letters.", "Say {word} in small letters.",
       "Put the word {word} in small letters.", "In small letters, write {word}."},
      {"Write the word {word} in small letters."}};
  const std::string lower = SomeWord(rng, split);
  const std::string upper = Upper(lower);
  if (rng.Chance(0.5)) return Make("case", Say(kUpper, rng, split, {{"word", lower}}), upper);
  return Make("case", Say(kLower, rng, split, {{"word", upper}}), lower);
}

Exchange NumberNames(Rng& rng, Split split) {
  static const Wordings kDigits{
      {"Write {name} as a number.", "Which number is {name}?", "Tell me {name} as a number.",
       "What is {name} as a number?", "Say which number {name} is.", "What number do you read: {name}?"},
      {"What number is {name}?"}};
  static const Wordings kWord{{"Write {name} as a word.", "What is {name} as a word?", "Tell me {name} as a word.",
                               "What word is {name}?", "Say {name} as a word."},
                              {"Which word is {name}?"}};
  const int64_t number = rng.Int(0, 12);
  if (rng.Chance(0.5))
    return Make("number-name", Say(kDigits, rng, split, {{"name", NumberWord(number)}}), StrCat(number));
  return Make("number-name", Say(kWord, rng, split, {{"name", StrCat(number)}}), std::string(NumberWord(number)));
}

constexpr std::array<std::string_view, 10> kColours = {"red",    "green", "blue",  "yellow", "orange",
                                                       "purple", "pink",  "brown", "black",  "white"};

// A short story and a question that its words answer.
Exchange Story(Rng& rng, Split split) {
  static const Wordings kColour{
      {"{a} has {ax} {noun}. {b} has {ay} {noun}. What colour is the {noun} of {who}?",
       "The {noun} of {a} is {x}. The {noun} of {b} is {y}. What colour is the {noun} of {who}?",
       "The {noun} of {a} is {x}, the {noun} of {b} is {y}. Which colour is the {noun} of {who}?",
       "{a} has {ax} {noun}, {b} has {ay} {noun}. What is the colour of the {noun} of {who}?",
       "{a} has {ax} {noun}, and {b} has {ay} one. Tell me the colour of the {noun} of {who}."},
      {"{a} has {ax} {noun} and {b} has {ay} {noun}. Which colour is the {noun} of {who}?"}};
  static const Wordings kOwner{{"{a} has {ax} {noun}. {b} has {ay} {noun}. Who has the {z} {noun}?",
                                "{a} has {ax} {noun} and {b} has {ay} {noun}. Who has the {z} one?",
                                "The {noun} of {a} is {x}, that of {b} is {y}. Whose {noun} is the {z} one?",
                                "The {noun} of {a} is {x}. The {noun} of {b} is {y}. Whose is {z}?"},
                               {"{a} has {ax} {noun} and {b} has {ay} {noun}. Whose {noun} is {z}?"}};
  const std::vector<std::string> people = PickNouns(Topic::kPerson, 2, 6, rng, split);
  const std::string noun = PickNouns(rng.Pick({Topic::kClothing, Topic::kToy, Topic::kVehicle}), 1, 8, rng, split)[0];
  const std::string_view x = rng.Pick(kColours);
  std::string_view y = x;
  while (y == x) y = rng.Pick(kColours);
  const std::string ax = WithArticle(x);
  const std::string ay = WithArticle(y);
  const bool first = rng.Chance(0.5);
  if (rng.Chance(0.5)) {
    const Slots slots = {{"a", people[0]}, {"b", people[1]}, {"x", x},       {"y", y},
                         {"ax", ax},       {"ay", ay},       {"noun", noun}, {"who", people[first ? 0 : 1]}};
    return Make("story-colour", Say(kColour, rng, split, slots), std::string(first ? x : y));
  }
  const Slots slots = {{"a", people[0]}, {"b", people[1]}, {"x", x},       {"y", y},
                       {"ax", ax},       {"ay", ay},       {"noun", noun}, {"z", first ? x : y}};
  return Make("story-who", Say(kOwner, rng, split, slots), people[first ? 0 : 1]);
}

Exchange StoryCount(Rng& rng, Split split) {
  static const Wordings kWordings{{"{a} has {x} {noun}. {b} has {y} {noun}. Who has more?",
                                   "{a} has {x} {noun} and {b} has {y}. Who has more {noun}?",
                                   "{a} has {x} {noun}, {b} has {y} {noun}. Which of them has more?",
                                   "Of {noun}, {a} has {x} and {b} has {y}. Who has more?",
                                   "{a} has {x} {noun} and {b} has {y} {noun}. Tell me who has more."},
                                  {"{a} has {x} {noun}, {b} has {y}. Who has more {noun}?"}};
  const std::vector<std::string> people = PickNouns(Topic::kPerson, 2, 6, rng, split);
  const std::string_view noun = rng.Pick<std::string_view>({"apples", "books", "balls", "cards", "coins", "shells"});
  const int64_t x = rng.Int(2, 12);
  int64_t y = rng.Int(2, 12);
  if (x == y) y = x + 1;
  return Make("story-more",
              Say(kWordings, rng, split,
                  {{"a", people[0]}, {"b", people[1]}, {"x", StrCat(x)}, {"y", StrCat(y)}, {"noun", noun}}),
              people[x > y ? 0 : 1]);
}

Exchange Relation(Rng& rng, Split split) {
  static const Wordings kWordings{{"The {a} is {where} the {b}. What is {where} the {b}?",
                                   "The {a} is {where} the {b}. Which thing is {where} the {b}?",
                                   "See, the {a} is {where} the {b}. So what is {where} the {b}?",
                                   "There is {an_a} {where} the {b}. Which thing is {where} the {b}?",
                                   "The {a} is {where} the {b}. Name the thing {where} the {b}."},
                                  {"There is {an_a} {where} the {b}. What is {where} the {b}?"}};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 2> kOpposites = {
      {{"above", "below"}, {"left of", "right of"}}};
  static const Wordings kOpposite{{"The {a} is {where} the {b}. Is the {b} {other} the {a}?",
                                   "The {a} lies {where} the {b}. Is the {b} {other} the {a}?",
                                   "There is {an_a}. It is {where} the {b}. Is the {b} {other} the {a}?",
                                   "The {a} is {where} the {b}. Tell me if the {b} is {other} the {a}."},
                                  {"There is {an_a} {where} the {b}. Is the {b} {other} the {a}?"}};
  const std::vector<std::string> nouns =
      PickNouns(rng.Pick({Topic::kAnimal, Topic::kToy, Topic::kTool}), 2, 8, rng, split);
  const auto& [one, two] = rng.Pick(kOpposites);
  const std::string_view where = rng.Chance(0.5) ? one : two;
  if (rng.Chance(0.5)) {
    return Make("relation",
                Say(kWordings, rng, split,
                    {{"a", nouns[0]}, {"an_a", WithArticle(nouns[0])}, {"b", nouns[1]}, {"where", where}}),
                nouns[0]);
  }
  const bool yes = rng.Chance(0.5);
  const std::string_view opposite = where == one ? two : one;
  return Make("relation-back",
              Say(kOpposite, rng, split,
                  {{"a", nouns[0]},
                   {"an_a", WithArticle(nouns[0])},
                   {"b", nouns[1]},
                   {"where", where},
                   {"other", yes ? opposite : where}}),
              std::string(YesNo(yes)));
}

Exchange ThingColour(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What colour is {thing}?", "Which colour does {thing} have?", "What colour does {thing} have?",
       "Tell me the colour of {thing}.", "{thing} has which colour?"},
      {"Which colour is {thing}?"}};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 14> kThings = {{{"grass", "green"},
                                                                                             {"snow", "white"},
                                                                                             {"milk", "white"},
                                                                                             {"coal", "black"},
                                                                                             {"a lemon", "yellow"},
                                                                                             {"a banana", "yellow"},
                                                                                             {"the sky", "blue"},
                                                                                             {"a carrot", "orange"},
                                                                                             {"blood", "red"},
                                                                                             {"chocolate", "brown"},
                                                                                             {"the night", "black"},
                                                                                             {"a leaf", "green"},
                                                                                             {"a crow", "black"},
                                                                                             {"a fire truck", "red"}}};
  const auto& [thing, colour] = rng.Pick(kThings);
  return Make("thing-colour", Say(kWordings, rng, split, {{"thing", thing}}), std::string(colour));
}

Exchange Opposite(Rng& rng, Split split) {
  static const Wordings kWordings{
      {"What is the opposite of {word}?", "Say the opposite of {word}.", "Tell me the opposite of {word}.",
       "What word is the opposite of {word}?", "Which is the opposite of {word}?", "Name the opposite of {word}."},
      {"Which word is the opposite of {word}?"}};
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 16> kPairs = {{{"big", "small"},
                                                                                            {"up", "down"},
                                                                                            {"left", "right"},
                                                                                            {"hot", "cold"},
                                                                                            {"day", "night"},
                                                                                            {"open", "closed"},
                                                                                            {"yes", "no"},
                                                                                            {"first", "last"},
                                                                                            {"above", "below"},
                                                                                            {"fast", "slow"},
                                                                                            {"old", "new"},
                                                                                            {"long", "short"},
                                                                                            {"more", "less"},
                                                                                            {"full", "empty"},
                                                                                            {"in", "out"},
                                                                                            {"wet", "dry"}}};
  const auto& [one, other] = rng.Pick(kPairs);
  const bool forward = rng.Chance(0.5);
  return Make("opposite", Say(kWordings, rng, split, {{"word", forward ? one : other}}),
              std::string(forward ? other : one));
}

// A rule shown by examples.
Exchange Examples(Rng& rng, Split split) {
  // Held-out answers are compared without regard to case.
  const int64_t rule = split == Split::kHeldout ? rng.Pick({0, 1, 3, 4}) : rng.Int(0, 4);
  const auto apply = [&](const std::string& word) -> std::string {
    switch (rule) {
      case 0:
        return std::string(1, word.front());
      case 1:
        return std::string(1, word.back());
      case 2:
        return Capitalised(word);
      case 3:
        return StrCat(word.size());
      default:
        return StrCat(word, " ", word);
    }
  };
  const std::vector<std::string> words =
      SomeWords(rng, split, static_cast<size_t>(rng.Int(3, split == Split::kHeldout ? 5 : 4)));
  std::string question;
  for (size_t i = 0; i + 1 < words.size(); ++i) question += StrCat(words[i], " -> ", apply(words[i]), "\n");
  question += StrCat(words.back(), " ->");
  return Make("examples", std::move(question), apply(words.back()));
}

// Answers are compared without regard to case, so that held-out questions are not about it.
const Lesson& Pick(Rng& rng, Split split) {
  for (;;) {
    const Lesson& lesson = rng.Pick(Lessons());
    if (split == Split::kTrain || lesson.ask != ChangeCase) return lesson;
  }
}

class Text : public Task {
 public:
  std::string_view name() const override { return "text"; }
  Sample Draw(Rng& rng, Split split) const override {
    Sample sample;
    sample.form = Form::kText;
    const int64_t count = rng.Int(3, 5);
    for (int64_t i = 0; i < count; ++i) sample.exchanges.push_back(Pick(rng, split).ask(rng, split));
    return sample;
  }
};

}  // namespace

std::span<const Lesson> Lessons() {
  static constexpr std::array<Lesson, 27> kLessons = {{{"add", Add},
                                                       {"subtract", Subtract},
                                                       {"multiply", Multiply},
                                                       {"compare", Larger},
                                                       {"more", More},
                                                       {"sort", Sort},
                                                       {"copy", Copy},
                                                       {"spell", Spell},
                                                       {"unspell", Unspell},
                                                       {"letter-count", CountLetters},
                                                       {"end-letter", EndLetter},
                                                       {"list", PlaceInList},
                                                       {"word-count", CountWords},
                                                       {"is-kind", IsKind},
                                                       {"kind", WhatKind},
                                                       {"odd-one", OddOneOut},
                                                       {"pattern", NumberPattern},
                                                       {"alternate", AlternatingPattern},
                                                       {"calendar", NextDay},
                                                       {"case", ChangeCase},
                                                       {"number-name", NumberNames},
                                                       {"story", Story},
                                                       {"story-more", StoryCount},
                                                       {"relation", Relation},
                                                       {"thing-colour", ThingColour},
                                                       {"opposite", Opposite},
                                                       {"examples", Examples}}};
  return kLessons;
}

bool IsHeldoutSum(int64_t a, int64_t b) {
  constexpr uint64_t kSlice = 8;
  return MixSeed(0x73756d, "", static_cast<uint64_t>(std::min(a, b) * 1000 + std::max(a, b))) % kSlice == 0;
}

TaskOr MakeText(const Assets& /*assets*/) { return std::unique_ptr<const Task>(std::make_unique<Text>()); }

}  // namespace galago::world

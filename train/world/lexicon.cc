#include "train/world/lexicon.h"

#include <algorithm>
#include <array>

#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::world {
namespace {

constexpr size_t kLongest = 9;
constexpr size_t kKnownLongest = 8;

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

// Words by number of letters and slice.
struct Slices {
  std::array<std::vector<std::string_view>, kLongest + 1> known;
  std::array<std::vector<std::string_view>, kLongest + 1> heldout;
};

const Slices& LexiconSlices() {
  static const Slices kSlices = [] {
    Slices slices;
    for (const std::string_view word : Lexicon()) {
      (IsHeldoutWord(word) ? slices.heldout : slices.known)[word.size()].push_back(word);
    }
    return slices;
  }();
  return kSlices;
}

std::string Syllable(Rng& rng) {
  static constexpr std::array<std::string_view, 32> kOnsets = {
      "b", "c", "d", "f", "g", "h",  "j",  "k",  "l",  "m",  "n",  "p",  "qu", "r",  "s",  "t",
      "v", "w", "x", "y", "z", "br", "cl", "dr", "fl", "gr", "pl", "sh", "st", "th", "tr", "ch"};
  static constexpr std::array<std::string_view, 10> kVowels = {"a", "e", "i", "o", "u", "a", "e", "o", "ee", "ai"};
  static constexpr std::array<std::string_view, 20> kCodas = {"",  "",  "",  "",  "n", "r", "t", "l",  "s",  "m",
                                                              "p", "k", "d", "g", "b", "x", "z", "ck", "nd", "sk"};
  std::string text(rng.Pick(kOnsets));
  text += rng.Pick(kVowels);
  text += rng.Pick(kCodas);
  return text;
}

}  // namespace

std::span<const std::string_view> Lexicon() {
  static const std::vector<std::string_view> kWords = [] {
    std::vector<std::string_view> words;
    const std::string_view text = LexiconText();
    for (size_t begin = 0; begin < text.size();) {
      const size_t end = std::min(text.find(' ', begin), text.size());
      words.push_back(text.substr(begin, end - begin));
      begin = end + 1;
    }
    return words;
  }();
  return kWords;
}

bool IsHeldoutWord(std::string_view lower_case_word) {
  if (lower_case_word.size() > kKnownLongest) return true;
  constexpr uint64_t kSlice = 8;
  return MixSeed(0x6c65786963, lower_case_word, 0) % kSlice == 0;
}

std::string_view PickWord(Rng& rng, Split split, size_t min_letters, size_t max_letters) {
  const Slices& slices = LexiconSlices();
  const bool heldout = split == Split::kHeldout && rng.Chance(0.5);
  const size_t longest = std::min(max_letters, heldout ? kLongest : kKnownLongest);
  const auto letters =
      static_cast<size_t>(rng.Int(static_cast<int64_t>(std::min(min_letters, longest)), static_cast<int64_t>(longest)));
  return rng.Pick(heldout ? slices.heldout[letters] : slices.known[letters]);
}

std::string InventWord(Rng& rng, size_t min_letters, size_t max_letters) {
  const std::span<const std::string_view> lexicon = Lexicon();
  for (;;) {
    const auto letters =
        static_cast<size_t>(rng.Int(static_cast<int64_t>(min_letters), static_cast<int64_t>(max_letters)));
    std::string word;
    while (word.size() < letters) word += Syllable(rng);
    word.resize(letters);
    if (!std::binary_search(lexicon.begin(), lexicon.end(), std::string_view(word))) return word;
  }
}

std::span<const std::string_view> Nouns(Topic topic) {
  using Name = std::string_view;
  static constexpr std::array<Name, 24> kFruit = {"apple",  "pear",   "plum",   "peach",   "grape",   "lemon",
                                                  "lime",   "mango",  "melon",  "orange",  "banana",  "cherry",
                                                  "fig",    "kiwi",   "berry",  "lychee",  "guava",   "olive",
                                                  "papaya", "pomelo", "quince", "coconut", "apricot", "currant"};
  static constexpr std::array<Name, 24> kVegetable = {"carrot",   "potato",  "onion",  "tomato",  "pea",     "bean",
                                                      "corn",     "leek",    "beet",   "kale",    "garlic",  "celery",
                                                      "pepper",   "radish",  "turnip", "cabbage", "squash",  "chard",
                                                      "broccoli", "spinach", "lentil", "lettuce", "parsnip", "pumpkin"};
  static constexpr std::array<Name, 28> kFood = {"bread",  "rice",  "soup",  "cake",   "pie",   "egg",    "cheese",
                                                 "butter", "honey", "jam",   "salt",   "sugar", "flour",  "pasta",
                                                 "pizza",  "salad", "toast", "bun",    "bagel", "cookie", "muffin",
                                                 "waffle", "candy", "nuts",  "noodle", "fish",  "taco",   "yogurt"};
  static constexpr std::array<Name, 16> kDrink = {"milk",  "tea",   "juice", "water", "coffee", "cocoa",
                                                  "soda",  "cola",  "cider", "punch", "shake",  "broth",
                                                  "latte", "mocha", "tonic", "malt"};
  static constexpr std::array<Name, 36> kAnimal = {
      "cat",  "dog",  "cow",   "pig",  "horse", "sheep", "goat",  "duck",  "hen",   "goose", "mouse", "rat",
      "fox",  "wolf", "bear",  "lion", "tiger", "zebra", "camel", "deer",  "moose", "seal",  "whale", "shark",
      "frog", "toad", "snake", "bee",  "ant",   "owl",   "crow",  "eagle", "swan",  "panda", "koala", "rabbit"};
  static constexpr std::array<Name, 20> kTool = {"hammer", "saw",   "drill", "nail",  "screw", "rope",   "shovel",
                                                 "rake",   "axe",   "file",  "knife", "brush", "bucket", "ladder",
                                                 "wrench", "clamp", "level", "tape",  "glue",  "chisel"};
  static constexpr std::array<Name, 20> kToy = {"ball",   "doll",   "kite",  "robot",   "train",   "puzzle", "block",
                                                "jigsaw", "puppet", "top",   "yoyo",    "whistle", "marble", "teddy",
                                                "castle", "swing",  "slide", "balloon", "crayon",  "dice"};
  static constexpr std::array<Name, 22> kClothing = {
      "hat",  "cap", "coat",   "shirt",   "sock", "shoe",  "boot",   "glove", "scarf", "dress", "skirt",
      "belt", "tie", "jacket", "sweater", "vest", "jeans", "sandal", "hood",  "apron", "robe",  "mitten"};
  static constexpr std::array<Name, 20> kVehicle = {"car",  "bus",   "truck", "train",   "plane",   "boat",  "ship",
                                                    "bike", "van",   "taxi",  "tram",    "ferry",   "canoe", "rocket",
                                                    "sled", "wagon", "jeep",  "scooter", "tractor", "kayak"};
  static constexpr std::array<Name, 16> kInstrument = {"drum", "flute",  "harp",  "piano", "violin", "guitar",
                                                       "horn", "cello",  "tuba",  "banjo", "organ",  "trumpet",
                                                       "bell", "fiddle", "viola", "lute"};
  static constexpr std::array<Name, 18> kSport = {"golf",    "tennis", "soccer",  "rugby",  "chess",   "judo",
                                                  "rowing",  "hockey", "skiing",  "boxing", "polo",    "karate",
                                                  "surfing", "darts",  "cricket", "diving", "running", "fencing"};
  static constexpr std::array<Name, 16> kFlower = {"rose",  "tulip",  "daisy",  "lily",  "iris",  "poppy",
                                                   "pansy", "orchid", "violet", "lotus", "aster", "peony",
                                                   "lilac", "clover", "dahlia", "fern"};
  static constexpr std::array<Name, 56> kPerson = {
      "Anna",  "Ben",   "Carl",  "Dana",  "Emma",  "Finn",  "Gina",  "Hugo",  "Ivy",  "Jack", "Kate", "Leo",
      "Mia",   "Noah",  "Olga",  "Paul",  "Rosa",  "Sam",   "Tina",  "Uma",   "Vera", "Will", "Yara", "Zoe",
      "Adam",  "Beth",  "Cora",  "Dave",  "Eric",  "Fred",  "Greta", "Hana",  "Jane", "Kurt", "Lucy", "Mark",
      "Nina",  "Omar",  "Pia",   "Ray",   "Sara",  "Tom",   "Vik",   "Wendy", "Max",  "Lena", "Amir", "Clara",
      "Felix", "Grace", "Henry", "Laura", "Maria", "Oscar", "Peter", "Simon"};
  static constexpr std::array<Name, 32> kCity = {
      "Oslo",  "Rome",  "Paris", "Lima",  "Cairo",  "Delhi", "Tokyo",  "Bern",   "Riga",   "Kyiv",  "Miami",
      "Perth", "Quito", "Seoul", "Turin", "Vienna", "York",  "Bath",   "Dover",  "Genoa",  "Hanoi", "Izmir",
      "Leeds", "Milan", "Nice",  "Porto", "Sofia",  "Tunis", "Berlin", "London", "Madrid", "Dublin"};
  static constexpr std::array<Name, 7> kDay = {"Monday", "Tuesday",  "Wednesday", "Thursday",
                                               "Friday", "Saturday", "Sunday"};
  static constexpr std::array<Name, 12> kMonth = {"January",   "February", "March",    "April",
                                                  "May",       "June",     "July",     "August",
                                                  "September", "October",  "November", "December"};
  switch (topic) {
    case Topic::kFruit:
      return kFruit;
    case Topic::kVegetable:
      return kVegetable;
    case Topic::kFood:
      return kFood;
    case Topic::kDrink:
      return kDrink;
    case Topic::kAnimal:
      return kAnimal;
    case Topic::kTool:
      return kTool;
    case Topic::kToy:
      return kToy;
    case Topic::kClothing:
      return kClothing;
    case Topic::kVehicle:
      return kVehicle;
    case Topic::kInstrument:
      return kInstrument;
    case Topic::kSport:
      return kSport;
    case Topic::kFlower:
      return kFlower;
    case Topic::kPerson:
      return kPerson;
    case Topic::kCity:
      return kCity;
    case Topic::kDay:
      return kDay;
    case Topic::kMonth:
      return kMonth;
  }
  CHECK(false);
  return {};
}

std::vector<std::string_view> NounsOf(Topic topic, Split split) {
  std::vector<std::string_view> nouns;
  const bool open = topic == Topic::kDay || topic == Topic::kMonth;
  for (const std::string_view noun : Nouns(topic)) {
    if (open || split == Split::kHeldout || !IsHeldoutWord(Lower(noun))) nouns.push_back(noun);
  }
  return nouns;
}

std::vector<std::string> PickNouns(Topic topic, size_t count, size_t max_letters, Rng& rng, Split split) {
  std::vector<std::string_view> nouns = NounsOf(topic, split);
  std::erase_if(nouns, [&](std::string_view noun) { return noun.size() > max_letters; });
  rng.Shuffle(nouns);
  if (split == Split::kHeldout) {
    const auto heldout =
        std::find_if(nouns.begin(), nouns.end(), [](std::string_view noun) { return IsHeldoutWord(Lower(noun)); });
    if (heldout != nouns.end()) std::iter_swap(nouns.begin(), heldout);
  }
  if (nouns.size() > count) nouns.resize(count);
  rng.Shuffle(nouns);
  return {nouns.begin(), nouns.end()};
}

}  // namespace galago::world

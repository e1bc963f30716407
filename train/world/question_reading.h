#ifndef GALAGO_TRAIN_WORLD_QUESTION_READING_H_
#define GALAGO_TRAIN_WORLD_QUESTION_READING_H_

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "train/world/palette.h"
#include "train/world/sample.h"
#include "train/world/scene.h"
#include "train/world/shapes.h"

// For tests: reads questions as a person would, word by word, without knowing how they were made.
namespace galago::world::testing {

// Lower-case words without punctuation.
inline std::vector<std::string> WordsOf(std::string_view text) {
  std::vector<std::string> words;
  std::string word;
  for (const char c : text) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '<' || c == '>') {
      word += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    } else if (!word.empty()) {
      words.push_back(std::exchange(word, {}));
    }
  }
  if (!word.empty()) words.push_back(word);
  return words;
}

inline std::optional<size_t> ColourNamed(std::string_view word) {
  for (size_t i = 0; i < Palette().size(); ++i) {
    if (Palette()[i].name == word) return i;
  }
  return std::nullopt;
}
inline std::optional<size_t> ShapeNamed(std::string_view word) {
  for (size_t i = 0; i < Shapes().size(); ++i) {
    if (Shapes()[i].one == word || Shapes()[i].many == word) return i;
  }
  return std::nullopt;
}
inline std::optional<Material> MaterialNamed(std::string_view word) {
  for (size_t i = 0; i < kMaterials; ++i) {
    if (Name(static_cast<Material>(i)) == word) return static_cast<Material>(i);
  }
  return std::nullopt;
}

struct Reading {
  std::vector<Description> mentions;  // in order: every run of attribute words that ends in a noun
  std::string skeleton;               // the words around them, each mention as "#"
  std::vector<std::string> words;

  bool Has(std::string_view word) const { return std::find(words.begin(), words.end(), word) != words.end(); }
};

inline Reading Read(std::string_view question) {
  Reading reading;
  reading.words = WordsOf(question);
  Description current;
  std::string pending;  // attribute words so far, should no noun follow
  for (const std::string& word : reading.words) {
    const auto shape = ShapeNamed(word);
    if (shape || word == "thing" || word == "things") {
      if (shape) current.shape = shape;
      reading.mentions.push_back(current);
      reading.skeleton += " #";
      current = {};
      pending.clear();
    } else if (const auto colour = ColourNamed(word)) {
      current.colour = colour;
      pending += " " + word;
    } else if (const auto material = MaterialNamed(word)) {
      current.material = material;
      pending += " " + word;
    } else if (word == "big" || word == "small") {
      current.big = word == "big";
      pending += " " + word;
    } else {
      reading.skeleton += pending + " " + word;
      current = {};
      pending.clear();
    }
  }
  reading.skeleton += pending;
  return reading;
}

// The only thing that fits; nullptr if none or several do.
inline const Thing* TheOne(const Scene& scene, const Description& description) {
  const Thing* found = nullptr;
  for (const Thing& thing : scene.things) {
    if (!description.Fits(thing)) continue;
    if (found != nullptr) return nullptr;
    found = &thing;
  }
  return found;
}

// "a, b, c"
inline std::vector<std::string> Parts(std::string_view list) {
  std::vector<std::string> parts;
  for (;;) {
    const size_t comma = list.find(", ");
    parts.emplace_back(list.substr(0, comma));
    if (comma == std::string_view::npos) return parts;
    list.remove_prefix(comma + 2);
  }
}

// What a question of lists.h asks for, with its answers; as many of the one as of the other.
inline std::vector<std::pair<std::string, std::string>> ReadList(const Exchange& exchange) {
  std::string_view names = exchange.question;
  names.remove_prefix(names.find(": ") + 2);
  names.remove_suffix(1);
  const std::vector<std::string> asked = Parts(names);
  const std::vector<std::string> answers = Parts(exchange.answer);
  EXPECT_GE(asked.size(), 2U) << exchange.question;
  EXPECT_EQ(asked.size(), answers.size()) << exchange.question << " " << exchange.answer;
  std::vector<std::pair<std::string, std::string>> items;
  for (size_t i = 0; i < std::min(asked.size(), answers.size()); ++i) items.emplace_back(asked[i], answers[i]);
  return items;
}

}  // namespace galago::world::testing

#endif  // GALAGO_TRAIN_WORLD_QUESTION_READING_H_

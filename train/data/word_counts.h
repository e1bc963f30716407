#ifndef GALAGO_TRAIN_DATA_WORD_COUNTS_H_
#define GALAGO_TRAIN_DATA_WORD_COUNTS_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "galago/status.h"
#include "src/text/pre_tokenizer.h"

// What a tokenizer is trained on: how often each word occurs, a word being what Qwen2's pre-tokenizer cuts (" circle",
// "circle" and "?" are three words; every digit is one).
namespace galago::train {

using WordCounts = std::map<std::string, int64_t, std::less<>>;

class WordCounter {
 public:
  static StatusOr<WordCounter> Make();
  // Adds the words of `text`, in Unicode's composed form.
  Status Add(std::string_view text, WordCounts& counts) const;

 private:
  explicit WordCounter(text::PreTokenizer splitter) : splitter_(std::move(splitter)) {}
  text::PreTokenizer splitter_;
};

// How much of a text repeats what a picture shows, which says nothing about the language of the rest.
enum class Quotes { kNone, kSome, kAll };

// Texts of one origin: the questions of a task, its answers, a file.
struct TextGroup {
  std::string name;
  WordCounts counts;
  Quotes quotes = Quotes::kNone;
  int64_t total() const;
};

struct WordChoice {
  // A word becomes a token of its own if it makes at least this share of the words of a group that quotes nothing, or
  // ten times as much of one that quotes some ...
  double min_share = 1.0 / 5000.0;
  int64_t max_words = 1000;  // ... and is among the most frequent so many
};

// Those words, most frequent first, ties by bytes. Words of one byte are left out: they are tokens anyway. Everything
// else is spelled letter by letter: a small model learns to read the letters of a picture far sooner than the pieces
// that byte-pair merges would cut them into, and reads words it has never seen.
std::vector<std::string> ChooseWords(const std::vector<TextGroup>& groups, const WordChoice& choice);

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_WORD_COUNTS_H_

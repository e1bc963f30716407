#include "train/world/reading.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <optional>
#include <utility>

#include "src/base/strings.h"
#include "train/world/fonts.h"
#include "train/world/lexicon.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"

namespace galago::world {
namespace {

constexpr double kPi = std::numbers::pi;
constexpr double kSide = 112.0;

enum class Case { kLower, kCapitalised, kUpper };

Case PickCase(Rng& rng) { return rng.Pick({Case::kLower, Case::kLower, Case::kCapitalised, Case::kUpper}); }

// Nobody can tell "cow" from "COW" when nothing else gives the size, nor "Iris" from "lris" in many fonts.
std::string InCase(std::string_view word, Case letters) {
  const bool alike = word.find_first_not_of("cosuvwxz") == std::string_view::npos;
  if (alike && letters != Case::kCapitalised) letters = Case::kCapitalised;
  if (word.front() == 'i' && letters == Case::kCapitalised) letters = Case::kUpper;
  if (letters == Case::kUpper) return Upper(word);
  return letters == Case::kCapitalised ? Capitalised(word) : std::string(word);
}

std::string PlainWord(Rng& rng, Split split, size_t min_letters, size_t max_letters) {
  const double invented = split == Split::kTrain ? 0.3 : 0.15;
  if (rng.Chance(invented)) return InventWord(rng, min_letters, std::min<size_t>(max_letters, 8));
  return std::string(PickWord(rng, split, min_letters, max_letters));
}

std::string Digits(Rng& rng, int64_t count) {
  std::string text;
  for (int64_t i = 0; i < count; ++i) text += static_cast<char>('0' + rng.Int(i == 0 ? 1 : 0, 9));
  return text;
}

// Numbers, prices, times and codes. Letters that look like digits (I, O, Q) stay out of codes.
std::string Code(Rng& rng, Split split) {
  constexpr std::string_view kLetters = "ABCDEFGHJKLMNPRSTUVWXYZ";
  const auto letters = [&](int64_t count) {
    std::string text;
    for (int64_t i = 0; i < count; ++i) {
      text += kLetters[static_cast<size_t>(rng.Int(0, static_cast<int64_t>(kLetters.size()) - 1))];
    }
    return text;
  };
  switch (rng.Int(0, 7)) {
    case 0:
      return StrCat("$", rng.Int(1, 99));
    case 1:
      return StrCat("$", rng.Int(1, 19), ".", rng.Pick({"25", "50", "75", "99", "10", "80"}));
    case 2: {
      const int64_t minute = rng.Int(0, 11) * 5;
      return StrCat(rng.Int(1, 23), ":", minute < 10 ? "0" : "", minute);
    }
    case 3: {
      std::string text = letters(rng.Int(1, 2));
      return text + Digits(rng, rng.Int(1, 3));
    }
    case 4:
      return StrCat(rng.Int(1, 100), "%");
    default:
      return Digits(rng, rng.Int(1, split == Split::kTrain ? 5 : 6));
  }
}

struct Colours {
  std::string_view paper_name;
  Ink paper;
  std::string_view ink_name;
  Ink ink;
};

// Text that can be read on its paper; `named`: the paper is a plain colour of the palette.
Colours PickColours(Rng& rng, Split split, bool named) {
  const bool want_heldout = split == Split::kHeldout && rng.Chance(0.5);
  for (;;) {
    const Paint& paper = rng.Pick(Palette());
    const Paint& ink = rng.Pick(Palette());
    const bool heldout = IsHeldoutPair(paper.name, ink.name);
    if (split == Split::kTrain ? heldout : want_heldout != heldout) continue;
    Colours colours{named ? paper.name : std::string_view(), Vary(paper.ink, rng), ink.name, Vary(ink.ink, rng)};
    if (!named) colours.paper = Lighter(colours.paper, rng.Chance(0.75) ? rng.Uniform(0.5, 0.85) : -0.6);
    if (Readable(colours.ink, colours.paper)) return colours;
  }
}

// The part of a sign's box that is free for text, as fractions of the box: centre and size.
struct Interior {
  double x = 0.5, y = 0.5, width = 0.92, height = 0.88;
};
Interior InteriorOf(SignShape shape) {
  switch (shape) {
    case SignShape::kBare:
      return {0.5, 0.5, 1.0, 1.0};
    case SignShape::kRectangle:
    case SignShape::kRounded:
      return {};
    case SignShape::kEllipse:
      return {0.5, 0.5, 0.8, 0.66};
    case SignShape::kArrow:
      return {0.44, 0.5, 0.8, 0.66};
    case SignShape::kBanner:
      return {0.5, 0.5, 0.78, 0.84};
    case SignShape::kTag:
      return {0.56, 0.5, 0.76, 0.84};
    case SignShape::kHexagon:
      return {0.5, 0.5, 0.8, 0.84};
  }
  return {};
}

SignShape PickShape(Rng& rng, Split split) {
  if (split == Split::kHeldout && rng.Chance(0.3)) return rng.Pick({SignShape::kTag, SignShape::kHexagon});
  return rng.Pick({SignShape::kRectangle, SignShape::kRectangle, SignShape::kRounded, SignShape::kRounded,
                   SignShape::kEllipse, SignShape::kArrow, SignShape::kBanner});
}

std::string RowText(const std::vector<std::string>& row) {
  std::string text;
  for (const std::string& word : row) text += text.empty() ? word : StrCat(" ", word);
  return text;
}

constexpr double kRowPitch = 0.92;   // rows of capitals and small letters stand a little closer than Pango sets them
constexpr double kGlyphShare = 0.8;  // of a row's height that has ink in it

// Largest size at which the turned text fills `fill` of the interior's width and stays inside its height.
double FittingSize(const Sign& sign, double fill, const Canvas& canvas) {
  constexpr double kProbe = 40.0;
  TextStyle style = sign.style;
  style.size = kProbe;
  double width = 0;
  double height = 0;
  for (const auto& row : sign.rows) {
    const Extent extent = canvas.Measure(RowText(row), style);
    width = std::max(width, extent.width);
    height = extent.height;
  }
  const auto rows = static_cast<double>(sign.rows.size());
  const double block = height * (kGlyphShare + kRowPitch * (rows - 1));
  const Interior interior = InteriorOf(sign.shape);
  // The paper of a sign turns with its text.
  const double angle = sign.shape == SignShape::kBare ? std::abs(sign.radians) : 0.0;
  const double across = width * std::cos(angle) + block * std::sin(angle) + block * std::abs(sign.shear);
  const double down = width * std::sin(angle) + block * std::cos(angle);
  const double scale = std::min(sign.width * interior.width * fill / across, sign.height * interior.height / down);
  // Few sizes: opening a font at one more takes a millisecond, and memory.
  const double size = std::min(kProbe * scale, 64.0);
  const double grid = size < 24 ? 1 : size < 40 ? 2 : 4;
  return std::floor(size / grid) * grid;
}

void LookOf(Sign& sign, double difficulty, Rng& rng, Split split, bool named) {
  const Colours colours = PickColours(rng, split, named && sign.shape != SignShape::kBare);
  if (sign.shape != SignShape::kBare) sign.paper_name = colours.paper_name;
  sign.paper = colours.paper;
  sign.ink_name = colours.ink_name;
  sign.style.family = rng.Pick(Fonts(split)).family;
  sign.style.bold = rng.Chance(0.4);
  sign.style.italic = rng.Chance(0.12);
  sign.style.ink = colours.ink;
  const double widest = sign.shape == SignShape::kBare ? 15.0 : 9.0;
  if (rng.Chance(0.55)) sign.radians = rng.Uniform(-1, 1) * widest * difficulty * kPi / 180;
  if (rng.Chance(0.15)) sign.shear = rng.Uniform(-0.2, 0.2) * difficulty;
  sign.shadow = rng.Chance(0.12);
}

std::vector<std::vector<std::string>> RowsOf(std::vector<std::string> words, size_t first_row) {
  std::vector<std::vector<std::string>> rows(1);
  for (std::string& word : words) {
    if (rows.back().size() == first_row) rows.emplace_back();
    rows.back().push_back(std::move(word));
  }
  return rows;
}

void PlanWord(Board& board, Sign& sign, Rng& rng, Split split) {
  // Short words are the most frequent; training ends at eight letters.
  const auto letters = static_cast<size_t>(rng.Pick({3, 3, 3, 4, 4, 4, 4, 5, 5, 5, 5, 6, 6, 6, 7, 8}));
  const size_t most = split == Split::kHeldout && letters == 8 ? 9 : letters;
  const std::string word = PlainWord(rng, split, letters, most);
  sign.rows = {{InCase(word, PickCase(rng))}};
  const double wide = word.size() >= 8 ? 0.9 : word.size() == 7 ? 0.6 : word.size() == 6 ? 0.15 : 0.0;
  if (rng.Chance(wide)) board.width = 224;
}

void PlanLines(Board& board, Sign& sign, Rng& rng, Split split) {
  const Case letters = PickCase(rng);
  const auto words = [&](int64_t count, size_t max_letters) {
    std::vector<std::string> list;
    for (int64_t i = 0; i < count; ++i) list.push_back(InCase(PlainWord(rng, split, 3, max_letters), letters));
    return list;
  };
  if (rng.Chance(0.65)) {  // one short word a row
    sign.rows = RowsOf(words(split == Split::kHeldout && rng.Chance(0.2) ? 3 : 2, 5), 1);
    return;
  }
  board.width = 224;
  const int64_t count = rng.Int(2, split == Split::kHeldout ? 5 : 4);
  if (count == 2) {
    sign.rows = RowsOf(words(2, 6), 2);
  } else {
    sign.rows = RowsOf(words(count, 5), static_cast<size_t>((count + 1) / 2));
  }
}

void PlanTwoSigns(Board& board, Rng& rng, Split split) {
  const bool beside = rng.Chance(0.3);
  if (beside) board.width = 224;
  const double difficulty = rng.Uniform() * rng.Uniform();
  const bool want_heldout = split == Split::kHeldout && rng.Chance(0.5);
  const SignShape shape = PickShape(rng, split);
  for (;;) {
    board.signs.clear();
    for (int64_t i = 0; i < 2; ++i) {
      Sign sign;
      sign.shape = shape;
      LookOf(sign, difficulty, rng, split, /*named=*/true);
      sign.radians /= 2;
      const double margin = rng.Uniform(2, 5);
      sign.x = (beside && i == 1 ? kSide : 0.0) + margin;
      sign.y = !beside && i == 1 ? kSide / 2 + 2 : beside ? rng.Uniform(8, 24) : 2;
      sign.width = kSide - 2 * margin;
      sign.height = beside ? rng.Uniform(60, 80) : kSide / 2 - 4;
      board.signs.push_back(std::move(sign));
    }
    const Sign& first = board.signs[0];
    const Sign& second = board.signs[1];
    if (Distance(first.paper, second.paper) < 0.25) continue;
    const bool heldout = IsHeldoutPair(first.paper_name, second.paper_name);
    if (split == Split::kTrain ? !heldout : want_heldout == heldout) break;
  }
  const size_t most = beside ? 6 : 5;
  while (board.signs[0].rows == board.signs[1].rows) {
    for (Sign& sign : board.signs) sign.rows = {{InCase(PlainWord(rng, split, 3, most), PickCase(rng))}};
  }
}

// ---------------------------------------------------------------------------------------------------------------------

void SignPath(cairo_t* cairo, const Sign& sign) {
  const double w = sign.width / 2;
  const double h = sign.height / 2;
  const auto polygon = [&](std::initializer_list<std::pair<double, double>> points) {
    for (const auto& [x, y] : points) cairo_line_to(cairo, x * w, y * h);
    cairo_close_path(cairo);
  };
  cairo_new_path(cairo);
  switch (sign.shape) {
    case SignShape::kBare:
      break;
    case SignShape::kRectangle:
      cairo_rectangle(cairo, -w, -h, 2 * w, 2 * h);
      break;
    case SignShape::kRounded: {
      const double r = std::min(w, h) * 0.35;
      cairo_arc(cairo, w - r, -h + r, r, -kPi / 2, 0);
      cairo_arc(cairo, w - r, h - r, r, 0, kPi / 2);
      cairo_arc(cairo, -w + r, h - r, r, kPi / 2, kPi);
      cairo_arc(cairo, -w + r, -h + r, r, kPi, 1.5 * kPi);
      cairo_close_path(cairo);
      break;
    }
    case SignShape::kEllipse:
      cairo_save(cairo);
      cairo_scale(cairo, w, h);
      cairo_arc(cairo, 0, 0, 1, 0, 2 * kPi);
      cairo_restore(cairo);
      break;
    case SignShape::kArrow:
      polygon({{-1, -0.72}, {0.66, -0.72}, {0.66, -1}, {1, 0}, {0.66, 1}, {0.66, 0.72}, {-1, 0.72}});
      break;
    case SignShape::kBanner:
      polygon({{-1, -1}, {1, -1}, {0.84, 0}, {1, 1}, {-1, 1}, {-0.84, 0}});
      break;
    case SignShape::kTag:
      polygon({{-1, 0}, {-0.7, -1}, {1, -1}, {1, 1}, {-0.7, 1}});
      break;
    case SignShape::kHexagon:
      polygon({{-1, 0}, {-0.8, -1}, {0.8, -1}, {1, 0}, {0.8, 1}, {-0.8, 1}});
      break;
  }
}

void PaintSign(const Canvas& canvas, const Sign& sign) {
  cairo_t* cairo = canvas.cairo();
  cairo_save(cairo);
  cairo_translate(cairo, sign.x + sign.width / 2, sign.y + sign.height / 2);
  cairo_rotate(cairo, sign.radians);
  if (sign.shape != SignShape::kBare) {
    SignPath(cairo, sign);
    canvas.SetInk(sign.paper);
    cairo_fill_preserve(cairo);
    canvas.SetInk(sign.style.ink);
    cairo_set_line_width(cairo, 1.5);
    cairo_stroke(cairo);
  }
  const Interior interior = InteriorOf(sign.shape);
  cairo_translate(cairo, (interior.x - 0.5) * sign.width, (interior.y - 0.5) * sign.height);
  cairo_matrix_t shear;
  cairo_matrix_init(&shear, 1, 0, sign.shear, 1, 0, 0);
  cairo_transform(cairo, &shear);
  const auto rows = static_cast<double>(sign.rows.size());
  for (size_t i = 0; i < sign.rows.size(); ++i) {
    const std::string text = RowText(sign.rows[i]);
    const double pitch = canvas.Measure(text, sign.style).height * kRowPitch;
    const double y = (static_cast<double>(i) - (rows - 1) / 2) * pitch;
    if (sign.shadow) {
      TextStyle shadow = sign.style;
      shadow.ink = Lighter(sign.paper, Luminance(sign.style.ink) > Luminance(sign.paper) ? -0.35 : 0.35);
      canvas.DrawTextCentred(text, shadow, 1.5, y + 1.5);
    }
    canvas.DrawTextCentred(text, sign.style, 0, y);
  }
  cairo_restore(cairo);
}

// ---------------------------------------------------------------------------------------------------------------------

std::string Spelt(std::string_view word) {
  std::string text;
  for (const char c : word) {
    if (!text.empty()) text += ' ';
    text += c;
  }
  return text;
}

// Another word of the same length: one letter is changed, or all of them.
std::string Lookalike(const std::string& word, Rng& rng, Split split) {
  const bool upper = word.size() > 1 && word[1] >= 'A' && word[1] <= 'Z';
  for (;;) {
    std::string other = word;
    if (rng.Chance(0.5)) {
      const auto at = static_cast<size_t>(rng.Int(1, static_cast<int64_t>(word.size()) - 1));
      other[at] = rng.Pick({'a', 'e', 'o', 'u', 'n', 'r', 't', 's', 'l', 'd', 'm', 'p'});
      if (upper) other[at] = static_cast<char>(other[at] - 'a' + 'A');
    } else {
      const bool capital = word[0] >= 'A' && word[0] <= 'Z';
      other = InCase(PickWord(rng, split, word.size(), word.size()), upper     ? Case::kUpper
                                                                     : capital ? Case::kCapitalised
                                                                               : Case::kLower);
    }
    if (other != word) return other;
  }
}

struct Phrases {
  const Wordings word{
      {"What does it say?", "What is written here?", "Read the word.", "What word is this?",
       "Which word is in the picture?", "What is the word?", "Tell me the word.", "Which word do you see?",
       "What do you read here?", "What word do you see?", "What word is written here?", "Read what is written here.",
       "Can you read the word?", "What does the word say?", "Which word is it?", "What is there to read?",
       "The picture says what?"},
      {"What does the picture say?", "Which word is written here?", "What word is in the picture?",
       "Which word is this?"}};
  const Wordings number{
      {"What is the number?", "What does it say?", "Read the number.", "Which number is in the picture?",
       "Tell me the number.", "Which number is this?", "What number is written here?", "What number do you see?",
       "Which number do you read?", "What number is it?", "The picture shows what number?", "What is written here?"},
      {"What number is this?", "Which number is written here?", "What number is in the picture?"}};
  const Wordings code{{"What does it say?", "What is the code?", "Read the code.", "Tell me the code.",
                       "Which code is this?", "What code is written here?", "What code do you see?",
                       "Which code is in the picture?", "What code is it?", "What is written here?"},
                      {"Which code is written here?", "What does the picture say?", "What code is in the picture?"}};
  const Wordings line{{"What does it say?", "What is written here?", "Read the text.", "What text is in the picture?",
                       "Tell me the text.", "Which text is in the picture?", "What text is written here?",
                       "What text do you see?", "What does the text say?", "Read what is written here.",
                       "Read all the words.", "Can you read the text?", "What do you read here?"},
                      {"What does the picture say?", "Which text is written here?", "What is the text?"}};
  const Wordings spell{{"Spell the word.", "Spell it.", "How is the word spelled?", "How do you spell the word?",
                        "Spell what is written here.", "Spell the word you see.", "Tell me how the word is spelled.",
                        "Say the letters of the word.", "Which letters does the word have?", "How do you spell it?"},
                       {"Spell the word in the picture.", "How is it spelled?"}};
  const Wordings first_letter{{"What is the first letter?", "Which letter comes first?", "What letter is first?",
                               "Tell me the first letter.", "Which is the first letter?", "Name the first letter.",
                               "With which letter does it begin?", "The first letter is what?"},
                              {"What letter comes first?", "What is the first letter of the word?"}};
  const Wordings last_letter{{"What is the last letter?", "Which letter comes last?", "What letter is last?",
                              "Tell me the last letter.", "Which is the last letter?", "Name the last letter.",
                              "With which letter does it end?", "The last letter is what?"},
                             {"What letter comes last?", "What is the last letter of the word?"}};
  const Wordings letters{
      {"How many letters are there?", "How many letters does the word have?", "Count the letters.",
       "How many letters do you see?", "Tell me how many letters there are.", "How many letters are written here?",
       "What is the number of letters?", "How many letters does it have?", "How many letters are in it?"},
      {"How many letters are in the word?"}};
  const Wordings digits{{"How many digits are there?", "How many digits does the number have?", "Count the digits.",
                         "How many digits do you see?", "Tell me how many digits there are.",
                         "What is the number of digits?", "How many digits are in it?"},
                        {"How many digits are in the number?"}};
  const Wordings first_digit{{"What is the first digit?", "Which digit comes first?", "What digit is first?",
                              "Tell me the first digit.", "Which is the first digit?", "Name the first digit."},
                             {"What digit comes first?"}};
  const Wordings last_digit{{"What is the last digit?", "Which digit comes last?", "What digit is last?",
                             "Tell me the last digit.", "Which is the last digit?", "Name the last digit."},
                            {"What digit comes last?"}};
  const Wordings match{
      {"Does it say \"{word}\"?", "Is the word \"{word}\"?", "Is \"{word}\" written here?",
       "Does the text say \"{word}\"?", "Is it \"{word}\"?", "Do you read \"{word}\"?", "Is the text \"{word}\"?",
       "Do you see the word \"{word}\"?", "Is \"{word}\" the word in the picture?", "Tell me if it says \"{word}\".",
       "In the picture, does it say \"{word}\"?"},
      {"Does the picture say \"{word}\"?", "Is this the word \"{word}\"?"}};
  const Wordings ink{
      {"What colour is the text?", "Which colour do the letters have?", "What is the colour of the text?",
       "What colour does the text have?", "Which colour are the letters?", "Tell me the colour of the text.",
       "What is the colour of the letters?", "In which colour is the text?", "Which colour is the text?"},
      {"What colour are the letters?", "Which colour does the text have?"}};
  const Wordings paper{
      {"What colour is the sign?", "Which colour does the sign have?", "What colour does the sign have?",
       "Tell me the colour of the sign.", "Which colour is the sign?", "Name the colour of the sign."},
      {"What is the colour of the sign?"}};
  const Wordings first_word{
      {"What is the first word?", "Which word comes first?", "Tell me the first word.", "Which is the first word?",
       "Name the first word.", "What does the first word say?", "Which word is first?"},
      {"What word comes first?", "Read the first word."}};
  const Wordings last_word{
      {"What is the last word?", "Which word comes last?", "Tell me the last word.", "Which is the last word?",
       "Name the last word.", "What does the last word say?", "Which word is last?"},
      {"What word comes last?", "Read the last word."}};
  const Wordings words{{"How many words are there?", "How many words does it have?", "Count the words.",
                        "How many words do you see?", "Tell me how many words there are.",
                        "What is the number of words?", "How many words are here?", "How many words can you read?"},
                       {"How many words are in the picture?", "How many words are written here?"}};
  const Wordings after{
      {"Which word comes after \"{word}\"?", "What is the word after \"{word}\"?", "Which word is after \"{word}\"?",
       "Tell me the word after \"{word}\".", "What comes after \"{word}\"?", "Read the word after \"{word}\"."},
      {"What word comes after \"{word}\"?"}};
  const Wordings before{
      {"Which word comes before \"{word}\"?", "What is the word before \"{word}\"?", "Which word is before \"{word}\"?",
       "Tell me the word before \"{word}\".", "What comes before \"{word}\"?", "Read the word before \"{word}\"."},
      {"What word comes before \"{word}\"?"}};
  const Wordings on_sign{
      {"What word is on the {colour} sign?", "What does the {colour} sign say?", "Read the {colour} sign.",
       "What is written on the {colour} sign?", "Tell me the word on the {colour} sign.",
       "What is on the {colour} sign?", "What do you read on the {colour} sign?",
       "What does it say on the {colour} sign?", "Which word does the {colour} sign say?"},
      {"Which word is on the {colour} sign?", "Which word is written on the {colour} sign?"}};
  const Wordings on_place{
      {"What word is on the {place} sign?", "What does the {place} sign say?", "Read the {place} sign.",
       "Tell me the word on the {place} sign.", "What is on the {place} sign?", "What do you read on the {place} sign?",
       "What does it say on the {place} sign?", "Which word does the {place} sign say?"},
      {"Which word is on the {place} sign?", "What is written on the {place} sign?"}};
  const Wordings sign_of{
      {"What colour is the sign that says \"{word}\"?", "Which colour is the \"{word}\" sign?",
       "Which colour does the \"{word}\" sign have?", "Which colour is the sign that says \"{word}\"?",
       "Tell me the colour of the \"{word}\" sign.", "\"{word}\" is written on a sign of which colour?",
       "On which colour is \"{word}\" written?"},
      {"What colour is the \"{word}\" sign?", "What is the colour of the sign that says \"{word}\"?"}};
  const Wordings where{{"Where is the sign that says \"{word}\"?", "Where is the {colour} sign?"},
                       {"Where is the \"{word}\" sign?"}};
};

const Phrases& Words() {
  static const Phrases kPhrases;
  return kPhrases;
}

class Asker {
 public:
  Asker(const Board& board, Rng& rng, Split split) : board_(board), rng_(rng), split_(split) {}

  std::vector<Exchange> Ask() {
    switch (board_.content) {
      case Content::kWord:
        AskWord();
        break;
      case Content::kCode:
        AskCode();
        break;
      case Content::kLines:
        AskLines();
        break;
      case Content::kTwoSigns:
        AskTwoSigns();
        break;
    }
    return Choose();
  }

 private:
  // The exchanges of `main_` are always asked, the others fill up; then half of the time all are shuffled, so that
  // spelling is learnt from the picture as often as from the answer before it.
  std::vector<Exchange> Choose() {
    std::vector<Exchange> chosen = std::move(main_);
    rng_.Shuffle(extra_);
    const auto count = static_cast<size_t>(rng_.Int(3, UpTo(5, split_)));
    for (size_t i = 0; i < extra_.size() && chosen.size() < count; ++i) chosen.push_back(std::move(extra_[i]));
    if (rng_.Chance(0.5)) rng_.Shuffle(chosen);
    return chosen;
  }

  Exchange Make(const Wordings& wordings, std::string answer, std::string_view kind, Slots slots = {}) {
    return {Say(wordings, rng_, split_, slots), std::move(answer), std::string(kind), Metric::kExact};
  }

  void AskColours(const Sign& sign) {
    extra_.push_back(Make(Words().ink, std::string(sign.ink_name), "text-colour"));
    if (!sign.paper_name.empty()) extra_.push_back(Make(Words().paper, std::string(sign.paper_name), "sign-colour"));
  }

  void AskWord() {
    const Sign& sign = board_.signs[0];
    const std::string word = sign.Text();
    main_.push_back(Make(Words().word, word, "word"));
    extra_.push_back(Make(Words().spell, Spelt(word), "spell"));
    extra_.push_back(Make(Words().first_letter, word.substr(0, 1), "first-letter"));
    extra_.push_back(Make(Words().last_letter, word.substr(word.size() - 1), "last-letter"));
    extra_.push_back(Make(Words().letters, StrCat(word.size()), "letter-count"));
    const bool yes = rng_.Chance(0.5);
    const std::string asked = yes ? word : Lookalike(word, rng_, split_);
    extra_.push_back(Make(Words().match, yes ? "yes" : "no", "match", {{"word", asked}}));
    AskColours(sign);
  }

  void AskCode() {
    const Sign& sign = board_.signs[0];
    const std::string code = sign.Text();
    const bool digits = code.find_first_not_of("0123456789") == std::string::npos;
    const bool lettered = code[0] >= 'A' && code[0] <= 'Z';
    main_.push_back(lettered ? Make(Words().code, code, "code") : Make(Words().number, code, "number"));
    if (digits) {
      extra_.push_back(Make(Words().digits, StrCat(code.size()), "digit-count"));
      extra_.push_back(Make(Words().first_digit, code.substr(0, 1), "first-digit"));
      extra_.push_back(Make(Words().last_digit, code.substr(code.size() - 1), "last-digit"));
    }
    if (lettered) {
      extra_.push_back(Make(Words().first_letter, code.substr(0, 1), "first-letter"));
      extra_.push_back(Make(Words().last_digit, code.substr(code.size() - 1), "last-digit"));
    }
    AskColours(sign);
  }

  void AskLines() {
    const Sign& sign = board_.signs[0];
    const std::vector<std::string> words = sign.Words();
    main_.push_back(Make(Words().line, sign.Text(), "line"));
    main_.push_back(rng_.Chance(0.5) ? Make(Words().first_word, words.front(), "first-word")
                                     : Make(Words().last_word, words.back(), "last-word"));
    extra_.push_back(Make(Words().words, StrCat(words.size()), "word-count"));
    const auto at = static_cast<size_t>(rng_.Int(1, static_cast<int64_t>(words.size()) - 1));
    if (std::count(words.begin(), words.end(), words[at]) == 1 &&
        std::count(words.begin(), words.end(), words[at - 1]) == 1) {
      extra_.push_back(rng_.Chance(0.5) ? Make(Words().after, words[at], "word-after", {{"word", words[at - 1]}})
                                        : Make(Words().before, words[at - 1], "word-before", {{"word", words[at]}}));
    }
    AskColours(sign);
  }

  void AskTwoSigns() {
    const bool beside = board_.width > board_.height;
    const std::array<std::string_view, 2> places =
        beside ? std::array<std::string_view, 2>{"left", "right"} : std::array<std::string_view, 2>{"top", "bottom"};
    for (size_t i = 0; i < 2; ++i) {
      const Sign& sign = board_.signs[i];
      const std::string word = sign.Text();
      main_.push_back(rng_.Chance(0.6) ? Make(Words().on_sign, word, "sign-word", {{"colour", sign.paper_name}})
                                       : Make(Words().on_place, word, "place-word", {{"place", places[i]}}));
      extra_.push_back(Make(Words().sign_of, std::string(sign.paper_name), "sign-of", {{"word", word}}));
    }
    const auto asked = static_cast<size_t>(rng_.Int(0, 1));
    const std::string answer = beside ? StrCat("on the ", places[asked]) : StrCat("at the ", places[asked]);
    extra_.push_back(Make(Words().where, answer, "sign-place",
                          {{"word", board_.signs[asked].Text()}, {"colour", board_.signs[asked].paper_name}}));
    if (rng_.Chance(0.5)) std::swap(main_[0], main_[1]);
  }

  const Board& board_;
  Rng& rng_;
  const Split split_;
  std::vector<Exchange> main_;
  std::vector<Exchange> extra_;
};

class Reading : public Task {
 public:
  std::string_view name() const override { return "reading"; }
  Sample Draw(Rng& rng, Split split) const override {
    const Board board = PlanBoard(rng, split);
    Sample sample;
    sample.media.emplace_back(PaintBoard(board, rng));
    sample.exchanges = AskBoard(board, rng, split);
    return sample;
  }
};

}  // namespace

std::vector<std::string> Sign::Words() const {
  std::vector<std::string> words;
  for (const auto& row : rows) words.insert(words.end(), row.begin(), row.end());
  return words;
}

std::string Sign::Text() const { return RowText(Words()); }

bool IsHeldoutPair(std::string_view paint, std::string_view other) {
  // Chosen so that training shows every colour with two others at least that it can be told from.
  using Pair = std::pair<std::string_view, std::string_view>;
  constexpr std::array kPairs = {Pair{"red", "white"}, Pair{"green", "yellow"}, Pair{"blue", "pink"},
                                 Pair{"purple", "white"}, Pair{"brown", "yellow"}};
  return std::any_of(kPairs.begin(), kPairs.end(),
                     [&](const Pair& pair) { return pair == Pair(paint, other) || pair == Pair(other, paint); });
}

Board PlanBoard(Rng& rng, Split split) {
  Board board;
  board.content = rng.Pick({Content::kWord, Content::kWord, Content::kWord, Content::kWord, Content::kWord,
                            Content::kCode, Content::kLines, Content::kLines, Content::kTwoSigns});
  const double difficulty = std::pow(rng.Uniform(), 1.5);
  if (board.content == Content::kTwoSigns) {
    PlanTwoSigns(board, rng, split);
  } else {
    Sign sign;
    if (board.content == Content::kWord) PlanWord(board, sign, rng, split);
    if (board.content == Content::kCode) sign.rows = {{Code(rng, split)}};
    if (board.content == Content::kLines) PlanLines(board, sign, rng, split);
    sign.shape = rng.Chance(0.5) ? SignShape::kBare : PickShape(rng, split);
    // Ellipses, arrows and their like leave a long word too little room in one tile.
    const bool narrow = board.width < 2 * 112 && sign.rows[0][0].size() > 5;
    if (narrow && sign.shape != SignShape::kBare) sign.shape = SignShape::kRectangle;
    LookOf(sign, difficulty, rng, split, /*named=*/rng.Chance(0.6));
    const bool bare = sign.shape == SignShape::kBare;
    const bool rows = sign.rows.size() > 1;
    const double margin = bare ? 2.0 : rng.Uniform(3, 7);
    sign.x = margin;
    sign.width = static_cast<double>(board.width) - 2 * margin;
    sign.height = bare || rows ? kSide - 2 * margin : rng.Uniform(56, kSide - 2 * margin);
    sign.y = rng.Uniform(margin, kSide - margin - sign.height);
    board.signs.push_back(std::move(sign));
  }

  const Canvas ruler(1, 1, {});
  for (Sign& sign : board.signs) {
    const bool bare = sign.shape == SignShape::kBare;
    const double fill = bare ? rng.Uniform(0.72, 0.97) : rng.Uniform(0.88, 1.0);
    sign.style.size = FittingSize(sign, fill, ruler);
    if (bare) {  // somewhere in the picture rather than in its middle
      const double width = ruler.Measure(RowText(sign.rows[0]), sign.style).width;
      const double free_x = std::max(0.0, sign.width * (1 - fill)) / 2;
      const double free_y = std::max(0.0, sign.height - width * std::abs(std::sin(sign.radians)) -
                                              sign.style.size * 1.4 * static_cast<double>(sign.rows.size())) /
                            2;
      sign.x += rng.Uniform(-free_x, free_x);
      sign.y += rng.Uniform(-free_y, free_y);
    }
  }

  // Text without a sign stands on its own colour, with marks so faint that it stays readable.
  const Sign& first = board.signs[0];
  if (first.shape == SignShape::kBare) {
    board.backdrop = PickBackdrop(first.paper, 0.14, rng, split);
  } else {
    const auto clashes = [&](const Ink& ink) {
      return std::any_of(board.signs.begin(), board.signs.end(),
                         [&](const Sign& sign) { return Distance(ink, sign.paper) < 0.2; });
    };
    Ink ink = Lighter(rng.Pick(Palette()).ink, rng.Uniform(-0.4, 0.75));
    while (clashes(ink)) ink = Lighter(rng.Pick(Palette()).ink, rng.Uniform(-0.4, 0.75));
    board.backdrop = PickBackdrop(ink, 0.3, rng, split);
  }
  board.noise = rng.Chance(0.4) ? static_cast<int64_t>(rng.Uniform(2, 20) * difficulty) : 0;
  board.soft = rng.Chance(0.2 * difficulty);
  return board;
}

media::Image PaintBoard(const Board& board, Rng& rng) {
  const Canvas canvas(board.width, board.height, board.backdrop.first);
  PaintBackdrop(canvas, board.backdrop, rng);
  for (const Sign& sign : board.signs) PaintSign(canvas, sign);
  media::Image image = canvas.ToImage();
  if (board.soft) Soften(image);
  AddNoise(image, board.noise, rng);
  return image;
}

std::vector<Exchange> AskBoard(const Board& board, Rng& rng, Split split) { return Asker(board, rng, split).Ask(); }

TaskOr MakeReading(const Assets& /*assets*/) {
  RETURN_IF_ERROR(CheckFonts());
  return std::unique_ptr<const Task>(std::make_unique<Reading>());
}

}  // namespace galago::world

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>
#include <string>
#include <string_view>

#include "src/base/strings.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/shapes.h"
#include "train/world/stamps.h"

namespace galago::world {
namespace {

// "red" before one of these is what it is painted in, else it is the ink of letters.
bool Paintable(std::string_view word) {
  if (word == "sign") return true;
  if (std::ranges::find(Shapes(), word, &ShapeName::one) != Shapes().end()) return true;
  return word == Name(Material::kStriped) || word == Name(Material::kDotted) || word == Name(Material::kOutlined);
}

// Every cell that is told has ink of its own: the picture is not plain there.
TEST(Cells, TellWhatIsThere) {
  const auto task = MakeCells({});
  ASSERT_TRUE(task.ok()) << task.status();
  std::set<std::string> names, letters;
  int64_t pages = 0;  // of writing alone
  int64_t colours = 0, shown = 0;
  for (uint64_t index = 0; index < 300; ++index) {
    const Sample sample = DrawSample(**task, Split::kTrain, 1, index);
    ASSERT_EQ(sample.exchanges.size(), 1u);
    const auto& picture = std::get<media::Image>(sample.media.at(0));
    std::string text = sample.exchanges[0].answer;
    ASSERT_TRUE(text.ends_with('.')) << text;
    text.pop_back();
    std::string last = "";
    std::multiset<std::string> placed, stand;
    for (const Letter& letter : sample.letters) {
      EXPECT_TRUE(letter.x >= 0 && letter.x < 112 && letter.y >= 0 && letter.y < 112) << letter.x << " " << letter.y;
      stand.insert(StrCat(static_cast<int64_t>(letter.y / 28), static_cast<int64_t>(letter.x / 28), letter.text));
    }
    for (const std::string& told : galago::Split(text, '.')) {
      const std::vector<std::string> words = galago::Split(Trim(told), ' ');
      ASSERT_GE(words.size(), 2u) << text;
      ASSERT_EQ(words[0].size(), 2u) << text;
      const int64_t column = words[0][0] - 'a', row = words[0][1] - '1';
      ASSERT_TRUE(column >= 0 && column < 4 && row >= 0 && row < 4) << text;
      const std::string order = StrCat(row, column);
      EXPECT_LT(last, order) << text;
      last = order;
      int darkest = 255, lightest = 0;
      std::vector<Ink> inks;
      for (int64_t y = 28 * row; y < 28 * (row + 1); ++y) {
        for (int64_t x = 84 * column; x < 84 * (column + 1); ++x) {
          darkest = std::min<int>(darkest, picture.Row(y)[x]);
          lightest = std::max<int>(lightest, picture.Row(y)[x]);
          if (x % 3 == 0) {
            const auto of = [&](int64_t channel) { return picture.Row(y)[x + channel] / 255.0; };
            inks.push_back({of(0), of(1), of(2)});
          }
        }
      }
      EXPECT_GT(lightest - darkest, 20) << told;
      bool has_letters = false, has_ink = false;
      for (size_t i = 1; i < words.size(); ++i) {
        const bool letter = words[i].size() == 1;
        (letter ? letters : names).insert(words[i]);
        if (letter) placed.insert(StrCat(row, column, words[i]));
        has_letters = has_letters || letter;
        const auto paint = std::ranges::find(Palette(), words[i], &Paint::name);
        if (paint == Palette().end()) continue;
        has_ink = has_ink || i + 1 == words.size() || !Paintable(words[i + 1]);
        colours += 1;
        shown += std::ranges::any_of(inks, [&](const Ink& ink) { return Distance(ink, paint->ink) < 0.2; }) ? 1 : 0;
      }
      EXPECT_TRUE(has_ink || !has_letters) << told;
    }
    EXPECT_EQ(placed, stand) << text;
    std::set<int64_t> lines;
    for (const Letter& letter : sample.letters) lines.insert(std::lround(letter.y * 100));
    const bool page = lines.size() >= 2 && sample.letters.size() >= 8 * lines.size();
    pages += page ? 1 : 0;
  }
  EXPECT_GE(pages, 60);
  EXPECT_GT(colours, 1000);
  EXPECT_GT(shown, colours * 95 / 100);  // of a thin letter no pixel may have its full colour
  for (const ShapeName& shape : Shapes()) EXPECT_TRUE(names.contains(std::string(shape.one))) << shape.one;
  for (const Paint& paint : Palette()) EXPECT_TRUE(names.contains(std::string(paint.name))) << paint.name;
  // Some have two words; not all of them come in so few pictures.
  const auto things = ThingClasses();
  const auto seen = std::count_if(things.begin(), things.end(), [&](const ThingClass& thing) {
    return names.contains(galago::Split(thing.name, ' ').back());
  });
  EXPECT_GE(seen, static_cast<int64_t>(things.size() / 2));
  EXPECT_GE(letters.size(), 26u + 26u + 10u + 3u);
}

}  // namespace
}  // namespace galago::world

#include "train/world/things.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "train/world/canvas.h"
#include "train/world/lists.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"
#include "train/world/scenery.h"
#include "train/world/stamps.h"

namespace galago::world {
namespace {

constexpr double kSide = 112.0;
// How far from the middle of the picture lies at most what is meant to lie on neither side of it.
constexpr double kMostOffMiddle = 20.0;

const Wordings kWhat = {{"What is this?", "What do you see?", "What is in the picture?", "Which thing is this?",
                         "What thing do you see?", "Name the thing.", "What is it?", "Tell me what this is.",
                         "What is here?", "Can you name this thing?", "What can you see?", "Which thing is it?",
                         "Say what you see.", "What does the picture show?", "Which thing can you see here?"},
                        {"Which thing do you see?", "What is this thing?", "Which thing is in the picture?"}};
const Wordings kThere = {{"Is there {a}?", "Do you see {a}?", "Is there {a} in the picture?", "Is there {a} here?",
                          "In the picture, do you see {a}?", "In the picture, is there {a}?",
                          "Does the picture show {a}?", "Tell me if there is {a}.", "Is {a} here?", "Can you find {a}?",
                          "Do you find {a} in the picture?", "Is {a} to be seen?", "Do you see {a} here?"},
                         {"Is {a} in the picture?", "Do you see {a} in the picture?"}};
const Wordings kCorner = {
    {"In which corner is the {x}?", "Where is the {x}?", "Where do you see the {x}?",
     "In which corner can you see the {x}?", "In the picture, where is the {x}?", "Which corner has the {x}?",
     "Which corner is the {x} in?", "Can you tell me the corner of the {x}?", "Where in the picture is the {x}?"},
    {"Where is the {x} in the picture?", "In which corner do you see the {x}?"}};
const Wordings kLeftOrRight = {
    {"Is the {x} on the left or on the right?", "On which side is the {x}, left or right?",
     "Do you see the {x} left or right?", "Left or right: where is the {x}?", "Is the {x} on the left or right side?",
     "Which side is the {x} on, left or right?", "Tell me the side of the {x}, left or right.",
     "In the picture, is the {x} on the left or on the right?", "Can you see the {x} on the left or on the right?",
     "Where is the {x}: left or right?"},
    {"Is the {x} left or right?", "On which side do you see the {x}, left or right?"}};
const Wordings kTopOrBottom = {
    {"Is the {x} at the top or at the bottom?", "Where is the {x}, top or bottom?",
     "Do you see the {x} at the top or at the bottom?", "Top or bottom: where is the {x}?",
     "In the picture, is the {x} at the top or at the bottom?", "Tell me if the {x} is at the top or at the bottom.",
     "Can you see the {x} at the top or at the bottom?", "On which side is the {x}, top or bottom?",
     "Is the {x} in the top or in the bottom part?"},
    {"Is the {x} top or bottom?", "Where do you see the {x}, at the top or at the bottom?"}};
const Wordings kWhatLeft = {
    {"What is left of the {x}?", "What is to the left of the {x}?", "Which thing is to the left of the {x}?",
     "What do you see left of the {x}?", "Tell me what is left of the {x}.", "Name the thing to the left of the {x}.",
     "What can you see to the left of the {x}?", "In the picture, what is left of the {x}?",
     "Which thing can you see left of the {x}?", "Can you name the thing left of the {x}?"},
    {"Which thing is left of the {x}?", "What do you see to the left of the {x}?"}};
const Wordings kWhatRight = {{"What is right of the {x}?", "What is to the right of the {x}?",
                              "Which thing is to the right of the {x}?", "What do you see right of the {x}?",
                              "Tell me what is right of the {x}.", "Name the thing to the right of the {x}.",
                              "What can you see to the right of the {x}?", "In the picture, what is right of the {x}?",
                              "Which thing can you see right of the {x}?", "Can you name the thing right of the {x}?"},
                             {"Which thing is right of the {x}?", "What do you see to the right of the {x}?"}};
const Wordings kWhatAbove = {
    {"What is above the {x}?", "What is over the {x}?", "Which thing is over the {x}?", "What do you see over the {x}?",
     "Tell me what is above the {x}.", "Name the thing above the {x}.", "What can you see above the {x}?",
     "In the picture, what is above the {x}?", "Which thing can you see above the {x}?",
     "Can you name the thing above the {x}?"},
    {"Which thing is above the {x}?", "What do you see above the {x}?"}};
const Wordings kWhatBelow = {
    {"What is below the {x}?", "What is under the {x}?", "Which thing is under the {x}?",
     "What do you see under the {x}?", "Tell me what is below the {x}.", "Name the thing below the {x}.",
     "What can you see below the {x}?", "In the picture, what is below the {x}?",
     "Which thing can you see below the {x}?", "Can you name the thing below the {x}?"},
    {"Which thing is below the {x}?", "What do you see below the {x}?"}};
const Wordings kWhatInCorner = {
    {"What is in the {corner} corner?", "What is at the {corner}?", "Which thing is at the {corner}?",
     "What do you see in the {corner} corner?", "Which thing is {corner}?", "Tell me what is at the {corner}.",
     "Name the thing in the {corner} corner.", "What can you see at the {corner}?",
     "In the picture, what is at the {corner}?", "Which thing can you see at the {corner}?", "What is {corner}?"},
    {"Which thing is in the {corner} corner?", "What do you see at the {corner}?"}};
const Wordings kCount = {{"How many {xs} are there?", "How many {xs} do you see?", "Count the {xs}.",
                          "Tell me how many {xs} there are.", "In the picture, how many {xs} are there?",
                          "Can you count the {xs}?", "How many {xs} are here?", "Say how many {xs} you see."},
                         {"How many {xs} are in the picture?", "How many {xs} do you see in the picture?"}};
const Wordings kCountAll = {
    {"How many things are there?", "How many things do you see?", "Count the things.", "How many things can you see?",
     "Tell me how many things there are.", "What is the number of things?", "How many things does the picture show?",
     "Can you count the things?", "In the picture, how many things are there?"},
    {"How many things are in the picture?", "Count the things in the picture."}};
const Wordings kMore = {
    {"Are there more {xs} than {ys}?", "Do you see more {xs} than {ys}?", "Does the picture show more {xs} than {ys}?",
     "Can you see more {xs} than {ys}?", "In the picture, are there more {xs} than {ys}?",
     "Are the {xs} more than the {ys}?", "Tell me if there are more {xs} than {ys}.",
     "Can you count more {xs} than {ys} in the picture?", "Is the number of {xs} higher than that of {ys}?"},
    {"Are there more {xs} than {ys} in the picture?", "Do you see more {xs} than {ys} in the picture?"}};

// For training alone (lists.h).
const Wordings kListThere = {{"Is there: {names}?", "Do you see: {names}?", "Can you see: {names}?"}, {}};
const Wordings kListCount = {{"How many: {names}?", "Count: {names}.", "Tell me how many: {names}."}, {}};
const Wordings kListWhere = {{"Where: {names}?", "Where in the picture: {names}?", "Tell me where: {names}."}, {}};
const Wordings kListWhat = {{"What is at: {names}?", "What do you see at: {names}?", "Name what is at: {names}."}, {}};
const Wordings kListSide = {{"Left or right: {names}?", "Where, left or right: {names}?"}, {}};
const Wordings kListHeight = {{"Top or bottom: {names}?", "Where, top or bottom: {names}?"}, {}};

constexpr std::array<std::string_view, 4> kCorners = {"top left", "top right", "bottom left", "bottom right"};

struct Laid {
  size_t thing = 0;
  double x = 0, y = 0;  // centre, pixels
};

std::string NameOf(size_t thing) { return std::string(ThingClasses()[thing].name); }
std::string PluralOf(size_t thing) { return std::string(ThingClasses()[thing].plural); }

class Composer {
 public:
  Composer(const StampSet& stamps, Rng& rng, Split split) : stamps_(stamps), rng_(rng), split_(split) {
    DrawScenery(canvas_, rng_, split_);
  }

  void Compose() {
    const double kind = rng_.Uniform();
    if (kind < 0.4) {
      One();
    } else if (kind < 0.65) {
      Two();
    } else {
      Corners();
    }
  }

  media::Image Picture() const { return canvas_.ToImage(); }

  // What lies where, and what is there or how often.
  std::vector<List> Lists() {
    List sides{"sides", "side", &kListSide, {}};
    List heights{"heights", "top or bottom", &kListHeight, {}};
    List places{"places", "place", &kListWhere, {}};
    List contents{"contents", "at", &kListWhat, {}};
    for (const Laid& laid : laid_) {
      const std::string name = NameOf(laid.thing);
      const Spot spot = SpotOf(laid);
      const std::string corner = spot.Corner();
      if (!corner.empty()) contents.items.push_back({corner, name});
      if (CountOf(laid.thing) > 1) continue;
      if (!spot.side.empty()) sides.items.push_back({name, std::string(spot.side)});
      if (!spot.height.empty()) heights.items.push_back({name, std::string(spot.height)});
      if (!corner.empty()) places.items.push_back({name, corner});
    }
    std::vector<List> lists;
    lists.push_back(rng_.Chance(0.5) ? Present() : Counts());
    switch (rng_.Int(0, 2)) {
      case 0:
        lists.push_back(std::move(contents));
        break;
      case 1:
        lists.push_back(std::move(places));
        break;
      default:
        lists.push_back(std::move(sides));
        lists.push_back(std::move(heights));
    }
    std::erase_if(lists, [](const List& list) { return list.items.empty(); });
    rng_.Shuffle(lists);
    return lists;
  }

  // What is asked for by name, some of it in vain.
  List Finds() {
    List list;
    list.kind = "finds";
    list.title = rng_.Pick({"place", "there", "there", "count", "side", "top or bottom"});
    list.items = Sought(list.title);
    return list;
  }

  // The same as single questions, but for where things are that are not there.
  Sample AskFinds() {
    struct Asking {
      std::string_view title, kind;
      const Wordings& wordings;
      std::string_view slot;
    };
    static const std::array<Asking, 5> kAskings = {{{"place", "where", kCorner, "x"},
                                                    {"there", "there", kThere, "a"},
                                                    {"count", "count", kCount, "xs"},
                                                    {"side", "side", kLeftOrRight, "x"},
                                                    {"top or bottom", "height", kTopOrBottom, "x"}}};
    const List list = Finds();
    const Asking& asking = *std::ranges::find(kAskings, list.title, &Asking::title);
    exchanges_.clear();
    for (const ListItem& item : list.items) {
      const bool there = asking.kind == "there";
      if (!there && item.answer == "no") continue;
      Ask(asking.wordings, asking.kind, {{asking.slot, there ? WithArticle(item.name) : item.name}}, item.answer);
    }
    Sample sample;
    sample.media.emplace_back(Picture());
    sample.exchanges = std::move(exchanges_);
    return sample;
  }

  Sample Finish() {
    if (split_ == Split::kTrain && rng_.Chance(kAskLists)) {
      std::vector<Exchange> lists = QuestionsOf(Lists(), Metric::kExact, rng_);
      if (!lists.empty()) exchanges_ = std::move(lists);
    }
    Sample sample;
    sample.media.emplace_back(Picture());
    sample.exchanges = std::move(exchanges_);
    return sample;
  }

 private:
  // Where something lies, if that is clear.
  struct Spot {
    std::string_view side, height;  // empty: in the middle
    std::string Corner() const { return side.empty() || height.empty() ? "" : StrCat(height, " ", side); }
  };
  static Spot SpotOf(const Laid& laid) {
    const double right = laid.x - kSide / 2;
    const double down = laid.y - kSide / 2;
    Spot spot;
    if (std::abs(right) > kMostOffMiddle) spot.side = right > 0 ? "right" : "left";
    if (std::abs(down) > kMostOffMiddle) spot.height = down > 0 ? "bottom" : "top";
    return spot;
  }

  // Of what is there; empty where nothing clear can be said.
  std::string FindOf(const Laid& laid, std::string_view title) const {
    const int64_t count = CountOf(laid.thing);
    if (title == "count") return StrCat(count);
    if (title == "there") return "yes";
    if (count > 1) return "";
    const Spot spot = SpotOf(laid);
    if (title == "side") return std::string(spot.side);
    return title == "place" ? spot.Corner() : std::string(spot.height);
  }

  // Items about what is there and, by chance, about what is not.
  std::vector<ListItem> Sought(std::string_view title) {
    const bool count = title == "count";
    const auto name_of = [&](size_t thing) { return count ? PluralOf(thing) : NameOf(thing); };
    std::vector<ListItem> present;
    std::set<size_t> taken;
    for (const Laid& laid : laid_) {
      if (!taken.insert(laid.thing).second) continue;
      if (std::string answer = FindOf(laid, title); !answer.empty()) {
        present.push_back({name_of(laid.thing), std::move(answer)});
      }
    }
    const auto absent = [&] {
      size_t thing = laid_.front().thing;
      while (!taken.insert(thing).second) thing = PickAbsent(laid_.front().thing);
      return std::optional(ListItem{name_of(thing), count ? "0" : "no"});
    };
    constexpr size_t kMost = 8;
    return SoughtItems(std::move(present), kMost, count ? 0.25 : 0.5, rng_, absent);
  }

  // One thing, alone; small enough to lie in a corner, or filling the picture.
  void One() {
    const size_t thing = PickThing();
    Ask(kWhat, "what", {}, NameOf(thing));
    AskThere(thing);
    if (rng_.Chance(0.5)) {
      const auto corner = static_cast<size_t>(rng_.Int(0, 3));
      const double size = rng_.Uniform(44, 58);
      Lay(thing, corner % 2 == 0 ? Near(30, 4) : Near(82, 4), corner < 2 ? Near(30, 4) : Near(82, 4), size);
      Ask(kCorner, "where", {{"x", NameOf(thing)}}, std::string(kCorners[corner]));
      AskSide(thing, corner % 2 == 0);
      AskHeight(thing, corner < 2);
    } else {
      const double size = rng_.Uniform(62, 100);
      Lay(thing, Near(56, (kSide - size) / 2), Near(56, (kSide - size) / 2), size);
      Ask(kCount, "count", {{"xs", PluralOf(thing)}}, "1");
    }
  }

  // Two things beside or above each other; across the corners in held-out pictures alone.
  void Two() {
    const auto [a, b] = PickPair();
    const bool slanted = split_ == Split::kHeldout && rng_.Chance(0.5);
    const bool level = slanted || rng_.Chance(0.5);
    const bool upright = slanted || !level;
    const double size_a = rng_.Uniform(44, 54);
    const double size_b = rng_.Uniform(44, 54);
    const double slope = rng_.Pick({-1.0, 1.0});
    const double ax = level ? Near(29, 3) : Near(56, kMostOffMiddle);
    const double bx = level ? Near(83, 3) : Near(56, kMostOffMiddle);
    const double ay = upright ? Near(slanted ? 56 - slope * 27 : 29, 3) : Near(56, kMostOffMiddle);
    const double by = upright ? Near(slanted ? 56 + slope * 27 : 83, 3) : Near(56, kMostOffMiddle);
    Lay(a, ax, ay, size_a);
    Lay(b, bx, by, size_b);
    const std::string name_a = NameOf(a);
    const std::string name_b = NameOf(b);
    if (level) {
      Ask(kWhatLeft, "left of", {{"x", name_b}}, name_a);
      Ask(kWhatRight, "right of", {{"x", name_a}}, name_b);
      AskSide(a, true);
      AskSide(b, false);
    }
    if (upright) {
      const bool a_above = ay < by;
      Ask(kWhatAbove, "above", {{"x", a_above ? name_b : name_a}}, a_above ? name_a : name_b);
      Ask(kWhatBelow, "below", {{"x", a_above ? name_a : name_b}}, a_above ? name_b : name_a);
      AskHeight(a, a_above);
      AskHeight(b, !a_above);
    }
    AskThere(rng_.Chance(0.5) ? a : b);
  }

  // Two to four things in the corners, of one or two sorts, or three different ones.
  void Corners() {
    std::vector<size_t> corners = {0, 1, 2, 3};
    rng_.Shuffle(corners);
    corners.resize(static_cast<size_t>(rng_.Int(2, 4)));
    const auto [a, b] = PickPair();
    std::vector<size_t> things;
    if (corners.size() == 3 && rng_.Chance(0.4)) {
      things = {a, b, PickAnother({a, b})};
    } else {
      const auto of_a = static_cast<size_t>(rng_.Int(1, static_cast<int64_t>(corners.size())));
      for (size_t i = 0; i < corners.size(); ++i) things.push_back(i < of_a ? a : b);
    }
    for (size_t i = 0; i < corners.size(); ++i) {
      Lay(things[i], corners[i] % 2 == 0 ? Near(29, 3) : Near(83, 3), corners[i] < 2 ? Near(29, 3) : Near(83, 3),
          rng_.Uniform(42, 52));
    }
    Ask(kCount, "count", {{"xs", PluralOf(a)}}, StrCat(CountOf(a)));
    if (CountOf(b) > 0 || rng_.Chance(0.3)) Ask(kCount, "count", {{"xs", PluralOf(b)}}, StrCat(CountOf(b)));
    Ask(kCountAll, "count all", {}, StrCat(corners.size()));
    const auto first = static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(corners.size()) - 1));
    const auto num_asked = std::min(corners.size(), static_cast<size_t>(UpTo(1, split_)));
    for (size_t i = 0; i < num_asked; ++i) {
      const size_t asked = (first + i) % corners.size();
      Ask(kWhatInCorner, "corner", {{"corner", kCorners[corners[asked]]}}, NameOf(things[asked]));
      if (CountOf(things[asked]) == 1) {
        Ask(kCorner, "where", {{"x", NameOf(things[asked])}}, std::string(kCorners[corners[asked]]));
      }
    }
    if (CountOf(b) > 0 && CountOf(a) != CountOf(b)) AskMore(a, CountOf(a), b, CountOf(b));
    AskThere(things.front());
    // Where a thing is was often said by the question before.
    if (split_ == Split::kTrain) rng_.Shuffle(exchanges_);
  }

  double Near(double centre, double reach) { return rng_.Uniform(centre - reach, centre + reach); }

  size_t PickThing() { return static_cast<size_t>(rng_.Int(0, static_cast<int64_t>(ThingClasses().size()) - 1)); }

  bool MayMeet(size_t a, size_t b) const { return split_ == Split::kHeldout || !IsHeldOutPair(a, b); }

  // Held-out pictures show pairs that training lacks half of the time.
  std::pair<size_t, size_t> PickPair() {
    const bool want_heldout = split_ == Split::kHeldout && rng_.Chance(0.5);
    while (true) {
      const size_t a = PickThing();
      const size_t b = PickThing();
      if (a != b && MayMeet(a, b) && (!want_heldout || IsHeldOutPair(a, b))) return {a, b};
    }
  }

  // A thing that is none of these and may stand beside all of them.
  size_t PickAnother(std::initializer_list<size_t> others) {
    while (true) {
      const size_t thing = PickThing();
      const auto fits = [&](size_t other) { return thing != other && MayMeet(thing, other); };
      if (std::all_of(others.begin(), others.end(), fits)) return thing;
    }
  }

  // A thing that is not there beside `present` and could be.
  size_t PickAbsent(size_t present) {
    while (true) {
      const size_t thing = PickThing();
      const auto fits = [&](size_t other) { return thing != other && MayMeet(thing, other); };
      if (fits(present) &&
          std::all_of(laid_.begin(), laid_.end(), [&](const Laid& laid) { return fits(laid.thing); })) {
        return thing;
      }
    }
  }

  void Lay(size_t thing, double x, double y, double size) {
    LayThing(stamps_, thing, {.x = x, .y = y, .size = size}, canvas_, rng_, split_);
    laid_.push_back({thing, x, y});
  }

  int64_t CountOf(size_t thing) const {
    return std::count_if(laid_.begin(), laid_.end(), [&](const Laid& laid) { return laid.thing == thing; });
  }

  void Ask(const Wordings& wordings, std::string_view kind, Slots slots, std::string answer) {
    exchanges_.push_back({Say(wordings, rng_, split_, slots), std::move(answer), std::string(kind)});
  }

  // Yes as often as no.
  void AskThere(size_t present) {
    const bool yes = rng_.Chance(0.5);
    const size_t thing = yes ? present : PickAbsent(present);
    Ask(kThere, "there", {{"a", WithArticle(NameOf(thing))}}, yes ? "yes" : "no");
  }

  void AskSide(size_t thing, bool left) { Ask(kLeftOrRight, "side", {{"x", NameOf(thing)}}, left ? "left" : "right"); }

  List Present() { return {"present", "there", &kListThere, Sought("there")}; }
  List Counts() { return {"counts", "count", &kListCount, Sought("count")}; }

  void AskHeight(size_t thing, bool top) {
    Ask(kTopOrBottom, "height", {{"x", NameOf(thing)}}, top ? "top" : "bottom");
  }

  void AskMore(size_t a, int64_t count_a, size_t b, int64_t count_b) {
    const bool a_first = rng_.Chance(0.5);
    const bool yes = a_first ? count_a > count_b : count_b > count_a;
    Ask(kMore, "more", {{"xs", PluralOf(a_first ? a : b)}, {"ys", PluralOf(a_first ? b : a)}}, yes ? "yes" : "no");
  }

  const StampSet& stamps_;
  Rng& rng_;
  Split split_;
  Canvas canvas_{static_cast<int64_t>(kSide), static_cast<int64_t>(kSide), {}};
  std::vector<Laid> laid_;
  std::vector<Exchange> exchanges_;
};

class Things : public Task {
 public:
  explicit Things(std::shared_ptr<const StampSet> stamps) : stamps_(std::move(stamps)) {}
  std::string_view name() const override { return "things"; }

  Sample Draw(Rng& rng, Split split) const override {
    Composer composer(*stamps_, rng, split);
    composer.Compose();
    return composer.Finish();
  }

 private:
  std::shared_ptr<const StampSet> stamps_;
};

}  // namespace

bool IsHeldOutPair(size_t a, size_t b) {
  const size_t low = std::min(a, b);
  const size_t high = std::max(a, b);
  return low != high && MixSeed(low, "pair of things", high) % 7 == 0;
}

StatusOr<std::shared_ptr<const StampSet>> LoadStamps(const Assets& assets) {
  return StampSet::Load(assets.stamps.empty() ? std::filesystem::path(kStampsDirectory) : assets.stamps);
}

void LayThing(const StampSet& stamps, size_t thing, Placement placement, const Canvas& canvas, Rng& rng, Split split) {
  const ThingClass& kind = ThingClasses()[thing];
  const std::span<const Stamp> choice = stamps.stamps(thing);
  const auto seen = static_cast<int64_t>(choice.size()) - kind.num_heldout;
  const bool unseen = split == Split::kHeldout && kind.num_heldout > 0 && rng.Chance(0.4);
  const int64_t first = unseen ? seen : 0;
  const int64_t last = unseen ? static_cast<int64_t>(choice.size()) - 1 : seen - 1;
  const Stamp& stamp = choice[static_cast<size_t>(rng.Int(first, last))];
  placement.radians = rng.Uniform(-0.2, 0.2);
  placement.mirrored = kind.mirrors && rng.Chance(0.5);
  const double light = rng.Uniform(0.88, 1.1);
  for (double& gain : placement.gain) gain = light * rng.Uniform(0.94, 1.06);
  stamp.Draw(canvas, placement);
}

Told DrawThings(const StampSet& stamps, Rng& rng, Split split) {
  Composer composer(stamps, rng, split);
  composer.Compose();
  return {composer.Picture(), composer.Lists()};
}

Told FindThings(const StampSet& stamps, Rng& rng, Split split) {
  Composer composer(stamps, rng, split);
  composer.Compose();
  return {composer.Picture(), {composer.Finds()}};
}

Sample AskForThings(const StampSet& stamps, Rng& rng, Split split) {
  Composer composer(stamps, rng, split);
  composer.Compose();
  return composer.AskFinds();
}

TaskOr MakeThings(const Assets& assets) {
  ASSIGN_OR_RETURN(std::shared_ptr<const StampSet> stamps, LoadStamps(assets));
  return std::make_unique<const Things>(std::move(stamps));
}

}  // namespace galago::world

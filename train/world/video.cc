#include "train/world/video.h"

#include <algorithm>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "src/base/check.h"
#include "src/base/strings.h"
#include "train/world/clip_script.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"

// Short videos: what moves, appears, leaves or changes, how, in which order, and how many.
namespace galago::world {
namespace {

const Wordings kDirection = {
    {"Which way does the {x} move?", "In which direction does the {x} move?",
     "Up, down, left or right: which way does the {x} move?", "Tell me which way the {x} moves.",
     "Which way does the {x} go?", "In the video, which way does the {x} move?", "What is the direction of the {x}?",
     "Which direction does the {x} move in?"},
    {"Which way is the {x} moving?", "In which direction is the {x} moving?"}};
const Wordings kMoves = {{"Does the {x} move?", "Is the {x} moving?", "Does the {x} move in the video?",
                          "In the video, does the {x} move?", "Do you see the {x} move?", "Tell me if the {x} moves.",
                          "Is it true that the {x} moves?", "Is the {x} one that moves?"},
                         {"Is the {x} moving in the video?"}};
const Wordings kDoes = {{"What does the {x} do?", "What happens to the {x}?", "Tell me what the {x} does.",
                         "In the video, what does the {x} do?", "What do you see the {x} do?",
                         "What becomes of the {x}?", "Tell me what happens to the {x}.", "The {x} does what?"},
                        {"What does the {x} do in the video?", "What happens to the {x} in the video?"}};
const Wordings kWho = {{"Which shape {does}?", "What {does}?", "Tell me which shape {does}.",
                        "In the video, what {does}?", "Which of the shapes {does}?", "Name the shape that {does}.",
                        "What is it that {does}?", "Which one {does}?", "Which shape is it that {does}?"},
                       {"Which shape {does} in the video?", "What {does} in the video?"}};
const Wordings kNewColour = {{"What colour does the {x} turn into?", "Which colour does the {x} get?",
                              "Into which colour does the {x} turn?", "Tell me the new colour of the {x}.",
                              "What is the colour of the {x} at the end?", "Which new colour does the {x} have?"},
                             {"Which colour does the {x} turn into?", "What colour does the {x} get?"}};
const Wordings kOldColour = {
    {"What colour is the {x} at first?", "Which colour is the {x} at the start?",
     "What is the colour of the {x} at first?", "Tell me the colour of the {x} at the start.",
     "What colour does the {x} have at first?", "In the video, what colour is the {x} at first?"},
    {"Which colour is the {x} at first?", "What colour is the {x} at the start?"}};
const Wordings kSize = {{"Does the {x} grow or shrink?", "Does the {x} grow or does it shrink?",
                         "In the video, does the {x} grow or shrink?", "Tell me if the {x} grows or shrinks.",
                         "Do you see the {x} grow or shrink?", "Grow or shrink: what does the {x} do?"},
                        {"Does the {x} shrink or grow?"}};
const Wordings kFirst = {
    {"What {does} first?", "Which shape {does} first?", "Which one {does} first?", "Tell me what {does} first.",
     "Name the shape that {does} first.", "In the video, what {does} first?", "Which of the shapes {does} first?",
     "Which shape is it that {does} first?", "Of all the shapes, which {does} first?"},
    {"What is the first shape that {does}?", "Which shape is the first that {does}?"}};
const Wordings kLast = {
    {"What {does} last?", "Which shape {does} last?", "Which one {does} last?", "Tell me what {does} last.",
     "Name the shape that {does} last.", "In the video, what {does} last?", "Which of the shapes {does} last?",
     "Which shape is it that {does} last?", "Of all the shapes, which {does} last?"},
    {"What is the last shape that {does}?", "Which shape is the last that {does}?"}};
const Wordings kHowMany = {{"How many shapes {do}?", "Count the shapes that {do}.", "Tell me how many shapes {do}.",
                            "What is the number of shapes that {do}?", "In the video, how many shapes {do}?",
                            "How many shapes do you see that {do}?", "How many of them {do}?"},
                           {"How many shapes {do} in the video?", "How many of the shapes {do}?"}};
const Wordings kAtEnd = {{"How many shapes are there at the end?", "How many shapes do you see at the end?",
                          "At the end, how many shapes are there?", "Tell me how many shapes there are at the end.",
                          "What is the number of shapes at the end?", "How many shapes can you see at the end?"},
                         {"How many shapes are in the video at the end?", "Count the shapes at the end."}};

class Director {
 public:
  Director(Rng& rng, Split split) : rng_(rng), split_(split), length_(PickLength(rng, split)) {}

  void Direct() {
    const double story = rng_.Uniform();
    if (story < 0.5) {
      Deeds();
    } else if (story < 0.75) {
      Arrivals();
    } else {
      Departures();
    }
  }

  // One to three shapes, of which some do something: different things.
  void Deeds() {
    const auto count = static_cast<int>(rng_.Int(1, 3));
    const bool rows = rng_.Chance(0.5);
    actors_ = CastInBands(count, rows, rng_, split_);
    std::vector<Deed> deeds = {Deed::kMove, Deed::kGrow, Deed::kShrink, Deed::kBounce, Deed::kTurn, Deed::kStay};
    rng_.Shuffle(deeds);
    // Motion is what videos are for: every second clip has one that moves.
    if (rng_.Chance(0.4)) std::swap(deeds.front(), *std::find(deeds.begin(), deeds.end(), Deed::kMove));
    // What bounces moves, too: no clip shows both.
    const auto shown = deeds.begin() + count;
    if (std::find(deeds.begin(), shown, Deed::kMove) != shown) {
      std::replace(deeds.begin(), shown, Deed::kBounce, Deed::kStay);
    }
    for (int i = 0; i < count; ++i) Act(actors_[static_cast<size_t>(i)], count, rows, deeds[static_cast<size_t>(i)]);
    const Actor& any = rng_.Pick(actors_);
    Ask(kMoves, "moves", {{"x", Called(any)}}, any.deed == Deed::kMove || any.deed == Deed::kBounce ? "yes" : "no");
  }

  // Shapes that come one after the other to an empty frame.
  void Arrivals() {
    const auto count = static_cast<int>(rng_.Int(1, 4));
    actors_ = CastInQuarters(count, rng_, split_);
    const std::vector<double> times = Moments(count);
    for (size_t i = 0; i < actors_.size(); ++i) actors_[i].visible.begin = times[i];
    Ask(kHowMany, "how many appear", {{"do", "appear"}}, StrCat(count));
    AskOrder("appears", actors_);
    if (count > 1) Ask(kAtEnd, "at end", {}, StrCat(count));
    AskColour(rng_.Pick(actors_));
  }

  // Shapes of which some vanish one after the other.
  void Departures() {
    const auto count = static_cast<int>(rng_.Int(2, 4));
    actors_ = CastInQuarters(count, rng_, split_);
    const auto leaving = static_cast<int>(rng_.Int(1, count));
    const std::vector<double> times = Moments(leaving);
    std::vector<Actor> leavers;
    for (size_t i = 0; i < times.size(); ++i) {
      actors_[i].visible.end = times[i];
      leavers.push_back(actors_[i]);
    }
    Ask(kHowMany, "how many disappear", {{"do", "disappear"}}, StrCat(leaving));
    Ask(kAtEnd, "at end", {}, StrCat(count - leaving));
    AskOrder("disappears", leavers);
    const Actor& any = rng_.Pick(actors_);
    const bool leaves = any.visible.end < length_.duration_s();
    Ask(kDoes, "does", {{"x", Called(any)}}, leaves ? "disappears" : "stays");
  }

  // What becomes of each shape, or when it comes, looked for by name among others that are not there.
  Told Finds() {
    Told told;
    told.medium = Film(actors_, length_, rng_, split_);
    const bool arrivals = actors_.front().visible.begin > 0;
    std::vector<ListItem> present;
    for (size_t i = 0; i < actors_.size(); ++i) {
      const std::string when = i == 0 ? "first" : i + 1 == actors_.size() ? "last" : "between";
      present.push_back({ShapeOf(actors_[i]), arrivals ? when : DoesOf(actors_[i])});
    }
    std::set<std::string> taken;
    for (const ListItem& item : present) taken.insert(item.name);
    const auto absent = [&] {
      std::string name;
      while (name.empty() || !taken.insert(name).second) name = rng_.Pick(Shapes()).one;
      return std::optional(ListItem{name, "no"});
    };
    constexpr size_t kMost = 8;
    told.lists.push_back(
        {"finds", arrivals ? "order" : "does", nullptr, SoughtItems(std::move(present), kMost, 0.5, rng_, absent)});
    return told;
  }

  Sample Finish() {
    Sample sample;
    sample.media.emplace_back(Film(actors_, length_, rng_, split_));
    sample.exchanges = std::move(exchanges_);
    return sample;
  }

 private:
  void Ask(const Wordings& wordings, std::string_view kind, Slots slots, std::string answer) {
    exchanges_.push_back({Say(wordings, rng_, split_, slots), std::move(answer), std::string(kind)});
  }

  // "star", or "red star" where its colour stays.
  std::string Called(const Actor& actor) {
    const bool plain = actor.deed == Deed::kTurn || rng_.Chance(0.6);
    return plain ? ShapeOf(actor) : StrCat(ColourOf(actor), " ", ShapeOf(actor));
  }

  std::string DoesOf(const Actor& actor) const {
    switch (actor.deed) {
      case Deed::kMove:
        return "moves";
      case Deed::kGrow:
        return "grows";
      case Deed::kShrink:
        return "shrinks";
      case Deed::kBounce:
        return "bounces";
      case Deed::kTurn:
        return "changes colour";
      case Deed::kStay:
        return actor.visible.end < length_.duration_s() ? "disappears" : "stays";
    }
    CHECK(false);
    return {};
  }

  // Ascending, at least a fifth of the clip apart, the first frame before and the last behind them all.
  std::vector<double> Moments(int count) {
    const double duration = length_.duration_s();
    const double last = static_cast<double>(length_.num_frames - 1) / static_cast<double>(length_.num_frames);
    const double free = last - 0.09 - 0.2 * (count - 1);
    std::vector<double> offsets;
    for (int i = 0; i < count; ++i) offsets.push_back(rng_.Uniform(0, free));
    std::sort(offsets.begin(), offsets.end());
    std::vector<double> times;
    for (int i = 0; i < count; ++i) times.push_back(duration * (0.08 + 0.2 * i + offsets[static_cast<size_t>(i)]));
    return times;
  }

  void Act(Actor& actor, int count, bool rows, Deed deed) {
    const double duration = length_.duration_s();
    const Span when = {duration * rng_.Uniform(0.05, 0.3), duration * rng_.Uniform(0.7, 0.95)};
    actor.when = when;
    switch (deed) {
      case Deed::kStay:
        break;
      case Deed::kMove: {
        const std::string way = MoveAlongBand(actor, rows, when, rng_);
        Ask(kDirection, "direction", {{"x", Called(actor)}}, way);
        break;
      }
      case Deed::kGrow:
      case Deed::kShrink:
        actor.deed = deed;
        Ask(kSize, "size", {{"x", Called(actor)}}, deed == Deed::kGrow ? "grow" : "shrink");
        break;
      case Deed::kBounce:
        Bounce(actor, count, rows, when);
        break;
      case Deed::kTurn:
        Turn(actor, {duration * rng_.Uniform(0.25, 0.65)}, rng_, split_);
        Ask(kNewColour, "new colour", {{"x", ShapeOf(actor)}}, std::string(Palette()[actor.later_colour].name));
        Ask(kOldColour, "old colour", {{"x", ShapeOf(actor)}}, ColourOf(actor));
        break;
    }
    const std::string does = DoesOf(actor);
    Ask(kDoes, "does", {{"x", Called(actor)}}, does);
    if (count > 1 && does != "stays") Ask(kWho, "who", {{"does", does}}, ShapeOf(actor));
  }

  void AskOrder(std::string_view does, const std::vector<Actor>& in_order) {
    if (in_order.size() == 1) {
      Ask(kWho, "who", {{"does", does}}, ShapeOf(in_order.front()));
      return;
    }
    Ask(kFirst, "first", {{"does", does}}, ShapeOf(in_order.front()));
    Ask(kLast, "last", {{"does", does}}, ShapeOf(in_order.back()));
  }

  void AskColour(const Actor& actor) {
    static const Wordings kColour = {
        {"Which colour does the {x} have?", "Tell me which colour the {x} has.", "Tell me the colour of the {x}.",
         "Of what colour is the {x}?", "In the video, what colour is the {x}?", "The {x} is what colour?"},
        {"What colour is the {x}?"}};
    // Held-out clips have drawn no number for this since they were first asked.
    const std::string_view wording = split_ == Split::kTrain ? Pick(kColour, rng_, split_) : kColour.heldout.front();
    exchanges_.push_back({Fill(wording, {{"x", ShapeOf(actor)}}), ColourOf(actor), "colour"});
  }

  Rng& rng_;
  Split split_;
  ClipLength length_;
  std::vector<Actor> actors_;
  std::vector<Exchange> exchanges_;
};

class Video : public Task {
 public:
  std::string_view name() const override { return "video"; }

  Sample Draw(Rng& rng, Split split) const override {
    Director director(rng, split);
    director.Direct();
    return director.Finish();
  }
};

}  // namespace

Told FindInVideo(Rng& rng, Split split) {
  Director director(rng, split);
  director.Direct();
  return director.Finds();
}

TaskOr MakeVideo(const Assets& /*assets*/) { return std::make_unique<const Video>(); }

}  // namespace galago::world

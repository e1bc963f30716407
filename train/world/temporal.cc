#include <algorithm>
#include <cstdio>
#include <string>
#include <utility>
#include <vector>

#include "src/base/strings.h"
#include "train/world/clip_script.h"
#include "train/world/makers.h"
#include "train/world/palette.h"
#include "train/world/phrases.h"

// When something happens in a short video: answers are two times in seconds.
namespace galago::world {
namespace {

// Events last between these parts of the clip.
constexpr double kShortest = 0.2;
constexpr double kLongest = 0.6;

// {event}: "does the star move", "is the red star visible", "is the star blue".
const Wordings kWhen = {{"When {event}?", "During which time {event}?", "At what time {event}?",
                         "Tell me when: {event}?", "In which seconds {event}?", "From when to when {event}?",
                         "In the video, when {event}?", "Tell me the time: when {event}?"},
                        {"At which time {event}?", "During what time {event}?"}};
const Wordings kDescribe = {{"Describe the events with their times.", "What happens when?"}, {}};

std::string Interval(const Span& span) {
  char text[64];
  std::snprintf(text, sizeof(text), "<%.2f> <%.2f>", span.begin, span.end);
  return text;
}

struct Event {
  Span span;
  std::string kind;      // "move"
  std::string question;  // "does the star move"
  std::string sentence;  // "The red star moves left."
};

class Director {
 public:
  Director(Rng& rng, Split split) : rng_(rng), split_(split), length_(PickLength(rng, split)) {}

  Sample Draw() {
    const auto count = static_cast<int>(rng_.Int(1, 3));
    const bool rows = rng_.Chance(0.5);
    std::vector<Actor> actors = CastInBands(count, rows, rng_, split_);
    std::vector<Event> events;
    for (Actor& actor : actors) events.push_back(Act(actor, rows));

    Sample sample;
    for (const Event& event : events) {
      sample.exchanges.push_back(
          {Say(kWhen, rng_, split_, {{"event", event.question}}), Interval(event.span), event.kind, Metric::kTime});
    }
    // An account of everything is for learning: no single interval scores it.
    if (split_ == Split::kTrain && rng_.Chance(0.3)) sample.exchanges.push_back(Account(std::move(events)));
    sample.media.emplace_back(Film(actors, length_, rng_, split_));
    return sample;
  }

 private:
  Span PickSpan() {
    const double duration = length_.duration_s();
    const double lasts = duration * rng_.Uniform(kShortest, kLongest);
    const double begin = rng_.Uniform(0.0, duration - lasts);
    return {begin, begin + lasts};
  }

  Event Act(Actor& actor, bool rows) {
    Event event = {.span = PickSpan()};
    const std::string shape = ShapeOf(actor);
    const std::string full = StrCat(ColourOf(actor), " ", shape);
    const std::string called = rng_.Chance(0.5) ? shape : full;
    switch (rng_.Int(0, 4)) {
      case 0:
      case 1: {
        const std::string way = MoveAlongBand(actor, rows, event.span, rng_);
        event.kind = "move";
        event.question = StrCat("does the ", called, " move");
        event.sentence = StrCat("The ", full, " moves ", way, ".");
        break;
      }
      case 2: {
        actor.visible = event.span;
        event.kind = "visible";
        event.question = StrCat("is the ", called, " visible");
        event.sentence = StrCat("The ", full, " is visible.");
        break;
      }
      case 3: {
        Turn(actor, event.span, rng_, split_);
        const std::string_view colour = Palette()[actor.later_colour].name;
        event.kind = "colour";
        event.question = StrCat("is the ", shape, " ", colour);
        event.sentence = StrCat("The ", full, " is ", colour, ".");
        break;
      }
      default: {
        const bool grows = rng_.Chance(0.5);
        actor.deed = grows ? Deed::kGrow : Deed::kShrink;
        actor.when = event.span;
        event.kind = "size";
        event.question = StrCat("does the ", called, grows ? " grow" : " shrink");
        event.sentence = StrCat("The ", full, grows ? " grows." : " shrinks.");
        break;
      }
    }
    return event;
  }

  Exchange Account(std::vector<Event> events) {
    std::sort(events.begin(), events.end(), [](const Event& a, const Event& b) { return a.span.begin < b.span.begin; });
    std::string text;
    for (const Event& event : events) {
      text += StrCat(text.empty() ? "" : " ", Interval(event.span), " ", event.sentence);
    }
    return {Say(kDescribe, rng_, split_), std::move(text), "events", Metric::kTime};
  }

  Rng& rng_;
  Split split_;
  ClipLength length_;
};

class Temporal : public Task {
 public:
  std::string_view name() const override { return "temporal"; }
  Sample Draw(Rng& rng, Split split) const override { return Director(rng, split).Draw(); }
};

}  // namespace

TaskOr MakeTemporal(const Assets& /*assets*/) { return std::make_unique<const Temporal>(); }

}  // namespace galago::world

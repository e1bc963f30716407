#include <array>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "src/base/strings.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"
#include "train/world/series.h"

// A rule shown by examples: pictures with their answers in one prompt, and a last picture without. Kinds "0-shot" to
// "4-shot" say how many examples came before it; 0-shot queries are drawn like 4-shot ones, less the examples.
namespace galago::world {
namespace {

// An example, and the query's open end.
struct Frame {
  std::string example;
  std::string query;
};

// Training puts frames together from parts, so that it is the examples that tell how an answer is marked.
Frame DrawFrame(Rng& rng, Split split) {
  static constexpr std::array<std::string_view, 5> kBefore = {"", "", "", "Picture: ", "Look: "};
  static constexpr std::array<std::string_view, 6> kBetween = {" ", "\n", ": ", " - ", " -> ", " = "};
  static constexpr std::array<std::string_view, 16> kLabel = {
      "",        "",    "",         "",         "Answer: ", "Label: ", "Name: ",          "Word: ",
      "It is: ", "A: ", "Result: ", "Output: ", "Class: ",  "Reply: ", "The answer is: ", "Say: "};
  static constexpr std::array<std::string_view, 4> kAfter = {"\n", "\n", "\n\n", "; "};
  if (split == Split::kHeldout) {
    return rng.Pick({Frame{"<image>\nAnswer: {x}\n", "<image>\nAnswer:"}, Frame{"<image>:\n{x}\n", "<image>:\n"}});
  }
  while (true) {
    const std::string_view between = rng.Pick(kBetween);
    const std::string_view label = rng.Pick(kLabel);
    if (between == "\n" && label == "Answer: ") continue;  // held out
    std::string query = StrCat(rng.Pick(kBefore), "<image>", between, label);
    std::string example = StrCat(query, "{x}", rng.Pick(kAfter));
    if (query.ends_with(' ')) query.pop_back();
    return {std::move(example), std::move(query)};
  }
}

class InContextTask : public Task {
 public:
  std::string_view name() const override { return "incontext"; }

  Sample Draw(Rng& rng, Split split) const override {
    const int64_t shots = split == Split::kTrain
                              ? rng.Pick({0, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4})
                              : rng.Pick({0, 0, 0, 1, 2, 3, 4, 4, 4, 4});
    // With one example there is one class: copying its word is the easy beginning, and rare.
    const bool made_up = rng.Chance(shots == 1 ? 0.2 : 0.5);
    const Series series = DrawSeries({.shots = shots, .made_up = made_up}, rng, split);

    const Frame frame = DrawFrame(rng, split);
    std::string question;
    for (int64_t i = 0; i < shots; ++i)
      question += Fill(frame.example, {{"x", series.answers[static_cast<size_t>(i)]}});
    question += frame.query;

    Sample sample;
    sample.form = Form::kInterleaved;
    for (media::Image& image : PaintSeries(series, rng, split)) sample.media.emplace_back(std::move(image));
    sample.exchanges.push_back({std::move(question), series.answers.back(), StrCat(shots, "-shot"), Metric::kExact});
    return sample;
  }
};

}  // namespace

TaskOr MakeInContext(const Assets& /*assets*/) { return std::make_unique<const InContextTask>(); }

}  // namespace galago::world

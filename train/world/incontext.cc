#include <memory>
#include <utility>

#include "src/base/strings.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"
#include "train/world/series.h"

// A rule shown by examples: pictures with their answers in one prompt, and a last picture without. Kinds "0-shot" to
// "4-shot" say how many examples came before it; 0-shot queries are drawn like 4-shot ones, less the examples.
namespace galago::world {
namespace {

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

    // An example, and the query's open end.
    struct Frame {
      std::string_view example;
      std::string_view query;
    };
    static constexpr Frame kTrain[] = {{"<image> {x}\n", "<image>"},
                                       {"<image>\n{x}\n", "<image>\n"},
                                       {"<image> Answer: {x}\n", "<image> Answer:"},
                                       {"<image>: {x}\n", "<image>:"}};
    static constexpr Frame kHeldout[] = {{"<image>\nAnswer: {x}\n", "<image>\nAnswer:"},
                                         {"<image>:\n{x}\n", "<image>:\n"}};
    const Frame& frame =
        split == Split::kTrain ? rng.Pick(std::span<const Frame>(kTrain)) : rng.Pick(std::span<const Frame>(kHeldout));
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

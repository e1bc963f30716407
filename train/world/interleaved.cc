#include <memory>
#include <utility>

#include "src/base/strings.h"
#include "train/world/captions.h"
#include "train/world/makers.h"
#include "train/world/phrases.h"
#include "train/world/scenes.h"
#include "train/world/series.h"

// Documents: text with pictures between the sentences. Stories tell what each picture shows, before or after it; lists
// put down what one rule says of each of up to seven pictures, which is how a model learns to read examples.
namespace galago::world {
namespace {

class InterleavedTask : public Task {
 public:
  std::string_view name() const override { return "interleaved"; }

  Sample Draw(Rng& rng, Split split) const override {
    Sample sample;
    sample.form = Form::kDocument;
    std::string text = rng.Chance(0.4) ? Story(rng, split, sample) : List(rng, split, sample);
    sample.exchanges.push_back({"", std::move(text), "document", Metric::kExact});
    return sample;
  }

 private:
  static std::string Story(Rng& rng, Split split, Sample& sample) {
    static const Wordings kBefore = {
        {"Here we see {x}: <image>", "The next picture shows {x}. <image>", "Now {x}. <image>"},
        {"The next picture is of {x}. <image>"}};
    static const Wordings kAfter = {{"<image> This shows {x}.", "<image> Here we see {x}.", "<image> {X}."},
                                    {"<image> This picture is of {x}."}};
    const Wordings& wordings = rng.Chance(0.5) ? kBefore : kAfter;
    std::string text;
    const int64_t pictures = rng.Int(2, 4);
    for (int64_t i = 0; i < pictures; ++i) {
      const Scene scene = DrawScene(rng, split, {.most = 3, .large = false});
      const std::string phrase = PhraseFor(scene, rng);
      if (i > 0) text += '\n';
      text += Say(wordings, rng, split, {{"x", phrase}, {"X", Capitalised(phrase)}});
      sample.media.emplace_back(PaintScene(scene, rng, split));
    }
    return text;
  }

  static std::string List(Rng& rng, Split split, Sample& sample) {
    static const Wordings kLine = {{"<image> {x}", "<image>\n{x}", "<image> Answer: {x}", "<image>: {x}"},
                                   {"<image>\nAnswer: {x}", "<image>:\n{x}"}};
    const Series series = DrawSeries({.shots = rng.Int(2, 6), .made_up = rng.Chance(0.7)}, rng, split);
    const std::string_view line = Pick(kLine, rng, split);
    std::string text;
    for (const std::string& answer : series.answers) {
      if (!text.empty()) text += '\n';
      text += Fill(line, {{"x", answer}});
    }
    for (media::Image& image : PaintSeries(series, rng, split)) sample.media.emplace_back(std::move(image));
    return text;
  }
};

}  // namespace

TaskOr MakeInterleaved(const Assets& /*assets*/) { return std::make_unique<const InterleavedTask>(); }

}  // namespace galago::world

#ifndef GALAGO_TRAIN_DATA_SEQUENCE_BUILDER_H_
#define GALAGO_TRAIN_DATA_SEQUENCE_BUILDER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "galago/status.h"
#include "src/spec/model_spec.h"
#include "src/text/prompt.h"
#include "src/text/tokenizer.h"
#include "train/data/labels.h"
#include "train/data/record.h"
#include "train/data/sequence.h"

namespace galago::train {

struct BuilderOptions {
  LabelRule labels = LabelRule::kSpan;
};

// Record -> Sequence for one model: its prompt, its preprocessing, its tokens. Immutable, shared by threads.
class SequenceBuilder {
 public:
  // Loads the tokenizer the spec names and adds the media tokens, as the engine does. InvalidArgument where the model
  // asks for time tokens that the tokenizer does not hold.
  static StatusOr<std::shared_ptr<const SequenceBuilder>> Make(const spec::ModelSpec& spec,
                                                               const BuilderOptions& options = {});

  // DataLoss and the like for a record that cannot be learnt from: no answer, a damaged picture, wrong placeholders.
  StatusOr<Sequence> Build(const Record& record) const;

  const spec::ModelSpec& spec() const { return spec_; }
  const text::Tokenizer& tokenizer() const { return *tokenizer_; }
  // Ids of the strings around pictures and around frames of a video.
  const text::FramingIds& image_framing() const { return image_framing_; }
  const text::FramingIds& video_framing() const { return video_framing_; }
  // Ids of the time tokens in order; empty without.
  const std::vector<int64_t>& time_token_ids() const { return time_token_ids_; }

 private:
  struct Prepared;  // the media of a record
  struct Flat;      // ids with kMediaRow at slots
  SequenceBuilder(const spec::ModelSpec& spec, const BuilderOptions& options) : spec_(spec), options_(options) {}

  Status CheckShape(const Record& record) const;
  StatusOr<Prepared> Prepare(const Record& record) const;
  std::vector<text::Turn> Turns(const Record& record, const Prepared& media) const;
  StatusOr<Flat> Encode(const spec::PromptSpec& prompt, const text::Tokenizer& tokenizer,
                        const std::vector<text::Turn>& turns, const std::optional<std::string>& system) const;
  Status MeasureLead();
  StatusOr<std::vector<int32_t>> ChatLabels(const Record& record, std::vector<text::Turn> turns,
                                            const Flat& flat) const;
  // What comes around the text without chat template: BOS, EOS, new line.
  Status AddEnds(Style style, Flat& flat) const;
  // Only what the record tells keeps its label.
  Status KeepTold(const Record& record, const Flat& flat, std::vector<int32_t>& labels) const;
  Status AddRowLabels(const Record& record, Sequence& sequence) const;

  const spec::ModelSpec spec_;
  const BuilderOptions options_;
  spec::PromptSpec bare_prompt_;  // the model's, without chat template
  std::unique_ptr<text::Tokenizer> tokenizer_;
  std::unique_ptr<text::Tokenizer> sentinel_tokenizer_;  // with the sentinel as the highest id
  int32_t sentinel_ = 0;
  size_t lead_ = 0;  // tokens between the end of the generation prompt and an answer
  text::FramingIds image_framing_, video_framing_;
  std::vector<int64_t> time_token_ids_;
};

}  // namespace galago::train

#endif  // GALAGO_TRAIN_DATA_SEQUENCE_BUILDER_H_

#include "train/data/sequence_builder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "src/spec/parse.h"
#include "train/data/marks.h"
#include "train/data/test_records.h"
#include "train/data/world_dataset.h"

namespace galago::train {
namespace {

using testing::Chat;
using ::testing::HasSubstr;
using testing::Picture;
using testing::TinyBuilder;

// Text of the ids that carry loss and of those that do not, media rows as "[rows]".
struct Shown {
  std::string learnt, ignored;
};

Shown Show(const SequenceBuilder& builder, const Sequence& sequence) {
  Shown out;
  for (const auto& piece : sequence.pieces) {
    if (const auto* slot = std::get_if<SlotRows>(&piece)) {
      out.ignored += "[" + std::to_string(slot->rows) + "]";
      continue;
    }
    const TokenRun& run = std::get<TokenRun>(piece);
    for (size_t i = 0; i < run.ids.size(); ++i) {
      (run.labels[i] == kIgnore ? out.ignored : out.learnt) += builder.tokenizer().IdToPiece(run.ids[i]);
    }
  }
  return out;
}

TEST(SequenceBuilder, ChatLabelsAnswersOnly) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  Record record = Chat({"What is it?", "A cat.", "Sure?", " Yes.\nVery. "});
  record.media.push_back(Picture(56, 56));
  record.turns[0].parts = MediaInFront(record.media, "<image>\nWhat is it?");
  record.system = "";
  const auto sequence = builder->Build(record);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  const Shown shown = Show(*builder, *sequence);
  EXPECT_EQ(shown.learnt, "A cat.<|im_end|>Yes.\nVery.<|im_end|>");
  const int64_t rows = sequence->media[0]->slot_rows[0];
  EXPECT_EQ(shown.ignored, "<|im_start|>system\n<|im_end|>\n<|im_start|>user\n[" + std::to_string(rows) +
                               "]\nWhat is it?<|im_end|>\n<|im_start|>assistant\n\n<|im_start|>user\nSure?<|im_end|>\n"
                               "<|im_start|>assistant\n\n");
}

// The rules agree on models of every era and template, and the ids are those the engine makes of the conversation.
TEST(SequenceBuilder, RulesAgreeAndIdsAreTheEngines) {
  for (const std::string name : {"nvila_lite_2b", "nvila_8b_video", "nvila_8b", "nvila_hf", "vila15_3b", "vila15_8b",
                                 "vila15_40b", "vila15_3b_era_b"}) {
    const std::string model = name == "vila15_3b_era_b" ? "vila15_3b" : name;
    const spec::ParseOptions parse{.vila15_compat = name == "vila15_3b_era_b" ? std::optional(spec::Vila15Compat::kEraB)
                                                                              : std::nullopt};
    const auto span = TinyBuilder(model, {}, parse);
    const auto greedy = TinyBuilder(model, {.labels = LabelRule::kGreedyMatch}, parse);
    Record record = Chat({"What is it?", "A cat, I think.", "Where does it sit?", "On 12 mats"});
    record.media.push_back(Picture(60, 40));
    record.turns[0].parts = MediaInFront(record.media, "What is it?");
    const auto a = span->Build(record);
    const auto b = greedy->Build(record);
    ASSERT_TRUE(a.ok()) << name << ": " << a.status();
    ASSERT_TRUE(b.ok()) << name << ": " << b.status();
    std::vector<int32_t> ids;
    for (size_t i = 0; i < a->pieces.size(); ++i) {
      const auto* run = std::get_if<TokenRun>(&a->pieces[i]);
      if (run == nullptr) {
        ids.push_back(text::kMediaSlotId);
        continue;
      }
      EXPECT_EQ(run->labels, std::get<TokenRun>(b->pieces[i]).labels) << name;
      ids.insert(ids.end(), run->ids.begin(), run->ids.end());
    }
    std::string learnt = Show(*span, *a).learnt;
    EXPECT_THAT(learnt, HasSubstr("A cat, I think.")) << name;
    EXPECT_THAT(learnt, HasSubstr("On 12 mats")) << name;
    EXPECT_THAT(learnt, ::testing::Not(HasSubstr("sit"))) << name;

    text::MediaPart slot{.num_slots = static_cast<int64_t>(a->media[0]->slot_rows.size())};
    std::vector<text::Turn> turns = record.turns;
    turns[0].parts[0] = slot;
    const auto prompt =
        text::BuildPrompt(span->spec().prompt, span->tokenizer(), turns, {.add_generation_prompt = false});
    ASSERT_TRUE(prompt.ok());
    EXPECT_EQ(ids, prompt->input_ids) << name;
  }
}

TEST(SequenceBuilder, RowsOfAPictureSayWordsOfTheirOwn) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  Record record;
  record.style = Style::kCaption;
  record.media.push_back(Picture(56, 56));
  record.turns = {{.role = text::Role::kUser, .parts = MediaInFront(record.media, "")}};
  const auto unlabelled = builder->Build(record);
  ASSERT_TRUE(unlabelled.ok()) << unlabelled.status();
  const auto slot_of = [](const Sequence& built) {
    const auto is_slot = [](const auto& piece) { return std::holds_alternative<SlotRows>(piece); };
    return std::get<SlotRows>(*std::ranges::find_if(built.pieces, is_slot));
  };
  const text::FramingIds& framing = builder->image_framing();
  const int64_t rows = slot_of(*unlabelled).rows - static_cast<int64_t>(framing.start.size() + framing.end.size());
  for (int64_t i = 0; i < rows; ++i)
    record.row_words.push_back(i == 1 ? std::vector<RowWord>{{"cat"}, {"x"}, {"x", 3}} : std::vector<RowWord>{{"x"}});
  const auto sequence = builder->Build(record);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  const SlotRows slot = slot_of(*sequence);
  ASSERT_EQ(static_cast<int64_t>(slot.labels.size()), rows);
  ASSERT_EQ(slot.labels[0].size(), 1U);
  ASSERT_EQ(slot.labels[1].size(), 3U);
  const RowTarget x = slot.labels[0][0];
  EXPECT_EQ(builder->tokenizer().IdToPiece(x.token), "x");
  EXPECT_EQ(x.part, 0);
  EXPECT_THAT(std::string(" cat"), ::testing::StartsWith(builder->tokenizer().IdToPiece(slot.labels[1][0].token)));
  EXPECT_EQ(slot.labels[1][1], x);
  EXPECT_EQ(slot.labels[1][2], (RowTarget{x.token, 3}));
  EXPECT_EQ(sequence->num_labels() - unlabelled->num_labels(), rows + 1);

  record.row_words.pop_back();
  EXPECT_THAT(MessageOf(builder->Build(record).status()), HasSubstr("has labels for " + std::to_string(rows - 1) +
                                                                    " rows, the model makes " + std::to_string(rows)));
}

TEST(SequenceBuilder, OfATextWhatIsToldAloneCarriesLoss) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  Record record;
  record.style = Style::kCaption;
  record.media.push_back(Picture(56, 56));
  const std::string text = "place: fish top left, cup no.";
  record.turns = {{.role = text::Role::kUser, .parts = MediaInFront(record.media, text)}};
  const auto whole = builder->Build(record);
  ASSERT_TRUE(whole.ok()) << whole.status();
  const std::string end = builder->tokenizer().IdToPiece(*builder->tokenizer().eos_id());
  EXPECT_THAT(Show(*builder, *whole).learnt, ::testing::EndsWith(text + end));

  record.told = {{11, 20}, {25, 28}};
  const auto sequence = builder->Build(record);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  EXPECT_EQ(Show(*builder, *sequence).learnt, " top left no");
  EXPECT_EQ(sequence->num_rows(), whole->num_rows());

  record.told = {{12, 13}};  // inside a word: the token it lies in
  const auto part = builder->Build(record);
  ASSERT_TRUE(part.ok()) << part.status();
  EXPECT_THAT(Show(*builder, *part).learnt, ::testing::AnyOf("t", "to", "top", " t", " to", " top"));
}

TEST(SequenceBuilder, OnlyASinglePictureIsTiled) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  Record one = Chat({"", "two"});
  one.media.push_back(Picture(112, 56));
  one.turns[0].parts = MediaInFront(one.media, "Q");
  const auto tiled = builder->Build(one);
  ASSERT_TRUE(tiled.ok()) << tiled.status();
  EXPECT_EQ(tiled->media[0]->slot_rows.size(), 3u);  // two tiles and the thumbnail

  Record several = one;
  several.media.push_back(Picture(112, 56));
  several.turns[0].parts = MediaInFront(several.media, "Q");
  const auto whole = builder->Build(several);
  ASSERT_TRUE(whole.ok());
  EXPECT_EQ(whole->media[0]->slot_rows.size(), 1u);
  EXPECT_EQ(whole->media[1]->slot_rows.size(), 1u);

  one.max_tiles = 1;
  EXPECT_EQ((*builder->Build(one)).media[0]->slot_rows.size(), 1u);
}

TEST(SequenceBuilder, TextOfARecordNeverBecomesASpecialToken) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  const std::string nasty = "a<|im_end|>b<|im_start|>c<vila/sentinel>d<|endoftext|>";
  const auto sequence = builder->Build(Chat({nasty, nasty}));
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  int64_t ends = 0, starts = 0;
  for (const int32_t id : std::get<TokenRun>(sequence->pieces[0]).ids) {
    ends += id == *builder->tokenizer().TokenToId("<|im_end|>") ? 1 : 0;
    starts += id == *builder->tokenizer().TokenToId("<|im_start|>") ? 1 : 0;
    EXPECT_NE(id, *builder->tokenizer().TokenToId("<vila/sentinel>"));
  }
  EXPECT_EQ(ends, starts);
  EXPECT_EQ(Show(*builder, *sequence).learnt, nasty + "<|im_end|>");
}

TEST(SequenceBuilder, CaptionsAndDocumentsLearnAllText) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  Record record;
  record.style = Style::kCaption;
  record.media = {};
  record.media.push_back(Picture(56, 56));
  record.media.push_back(Picture(56, 56));
  size_t next = 0;
  auto parts = MediaInPlace(record.media, "<image>One cat.<image>Two dogs.", next);
  ASSERT_TRUE(parts.ok());
  record.turns = {{.role = text::Role::kUser, .parts = *std::move(parts)}};
  const auto document = builder->Build(record);
  ASSERT_TRUE(document.ok()) << document.status();
  const std::string bos = builder->tokenizer().IdToPiece(*builder->tokenizer().bos_id());
  const std::string eos = builder->tokenizer().IdToPiece(*builder->tokenizer().eos_id());
  EXPECT_EQ(Show(*builder, *document).learnt, bos + "One cat.Two dogs." + eos);
  EXPECT_EQ(document->pieces.size(), 5u);

  record.style = Style::kOpenEnd;
  EXPECT_EQ(Show(*builder, *builder->Build(record)).learnt, bos + "One cat.Two dogs.");
  record.style = Style::kPlain;
  EXPECT_EQ(Show(*builder, *builder->Build(record)).learnt, "One cat.Two dogs.\n");
}

TEST(SequenceBuilder, RecordsThatTeachNothingAreErrors) {
  const auto builder = TinyBuilder("nvila_lite_2b");
  const auto error = [&](const Record& record) { return MessageOf(builder->Build(record).status()); };
  EXPECT_THAT(error(Chat({})), HasSubstr("no text"));
  EXPECT_THAT(error(Chat({"Q", " \n"})), HasSubstr("answer 1 is empty"));
  EXPECT_THAT(error(Chat({"Q", "A", "Q"})), HasSubstr("question 2 has no answer"));
  Record swapped = Chat({"Q", "A"});
  std::swap(swapped.turns[0], swapped.turns[1]);
  EXPECT_THAT(error(swapped), HasSubstr("turn 1 is of the assistant"));
  Record damaged = Chat({"Q", "A"});
  damaged.media.push_back({.from = EncodedMedium{nullptr, std::as_bytes(std::span("no picture"))}, .name = "x.png"});
  damaged.turns[0].parts = MediaInFront(damaged.media, "Q");
  EXPECT_THAT(error(damaged), HasSubstr("x.png"));
  damaged.media[0].from = std::filesystem::path("/nowhere/y.png");
  EXPECT_THAT(error(damaged), HasSubstr("y.png"));
}

TEST(SequenceBuilder, VideosGetTimeTokens) {
  const auto builder = TinyBuilder("nvila_8b_video");
  ASSERT_GT(builder->spec().video.num_time_tokens, 0);
  world::Clip clip;
  clip.fps = 8.0;
  clip.frames.assign(32, media::Image(56, 56));
  world::Sample sample{.task = "temporal",
                       .media = {clip},
                       .exchanges = {{.question = "When?", .answer = "<1.0> <4.0>", .metric = world::Metric::kTime}}};
  const auto record = WorldRecord(sample);
  ASSERT_TRUE(record.ok());
  const auto sequence = builder->Build(*record);
  ASSERT_TRUE(sequence.ok()) << sequence.status();
  const int64_t last = builder->spec().video.num_time_tokens - 1;
  std::vector<int64_t> times;
  for (const int32_t id : std::get<TokenRun>(sequence->pieces.back()).labels) {
    if (id >= builder->time_token_ids().front() && id <= builder->time_token_ids().back()) {
      times.push_back(id - builder->time_token_ids().front());
    }
  }
  EXPECT_THAT(times,
              ::testing::ElementsAre(static_cast<int64_t>(std::nearbyint(0.25 * static_cast<double>(last))), last));
}

}  // namespace
}  // namespace galago::train

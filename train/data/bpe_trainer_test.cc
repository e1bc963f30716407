#include "train/data/bpe_trainer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/text/byte_level.h"
#include "src/text/chat_template.h"
#include "src/text/tokenizer_files.h"
#include "train/data/tokenizer_files.h"

namespace galago::train {
namespace {

using ::testing::ElementsAre;

Json Golden() {
  const auto golden =
      ReadJsonFile(std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/tokenizer_trainer.json");
  EXPECT_TRUE(golden.ok()) << golden.status();
  return *golden;
}

TextGroup Group(const Json& golden) {
  const auto counter = WordCounter::Make();
  EXPECT_TRUE(counter.ok());
  TextGroup group{.name = "text"};
  for (const std::string& line : Split(golden["text"].get<std::string>(), '\n')) {
    EXPECT_TRUE(counter->Add(line, group.counts).ok());
  }
  return group;
}

constexpr TokenizerFileOptions kFiles = {.num_time_tokens = 10};

std::unique_ptr<text::Tokenizer> Load(const BpeVocab& vocab) {
  const auto files = TokenizerFiles(vocab, kFiles);
  text::SideFiles side;
  side.tokenizer_config = files.at("tokenizer_config.json");
  auto tokenizer = text::MakeTokenizerJson(files.at("tokenizer.json"), side);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return *std::move(tokenizer);
}

BpeVocab Words(const Json& golden) {
  std::vector<std::string> words = {"user", "assistant", "system"};
  for (std::string& word : ChooseWords({Group(golden)}, {.min_share = 0.02})) words.push_back(std::move(word));
  return VocabOfWords(words);
}

TEST(BpeTrainer, MergesAreTheOfficialTrainers) {
  const Json golden = Golden();
  const BpeVocab vocab = TrainBpe(Group(golden).counts, 383, /*min_count=*/2);
  std::vector<std::string> merges;
  for (const auto& [left, right] : vocab.merges) merges.push_back(StrCat(left, " ", right));
  EXPECT_EQ(merges, golden["merges"].get<std::vector<std::string>>());
  EXPECT_EQ(vocab.tokens.size(), 256 + merges.size());
  EXPECT_FALSE(vocab.whole_words);
}

TEST(BpeTrainer, TheOfficialLibraryGivesTheSameIds) {
  const Json golden = Golden();
  for (const auto& [style, vocab] :
       {std::pair<std::string, BpeVocab>{"words", Words(golden)}, {"merges", TrainBpe(Group(golden).counts, 383, 2)}}) {
    const auto tokenizer = Load(vocab);
    for (size_t i = 0; i < golden["cases"].size(); ++i) {
      const auto ids = tokenizer->Encode(golden["cases"][i].get<std::string>(), {.parse_special = true});
      ASSERT_TRUE(ids.ok());
      EXPECT_EQ(*ids, golden["ids"][style][i].get<std::vector<int32_t>>()) << style << " " << golden["cases"][i];
    }
    EXPECT_EQ(tokenizer->size(), static_cast<int64_t>(vocab.tokens.size()) + NumAddedTokens(kFiles));
    EXPECT_EQ(tokenizer->eos_id(), tokenizer->TokenToId("<|im_end|>"));
    EXPECT_EQ(tokenizer->pad_id(), tokenizer->TokenToId("[PAD]"));
    EXPECT_EQ(tokenizer->bos_id(), std::nullopt);
    EXPECT_FALSE(tokenizer->IsSpecial(*tokenizer->TokenToId("<t3>")));
    EXPECT_EQ(*tokenizer->TokenToId("<t9>"), tokenizer->size() - 1);
    EXPECT_TRUE(tokenizer->IsSpecial(*tokenizer->TokenToId("<image>")));
  }
}

TEST(BpeTrainer, WordsOfPicturesAreSpelled) {
  const WordCounts questions = {{" colour", 60}, {"?", 30}, {" rare", 1}, {" sign", 9}};
  const WordCounts answers = {{"stone", 500}, {"red", 500}};
  const WordCounts colours = {{"red", 1}};
  const WordCounts names = {{" who", 95}, {" Omar", 5}};
  const auto words = ChooseWords({{.name = "q", .counts = questions},
                                  {.name = "read", .counts = answers, .quotes = Quotes::kAll},
                                  {.name = "about", .counts = names, .quotes = Quotes::kSome},
                                  {.name = "a", .counts = colours}},
                                 {.min_share = 0.05});
  EXPECT_THAT(words, ElementsAre("red", " colour", " who", " sign"));
  EXPECT_THAT(ChooseWords({{.counts = questions}}, {.min_share = 0.05, .max_words = 1}), ElementsAre(" colour"));

  const auto tokenizer = Load(VocabOfWords(words));
  const auto pieces = [&](std::string_view text) {
    std::vector<std::string> out;
    const auto ids = tokenizer->Encode(text);
    for (const int32_t id : *ids) out.push_back(tokenizer->IdToPiece(id));
    return out;
  };
  EXPECT_THAT(pieces("red colour"), ElementsAre("red", " colour"));
  EXPECT_THAT(pieces("sacred 12"), ElementsAre("s", "a", "c", "r", "e", "d", " ", "1", "2"));
}

TEST(BpeTrainer, TiesGoToLowerIdsAndTrainingStopsWhenNothingRepeats) {
  const BpeVocab vocab = TrainBpe({{"dcba", 1}, {"abab", 1}}, 1000, 2);
  ASSERT_EQ(vocab.merges.size(), 1u);
  EXPECT_EQ(vocab.merges[0], std::pair(std::string("a"), std::string("b")));
  EXPECT_EQ(TrainBpe({}, 1000).tokens.size(), 256u);
  const BpeVocab tie = TrainBpe({{"zy", 3}, {"xw", 3}}, 257);
  EXPECT_EQ(tie.tokens.back(), "xw");
}

TEST(TokenizerFiles, ChatTemplateIsChatMlWithoutSystemText) {
  const auto files = TokenizerFiles(VocabOfWords({}), kFiles);
  const auto config = ParseJson(files.at("tokenizer_config.json"), "config");
  ASSERT_TRUE(config.ok());
  const std::string jinja = (*config)["chat_template"].get<std::string>();
  const std::vector<text::ChatMessage> messages = {{text::Role::kUser, "hi"}, {text::Role::kAssistant, "ho"}};
  const auto rendered = text::RenderChat({.name = spec::Template::kJinja, .jinja = jinja}, messages);
  ASSERT_TRUE(rendered.ok()) << rendered.status();
  EXPECT_EQ(*rendered, "<|im_start|>user\nhi<|im_end|>\n<|im_start|>assistant\nho<|im_end|>\n<|im_start|>assistant\n");
  EXPECT_EQ(files.size(), 5u);
}

}  // namespace
}  // namespace galago::train

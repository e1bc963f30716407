// Ids and texts of the official tokenizer classes (tests/golden/data/tokenizers, made by
// tests/golden/tokenizer_cases.py).

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "src/base/file.h"
#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/text/detokenizer.h"
#include "src/text/sentencepiece_oracle.h"
#include "src/text/tokenizer.h"

namespace galago::text {
namespace {

using ::testing::ElementsAreArray;

std::filesystem::path Folder(const std::string& name) {
  return std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/tokenizers" / name;
}

std::shared_ptr<const Tokenizer> Load(const spec::TokenizerSpec& spec) {
  auto tokenizer = LoadTokenizer(spec);
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return tokenizer.ok() ? *std::move(tokenizer) : nullptr;
}

struct Golden {
  std::string name;
  std::string cases;
  spec::TokenizerKind kind;
};

std::ostream& operator<<(std::ostream& out, const Golden& golden) { return out << golden.name << '/' << golden.cases; }

class TokenizerGolden : public ::testing::TestWithParam<Golden> {};

std::string Streamed(const std::shared_ptr<const Tokenizer>& tokenizer, const std::vector<int32_t>& ids,
                     std::vector<std::string>* pieces) {
  Detokenizer detokenizer(tokenizer);
  std::string out;
  for (const int32_t id : ids) {
    pieces->push_back(detokenizer.Push(id));
    out += pieces->back();
  }
  pieces->push_back(detokenizer.Finish());
  return out + pieces->back();
}

TEST_P(TokenizerGolden, IdsAndTextsAreThoseOfTheOfficialClass) {
  const Golden& golden = GetParam();
  const auto cases = ReadJsonFile(Folder(golden.name) / golden.cases);
  ASSERT_TRUE(cases.ok()) << cases.status();
  ASSERT_GT(cases->size(), 100u);
  const auto config = ReadJsonFile(Folder(golden.name) / "tokenizer_config.json");
  ASSERT_TRUE(config.ok());
  const bool add_bos = config->value("add_bos_token", true);
  std::shared_ptr<const Tokenizer> by_legacy[2];
  for (const bool legacy : {false, true}) {
    by_legacy[legacy] =
        Load({.kind = golden.kind, .directory = Folder(golden.name), .legacy = legacy, .add_bos_token = add_bos});
    ASSERT_NE(by_legacy[legacy], nullptr);
  }
  for (const Json& one : *cases) {
    const auto text = one["text"].get<std::string>();
    const bool legacy = one.value("legacy", true);
    const auto& tokenizer = by_legacy[legacy];
    SCOPED_TRACE(StrCat("\"", Printable(text, 200), "\" legacy=", legacy));
    const auto want = one["ids"].get<std::vector<int32_t>>();
    const auto got = tokenizer->Encode(text, {.add_special = one["add_special"].get<bool>(), .parse_special = true});
    ASSERT_TRUE(got.ok()) << got.status();
    EXPECT_THAT(*got, ElementsAreArray(want));
    EXPECT_EQ(tokenizer->Decode(want), one["decoded_skip"].get<std::string>());
    std::vector<std::string> pieces;
    EXPECT_EQ(Streamed(tokenizer, want, &pieces), one["decoded_skip"].get<std::string>());
    if (!one.contains("stream") || tokenizer->clean_up_tokenization_spaces()) continue;
    // We never show less than decoding all ids again and again does, and never what is not in the final text.
    std::string official;
    std::string ours;
    for (size_t i = 0; i < pieces.size(); ++i) {
      official += one["stream"][i].get<std::string>();
      ours += pieces[i];
      EXPECT_THAT(ours, ::testing::StartsWith(official)) << "after " << i + 1 << " ids";
      EXPECT_THAT(one["decoded_skip"].get<std::string>(), ::testing::StartsWith(ours)) << "after " << i + 1 << " ids";
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, TokenizerGolden,
                         ::testing::Values(Golden{"llama", "cases.json", spec::TokenizerKind::kSentencePiece},
                                           Golden{"yi", "cases.json", spec::TokenizerKind::kSentencePiece},
                                           Golden{"qwen2", "cases.json", spec::TokenizerKind::kVocabMerges},
                                           Golden{"qwen2", "cases_fast.json", spec::TokenizerKind::kTokenizerJson},
                                           Golden{"llama3", "cases.json", spec::TokenizerKind::kTokenizerJson},
                                           Golden{"smollm2", "cases.json", spec::TokenizerKind::kTokenizerJson}),
                         [](const auto& info) {
                           return ReplaceAll(
                               StrCat(info.param.name, "_", info.param.cases.substr(0, info.param.cases.find('.'))),
                               "-", "_");
                         });

TEST(TokenizerGolden, EveryFolderIsTested) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Folder(""))) {
    if (entry.is_directory()) names.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(names, ::testing::UnorderedElementsAre("llama", "yi", "qwen2", "llama3", "smollm2"));
}

// With nothing around it our encoder is SentencePiece itself.
TEST(SentencePieceModel, LibraryGivesTheSameIds) {
  for (const std::string name : {"llama", "yi"}) {
    const SentencePieceOracle library((Folder(name) / "tokenizer.model").string());
    ASSERT_TRUE(library.ok());
    const auto tokenizer = Load({.kind = spec::TokenizerKind::kSentencePiece, .directory = Folder(name)});
    ASSERT_NE(tokenizer, nullptr);
    const auto cases = ReadJsonFile(Folder(name) / "cases_sp.json");
    ASSERT_TRUE(cases.ok()) << cases.status();
    uint64_t state = 7;
    const auto random = [&](uint64_t n) {
      state = state * 6364136223846793005ull + 1442695040888963407ull;
      return (state >> 33) % n;
    };
    std::vector<std::string> texts;
    for (const Json& one : *cases) texts.push_back(one["text"].get<std::string>());
    for (int i = 0; i < 300; ++i) texts.push_back(texts[random(cases->size())] + texts[random(cases->size())]);
    for (const std::string& text : texts) {
      // User-defined pieces are special tokens here, which the library always recognizes.
      if (text.find("<|") != std::string::npos) continue;
      const auto got = tokenizer->Encode(text, {.add_special = false});
      ASSERT_TRUE(got.ok());
      EXPECT_THAT(*got, ElementsAreArray(library.Encode(text))) << Printable(text, 200);
    }
  }
}

}  // namespace
}  // namespace galago::text

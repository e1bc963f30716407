#include "src/text/tokenizer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ctime>

#include "src/base/file.h"
#include "src/base/strings.h"
#include "src/base/utf8.h"
#include "src/text/byte_level.h"
#include "src/text/detokenizer.h"
#include "src/text/prompt.h"
#include "src/text/tokenizer_files.h"

namespace galago::text {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::filesystem::path Folder(const std::string& name) {
  return std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data/tokenizers" / name;
}

std::shared_ptr<Tokenizer> Load(const std::string& name, spec::TokenizerKind kind) {
  auto tokenizer = LoadTokenizer({.kind = kind, .directory = Folder(name), .legacy = true, .add_bos_token = true});
  EXPECT_TRUE(tokenizer.ok()) << tokenizer.status();
  return std::shared_ptr<Tokenizer>(*std::move(tokenizer));
}

struct Kind {
  std::string name;
  spec::TokenizerKind kind;
};
const Kind kKinds[] = {
    {"llama", spec::TokenizerKind::kSentencePiece},  {"yi", spec::TokenizerKind::kSentencePiece},
    {"qwen2", spec::TokenizerKind::kVocabMerges},    {"qwen2", spec::TokenizerKind::kTokenizerJson},
    {"llama3", spec::TokenizerKind::kTokenizerJson}, {"smollm2", spec::TokenizerKind::kTokenizerJson}};

uint64_t Random(uint64_t& state, uint64_t n) {
  state = state * 6364136223846793005ull + 1442695040888963407ull;
  return (state >> 33) % n;
}

std::string RandomText(uint64_t& state) {
  std::string text;
  const uint64_t length = Random(state, 40);
  for (uint64_t i = 0; i < length; ++i) {
    constexpr char32_t kBases[] = {' ', '\n', 'a', 'A', '0', '.', 0x4e00, 0x1f600, 0xfe0f, 0x5d0};
    Utf8Append(text, kBases[Random(state, std::size(kBases))] +
                         (Random(state, 2) == 0 ? 0 : static_cast<char32_t>(Random(state, 9))));
  }
  return text;
}

TEST(Tokenizer, ByteLevelIsLosslessAndStreamingEqualsDecoding) {
  uint64_t state = 1;
  for (const Kind& kind : kKinds) {
    const auto tokenizer = Load(kind.name, kind.kind);
    const bool lossless = kind.name == "qwen2" || kind.name == "smollm2";  // all characters below are in NFC
    for (int i = 0; i < 300; ++i) {
      const std::string text = RandomText(state);
      const auto ids = tokenizer->Encode(text);
      ASSERT_TRUE(ids.ok()) << ids.status();
      const std::string whole = tokenizer->Decode(*ids);
      if (lossless) {
        EXPECT_EQ(whole, text);
      }
      Detokenizer detokenizer(tokenizer);
      std::string streamed;
      for (const int32_t id : *ids) {
        streamed += detokenizer.Push(id);
        EXPECT_EQ(Utf8Sanitize(streamed), streamed);
      }
      EXPECT_EQ(streamed + detokenizer.Finish(), whole);
      // Random ids too: malformed sequences of bytes.
      std::vector<int32_t> noise;
      for (int k = 0; k < 30; ++k) noise.push_back(static_cast<int32_t>(Random(state, 320)));
      std::string pieces;
      for (const int32_t id : noise) pieces += detokenizer.Push(id);
      EXPECT_EQ(pieces + detokenizer.Finish(), tokenizer->Decode(noise));
      EXPECT_EQ(Utf8Sanitize(pieces), pieces);
    }
  }
}

TEST(Tokenizer, UserTextNeverBecomesASpecialToken) {
  uint64_t state = 3;
  for (const Kind& kind : kKinds) {
    const auto tokenizer = Load(kind.name, kind.kind);
    std::vector<std::string> spellings;
    for (const AddedToken& token : tokenizer->added_tokens()) {
      if (token.special) spellings.push_back(token.content);
    }
    ASSERT_FALSE(spellings.empty());
    for (int i = 0; i < 200; ++i) {
      std::string text = RandomText(state);
      for (int k = 0; k < 3; ++k)
        text.insert(Utf8CompletePrefix(text.substr(0, Random(state, text.size() + 1))),
                    spellings[Random(state, spellings.size())]);
      const auto plain = tokenizer->Encode(text, {.add_special = false});
      ASSERT_TRUE(plain.ok());
      const std::string guarded = tokenizer->BreakSpecials(text, 0xfdd0);
      const auto broken =
          tokenizer->Encode(guarded, {.add_special = false, .parse_special = true, .literal_break = 0xfdd0});
      ASSERT_TRUE(broken.ok());
      for (const auto& ids : {*plain, *broken}) {
        for (const int32_t id : ids) EXPECT_FALSE(tokenizer->IsSpecial(id) && id != tokenizer->unk_id()) << id;
      }
      EXPECT_EQ(*plain, *broken);
    }
    const auto trusted = tokenizer->Encode(spellings.back(), {.add_special = false, .parse_special = true});
    ASSERT_TRUE(trusted.ok());
    EXPECT_THAT(*trusted, ElementsAre(*tokenizer->TokenToId(spellings.back())));
  }
}

TEST(Tokenizer, AddedMediaTokensGetTheNextIdsOnce) {
  const auto tokenizer = Load("qwen2", spec::TokenizerKind::kVocabMerges);
  const auto size = static_cast<int32_t>(tokenizer->size());
  EXPECT_EQ(size, 905);
  const std::string tokens[] = {"<vila/sentinel>", "<|im_end|>", "<image>"};
  EXPECT_THAT(tokenizer->AddSpecialTokens(tokens), ElementsAre(size, 902, size + 1));
  EXPECT_THAT(tokenizer->AddSpecialTokens(tokens), ElementsAre(size, 902, size + 1));
  EXPECT_EQ(tokenizer->size(), size + 2);
  EXPECT_TRUE(tokenizer->IsSpecial(size + 1));
  const auto ids = tokenizer->Encode("a<image>b", {.parse_special = true});
  ASSERT_TRUE(ids.ok());
  EXPECT_THAT(*ids, ::testing::Contains(size + 1));
}

// Merging must not be quadratic: a quarter of a megabyte takes a fraction of a second of this process's time, and 2^36
// steps would take minutes.
TEST(Tokenizer, LongTextWithoutBreaksIsNotQuadratic) {
  for (const Kind& kind : kKinds) {
    const auto tokenizer = Load(kind.name, kind.kind);
    for (const std::string_view unit : {"a", "ab", " ", "\xe4\xbd\xa0"}) {
      std::string text;
      while (text.size() < (size_t{1} << 18)) text += unit;
      const std::clock_t start = std::clock();
      const auto ids = tokenizer->Encode(text);
      const double seconds = static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      EXPECT_TRUE(ids.ok()) << ids.status();
      EXPECT_LT(seconds, 30.0) << kind.name;
    }
  }
}

TEST(Tokenizer, TruncatedFilesAreErrors) {
  for (const Kind& kind : kKinds) {
    const bool spm = kind.kind == spec::TokenizerKind::kSentencePiece;
    const bool json = kind.kind == spec::TokenizerKind::kTokenizerJson;
    const auto bytes = ReadFile(Folder(kind.name) / (spm    ? "tokenizer.model"
                                                     : json ? "tokenizer.json"
                                                            : "vocab.json"),
                                1 << 24);
    ASSERT_TRUE(bytes.ok());
    for (size_t size = 0; size < bytes->size(); size += 1 + bytes->size() / 97) {
      const std::string_view part = std::string_view(*bytes).substr(0, size);
      const auto made = spm    ? MakeSentencePieceTokenizer(part, {}, {})
                        : json ? MakeTokenizerJson(part, {})
                               : MakeVocabMergesTokenizer(part, "", {});
      EXPECT_FALSE(made.ok()) << kind.name << " cut to " << size;
    }
  }
}

TEST(Tokenizer, LyingFilesAreRefusedByName) {
  const auto why = [](std::string_view vocab, std::string_view merges, std::string config) {
    SideFiles side;
    side.tokenizer_config = std::move(config);
    const auto made = MakeVocabMergesTokenizer(vocab, merges, side);
    return made.ok() ? std::string("accepted") : MessageOf(made.status());
  };
  EXPECT_EQ(why(R"({"a":0,"b":1,"ab":2})", "#version: 0.2\na b\n", "{}"), "accepted");
  EXPECT_THAT(why(R"({"a":0,"b":0})", "", "{}"), HasSubstr("same id 0"));
  EXPECT_THAT(why(R"({"a":-1})", "", "{}"), HasSubstr("-1"));
  EXPECT_THAT(why(R"({"a":99999999999})", "", "{}"), HasSubstr("99999999999"));
  EXPECT_THAT(why(R"({"a":"x"})", "", "{}"), HasSubstr("whole number"));
  EXPECT_THAT(why(R"({"a":0})", "a b\n", "{}"), HasSubstr("not in the vocabulary"));
  EXPECT_THAT(why(R"({"a":0,"b":1})", "a b\n", "{}"), HasSubstr("\"ab\""));
  EXPECT_THAT(why(R"({"a":0})", "a\n", "{}"), HasSubstr("line 1"));
  EXPECT_THAT(why(R"({"a":0})", "", R"({"added_tokens_decoder":{"7":{"content":"<x>"},"007":{"content":"<y>"}}})"),
              HasSubstr("same id 7"));
  EXPECT_THAT(why(R"({"a":0})", "", R"({"added_tokens_decoder":{"4294967296":{"content":"<x>"}}})"),
              HasSubstr("4294967296"));

  // A clash is blamed on the file that holds the second meaning.
  const SideFiles side = {.tokenizer_config = R"({"added_tokens_decoder":{"7":{"content":"a"}}})"};
  EXPECT_EQ(MessageOf(MakeTokenizerJson(
                          R"({"pre_tokenizer":{"type":"ByteLevel"},"model":{"vocab":{"a":0},"merges":[]}})", side)
                          .status()),
            "tokenizer_config.json: added token \"a\" has the id 7, the vocabulary has it as 0");

  const auto json_why = [](std::string_view model, std::string_view rest) {
    const auto made =
        MakeTokenizerJson(StrCat(R"({"pre_tokenizer":{"type":"ByteLevel"},"model":)", model, rest, "}"), {});
    return made.ok() ? std::string("accepted") : MessageOf(made.status());
  };
  EXPECT_EQ(json_why(R"({"vocab":{"a":0},"merges":[]})", ""), "accepted");
  EXPECT_THAT(json_why(R"({"vocab":{"a":0},"merges":[],"byte_fallback":true})", ""), HasSubstr("byte_fallback"));
  EXPECT_THAT(json_why(R"({"type":"Unigram","vocab":{},"merges":[]})", ""), HasSubstr("Unigram"));
  EXPECT_THAT(json_why(R"({"vocab":{"a":0},"merges":[]})", R"(,"normalizer":{"type":"Lowercase"})"),
              HasSubstr("Lowercase"));
  EXPECT_THAT(json_why(R"({"vocab":{"a":0},"merges":[]})",
                       R"(,"post_processor":{"type":"TemplateProcessing","single":[{"SpecialToken":{"id":"x"}}]})"),
              HasSubstr("no ids"));
}

// Merges may form a cycle of spellings; every step shortens the word, so it ends.
TEST(Tokenizer, EvilPatternsRunIntoTheirLimit) {
  const auto made = MakeTokenizerJson(
      R"({"pre_tokenizer":{"type":"Sequence","pretokenizers":[{"type":"Split","pattern":{"Regex":"(a+)+$"},"behavior":"Isolated"},
          {"type":"ByteLevel","use_regex":false}]},"model":{"vocab":{"a":0,"b":1},"merges":[]}})",
      {});
  ASSERT_TRUE(made.ok()) << made.status();
  const auto ids = (*made)->Encode(std::string(200, 'a') + "b");
  ASSERT_FALSE(ids.ok());
  EXPECT_EQ(ids.status().code(), StatusCode::kOutOfRange);
}

GgufVocab TinyGguf() {
  GgufVocab vocab;
  vocab.model = "llama";
  vocab.tokens = {"<unk>", "<s>", "</s>"};
  vocab.token_types = {2, 3, 3};
  for (int byte = 0; byte < 256; ++byte) {
    constexpr char kHex[] = "0123456789ABCDEF";
    vocab.tokens.push_back(StrCat("<0x", kHex[byte / 16], kHex[byte % 16], ">"));
    vocab.token_types.push_back(6);
  }
  for (const std::string_view piece : {"\xe2\x96\x81", "h", "i", "hi", "\xe2\x96\x81hi"}) {
    vocab.tokens.emplace_back(piece);
    vocab.token_types.push_back(1);
  }
  vocab.scores.assign(vocab.tokens.size(), 0.0f);
  for (size_t i = 259; i < vocab.scores.size(); ++i) vocab.scores[i] = -static_cast<float>(i);
  return vocab;
}

TEST(GgufTokenizer, ScoresBytesAndSpecialsAsLlamaCpp) {
  const auto tokenizer = MakeGgufTokenizer(TinyGguf());
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  const auto encode = [&](std::string_view text, bool parse) {
    return *(*tokenizer)->Encode(text, {.parse_special = parse});
  };
  EXPECT_THAT(encode("hi", false), ElementsAre(1, 263));
  EXPECT_THAT(encode("hi\n", false), ElementsAre(1, 263, 3 + 10));
  EXPECT_THAT(encode("</s>hi", true), ElementsAre(1, 2, 263));  // the prefix comes back after a special token
  EXPECT_THAT(encode("</s>", false), ElementsAre(1, 259, 3 + '<', 3 + '/', 3 + 's', 3 + '>'));
  EXPECT_EQ((*tokenizer)->Decode(encode("hi hi\n", false)), "hi hi\n");
}

TEST(GgufTokenizer, LyingTablesAreRefused) {
  GgufVocab vocab = TinyGguf();
  vocab.scores.pop_back();
  EXPECT_FALSE(MakeGgufTokenizer(vocab).ok());
  vocab = TinyGguf();
  vocab.token_types[5] = 77;
  EXPECT_FALSE(MakeGgufTokenizer(vocab).ok());
  vocab = TinyGguf();
  vocab.eos_id = 100000;
  EXPECT_FALSE(MakeGgufTokenizer(vocab).ok());
  vocab = TinyGguf();
  vocab.model = "rwkv";
  EXPECT_THAT(MessageOf(MakeGgufTokenizer(vocab).status()), HasSubstr("rwkv"));
  vocab.model = "gpt2";
  vocab.pre = "tekken";
  EXPECT_THAT(MessageOf(MakeGgufTokenizer(vocab).status()), HasSubstr("tekken"));
}

TEST(ByteLevel, EveryByteHasOneSpelling) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  EXPECT_EQ(SpellingToBytes(BytesToSpelling(all)), all);
  EXPECT_EQ(BytesToSpelling(" \n"), "\xc4\xa0\xc4\x8a");
}

TEST(StopMatcher, NeverShowsAPartOfAStopString) {
  const std::string text = "one <|im_ENDone <|im_end|> rest";
  for (size_t step = 1; step <= text.size(); ++step) {
    StopMatcher matcher({"<|im_end|>", "zzz"});
    std::string shown;
    bool stopped = false;
    for (size_t at = 0; at < text.size(); at += step) {
      const auto result = matcher.Push(std::string_view(text).substr(at, step));
      shown += result.text;
      stopped = stopped || result.stopped;
      EXPECT_TRUE(std::string_view("one <|im_ENDone ").starts_with(shown)) << shown;
    }
    EXPECT_TRUE(stopped);
    EXPECT_EQ(shown, "one <|im_ENDone ");
  }
  StopMatcher open({"abc"});
  EXPECT_EQ(open.Push("xab").text, "x");
  EXPECT_EQ(open.Finish(), "ab");
  StopMatcher longest({"ab", "abc"});
  EXPECT_EQ(longest.Push("xabcd").stop, "abc");
}

TEST(TimeTokens, BecomeSeconds) {
  spec::VideoSpec video;
  video.num_time_tokens = 100;
  EXPECT_EQ(ReplaceTimeTokens(video, "from <t0> to <t50>, <t99>, <t100> <t> <tx>", 60.0),
            "from <0.0> to <30.3>, <60.0>, <60.0> <t> <tx>");
  EXPECT_EQ(ReplaceTimeTokens(video, "<t33>", 10.0), "<3.33>");
  video.num_time_tokens = 0;
  EXPECT_EQ(ReplaceTimeTokens(video, "<t1>", 60.0), "<t1>");
}

TEST(BuildPrompt, TypedMarkersStayTextAndMediaGoWhereTheyWereGiven) {
  spec::PromptSpec spec;
  spec.era = spec::Era::kB;
  spec.chat_template = spec::Template::kQwen2;
  const auto tokenizer = Load("qwen2", spec::TokenizerKind::kVocabMerges);
  AddMediaTokens(spec, *tokenizer);
  const Turn turn{Role::kUser, {std::string("<image> a<|im_"), std::string("end|>b"), MediaPart{.index = 5}}};
  const auto prompt = BuildPrompt(spec, *tokenizer, std::vector<Turn>{turn});
  ASSERT_TRUE(prompt.ok()) << prompt.status();
  EXPECT_THAT(prompt->rendered, HasSubstr("user\na<|im_end|>b<image><|im_end|>\n"));
  EXPECT_EQ(std::count(prompt->input_ids.begin(), prompt->input_ids.end(), kMediaSlotId), 1);
  EXPECT_EQ(std::count(prompt->input_ids.begin(), prompt->input_ids.end(), *tokenizer->TokenToId("<|im_end|>")), 2);
  EXPECT_EQ(prompt->warnings.size(), 2u);
  EXPECT_EQ(std::get<MediaSlot>(prompt->pieces[1]), (MediaSlot{5, 0}));
  const Turn wrong{Role::kAssistant, {MediaPart{}}};
  EXPECT_FALSE(BuildPrompt(spec, *tokenizer, std::vector<Turn>{wrong}).ok());
}

TEST(BuildPrompt, EraAKeepsTypedMarkersAsText) {
  spec::PromptSpec spec;
  spec.era = spec::Era::kA;
  spec.chat_template = spec::Template::kVicunaV1;
  const auto tokenizer = Load("llama", spec::TokenizerKind::kSentencePiece);
  const Turn turn{Role::kUser, {MediaPart{.index = 0, .num_slots = 2}, std::string("What is <image></s>?")}};
  const auto prompt = BuildPrompt(spec, *tokenizer, std::vector<Turn>{turn}, {.system = "Be brief."});
  ASSERT_TRUE(prompt.ok()) << prompt.status();
  EXPECT_EQ(prompt->rendered, "Be brief. USER: <image>\n<image>\nWhat is <image></s>? ASSISTANT:");
  EXPECT_EQ(std::count(prompt->input_ids.begin(), prompt->input_ids.end(), kMediaSlotId), 2);
  EXPECT_EQ(std::count(prompt->input_ids.begin(), prompt->input_ids.end(), 2), 0);
  EXPECT_EQ(std::count(prompt->input_ids.begin(), prompt->input_ids.end(), 1), 1);
}

}  // namespace
}  // namespace galago::text

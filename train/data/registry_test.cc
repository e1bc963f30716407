#include "train/data/registry.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

#include "src/base/strings.h"
#include "train/data/config_file.h"

namespace galago::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

MixtureItem Item(std::string name, int64_t repeat = 1, std::string subset = "") {
  return {std::move(name), repeat, std::move(subset)};
}

TEST(Mixture, GrammarAndExpansion) {
  const Mixtures mixtures = {{"base", {"zebra", "ape*2"}}, {"all", {"base", "cow@0.5"}}};
  const auto items = ResolveMixture("cow*3@top + all+ape", mixtures);
  ASSERT_TRUE(items.ok()) << items.status();
  EXPECT_THAT(*items,
              ElementsAre(Item("ape"), Item("ape", 2), Item("cow", 3, "top"), Item("cow", 1, "0.5"), Item("zebra")));
  EXPECT_THAT(*ResolveMixture("a+a", {}), ElementsAre(Item("a"), Item("a")));
}

TEST(Mixture, NonsenseIsRefused) {
  for (const std::string text : {"", "+", "a+", "a*", "a*0", "a*-1", "a*x", "a*2*3", "a@", "a@b@c", "*2", "@x", "a b",
                                 "a@0.5*2", "a@../x", "a*99999999999999999999", ".."}) {
    EXPECT_FALSE(ResolveMixture(text, {}).ok()) << text;
  }
  EXPECT_THAT(MessageOf(ResolveMixture("a", {{"a", {"b"}}, {"b", {"a"}}}).status()), HasSubstr("holds itself"));
}

TEST(Mixture, ExplosionsEndInAnError) {
  Mixtures mixtures;
  for (int i = 0; i < 30; ++i) mixtures[StrCat("m", i)] = {StrCat("m", i + 1), StrCat("m", i + 1)};
  EXPECT_EQ(ResolveMixture("m0", mixtures).status().code(), StatusCode::kOutOfRange);
}

class RegistryTest : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / StrCat("galago_registry_", getpid());
    std::filesystem::create_directories(folder_ / "slices/half");
    std::ofstream(folder_ / "q.jsonl") << "{\"question\": \"a\", \"answer\": \"b\"}\n{\"question\": \"c\", "
                                          "\"answer\": \"d\"}\n{\"question\": \"e\", \"answer\": \"f\"}\n";
    std::ofstream(folder_ / "slices/half/q.json") << "[1]";
    std::ofstream(folder_ / "slices/half/r.json") << "[7]";
    std::ofstream(folder_ / "r.toml") << kRegistry;
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  static constexpr std::string_view kRegistry = R"(
[datasets.q]
kind = "questions"
path = "q.jsonl"
[datasets.r]
kind = "questions"
path = "q.jsonl"
no_system_prompt = true
[mixtures]
both = ["q", "r*2"]
)";
  std::filesystem::path folder_;
};

TEST_F(RegistryTest, OpensMixtures) {
  const std::vector<std::filesystem::path> files = {folder_ / "r.toml"};
  const auto registry = Registry::Read(files);
  ASSERT_TRUE(registry.ok()) << registry.status();
  EXPECT_THAT(registry->dataset_names(), ElementsAre("q", "r"));
  const OpenOptions options{.slices = folder_ / "slices", .global_batch = 4};
  const auto corpus = registry->Open("both+q@half", options);
  ASSERT_TRUE(corpus.ok()) << corpus.status();
  EXPECT_THAT((*corpus)->lengths(), ElementsAre(4, 4, 8));  // "q" < "q@half" < "r*2"
  EXPECT_EQ((*corpus)->parts[1].num_distinct(), 2);
  EXPECT_EQ((*corpus)->parts[1].IndexOf(1), 2);
  EXPECT_EQ((*corpus)->Locate(9).part, 2u);
  EXPECT_EQ((*corpus)->Locate(9).index, 1);

  const auto error = [&](std::string_view mixture) { return MessageOf(registry->Open(mixture, options).status()); };
  EXPECT_THAT(error("none"), HasSubstr("\"none\""));
  EXPECT_THAT(error("both*2"), HasSubstr("is a mixture"));
  EXPECT_THAT(error("r@half"), HasSubstr("removes record 7, there are 3"));
  EXPECT_THAT(error("q@other"), HasSubstr("other"));
  EXPECT_THAT(MessageOf(registry->Open("q@half", {}).status()), HasSubstr("folder of subsets"));
  const std::vector<std::filesystem::path> twice = {files[0], files[0]};
  EXPECT_THAT(MessageOf(Registry::Read(twice).status()), HasSubstr("defined already"));
}

TEST_F(RegistryTest, BadEntriesAreNamed) {
  const auto error = [&](const std::string& text) {
    const auto registry = Registry::Parse(text, "r.toml", folder_);
    return MessageOf(registry.ok() ? registry->OpenDataset("d").status() : registry.status());
  };
  EXPECT_THAT(error("[datasets.d]\nkind = 'questions'\npath = 'q.jsonl'\nmedia_dri = 'x'"),
              HasSubstr("r.toml: datasets.d: unknown key \"media_dri\""));
  EXPECT_THAT(error("[datasets.d]\nkind = 'question'"), HasSubstr("\"kind\" is \"question\""));
  EXPECT_THAT(error("[datasets.d]\nkind = 'questions'"), HasSubstr("\"path\" is missing"));
  EXPECT_THAT(error("[datasets.d]\nkind = 'questions'\npath = 3"), HasSubstr("path"));
  EXPECT_THAT(error("[datasets.d]\nkind = 'world'\ntask = 'scenes'"), HasSubstr("count"));
  EXPECT_THAT(error("[datasets.d]\nkind = 'world'\ntask = 'x'\ncount = 1\nsplit = 'test'"), HasSubstr("split"));
  const std::string cells = "[datasets.d]\nkind = 'world'\ncount = 1\nrows = true\n";
  EXPECT_THAT(error(cells + "task = 'scenes'"), HasSubstr("\"rows\" is for the task \"cells\" alone"));
  EXPECT_THAT(error(cells + "task = 'cells'\nmedia = false"), HasSubstr("\"rows\" has no pictures"));
  EXPECT_THAT(error("[datasets.d]\nkind = 'shards'\npath = '.'\nbegin = 2"), HasSubstr("begin"));
  EXPECT_THAT(error("[datasets.d]\nkind = 'shards'\npath = '.'"), HasSubstr("no shard"));
  EXPECT_THAT(error("[dataset.d]"), HasSubstr("unknown key \"dataset\""));
  EXPECT_THAT(error("[datasets.\"a*b\"]"), HasSubstr("no name"));
  EXPECT_THAT(error("[mixtures]\na = 'b'"), HasSubstr("not a list"));
  EXPECT_THAT(error("x = "), HasSubstr("r.toml:1"));
  EXPECT_THAT(error("datasets = 3"), HasSubstr("not a table"));
}

TEST(ConfigFile, TomlBecomesJson) {
  const auto json = ParseConfig("a = 1\nb = [true, 'x', {c = 1.5}]\n[t]\nd = \"\\u00e9\"", "f");
  ASSERT_TRUE(json.ok()) << json.status();
  EXPECT_EQ(json->dump(), "{\"a\":1,\"b\":[true,\"x\",{\"c\":1.5}],\"t\":{\"d\":\"é\"}}");
  for (const std::string text : {"a = 2020-01-01", "a = nan", "a = inf", "a", "a = 1\na = 2"}) {
    EXPECT_FALSE(ParseConfig(text, "f").ok()) << text;
  }
  EXPECT_THAT(MessageOf(ParseConfig("\n\na = 2020-01-01", "f").status()), HasSubstr("f:3"));
}

}  // namespace
}  // namespace galago::train

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "src/base/strings.h"
#include "train/data/record_file.h"
#include "train/data/registry.h"
#include "train/data/tar.h"
#include "train/data/test_records.h"
#include "train/data/world_dataset.h"
#include "train/world/tar_shard.h"

namespace galago::train {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::TinyBuilder;

// A folder of its own for every test.
class Readers : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              StrCat("galago_readers_", ::testing::UnitTest::GetInstance()->current_test_info()->name(), "_", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Write(const std::string& name, const std::string& contents) {
    std::filesystem::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name, std::ios::binary) << contents;
  }
  // A data set of the folder by its registry entry, in TOML.
  StatusOr<std::shared_ptr<const Dataset>> Open(const std::string& entry) {
    ASSIGN_OR_RETURN(const Registry registry, Registry::Parse("[datasets.d]\n" + entry, "registry.toml", folder_));
    return registry.OpenDataset("d");
  }
  Record First(const std::string& entry, int64_t index = 0) {
    const auto dataset = Open(entry);
    EXPECT_TRUE(dataset.ok()) << dataset.status();
    if (!dataset.ok()) return {};
    auto records = (*dataset)->Get(index);
    EXPECT_TRUE(records.ok()) << records.status();
    return records.ok() ? std::move(records->front()) : Record();
  }
  std::string Error(const std::string& entry, int64_t index = 0) {
    const auto dataset = Open(entry);
    return MessageOf(dataset.ok() ? (*dataset)->Get(index).status() : dataset.status());
  }

  std::filesystem::path folder_;
};

// Parts of all turns: text as it is, media as "{index}", turns parted by "|".
std::string Shown(const Record& record) {
  std::string out;
  for (const text::Turn& turn : record.turns) {
    if (!out.empty()) out += "|";
    for (const text::Part& part : turn.parts) {
      const auto* medium = std::get_if<text::MediaPart>(&part);
      out += medium != nullptr ? StrCat("{", medium->index, "}") : std::get<std::string>(part);
    }
  }
  return out;
}

std::string Picture(int width, int height) {
  return StrCat("P6\n", width, " ", height, "\n255\n") + std::string(static_cast<size_t>(width * height * 3), '\x40');
}

constexpr std::string_view kTwoRecords = R"([
{"id": 1, "image": "a.ppm", "conversations": [{"from": "human", "value": "What <image>is\n<image> it?"},
                                               {"from": "gpt", "value": "A [cat], \"isn't\" it?"}]},
{"id": "2", "image": ["a.ppm", "b.ppm"], "conversations": [
  {"from": "human", "value": "First <image>, then <image>\n."}, {"from": "gpt", "value": "Yes."},
  {"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "No."}]}
])";

TEST_F(Readers, ConversationsHaveTheirMediaInFront) {
  Write("train.json", std::string(kTwoRecords));
  const Record one = First("kind = 'conversations'\npath = 'train.json'\nmedia_dir = 'pictures'");
  EXPECT_EQ(Shown(one), "{0}What is\n it?|A [cat], \"isn't\" it?");
  EXPECT_EQ(one.source, (folder_ / "train.json:2").string());
  EXPECT_EQ(std::get<std::filesystem::path>(one.media[0].from), folder_ / "pictures/a.ppm");
  EXPECT_EQ(one.system, std::nullopt);
  const Record two = First(
      "kind = 'conversations'\npath = 'train.json'\nmax_num_images = 1\nno_system_prompt = true\n"
      "question_suffix = 'Be short.'",
      1);
  EXPECT_EQ(Shown(two), "{0}First , then \n.\nBe short.|Yes.|Sure?\nBe short.|No.");
  EXPECT_EQ(two.system, "");
}

TEST_F(Readers, InterleavedKeepsPlaces) {
  Write("train.json", std::string(kTwoRecords));
  const std::string entry = "kind = 'interleaved'\npath = 'train.json'";
  EXPECT_EQ(Shown(First(entry, 1)), "First {0}, then {1}\n.|Yes.|Sure?|No.");
  EXPECT_THAT(Error(entry, 0), HasSubstr("has 2 media marks, but 1 pictures"));
  Write("few.jsonl", R"({"images": ["a", "b"], "conversations": [{"from": "human", "value": "<image>"},)"
                     R"({"from": "gpt", "value": "x"}]})");
  EXPECT_THAT(Error("kind = 'interleaved'\npath = 'few.jsonl'"), HasSubstr("has 1 media marks for 2"));
}

TEST_F(Readers, BrokenLinesAreNamedAndTheOthersStay) {
  Write("x.jsonl", "{\"question\": \"q\", \"answer\": \"a\"}\n\n{\"question\": \"q\", \n[1]\n{\"answer\": 3}\n");
  const std::string entry = "kind = 'questions'\npath = 'x.jsonl'";
  EXPECT_EQ(Shown(First(entry)), "q|a");
  EXPECT_THAT(Error(entry, 1), HasSubstr("x.jsonl:3"));
  EXPECT_THAT(Error(entry, 2), HasSubstr("x.jsonl:4: the record is not an object"));
  EXPECT_THAT(Error(entry, 3), HasSubstr("x.jsonl:5"));
  // An array that is cut short.
  const std::string cut = std::string(kTwoRecords).substr(0, 400);
  Write("cut.json", cut);
  const std::string cut_entry = "kind = 'conversations'\npath = 'cut.json'";
  EXPECT_THAT(Shown(First(cut_entry)), HasSubstr("What"));
  EXPECT_EQ((*Open(cut_entry))->size(), 2);
  EXPECT_THAT(Error(cut_entry, 1), HasSubstr("cut.json:4"));
  Write("text.json", "hello");
  EXPECT_THAT(Error("kind = 'conversations'\npath = 'text.json'"), HasSubstr("neither a JSON array"));
  EXPECT_THAT(Error("kind = 'conversations'\npath = 'none.json'"), HasSubstr("none.json"));
}

TEST(RecordFile, FindsRecordsWithoutParsing) {
  const auto pieces = [](std::string_view text) {
    std::vector<std::string> out;
    const auto slices = FindRecords(text, "f");
    EXPECT_TRUE(slices.ok());
    for (const RecordSlice& slice : *slices) out.emplace_back(Trim(text.substr(slice.begin, slice.length)));
    return out;
  };
  EXPECT_THAT(pieces(""), IsEmpty());
  EXPECT_THAT(pieces(" [ ] "), IsEmpty());
  EXPECT_THAT(pieces("\xef\xbb\xbf[{\"a\": \"]},\\\"\"}, {} ]"), ElementsAre("{\"a\": \"]},\\\"\"}", "{}"));
  EXPECT_THAT(pieces("[{}, {\"a\": ["), ElementsAre("{}", "{\"a\": ["));
  EXPECT_THAT(pieces("[{},"), ElementsAre("{}", ""));
  EXPECT_THAT(pieces("[{}"), ElementsAre("{}"));
  EXPECT_THAT(pieces("["), ElementsAre(""));
  EXPECT_THAT(pieces("{}\n \r\n{1}"), ElementsAre("{}", "{1}"));
  EXPECT_THAT(pieces("[\"\\"), ElementsAre("\"\\"));
}

TEST_F(Readers, WrongConversationsAreNamed) {
  Write("x.jsonl",
        "{\"conversations\": 3}\n{\"conversations\": []}\n{\"conversations\": [3]}\n"
        "{\"conversations\": [{\"from\": \"bird\", \"value\": \"x\"}]}\n{\"conversations\": [{\"from\": \"human\"}]}\n"
        "{\"image\": 3, \"conversations\": []}\n{}\n");
  const std::string entry = "kind = 'conversations'\npath = 'x.jsonl'";
  const std::string_view kWants[] = {"not a list",     "empty conversation", "not an object",       "bird",
                                     "lacks \"from\"", "not a path",         "no \"conversations\""};
  for (int64_t i = 0; i < 7; ++i) EXPECT_THAT(Error(entry, i), HasSubstr(std::string(kWants[i]))) << i;
}

TEST_F(Readers, DocumentsPutPicturesInFrontOfTheirSentences) {
  Write("d.jsonl",
        R"({"text_list": ["One.", "Two <image> marks.", "Three."], "image_info": [)"
        R"({"matched_text_index": 2, "image_name": "c.ppm"}, {"matched_text_index": 0, "image_base64": "UDY="},)"
        R"({"matched_text_index": 2, "image_name": "d.ppm"}]})"
        "\n"
        R"({"text_list": ["One."], "image_info": [{"matched_text_index": 1, "image_name": "c.ppm"}]})");
  const std::string entry = "kind = 'documents'\npath = 'd.jsonl'\nmedia_dir = 'm'";
  const Record record = First(entry);
  EXPECT_EQ(Shown(record), "{0}\nOne. Two <IMAGE> marks.{1}\n{2}\nThree.");
  EXPECT_EQ(record.style, Style::kCaption);
  EXPECT_EQ(record.media[1].name, (folder_ / "m/c.ppm").string());
  EXPECT_EQ(record.media[2].name, (folder_ / "m/d.ppm").string());
  const auto& bytes = std::get<EncodedMedium>(record.media[0].from).bytes;
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()), "P6");
  EXPECT_THAT(Shown(First(entry + "\nmax_num_images = 1")), HasSubstr("{0}\nThree."));
  EXPECT_THAT(Error(entry, 1), HasSubstr("matched_text_index"));
}

TEST_F(Readers, CaptionsOfAFile) {
  Write("c.jsonl", "{\"image\": \"a.ppm\", \"caption\": \"A cat.\"}\n{\"image\": \"a.ppm\"}\n{\"caption\": \"x\"}");
  const std::string entry = "kind = 'captions'\npath = 'c.jsonl'";
  EXPECT_EQ(Shown(First(entry)), "{0}A cat.");
  EXPECT_THAT(Error(entry, 1), HasSubstr("no caption"));
  EXPECT_THAT(Error(entry, 2), HasSubstr("neither"));
}

std::string Shard(const std::vector<std::pair<std::string, std::string>>& members) {
  std::string out;
  for (const auto& [name, bytes] : members) out += world::TarMember(name, bytes);
  return out + world::TarEnd();
}

TEST_F(Readers, ShardsHoldCaptionsAndConversations) {
  const std::string one = Shard({{"000.PPM.png", Picture(56, 56)},
                                 {"000.txt", "A cat."},
                                 {"000.json", "{\"url\": \"u\"}"},
                                 {"001.png", Picture(56, 56)},
                                 {"001.json", "{\"caption\": \"A dog.\"}"}});
  const std::string two = Shard(
      {{"x/2.0.png", Picture(56, 56)},
       {"x/2.1.png", Picture(56, 56)},
       {"x/2.json", R"({"image": ["x/2.0.png", "x/2.1.png"], "conversations": [)"
                    R"({"from": "human", "value": "<image>\n<image>\nSame?"}, {"from": "gpt", "value": "yes"}]})"}});
  Write("s/b.tar", two);
  Write("s/a.tar", one);
  const std::string entry = "kind = 'shards'\npath = 's'";
  for (const bool with_meta : {false, true}) {
    if (with_meta) {
      Write("s/wids-meta.json", R"({"name": "n", "wids_version": 1, "shardlist": [)"
                                R"({"url": "b.tar", "nsamples": 1, "filesize": 0}, {"url": "a.tar", "nsamples": 2}]})");
    }
    EXPECT_EQ((*Open(entry))->size(), 3);
    EXPECT_EQ(Shown(First(entry, 0)), "{0}A cat.");
    EXPECT_EQ(Shown(First(entry, 1)), "{0}A dog.");
    const Record pair = First(entry, 2);
    EXPECT_EQ(Shown(pair), "{0}{1}Same?|yes");
    EXPECT_THAT(pair.source, HasSubstr("b.tar:x/2"));
    const auto sequence = TinyBuilder("nvila_lite_2b")->Build(pair);
    ASSERT_TRUE(sequence.ok()) << sequence.status();
    EXPECT_EQ(sequence->media.size(), 2u);
  }
  EXPECT_EQ((*(*Open(entry + "\nsamples_per_index = 2"))->Get(0)).size(), 2u);
  EXPECT_EQ((*Open(entry + "\nbegin = 0.5"))->size(), 2);
  Write("recap/a.json", "{\"u\": {\"output\": \"A better cat.\"}}");
  EXPECT_EQ(Shown(First(entry + "\nrecaptions = 'recap'")), "{0}A better cat.");
}

TEST_F(Readers, CutShardsGiveTheirWholeSamples) {
  const std::string whole = Shard({{"0.png", Picture(9, 9)},
                                   {"0.txt", "a"},
                                   {"1.png", Picture(9, 9)},
                                   {"1.txt", "b"},
                                   {"2.png", Picture(9, 9)},
                                   {"2.txt", "c"}});
  Write("s/a.tar", whole.substr(0, whole.size() - 2100));
  const std::string entry = "kind = 'shards'\npath = 's'";
  const auto dataset = Open(entry);
  ASSERT_TRUE(dataset.ok());
  EXPECT_EQ((*dataset)->size(), 2);
  ASSERT_EQ((*dataset)->warnings().size(), 1u);
  EXPECT_THAT((*dataset)->warnings()[0], HasSubstr("cut short"));
  Write("s/wids-meta.json", R"({"shardlist": [{"url": "a.tar", "nsamples": 3}]})");
  EXPECT_THAT(Error(entry, 2), HasSubstr("holds 2 samples"));
  EXPECT_THAT(Error(entry, 2), HasSubstr("cut short"));
}

TEST(Tar, EveryCutIsDamageAndEveryMemberLiesInside) {
  const std::string whole = Shard({{"dir/0.png", "picture"}, {"dir/0.json", std::string(513, '{')}});
  for (size_t length = 0; length <= whole.size(); ++length) {
    const TarIndex index = IndexTar(std::as_bytes(std::span(whole.data(), length)), "t");
    EXPECT_EQ(index.damage.ok(), length >= whole.size() - 512) << length;
    for (const TarMember& member : index.members) EXPECT_LE(member.offset + member.size, length);
  }
  const TarIndex index = IndexTar(std::as_bytes(std::span(whole)), "t");
  ASSERT_EQ(index.members.size(), 2u);
  const std::vector<TarSample> samples = GroupByKey(index);
  ASSERT_EQ(samples.size(), 1u);
  EXPECT_EQ(samples[0].key, "dir/0");
  EXPECT_EQ(SampleExtension("dir/0.A.PNG", "dir/0"), "a.png");
  std::string broken = whole;
  broken[3] ^= 1;
  EXPECT_THAT(MessageOf(IndexTar(std::as_bytes(std::span(broken)), "t").damage), HasSubstr("header"));
}

TEST_F(Readers, TemporalMaps) {
  Write("dvc.json",
        R"({"v1": {"duration": 20, "timestamps": [[0, 5.5], [6, 20]],)"
        R"( "sentences": ["A man runs.", " He stops. "]}, "v2": {"timestamps": [[3, 1]], "sentences": ["x"]}})");
  Write("rtl.json", R"([{"id": "v1", "duration": 9.5, "QA": [{"q": "When?", "a": "At <1> to <2.5>."},)"
                    R"({"q": "Why?", "a": "So <3> <4>."}]}])");
  const Record dense = First("kind = 'dense_captions'\npath = 'dvc.json'\nmedia_dir = 'v'");
  EXPECT_THAT(Shown(dense), HasSubstr("|<0> <5.5> A man runs. <6> <20> He stops."));
  EXPECT_TRUE(dense.times);
  EXPECT_EQ(dense.media[0].duration_s, 20.0);
  EXPECT_EQ(dense.media[0].name, (folder_ / "v/v1.mp4").string());
  EXPECT_THAT(Error("kind = 'dense_captions'\npath = 'dvc.json'", 1), HasSubstr("dvc.json:v2: event 1 from 3"));
  const std::string event = Shown(First("kind = 'event_localization'\npath = 'dvc.json'"));
  EXPECT_THAT(event, ::testing::AnyOf(::testing::EndsWith("|<0> <5.5>"), ::testing::EndsWith("|<6> <20>")));
  EXPECT_THAT(event, ::testing::AnyOf(HasSubstr("\"a man runs\""), HasSubstr("\"he stops\"")));
  const std::string reasoning = "kind = 'reasoning_localization'\npath = 'rtl.json'";
  EXPECT_EQ((*Open(reasoning))->size(), 2);
  EXPECT_EQ(Shown(First(reasoning, 1)), "{0}Why?|So <3> <4>.");
  const Record questions = First("kind = 'video_questions'\npath = 'rtl.json'\nquestion_suffix = 'Short.'");
  EXPECT_EQ(Shown(questions), "{0}When?\nShort.|At <1> to <2.5>.|Why?\nShort.|So <3> <4>.");
  EXPECT_FALSE(questions.times);
}

TEST_F(Readers, AWorldSampleOnDiskIsTheOneInMemory) {
  world::Sample sample{.task = "t",
                       .form = world::Form::kInterleaved,
                       .media = {media::Image(8, 8), media::Image(8, 8)},
                       .exchanges = {{"This <image> is one. And <image>?", "two"}, {"Sure?", "yes"}}};
  Write("t.json", R"([{"id": "t-0", "image": ["a.ppm", "b.ppm"], "conversations": [)"
                  R"({"from": "human", "value": "This <image> is one. And <image>?"}, {"from": "gpt", "value": "two"},)"
                  R"({"from": "human", "value": "Sure?"}, {"from": "gpt", "value": "yes"}]},)"
                  R"({"id": "t-1", "image": "a.ppm", "conversations": [)"
                  R"({"from": "human", "value": "<image>"}, {"from": "gpt", "value": "A cat."}]},)"
                  R"({"id": "t-2", "image": ["a.ppm"], "text": "See <image>. Good."}])");
  const std::string entry = "kind = 'world_directory'\npath = '.'\ntask = 't'";
  EXPECT_EQ(Shown(First(entry)), Shown(*WorldRecord(sample)));
  sample = {.form = world::Form::kCaption, .media = {media::Image(8, 8)}, .exchanges = {{"", "A cat."}}};
  EXPECT_EQ(Shown(First(entry, 1)), Shown(*WorldRecord(sample)));
  EXPECT_EQ(First(entry, 1).style, Style::kCaption);
  sample = {.form = world::Form::kDocument, .media = {media::Image(8, 8)}, .exchanges = {{"", "See <image>. Good."}}};
  EXPECT_EQ(Shown(First(entry, 2)), Shown(*WorldRecord(sample)));
  EXPECT_EQ(Shown(First(entry, 2)), "See {0}. Good.");
}

}  // namespace
}  // namespace galago::train

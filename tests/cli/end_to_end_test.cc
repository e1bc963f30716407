#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "tests/cli/program.h"

// `galago` on the tiny golden checkpoints: what a person or a script sees of it.
namespace galago::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string& Data() {
  static const std::string* const path = new std::string(StrCat(GALAGO_SOURCE_DIR, "/tests/golden/data"));
  return *path;
}
std::string Golden(const std::string& model) { return StrCat(Data(), "/", model, "/model"); }
std::string Picture(const std::string& name) { return StrCat(Data(), "/media/", name); }

Json GoldenPrompt(const std::string& model, const std::string& name) {
  const Json golden = ReadJsonFile(StrCat(Data(), "/", model, "/golden.json")).value();
  for (const Json& prompt : golden["prompts"]) {
    if (prompt["name"] == name) return prompt;
  }
  return {};
}

class EndToEnd : public ::testing::Test {
 protected:
  Outcome Galago(std::vector<std::string> args, std::map<std::string, std::string> env = {}) {
    return RunProgram(GALAGO_PROGRAM, {.args = std::move(args), .env = std::move(env)}, home_);
  }
  // The picture of the golden prompt one_image, asked as it was.
  Outcome Ask(std::vector<std::string> more = {}, std::map<std::string, std::string> env = {}) {
    std::vector<std::string> args = {
        "run", "-m",   model_,    "--image", Picture("shapes_168x112.png"), "-p", "What colour is it?",
        "-c",  "2048", "--parity"};
    args.insert(args.end(), more.begin(), more.end());
    return Galago(args, std::move(env));
  }
  Json AskJson(std::vector<std::string> more, std::map<std::string, std::string> env = {}) {
    more.emplace_back("--json");
    const Outcome outcome = Ask(std::move(more), std::move(env));
    EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
    EXPECT_THAT(outcome.err, Not(HasSubstr("\x1b")));
    EXPECT_TRUE(Json::accept(outcome.out)) << outcome.out;
    return Json::accept(outcome.out) ? Json::parse(outcome.out) : Json::object();
  }
  Outcome Chat(const std::string& script, std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"chat", "-m", model_, "-c", "2048", "--parity", "--temp", "0", "-n", "12"};
    args.insert(args.end(), more.begin(), more.end());
    return RunProgram(GALAGO_PROGRAM, {.args = args, .input = script}, home_);
  }

  Folder home_;
  const std::string model_ = Golden("nvila_lite_2b");
};

TEST_F(EndToEnd, JsonIsOneDocumentWithTheReferencesTokens) {
  const Json json = AskJson({"--precision", "f32", "-n", "16", "--ignore-eos"});
  const Json golden = GoldenPrompt("nvila_lite_2b", "one_image");
  EXPECT_EQ(json["schema"], "galago.run/1");
  ASSERT_EQ(json["token_ids"].size(), 16u);
  for (size_t i = 0; i < 16; ++i) EXPECT_EQ(json["token_ids"][i], golden["greedy"][i]) << "token " << i;
  EXPECT_EQ(json["finish_reason"], "length");
  EXPECT_EQ(json["usage"]["prompt_tokens"], golden["length"]);
  EXPECT_EQ(json["media"][0]["tiles"], 7);
  EXPECT_EQ(json["media"][0]["tokens"], golden["media"][0]["tokens"]);
  EXPECT_EQ(json["media"][0]["width"], 168);
  EXPECT_EQ(json["device"]["precision"], "f32");
  // The streamed text is the text of the document.
  const Outcome streamed = Ask({"--precision", "f32", "-n", "16", "--ignore-eos"});
  EXPECT_EQ(streamed.exit_code, 0);
  EXPECT_EQ(streamed.out, StrCat(json["text"].get<std::string>(), "\n"));
}

TEST_F(EndToEnd, ThreadsAndPrefillChunksDoNotChangeTheAnswer) {
  const Json want = AskJson({"-n", "16", "-t", "1"})["token_ids"];
  EXPECT_FALSE(want.empty());
  for (const char* threads : {"1", "2"}) {
    for (const char* chunk : {"1", "7", "512"}) {
      EXPECT_EQ(AskJson({"-n", "16", "-t", threads, "--prefill-chunk", chunk})["token_ids"], want)
          << threads << " threads, chunks of " << chunk;
    }
  }
}

TEST_F(EndToEnd, DryRunShowsThePlan) {
  const Json golden = GoldenPrompt("nvila_lite_2b", "one_image");
  const Json json = AskJson({"--dry-run"});
  EXPECT_EQ(json["schema"], "galago.plan/1");
  EXPECT_EQ(json["usage"]["prompt_tokens"], golden["length"]);
  EXPECT_EQ(json["input_ids"], golden["input_ids"]);
  EXPECT_EQ(json["rendered"], golden["rendered"]);
  EXPECT_EQ(json["media"][0]["grid"], golden["media"][0]["grid"]);
  EXPECT_GT(json["memory"]["weights"], 0);
  const Outcome text = Ask({"--dry-run"});
  EXPECT_EQ(text.exit_code, 0);
  EXPECT_THAT(text.out, HasSubstr("grid 3x2, 7 tiles, 42 tokens"));
  EXPECT_THAT(text.out, HasSubstr("tokens: 72 in all, 42 of pictures, 0 of videos"));
  EXPECT_THAT(text.out, HasSubstr("What colour is it?<|im_end|>"));
}

TEST_F(EndToEnd, EveryGoldenCheckpointIsUnderstood) {
  int models = 0;
  for (const auto& entry : fs::directory_iterator(Data())) {
    if (!fs::exists(entry.path() / "golden.json") || !fs::exists(entry.path() / "model")) continue;
    ++models;
    const std::string model = (entry.path() / "model").string();
    const Outcome inspected = Galago({"inspect", model, "--json"});
    EXPECT_EQ(inspected.exit_code, 0) << model << ": " << inspected.err;
    EXPECT_TRUE(Json::accept(inspected.out)) << model;
    const Outcome planned =
        Galago({"run", "-m", model, "--image", Picture("noise_64x48.png"), "-p", "What is it?", "--dry-run", "--json"});
    EXPECT_EQ(planned.exit_code, 0) << model << ": " << planned.err;
    EXPECT_GT(Json::parse(planned.out, nullptr, false)["media"][0]["tokens"], 0) << model;
  }
  EXPECT_GE(models, 10);
}

TEST_F(EndToEnd, PicturesKeepTheirOrder) {
  const auto plan = [&](std::vector<std::string> pictures, const std::string& prompt) {
    std::vector<std::string> args = {"run", "-m", model_, "-p", prompt, "--dry-run", "--json", "--media"};
    for (const std::string& picture : pictures) args.push_back(Picture(picture));
    return Json::parse(Galago(args).out, nullptr, false);
  };
  const Json three =
      plan({"noise_64x48.png", "shapes_120x180.png", "grey_90x120.png"}, "<image> then <image>, <image>?");
  ASSERT_EQ(three["media"].size(), 3u);
  EXPECT_THAT(three["media"][0]["source"].get<std::string>(), HasSubstr("noise_64x48.png"));
  EXPECT_THAT(three["media"][1]["source"].get<std::string>(), HasSubstr("shapes_120x180.png"));
  EXPECT_THAT(three["media"][2]["source"].get<std::string>(), HasSubstr("grey_90x120.png"));
  const Json two = plan({"noise_64x48.png", "grey_90x120.png"}, "<image> then <image>?");
  EXPECT_LT(two["usage"]["image_tokens"], three["usage"]["image_tokens"]);
}

TEST_F(EndToEnd, VideoFramesAreThoseOfTheReference) {
  const Json golden = GoldenPrompt("nvila_lite_2b", "video_file");
  const Outcome outcome = Galago({"run", "-m", model_, "--video", Picture("clip.mp4"), "--frames", "6", "-p",
                                  "Describe the picture in detail.", "--dry-run", "--json", "--parity"});
  ASSERT_EQ(outcome.exit_code, 0) << outcome.err;
  const Json json = Json::parse(outcome.out);
  EXPECT_EQ(json["media"][0]["type"], "video");
  EXPECT_EQ(json["media"][0]["frame_indices"], golden["frame_indices"]);
  EXPECT_EQ(json["usage"]["prompt_tokens"], golden["length"]);
}

TEST_F(EndToEnd, LayersOfConfiguration) {
  const auto generated = [&](std::vector<std::string> more, std::map<std::string, std::string> env) {
    more.emplace_back("--ignore-eos");
    return AskJson(more, std::move(env))["usage"]["completion_tokens"].get<int>();
  };
  home_.Write(".config/galago/config.toml", "[run]\nmax-tokens = 3\n");
  EXPECT_EQ(generated({}, {}), 3);
  home_.Write("named.toml", "max-tokens = 4\n");
  EXPECT_EQ(generated({"--config", home_ / "named.toml"}, {}), 4);
  EXPECT_EQ(generated({"--config", home_ / "named.toml"}, {{"GALAGO_MAX_TOKENS", "5"}}), 5);
  EXPECT_EQ(generated({"-n", "6"}, {{"GALAGO_MAX_TOKENS", "5"}}), 6);
  EXPECT_EQ(AskJson({"-n", "1"}, {{"GALAGO_ISA", "ref"}})["device"]["isa"], "ref");
}

TEST_F(EndToEnd, UsageErrorsExit2) {
  EXPECT_EQ(Galago({"rnu"}).exit_code, 2);
  EXPECT_EQ(Galago({"run", "-m", model_}).exit_code, 2);
  EXPECT_EQ(Ask({"--temp", "hot"}).exit_code, 2);
  EXPECT_EQ(Ask({"--isa", "z80"}).exit_code, 2);
  EXPECT_EQ(Ask({"-c", "1000000000"}).exit_code, 2);
  const Outcome markers = Galago({"run", "-m", model_, "-p", "<image>?", "--json"});
  EXPECT_EQ(markers.exit_code, 2);
  EXPECT_THAT(Json::parse(markers.out)["error"]["message"].get<std::string>(), HasSubstr("<image>"));
}

TEST_F(EndToEnd, UnusableInputExits3AndNamesIt) {
  const auto with_picture = [&](const std::string& path) {
    return Galago({"run", "-m", model_, "-c", "2048", "--image", path, "-p", "What?"});
  };
  EXPECT_EQ(with_picture("/nonexistent.png").exit_code, 3);
  home_.Write("empty.png", "");
  home_.Write("text.jpg", "this is not a picture");
  std::ifstream whole(Picture("shapes_168x112.png"), std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(whole), {}};
  home_.Write("cut.png", bytes.substr(0, bytes.size() / 2));
  // A PNG header that claims 100000 x 100000 pixels.
  home_.Write("bomb.png",
              StrCat(bytes.substr(0, 16), std::string("\x00\x01\x86\xa0\x00\x01\x86\xa0", 8), bytes.substr(24)));
  for (const std::string name : {"empty.png", "text.jpg", "cut.png", "bomb.png"}) {
    const Outcome outcome = with_picture(home_ / name);
    EXPECT_EQ(outcome.exit_code, 3) << name;
    EXPECT_EQ(outcome.out, "");
    EXPECT_THAT(outcome.err, HasSubstr(name));
  }
  // The wrong kind of file, and what is no file at all.
  EXPECT_THAT(with_picture(Picture("clip.mp4")).err, HasSubstr("clip.mp4: is a video; give it with --video"));
  EXPECT_THAT(with_picture(Picture("clip_frames")).err, HasSubstr("is a directory, not a picture"));
  const std::string pipe = home_ / "pipe";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const std::string& path : {Picture("clip_frames"), Picture("clip.mp4"), std::string("/dev/zero"), pipe}) {
    EXPECT_EQ(with_picture(path).exit_code, 3) << path;
  }
  for (const std::string& path : {Picture("one_1x1.png"), std::string("/dev/zero"), pipe}) {
    const Outcome outcome = Galago({"run", "-m", model_, "-c", "2048", "--video", path, "-p", "What?"});
    EXPECT_EQ(outcome.exit_code, 3) << path;
    EXPECT_THAT(outcome.err, HasSubstr(path + ": is a "));
  }
  EXPECT_EQ(Galago({"run", "-m", model_, "-c", "2048", "-f", pipe}).exit_code, 3);
  const Outcome chat = Chat(StrCat("/image /dev/zero\n/load ", pipe, "\n/media\n"));
  EXPECT_EQ(chat.exit_code, 3);
  EXPECT_THAT(chat.err, HasSubstr("/dev/zero: is a pipe or device"));
  EXPECT_THAT(chat.err, HasSubstr("no media"));
  const Outcome longer = Ask({"-c", "40"});
  EXPECT_EQ(longer.exit_code, 3);
  EXPECT_THAT(longer.err, HasSubstr("72"));
  EXPECT_THAT(longer.err, HasSubstr("40"));
}

TEST_F(EndToEnd, UnusableModelsExit4AndNameTheFile) {
  EXPECT_EQ(Galago({"inspect", "/nonexistent"}).exit_code, 4);
  EXPECT_EQ(Galago({"inspect", home_.path().string()}).exit_code, 4);
  const fs::path copy = home_.path() / "model";
  fs::copy(model_, copy, fs::copy_options::recursive);
  fs::resize_file(copy / "llm" / "model.safetensors", fs::file_size(copy / "llm" / "model.safetensors") / 2);
  const Outcome cut = Galago({"run", "-m", copy.string(), "-p", "hi", "-c", "2048"});
  EXPECT_EQ(cut.exit_code, 4);
  EXPECT_THAT(cut.err, HasSubstr("model.safetensors"));
  std::ofstream(copy / "llm" / "config.json") << "{\"hidden_size\": ";
  const Outcome json = Galago({"inspect", copy.string(), "--json"});
  EXPECT_EQ(json.exit_code, 4);
  EXPECT_THAT(Json::parse(json.out)["error"]["message"].get<std::string>(), HasSubstr("config.json"));
}

TEST_F(EndToEnd, OtherExitCodes) {
  const Outcome memory = Ask({"--memory-limit", "1K"});
  EXPECT_EQ(memory.exit_code, 5);
  EXPECT_THAT(memory.err, HasSubstr("--ctx-size"));
  EXPECT_EQ(Ask({"--memory-limit", "1K", "--force", "-n", "1"}).exit_code, 0);
  EXPECT_EQ(Galago({"inspect", "hf:nobody/nothing"}).exit_code, 6);
  EXPECT_EQ(Ask({"--timeout", "1ms", "-n", "1500", "--ignore-eos"}).exit_code, 9);
}

TEST_F(EndToEnd, ASecondTurnComputesOnlyItsOwnTokens) {
  const std::string saved = home_ / "chat.json";
  const Outcome first =
      Chat(StrCat(Picture("checker_300x300.png"), "\nWhat colour is it?\nWhat is this?\n/save ", saved, "\n"),
           {"--stats", "-q"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const size_t second = first.err.rfind("\nvision");
  ASSERT_NE(second, std::string::npos) << first.err;
  EXPECT_THAT(first.err.substr(second), HasSubstr("  0.0 ms")) << "no picture is seen again";
  EXPECT_THAT(first.err.substr(second), Not(HasSubstr(" 0 cached"))) << first.err;
  // A fresh program that computes the whole conversation gives the same answer.
  const Outcome again = Chat(StrCat("/load ", saved, "\n/regen\n"), {"-q"});
  ASSERT_EQ(again.exit_code, 0) << again.err;
  EXPECT_TRUE(first.out.ends_with(again.out)) << first.out << "---\n" << again.out;
  EXPECT_GT(again.out.size(), 1u);
}

TEST_F(EndToEnd, ChatGoesOnAfterABadPicture) {
  home_.Write("bad.png", "not a picture");
  const Outcome outcome = Chat(StrCat("/image ", home_ / "bad.png", "\nWhat is it?\n/drop 1\nHello\n"), {"-q"});
  EXPECT_EQ(outcome.exit_code, 3);
  EXPECT_THAT(outcome.err, HasSubstr("bad.png"));
  EXPECT_GT(outcome.out.size(), 1u);
}

TEST_F(EndToEnd, TokenizeThereAndBack) {
  const Outcome there = Galago({"tokenize", "-m", model_, "-p", "Hello, \u4f60\u597d! What is this?", "--json"});
  ASSERT_EQ(there.exit_code, 0) << there.err;
  const Json json = Json::parse(there.out);
  EXPECT_EQ(json["ids"], Json({39, 68, 75, 269, 11, 220, 160, 121, 254, 161, 98, 121, 0, 220, 394, 396, 454, 30}));
  const Outcome back = Galago({"tokenize", "-m", model_, "--decode", json["ids"].dump()});
  EXPECT_EQ(back.out, "Hello, \u4f60\u597d! What is this?\n");
}

TEST_F(EndToEnd, TraceIsWritten) {
  const std::string file = home_ / "trace.safetensors";
  EXPECT_EQ(Ask({"--trace", file, "-n", "1"}).exit_code, 0);
  std::ifstream in(file, std::ios::binary);
  const std::string bytes{std::istreambuf_iterator<char>(in), {}};
  EXPECT_THAT(bytes, HasSubstr("\"lm.logits\""));
  EXPECT_THAT(bytes, HasSubstr("\"media.0.pixel_values\""));
  EXPECT_NE(Ask({"--trace", "/nonexistent/trace", "-n", "1"}).exit_code, 0);
}

TEST_F(EndToEnd, DoctorAndVersion) {
  const Outcome doctor = Galago({"doctor", "--json"}, {{"TMPDIR", home_.path().string()}});
  EXPECT_EQ(doctor.exit_code, 0) << doctor.out;
  const Json facts = Json::parse(doctor.out);
  EXPECT_EQ(facts["cpu"]["isas"][0], "ref");
  EXPECT_GT(facts["memory"]["total"], 0);
  EXPECT_EQ(Json::parse(Galago({"version", "--json"}).out)["schema"], "galago.version/1");
}

// The disk fills up in the middle: exit code 5, and nothing under the name that was asked for.
TEST_F(EndToEnd, QuantizeOnAFullDiskLeavesNothing) {
  for (const char* name : {"out.galago", "out"}) {
    const Outcome outcome =
        RunProgram(GALAGO_PROGRAM,
                   {.args = {"quantize", model_, "-o", home_ / name, "--method", "rtn", "--group", "32"},
                    .file_size_limit = 20000},
                   home_);
    EXPECT_EQ(outcome.exit_code, 5) << outcome.err;
    EXPECT_THAT(outcome.err, HasSubstr("File too large"));
    for (const auto& entry : fs::directory_iterator(home_.path())) {
      EXPECT_THAT(entry.path().filename().string(), Not(HasSubstr("out")));
    }
  }
}

TEST_F(EndToEnd, AnUnreadablePictureToCalibrateOnExits3) {
  const std::string list = home_ / "list.json";
  std::ofstream(home_ / "cut.png") << "\x89PNG";
  std::ofstream(list) << R"([{"image": "cut.png", "conversations": [{"from": "human", "value": "<image>\nWhat?"},
                                                                   {"from": "gpt", "value": "A dog."}]}])";
  const Outcome outcome = Galago({"quantize", model_, "-o", home_ / "out.galago", "--calib", list, "--group", "32"});
  EXPECT_EQ(outcome.exit_code, 3) << outcome.err;
  EXPECT_THAT(outcome.err, HasSubstr("cut.png"));
}

// What ./try asks in a clone: the model of the repository, a picture of examples/.
TEST_F(EndToEnd, NanoAnswersAboutTheExample) {
  const std::string root = GALAGO_SOURCE_DIR;
  const Outcome outcome = Galago({"run", "-m", root + "/models/nano", "--image", root + "/examples/scene.png", "-p",
                                  "Which thing is green?", "-q"});
  EXPECT_EQ(outcome.exit_code, 0) << outcome.err;
  EXPECT_EQ(outcome.out, "tree\n");
}

}  // namespace
}  // namespace galago::testing

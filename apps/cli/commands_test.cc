#include "apps/cli/commands.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <deque>
#include <filesystem>
#include <fstream>

#include "apps/cli/fake_engine.h"
#include "apps/cli/json_output.h"
#include "apps/cli/memory_check.h"
#include "apps/cli/model_ref.h"
#include "apps/cli/progress.h"

namespace galago::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class BrokenOutput : public Output {
 public:
  explicit BrokenOutput(Status status) : status_(std::move(status)) {}
  Status Write(std::string_view) override { return status_; }

 private:
  Status status_;
};

// Lines of a test; "^C" is an interrupt.
class ScriptedReader : public LineReader {
 public:
  explicit ScriptedReader(std::deque<std::string> lines) : lines_(std::move(lines)) {}
  Input Read(std::string_view, std::string& line) override {
    if (lines_.empty()) return Input::kEnd;
    line = lines_.front();
    lines_.pop_front();
    return line == "^C" ? Input::kInterrupt : Input::kLine;
  }

 private:
  std::deque<std::string> lines_;
};

class Commands : public ::testing::Test {
 protected:
  Commands() : folder_(std::filesystem::path(::testing::TempDir()) / StrCat("commands_", ::getpid())) {
    std::filesystem::create_directories(folder_ / "model");
    model_ = (folder_ / "model").string();
  }
  ~Commands() override { std::filesystem::remove_all(folder_); }

  int Run(std::vector<std::string> args) { return RunWith(out_, std::move(args)); }
  int RunWith(Output& out, std::vector<std::string> args) {
    out_.clear();
    err_.clear();
    Log log(err_);
    std::atomic<bool> busy = false;
    World world{
        .engine = engine_,
        .out = out,
        .log = log,
        .stop = stop_,
        .busy = busy,
        .surroundings = {.env = [](const std::string&) { return std::nullopt; }, .system_config = "/nonexistent"},
        .out_is_terminal = out_is_terminal_,
        .in_is_terminal = interactive_,
        .read_stdin = [this](size_t) { return StatusOr<std::string>(stdin_); },
        .make_line_reader = [this](const Options&) { return std::make_unique<ScriptedReader>(lines_); }};
    world.err_is_terminal = interactive_;
    const int code = static_cast<int>(Main(args, world));
    EXPECT_FALSE(busy);
    stop_.Reset();
    return code;
  }
  int Ask(std::vector<std::string> more = {}) {
    std::vector<std::string> args = {"run", "-m", model_, "-p", "hi"};
    args.insert(args.end(), more.begin(), more.end());
    return Run(args);
  }
  Json OutJson() { return Json::parse(out_.text()); }

  std::filesystem::path folder_;
  std::string model_;
  FakeBehaviour fake_;
  FakeEngine engine_{fake_};
  StringOutput out_, err_;
  Stop stop_;
  std::string stdin_;
  std::deque<std::string> lines_;
  bool out_is_terminal_ = false;
  bool interactive_ = false;
};

TEST_F(Commands, RunStreamsTheAnswerAndNothingElse) {
  EXPECT_EQ(Ask(), 0);
  EXPECT_EQ(out_.text(), "Two dogs.\n");
  EXPECT_THAT(err_.text(), HasSubstr("memory: 1000.0 MiB weights"));
  EXPECT_THAT(err_.text(), Not(HasSubstr("\x1b")));
  EXPECT_EQ(Ask({"-q"}), 0);
  EXPECT_EQ(err_.text(), "");
}

TEST_F(Commands, RunPassesEverythingOn) {
  EXPECT_EQ(Ask({"--image",
                 "a.png",
                 "--media",
                 "v.mp4",
                 "--image",
                 "b.png",
                 "--system",
                 "sys",
                 "--temp",
                 "0.5",
                 "--logit-bias",
                 "7=-inf",
                 "-n",
                 "-1",
                 "--raw",
                 "--trace",
                 "t.safetensors",
                 "-t",
                 "3",
                 "--isa",
                 "ref",
                 "-c",
                 "512",
                 "--prefill-chunk",
                 "7",
                 "--precision",
                 "f32",
                 "--mmproj",
                 "mm",
                 "--adapter",
                 "mine",
                 "--vila15-compat",
                 "eraB",
                 "--llamacpp-gelu-tanh",
                 "--seed",
                 "9"}),
            0);
  const std::vector<Message>& conversation = fake_.conversations.at(0);
  ASSERT_EQ(conversation.size(), 2u);
  EXPECT_EQ(conversation[0].role, Role::kSystem);
  ASSERT_EQ(conversation[1].parts.size(), 4u);
  EXPECT_EQ(conversation[1].parts[0].source, "a.png");
  EXPECT_EQ(conversation[1].parts[1].kind, PartKind::kVideo);
  EXPECT_EQ(conversation[1].parts[2].source, "b.png");
  const GenerateOptions& options = fake_.generate_options.at(0);
  EXPECT_EQ(options.sampling.temperature, 0.5f);
  EXPECT_EQ(options.sampling.logit_bias.at(7), -std::numeric_limits<float>::infinity());
  EXPECT_EQ(options.sampling.seed, 9u);
  EXPECT_EQ(options.max_tokens, 512);
  EXPECT_TRUE(options.raw);
  EXPECT_EQ(options.trace_path, "t.safetensors");
  EXPECT_EQ(fake_.session_options.threads, 3);
  EXPECT_EQ(fake_.session_options.isa, "ref");
  EXPECT_EQ(fake_.session_options.prefill_chunk, 7);
  EXPECT_EQ(fake_.model_options.mmproj, "mm");
  EXPECT_EQ(fake_.model_options.adapter, "mine");
  EXPECT_EQ(fake_.model_options.precision, Precision::kF32);
  EXPECT_EQ(fake_.model_options.vila15, Vila15::kEraB);
  EXPECT_TRUE(fake_.model_options.quirks.gelu_tanh);
  EXPECT_FALSE(fake_.model_options.quirks.class_token_last);
}

TEST_F(Commands, RunJsonIsOneDocument) {
  EXPECT_EQ(Ask({"--json", "--image", "a.png", "--seed", "5"}), 0);
  const Json json = OutJson();
  EXPECT_EQ(json["schema"], "galago.run/1");
  EXPECT_EQ(json["text"], "Two dogs.");
  EXPECT_EQ(json["token_ids"], Json({0, 1}));
  EXPECT_EQ(json["finish_reason"], "stop");
  EXPECT_EQ(json["seed"], 5);
  EXPECT_EQ(json["media"][0]["tokens"], 100);
  EXPECT_EQ(json["timings"]["load_ms"], 12.0);
  EXPECT_GT(json["memory"]["peak_host"], 0);
  EXPECT_EQ(json["id"].get<std::string>().size(), 30u);
}

TEST_F(Commands, BytesThatAreNotUtf8StillMakeJson) {
  fake_.pieces = {"a\xff"};
  EXPECT_EQ(Ask({"--json"}), 0);
  EXPECT_EQ(OutJson()["text"], "a\ufffd");
}

TEST_F(Commands, DryRunLoadsNoWeights) {
  EXPECT_EQ(Ask({"--dry-run", "--image", "a.png"}), 0);
  EXPECT_EQ(fake_.loads, 0);
  EXPECT_THAT(out_.text(), HasSubstr("media 1: image a.png, 4x3, 1 tiles, 100 tokens"));
  EXPECT_THAT(out_.text(), HasSubstr("tokens: 102 in all"));
  EXPECT_THAT(out_.text(), HasSubstr("prompt:\n<image>hi\n"));
  fake_.memory.available = 0;
  EXPECT_EQ(Ask({"--dry-run", "--json"}), 0) << "a plan is printed even if it does not fit";
  EXPECT_EQ(OutJson()["schema"], "galago.plan/1");
  EXPECT_EQ(OutJson()["memory"]["weights"], 1000 << 20);
}

TEST_F(Commands, PromptSources) {
  std::ofstream(folder_ / "q.txt") << "from file\n";
  EXPECT_EQ(Run({"run", "-m", model_, "-f", (folder_ / "q.txt").string()}), 0);
  EXPECT_EQ(fake_.conversations.back()[0].parts[0].text, "from file");
  stdin_ = "from stdin";
  EXPECT_EQ(Run({"run", "-m", model_, "-f", "-", "--system", StrCat("@", (folder_ / "q.txt").string())}), 0);
  EXPECT_EQ(fake_.conversations.back()[0].parts[0].text, "from file");
  EXPECT_EQ(fake_.conversations.back()[1].parts[0].text, "from stdin");
  EXPECT_EQ(Run({"run", "-m", model_, "-f", "-", "--image", "-"}), 2);
  EXPECT_EQ(Run({"run", "-m", model_, "-p", "x", "--media", "-"}), 2);
  EXPECT_EQ(Run({"run", "-m", model_, "-p", "\xff"}), 3);
  EXPECT_EQ(Ask({"--system", "a\xff"}), 3);
  EXPECT_EQ(Run({"run", "-m", model_, "-f", "/nonexistent"}), 3);
}

TEST_F(Commands, ARawPromptMayHoldMarkers) {
  EXPECT_EQ(Run({"run", "-m", model_, "-p", "<image>"}), 2);
  EXPECT_EQ(Run({"run", "-m", model_, "-p", "<image>", "--raw"}), 0);
}

TEST_F(Commands, ExitCodesByStage) {
  EXPECT_EQ(Run({"run", "-m", model_}), 2) << "no prompt";
  EXPECT_EQ(Run({"run", "-p", "x"}), 2) << "no model";
  EXPECT_EQ(Ask({"-c", "4097"}), 2) << "more context than the model has";
  EXPECT_EQ(Run({"run", "-m", "/nonexistent", "-p", "x"}), 4);
  EXPECT_EQ(Run({"run", "-m", "hf:no/such", "-p", "x"}), 6);
  EXPECT_EQ(Run({"run", "-m", "https://x/y.gguf", "-p", "x"}), 6);
  EXPECT_EQ(Run({"run", "-m", "hf:../../etc", "-p", "x"}), 2);
  const auto with = [&](Status FakeBehaviour::*where, Status status) {
    fake_ = FakeBehaviour();
    fake_.*where = std::move(status);
    return Ask();
  };
  EXPECT_EQ(with(&FakeBehaviour::open, DataLoss("config.json: cut")), 4);
  EXPECT_EQ(with(&FakeBehaviour::open, Unimplemented("architecture X")), 4);
  EXPECT_EQ(with(&FakeBehaviour::open, InvalidArgument("--mmproj without GGUF")), 2);
  EXPECT_EQ(with(&FakeBehaviour::load, ResourceExhausted("memory")), 5);
  EXPECT_EQ(with(&FakeBehaviour::load, DataLoss("tensor")), 4);
  EXPECT_EQ(with(&FakeBehaviour::create, InvalidArgument("isa: unknown")), 2);
  EXPECT_EQ(with(&FakeBehaviour::generate, NotFound("a.png")), 3);
  EXPECT_EQ(with(&FakeBehaviour::generate, DataLoss("a.png: cut")), 3);
  EXPECT_EQ(with(&FakeBehaviour::generate, OutOfRange("prompt of 5000 tokens, context of 4096")), 3);
  EXPECT_EQ(with(&FakeBehaviour::generate, Internal("bug")), 1);
  fake_ = FakeBehaviour();
  fake_.bad_media["bad"] = NotFound("bad: no such file");
  EXPECT_EQ(Ask({"--media", "bad"}), 3);
}

TEST_F(Commands, ErrorsAsJson) {
  fake_.generate = DataLoss("a.png: cut short");
  EXPECT_EQ(Ask({"--json"}), 3);
  const Json error = OutJson()["error"];
  EXPECT_EQ(error["message"], "a.png: cut short");
  EXPECT_EQ(error["type"], "invalid_request_error");
  EXPECT_EQ(error["code"], "media_undecodable");
  EXPECT_EQ(error["details"]["exit_code"], 3);
  EXPECT_THAT(error["request_id"].get<std::string>(), HasSubstr("run_"));
  EXPECT_EQ(Run({"run", "--json", "--bogus"}), 2);
  EXPECT_EQ(OutJson()["error"]["code"], "invalid_value");
}

TEST_F(Commands, SignalsAndTimeLimit) {
  fake_.before_piece = [&] { stop_.Request(StopCause::kInterrupt); };
  EXPECT_EQ(Ask({"--json"}), 130);
  EXPECT_EQ(OutJson()["finish_reason"], "cancelled");
  fake_.before_piece = [&] { stop_.Request(StopCause::kTerminate); };
  EXPECT_EQ(Ask(), 143);
  fake_.before_piece = [&] {
    while (!stop_.cancel()) std::this_thread::yield();
  };
  EXPECT_EQ(Ask({"--timeout", "10ms"}), 9);
  EXPECT_THAT(err_.text(), HasSubstr("time limit of 0.01 s"));
}

TEST_F(Commands, AClosedPipeIsQuietAFullDiskIsNot) {
  BrokenOutput closed(FailedPrecondition("closed")), full(ResourceExhausted("standard output: No space left"));
  EXPECT_EQ(RunWith(closed, {"run", "-m", model_, "-p", "x", "-q"}), 0);
  EXPECT_EQ(err_.text(), "");
  EXPECT_EQ(RunWith(full, {"run", "-m", model_, "-p", "x"}), 5);
  EXPECT_EQ(RunWith(full, {"run", "-m", model_, "-p", "x", "--json"}), 5);
  EXPECT_THAT(err_.text(), HasSubstr("No space left"));
}

TEST_F(Commands, ForeignTextIsHarmlessOnATerminalAndUntouchedInAPipe) {
  fake_.pieces = {"\x1b[2J"};
  EXPECT_EQ(Ask(), 0);
  EXPECT_EQ(out_.text(), "\x1b[2J\n");
  out_is_terminal_ = true;
  EXPECT_EQ(Ask(), 0);
  EXPECT_EQ(out_.text(), "\ufffd[2J\n");
  EXPECT_EQ(Run({"inspect", model_}), 0);
  EXPECT_EQ(out_.text(), "a fake\ufffd[31m model\n");
}

TEST_F(Commands, MemoryIsCheckedBeforeLoading) {
  fake_.memory.available = uint64_t{3000} << 20;  // 1000 MiB of weights, 4096 MiB of KV cache
  EXPECT_EQ(Ask(), 5);
  EXPECT_EQ(fake_.loads, 0);
  EXPECT_THAT(err_.text(), HasSubstr("--ctx-size 1024 saves 3.0 GiB (2.0 GiB in all)"));
  EXPECT_EQ(Ask({"--force"}), 0);
  EXPECT_EQ(Ask({"-c", "1024"}), 0);
  EXPECT_EQ(Ask({"--memory-limit", "6G"}), 0);
  EXPECT_EQ(Ask({"--memory-limit", "1100M"}), 5);
  EXPECT_THAT(err_.text(), HasSubstr("even --ctx-size 512 needs 1.5 GiB"));
  EXPECT_EQ(Ask({"--precision", "f32", "-c", "1024", "--memory-limit", "2.5G"}), 5);
  EXPECT_THAT(err_.text(), HasSubstr("--precision bf16 saves 1000.0 MiB"));
}

TEST_F(Commands, Statistics) {
  EXPECT_EQ(Ask({"--stats", "-q", "--image", "a.png"}), 0);
  EXPECT_THAT(err_.text(), HasSubstr("1 media, 0 from cache, 100 tokens"));
  EXPECT_THAT(err_.text(), HasSubstr("102 tokens, 0 cached, 102 computed"));
}

TEST_F(Commands, Tokenize) {
  EXPECT_EQ(Run({"tokenize", "-m", model_, "-p", "ab"}), 0);
  EXPECT_EQ(out_.text(), "1\t<s>\n97\ta\n98\tb\n");
  EXPECT_EQ(Run({"tokenize", "-m", model_, "-p", "\u00e9", "--no-special", "--json"}), 0);
  EXPECT_EQ(OutJson()["ids"], Json({0xc3, 0xa9}));
  EXPECT_EQ(OutJson()["pieces"], Json({Json::array({0xc3}), Json::array({0xa9})}));
  EXPECT_EQ(Run({"tokenize", "-m", model_, "-p", "<eos>", "--parse-special"}), 0);
  EXPECT_EQ(out_.text(), "2\t<eos>\n");
  EXPECT_EQ(Run({"tokenize", "-m", model_, "--decode", "[104, 105]"}), 0);
  EXPECT_EQ(out_.text(), "hi\n");
  EXPECT_EQ(Run({"tokenize", "-m", model_, "--decode", "104 105", "--json"}), 0);
  EXPECT_EQ(OutJson()["text"], "hi");
  EXPECT_EQ(Run({"tokenize", "-m", model_, "--decode", "300"}), 3);
  EXPECT_EQ(Run({"tokenize", "-m", model_, "--decode", "x"}), 2);
  EXPECT_EQ(Run({"tokenize", "-m", model_}), 2);
}

TEST_F(Commands, Convert) {
  EXPECT_EQ(Run({"convert", model_, "-o", "out.galago", "--mmproj", "m.gguf"}), 0);
  EXPECT_EQ(fake_.opened_path, model_);
  EXPECT_EQ(fake_.converted_to, "out.galago");
  EXPECT_EQ(fake_.model_options.mmproj, "m.gguf");
  EXPECT_EQ(out_.text(), "out.galago: 12.0 MB, 7 tensors, in 1.5 s\n");
  EXPECT_THAT(err_.text(), HasSubstr("repacked"));
  EXPECT_EQ(Run({"convert", "-m", model_, "-o", "out.galago", "--json"}), 0);
  EXPECT_EQ(OutJson()["schema"], "galago.convert/1");
  EXPECT_EQ(OutJson()["tensors"], 7);
  EXPECT_EQ(Run({"convert", model_}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("--output NAME.galago"));
  EXPECT_EQ(Run({"convert"}), 2);
  fake_.load = DataLoss("a: bad");
  EXPECT_EQ(Run({"convert", model_, "-o", "out.galago"}), 4);
  fake_.load = InvalidArgument("name must end in .galago");
  EXPECT_EQ(Run({"convert", model_, "-o", "out"}), 2);
}

TEST_F(Commands, Quantize) {
  const std::filesystem::path dir = std::filesystem::path(::testing::TempDir()) / "galago_quantize_command";
  std::filesystem::create_directories(dir);
  std::ofstream(dir / "a.txt") << "some text";
  std::ofstream(dir / "b.md") << "more text";
  std::ofstream(dir / "c.json")
      << R"([{"image": "p.png", "conversations": [{"from": "human", "value": "<image>\nWhat?"},
                                      {"from": "gpt", "value": "A dog."}]}])";
  std::ofstream(dir / "empty.txt");
  const std::string text = (dir / "a.txt").string(), list = (dir / "c.json").string();
  EXPECT_EQ(Run({"quantize", model_, "-o", "out.galago", "--tower", "w8a8", "--head", "w8", "--group", "64", "--calib",
                 text, "--calib", list, "--calib-tokens", "4096", "-t", "2"}),
            0);
  EXPECT_EQ(fake_.opened_path, model_);
  EXPECT_EQ(fake_.converted_to, "out.galago");
  const QuantizeOptions& asked = fake_.quantize_options;
  EXPECT_EQ(asked.decoder, WeightFormat::kW4);
  EXPECT_EQ(asked.tower, WeightFormat::kW8);
  EXPECT_EQ(asked.head, WeightFormat::kW8);
  EXPECT_EQ(asked.group, 64);
  EXPECT_EQ(asked.calibration_tokens, 4096);
  EXPECT_EQ(asked.threads, 2);
  EXPECT_EQ(asked.search, "out.galago.search");
  EXPECT_EQ(asked.texts, std::vector<std::string>{"some text"});
  ASSERT_EQ(asked.samples.size(), 1u);
  EXPECT_EQ(asked.samples[0].answer, "A dog.");
  EXPECT_EQ(asked.samples[0].conversation[0].parts[0].source, (dir / "p.png").string());
  EXPECT_THAT(out_.text(), HasSubstr("out.galago: weights 2.0 MB, were 8.0 MB, in 2 s\n"));
  EXPECT_THAT(out_.text(), HasSubstr("mlp: output error 0.375 of rounding's over 2 layers\n"));
  EXPECT_THAT(err_.text(), HasSubstr("a note"));

  EXPECT_EQ(Run({"quantize", model_, "-o", "out", "--method", "rtn", "--decoder", "w8", "--json"}), 0);
  EXPECT_EQ(OutJson()["schema"], "galago.quantize/1");
  EXPECT_EQ(fake_.quantize_options.method, QuantizeMethod::kRtn);
  EXPECT_EQ(fake_.quantize_options.decoder, WeightFormat::kW8);

  EXPECT_EQ(Run({"quantize", model_, "-o", "out", "--method", "rtn", "--decoder", "w6", "--head", "w6"}), 0);
  EXPECT_EQ(fake_.quantize_options.decoder, WeightFormat::kW6);
  EXPECT_EQ(fake_.quantize_options.head, WeightFormat::kW6);
  EXPECT_EQ(Run({"quantize", model_}), 2);
  for (const char* format : {"w4", "w6"}) {
    EXPECT_EQ(Run({"quantize", model_, "-o", "out", "--tower", format}), 2) << format;
  }
  EXPECT_EQ(Run({"quantize", model_, "-o", "out", "--calib", (dir / "empty.txt").string()}), 3);
  EXPECT_THAT(err_.text(), HasSubstr("empty.txt: is empty"));
  EXPECT_EQ(Run({"quantize", model_, "-o", "out", "--calib", (dir / "none.txt").string()}), 3);
  EXPECT_EQ(Run({"quantize", model_, "-o", "out", "--calib", dir.string()}), 3);  // one of its texts is empty
  fake_.quantized = InvalidArgument("groups of 128 do not divide");
  EXPECT_EQ(Run({"quantize", model_, "-o", "out"}), 2);
  fake_.quantized = DataLoss("not a number");
  EXPECT_EQ(Run({"quantize", model_, "-o", "out"}), 4);
  fake_.quantized = ResourceExhausted("disk full");
  EXPECT_EQ(Run({"quantize", model_, "-o", "out"}), 5);
  std::filesystem::remove_all(dir);
}

TEST_F(Commands, Perplexity) {
  const std::string file = (std::filesystem::path(::testing::TempDir()) / "galago_perplexity.txt").string();
  std::ofstream(file) << "some text";
  EXPECT_EQ(Run({"eval", "perplexity", file, "-m", model_, "--window", "512"}), 0);
  EXPECT_EQ(fake_.perplexity_options.window, 512);
  EXPECT_EQ(out_.text(), "perplexity 12.5000 (3 windows of 512 tokens, standard error of the loss 0.0100)\n");
  EXPECT_EQ(Run({"eval", "perplexity", file, "-m", model_, "--adapter", "mine", "--against", model_, "--json", "-"}),
            0);
  EXPECT_EQ(fake_.model_options.adapter, "") << "the reference, opened last, goes without";
  EXPECT_EQ(OutJson()["kl_divergence"], 0.02);
  EXPECT_EQ(OutJson()["reference_perplexity"], 12.0);
  EXPECT_EQ(Run({"eval", "perplexity", "-m", model_}), 2);
  EXPECT_EQ(Run({"eval", "perplexity", file + "x", "-m", model_}), 3);
  std::filesystem::remove(file);
}

TEST_F(Commands, InspectDoctorVersionHelp) {
  EXPECT_EQ(Run({"inspect", model_, "--json"}), 0);
  EXPECT_EQ(OutJson()["schema"], "galago.inspect/1");
  EXPECT_EQ(Run({"inspect"}), 2);
  EXPECT_EQ(Run({"version", "--json"}), 0);
  EXPECT_EQ(OutJson()["version"], "0.1.0");
  EXPECT_EQ(Run({"doctor", "--json"}), 8) << "without HOME the folders of cache and state lie under /";
  EXPECT_EQ(OutJson()["schema"], "galago.doctor/1");
  EXPECT_EQ(Run({}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("Commands:"));
  EXPECT_EQ(Run({"help", "run"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("--top-p"));
  EXPECT_EQ(Run({"help", "rnu"}), 2);
}

TEST_F(Commands, ChatFromAPipe) {
  lines_ = {"/image a.png", "what?", "", "/set temp 0", "more\\", "lines", "/quit", "never"};
  EXPECT_EQ(Run({"chat", "-m", model_, "-q"}), 0);
  EXPECT_EQ(out_.text(), "Two dogs.\nTwo dogs.\n");
  ASSERT_EQ(fake_.conversations.size(), 2u);
  EXPECT_EQ(fake_.conversations[1].size(), 3u);
  EXPECT_EQ(fake_.conversations[1][2].parts[0].text, "more\nlines");
  EXPECT_EQ(fake_.generate_options[0].sampling.temperature, 0.2f);
  EXPECT_EQ(fake_.generate_options[1].sampling.temperature, 0.0f);
  EXPECT_THAT(err_.text(), Not(HasSubstr("\x1b")));
}

TEST_F(Commands, ChatGoesOnAfterAFailureAndReportsIt) {
  lines_ = {"/bogus", "hi"};
  EXPECT_EQ(Run({"chat", "-m", model_}), 2);
  EXPECT_EQ(out_.text(), "Two dogs.\n");
  fake_.generate = DataLoss("a.png: cut");
  lines_ = {"hi", "/tokens"};
  EXPECT_EQ(Run({"chat", "-m", model_}), 3);
  EXPECT_THAT(err_.text(), HasSubstr("0 of 4096 tokens"));
}

TEST_F(Commands, ChatInterrupts) {
  interactive_ = true;
  fake_.before_piece = [&] { stop_.Request(StopCause::kInterrupt); };
  lines_ = {"hi", "/tokens", "^C", "^C"};
  EXPECT_EQ(Run({"chat", "-m", model_}), 130);
  EXPECT_THAT(err_.text(), HasSubstr("0 of 4096 tokens")) << "the prompt survives a stopped answer";
  interactive_ = false;
  lines_ = {"hi", "never"};
  EXPECT_EQ(Run({"chat", "-m", model_}), 130);
  EXPECT_EQ(fake_.conversations.size(), 2u) << "a script does not go on";
}

TEST_F(Commands, RegenerateTakesANewSeed) {
  lines_ = {"hi", "/regen"};
  EXPECT_EQ(Run({"chat", "-m", model_, "--seed", "5"}), 0);
  EXPECT_EQ(fake_.generate_options[0].sampling.seed, 5u);
  EXPECT_EQ(fake_.generate_options[1].sampling.seed, std::nullopt);
  EXPECT_EQ(fake_.conversations[1].size(), 1u);
}

TEST(ModelRef, FindsSnapshotsOfTheHubCache) {
  const std::filesystem::path cache = std::filesystem::path(::testing::TempDir()) / StrCat("hub_", ::getpid());
  const std::filesystem::path repository = cache / "models--me--tiny";
  std::filesystem::create_directories(repository / "refs");
  std::filesystem::create_directories(repository / "snapshots" / "abc123");
  std::ofstream(repository / "refs" / "main") << "abc123";
  std::ofstream(repository / "snapshots" / "abc123" / "x.gguf") << "GGUF";
  const GetEnv env = [&](const std::string& name) -> std::optional<std::string> {
    return name == "HF_HUB_CACHE" ? std::optional(cache.string()) : std::nullopt;
  };
  const std::string snapshot = (repository / "snapshots" / "abc123").string();
  EXPECT_EQ(ResolveModel("me/tiny", env).value(), snapshot);
  EXPECT_EQ(ResolveModel("hf:me/tiny@abc123", env).value(), snapshot);
  EXPECT_EQ(ResolveModel("hf:me/tiny:x.gguf", env).value(), snapshot + "/x.gguf");
  EXPECT_FALSE(ResolveModel("hf:me/tiny@dev", env).ok());
  EXPECT_FALSE(ResolveModel("hf:me/tiny:../../../x", env).ok());
  EXPECT_EQ(ResolveModel(cache.string(), env).value(), cache.string());
  std::filesystem::remove_all(cache);
}

TEST(LoadProgress, SpeaksOnlyWhenItTakesLong) {
  StringOutput out;
  Log log(out);
  { const LoadProgress quick(log, ProgressMode::kPlain, "m", 1 << 20, std::chrono::milliseconds(60'000)); }
  EXPECT_EQ(out.text(), "");
  {
    const LoadProgress slow(log, ProgressMode::kPlain, "m", 1 << 20, std::chrono::milliseconds(0));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(out.text(), "loading m (1.0 MiB), 0 s\nloading m (1.0 MiB), 0 s, done\n");
  EXPECT_EQ(ResolveProgress(ProgressMode::kAuto, true, LogLevel::kInfo), ProgressMode::kBar);
  EXPECT_EQ(ResolveProgress(ProgressMode::kAuto, false, LogLevel::kInfo), ProgressMode::kPlain);
  EXPECT_EQ(ResolveProgress(ProgressMode::kAuto, true, LogLevel::kError), ProgressMode::kNone);
}

TEST(Log, LevelsPrefixesAndHarmlessness) {
  StringOutput out;
  Log log(out);
  log.set_level(LogLevel::kWarning);
  log.Info("no");
  log.Warning("a\x1b[0m");
  log.set_color(true);
  log.Error("b");
  EXPECT_EQ(out.text(), "warning: a\ufffd[0m\n\x1b[1;31merror: \x1b[0mb\n");
}

}  // namespace
}  // namespace galago::cli

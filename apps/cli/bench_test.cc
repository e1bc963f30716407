#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "apps/cli/bench_report.h"
#include "apps/cli/bench_samples.h"
#include "apps/cli/bench_svg.h"
#include "apps/cli/commands.h"
#include "apps/cli/fake_engine.h"
#include "src/base/file.h"

namespace galago::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;

// ------------------------------------------------------------------------------------------------------ statistics

TEST(BenchSamples, MedianOfOddAndEvenNumbers) {
  EXPECT_EQ(Summarise(std::vector<double>{3, 1, 2}).median, 2);
  EXPECT_EQ(Summarise(std::vector<double>{4, 1, 3, 2}).median, 2.5);
  EXPECT_EQ(Summarise(std::vector<double>{7}), (Summary{.count = 1, .median = 7, .p95 = 7, .min = 7, .max = 7}));
  EXPECT_EQ(Summarise({}), Summary());
}

TEST(BenchSamples, P95IsASampleThatFewExceed) {
  std::vector<double> samples;
  for (int i = 100; i >= 1; --i) samples.push_back(i);
  EXPECT_EQ(Summarise(samples), (Summary{.count = 100, .median = 50.5, .p95 = 95, .min = 1, .max = 100}));
  samples.resize(5);  // 100 to 96
  EXPECT_EQ(Summarise(samples).p95, 100) << "one of five is more than 5 %";
}

TEST(BenchSamples, StopwatchCountsBothTimes) {
  Samples samples;
  const Stopwatch watch;
  watch.Take(samples);
  watch.Take(samples);
  ASSERT_THAT(samples.wall_ms, SizeIs(2));
  EXPECT_GE(samples.wall_ms[0], 0);
  EXPECT_GE(samples.wall_ms[1], samples.wall_ms[0]);
  EXPECT_GE(samples.cpu_ms[1], samples.cpu_ms[0]);
}

// ----------------------------------------------------------------------------------------------------------- roofs

// Two threads: 20 GB/s, 100 Gflop/s in float32, 400 Gop/s in bf16.
BenchReport Report() {
  BenchReport report{.system = {.cpu_model = "CPU <&>", .usable_cores = 2},
                     .model = "M",
                     .isa = "avx512bf16",
                     .threads = 2,
                     .repeats = 5};
  report.limits = {{"dram_read", "avx512", 1, 1e10, 1.2e10}, {"fma_f32", "avx512", 1, 5e10, 5e10},
                   {"dram_read", "avx512", 2, 1.9e10, 2e10}, {"fma_f32", "avx2", 2, 9e10, 9e10},
                   {"fma_f32", "avx512", 2, 1e11, 1e11},     {"bf16", "avx512_bf16", 2, 4e11, 4e11},
                   {"int8", "avx2", 2, 3e11, 3e11},          {"int8", "avx512_vnni", 2, 8e11, 8e11}};
  report.stages = {{.kind = BenchStageKind::kPrefill,
                    .count = 512,
                    .samples = {.wall_ms = {30, 20, 10}, .cpu_ms = {40, 40, 40}},
                    .work = {.operations = 4e9, .bytes = 1e8}},
                   {.kind = BenchStageKind::kDecode,
                    .count = 1024,
                    .samples = {.wall_ms = {10}, .cpu_ms = {20}},
                    .work = {.operations = 2e8, .bytes = 1e8}}};
  return report;
}

TEST(BenchRoof, TheSlowerOfArithmeticAndMemory) {
  BenchReport report = Report();
  const Roof prefill = RoofOf(report, report.stages[0].work).value();
  EXPECT_EQ(prefill.arithmetic->name, "bf16");
  EXPECT_DOUBLE_EQ(prefill.seconds, 4e9 / 4e11);
  const Roof decode = RoofOf(report, report.stages[1].work).value();
  EXPECT_EQ(decode.memory->best, 2e10) << "of the report's number of threads";
  EXPECT_DOUBLE_EQ(decode.seconds, 1e8 / 2e10);
}

TEST(BenchRoof, KernelsAndPrecisionChooseTheArithmetic) {
  BenchReport report = Report();
  const StageWork work = report.stages[0].work;
  report.precision = Precision::kF32;
  EXPECT_EQ(RoofOf(report, work)->arithmetic->best, 1e11);
  report.precision = Precision::kInt8;
  EXPECT_EQ(RoofOf(report, work)->arithmetic->name, "int8");
  report.isa = "avx2";
  EXPECT_EQ(RoofOf(report, work)->arithmetic->isa, "avx2");
  EXPECT_EQ(RoofOf(report, work)->arithmetic->name, "int8");
  report.isa = "ref";
  EXPECT_EQ(RoofOf(report, work), std::nullopt) << "plain code has no roof here";
  report.isa = "avx2";
  report.threads = 3;
  EXPECT_EQ(RoofOf(report, work), std::nullopt) << "nothing was measured with 3 threads";
}

TEST(BenchRoof, ArmFamiliesHaveTheirOwnInt8) {
  BenchReport report = Report();
  report.precision = Precision::kInt8;
  report.limits = {{"dram_read", "neon", 2, 2e10, 2e10},
                   {"fma_f32", "neon", 2, 1e11, 1e11},
                   {"int8", "neon_dotprod", 2, 4e11, 4e11},
                   {"bf16", "neon_bf16", 2, 2e11, 2e11},
                   {"int8", "neon_i8mm", 2, 8e11, 8e11}};
  const auto best = [&](std::string_view isa) {
    report.isa = isa;
    return RoofOf(report, report.stages[0].work)->arithmetic->best;
  };
  EXPECT_EQ(best("neon"), 1e11);
  EXPECT_EQ(best("neon_dot"), 4e11);
  EXPECT_EQ(best("neon_bf16"), 4e11);
  EXPECT_EQ(best("neon_i8mm"), 8e11);
}

TEST(BenchText, TellsRatesAndShares) {
  const std::string text = BenchText(Report());
  EXPECT_THAT(text, HasSubstr("prefill"));
  EXPECT_THAT(text, HasSubstr("25600.00 tokens"));  // 512 in 20 ms
  EXPECT_THAT(text, HasSubstr("50 % bf16"));
  EXPECT_THAT(text, HasSubstr("depth 1024"));
  EXPECT_THAT(text, HasSubstr("50 % dram_read"));
  EXPECT_THAT(text, HasSubstr("20.0 GB/s"));
}

TEST(BenchJson, HasItsShape) {
  BenchReport report = Report();
  report.random = RandomModelOptions{.decoder = WeightFormat::kW4};
  report.pictures = {{.size = {1344, 896},
                      .tiles = 7,
                      .prompt_tokens = 900,
                      .media_ms = {1},
                      .vision_ms = {2},
                      .prefill_ms = {3},
                      .first_token_ms = {6, 8}}};
  const Json json = BenchJson(report);
  EXPECT_EQ(json["schema"], "galago.bench/1");
  EXPECT_EQ(json["model"]["random"]["decoder"], "w4");
  EXPECT_EQ(json["stages"][0]["tokens"], 512);
  EXPECT_EQ(json["stages"][0]["wall_ms"]["median"], 20.0);
  EXPECT_EQ(json["stages"][0]["cpu_ms"]["max"], 40.0);
  EXPECT_EQ(json["stages"][0]["per_second"], 25600.0);
  EXPECT_EQ(json["stages"][0]["roof"]["fraction"], 0.5);
  EXPECT_EQ(json["stages"][0]["roof"]["fraction_by_cpu"], 0.5) << "40 ms on two threads";
  EXPECT_EQ(json["stages"][1]["depth"], 1024);
  EXPECT_EQ(json["stages"][1]["bytes_per_second"], 1e10);
  EXPECT_EQ(json["pictures"][0]["ttft_ms"]["median"], 7.0);
  EXPECT_EQ(json["limits"][0]["unit"], "B/s");
  EXPECT_EQ(json["limits"][1]["unit"], "op/s");
  EXPECT_THAT(json["limits"], SizeIs(8));
}

// --------------------------------------------------------------------------------------------------------- picture

size_t Count(const std::string& text, const std::string& what) {
  size_t count = 0;
  for (size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++count;
  return count;
}

// Every number that follows `attribute="`.
std::vector<double> Numbers(const std::string& svg, const std::string& attribute) {
  std::vector<double> numbers;
  const std::string open = StrCat(" ", attribute, "=\"");
  for (size_t at = svg.find(open); at != std::string::npos; at = svg.find(open, at + 1)) {
    numbers.push_back(std::stod(svg.substr(at + open.size())));
  }
  return numbers;
}

TEST(RooflineSvg, ShowsCeilingsAndPoints) {
  const std::string svg = RooflineSvg(Report()).value();
  EXPECT_TRUE(svg.starts_with("<svg xmlns=\"http://www.w3.org/2000/svg\"")) << svg.substr(0, 80);
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_THAT(svg, HasSubstr("CPU &lt;&amp;&gt;"));
  EXPECT_THAT(svg, HasSubstr("memory 20 GB/s"));
  EXPECT_THAT(svg, HasSubstr("int8 avx512_vnni: 800 Gop/s"));
  EXPECT_THAT(svg, HasSubstr("prefill, tokens 512: 200 Gop/s"));
  EXPECT_THAT(svg, HasSubstr("decode, depth 1024: 20 Gop/s"));
  EXPECT_EQ(Count(svg, "<circle"), 4u) << "each of two points once in the plot and once in the legend";
  EXPECT_EQ(Count(svg, "stroke-width=\"2\""), 4u) << "the slope, and a ceiling for each kind of arithmetic";
  EXPECT_THAT(svg, HasSubstr("fma_f32 avx512: 100 Gop/s"));
  EXPECT_THAT(svg, Not(HasSubstr("avx2")));
}

TEST(RooflineSvg, EverythingLiesInsideWhateverTheNumbers) {
  BenchReport report = Report();
  report.stages[0].work = {.operations = 1e15, .bytes = 1};               // far to the right
  report.stages[1].work = {.operations = 1, .bytes = 1e12};               // far to the left and below
  report.stages.push_back({.kind = BenchStageKind::kTower, .count = 1});  // without samples: left out
  const std::string svg = RooflineSvg(report).value();
  EXPECT_EQ(Count(svg, "<circle"), 4u);
  EXPECT_THAT(svg, Not(HasSubstr("nan")));
  EXPECT_THAT(svg, Not(HasSubstr("inf")));
  for (const char* attribute : {"x1", "x2", "cx", "x"}) {
    for (const double x : Numbers(svg, attribute)) EXPECT_TRUE(x >= 0 && x <= 980) << attribute << " " << x;
  }
  for (const char* attribute : {"y1", "y2", "cy", "y"}) {
    for (const double y : Numbers(svg, attribute)) EXPECT_TRUE(y >= 0 && y <= 560) << attribute << " " << y;
  }
}

TEST(RooflineSvg, NeedsLimits) {
  BenchReport report = Report();
  report.threads = 64;
  EXPECT_EQ(RooflineSvg(report).status().code(), StatusCode::kFailedPrecondition);
}

// --------------------------------------------------------------------------------------------------------- command

class BenchCommandTest : public ::testing::Test {
 protected:
  BenchCommandTest() : folder_(std::filesystem::path(::testing::TempDir()) / StrCat("bench_", ::getpid())) {
    std::filesystem::create_directories(folder_ / "model");
    model_ = (folder_ / "model").string();
  }
  ~BenchCommandTest() override { std::filesystem::remove_all(folder_); }

  int Run(std::vector<std::string> args) {
    args.insert(args.begin(), "bench");
    out_.clear();
    err_.clear();
    Log log(err_);
    std::atomic<bool> busy = false;
    World world{
        .engine = engine_,
        .out = out_,
        .log = log,
        .stop = stop_,
        .busy = busy,
        .surroundings = {.env = [](const std::string&) { return std::nullopt; }, .system_config = "/nonexistent"},
        .read_stdin = [](size_t) { return StatusOr<std::string>(std::string()); },
        .make_line_reader = {}};
    const int code = static_cast<int>(Main(args, world));
    EXPECT_FALSE(busy);
    stop_.Reset();
    return code;
  }
  Json OutJson() { return Json::parse(out_.text()); }

  std::filesystem::path folder_;
  std::string model_;
  FakeBehaviour fake_;
  FakeEngine engine_{fake_};
  StringOutput out_, err_;
  Stop stop_;
};

TEST_F(BenchCommandTest, UsageErrors) {
  EXPECT_EQ(Run({}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("--limits, --model MODEL or --shape NAME"));
  EXPECT_EQ(Run({"--shape", "Fake-1B", "-m", model_}), 2);
  EXPECT_EQ(Run({"-m", model_, "--weights", "w4"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("go with --shape"));
  EXPECT_EQ(Run({"--shape", "Fake-1B", "--weights", "w5"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("'w5' is none of bf16, w4, w6, w8"));
  EXPECT_EQ(Run({"--shape", "Fake-1B", "--tower", "w4"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("'w4' is none of bf16, w8"));
  EXPECT_EQ(Run({"--shape", "Fake-1B", "--stages", "tower,prefil"}), 2);
  EXPECT_THAT(err_.text(), HasSubstr("'prefil' is none of load, tower, prefill, decode, picture, limits"));
  for (const std::vector<std::string>& bad : std::vector<std::vector<std::string>>{{"--prefill", "0"},
                                                                                   {"--prefill", "12,"},
                                                                                   {"--depth", "-1"},
                                                                                   {"--tiles", "a"},
                                                                                   {"--pictures", "448"},
                                                                                   {"--pictures", "448x0"},
                                                                                   {"--repeats", "0"},
                                                                                   {"--warmup", "-1"},
                                                                                   {"--steps", "0"},
                                                                                   {"--shape", ""},
                                                                                   {"--svg", ""},
                                                                                   {"--image", "a.png"}}) {
    EXPECT_EQ(Run({"--limits", bad[0], bad[1]}), 2) << bad[0] << " " << bad[1];
  }
  EXPECT_EQ(Run({"--limits", "--svg", "/nonexistent/a.svg"}), 2);
  EXPECT_EQ(Run({"--limits", "--svg", "-", "--json"}), 2);
  EXPECT_EQ(fake_.loads, 0);
}

TEST_F(BenchCommandTest, LimitsAlone) {
  EXPECT_EQ(Run({"--limits"}), 0);
  EXPECT_THAT(out_.text(), HasSubstr("Fake CPU"));
  EXPECT_THAT(out_.text(), HasSubstr("dram_read"));
  EXPECT_THAT(out_.text(), HasSubstr("11.0 GB/s"));
  EXPECT_TRUE(fake_.limit_options.threads.empty());
  EXPECT_EQ(fake_.limit_options.repeats, 5);
  EXPECT_EQ(Run({"--limits", "-t", "2", "--repeats", "3", "--json"}), 0);
  EXPECT_THAT(fake_.limit_options.threads, ElementsAre(2));
  EXPECT_EQ(fake_.limit_options.repeats, 3);
  EXPECT_TRUE(OutJson()["model"].is_null());
  EXPECT_THAT(OutJson()["limits"], SizeIs(3));
  EXPECT_EQ(fake_.loads, 0);
}

TEST_F(BenchCommandTest, ShapesAreListed) {
  EXPECT_EQ(Run({"--list-shapes"}), 0);
  EXPECT_EQ(out_.text(), "Fake-1B             a fake\nFake-2B             another\n");
  EXPECT_EQ(Run({"--list-shapes", "--json"}), 0);
  EXPECT_EQ(OutJson()["shapes"][1]["name"], "Fake-2B");
}

TEST_F(BenchCommandTest, MeasuresWhatIsAskedAsOftenAsAsked) {
  EXPECT_EQ(Run({"--shape", "Fake-1B", "--weights", "w4",  "--head",     "w8",  "--tower",   "w8", "--prefill", "7",
                 "--depth", "0,9",     "--tiles",   "1,3", "--pictures", "8x6", "--repeats", "3",  "--warmup",  "1",
                 "--steps", "2",       "-t",        "2",   "--json"}),
            0)
      << err_.text();
  EXPECT_EQ(fake_.shape, "Fake-1B");
  EXPECT_EQ(fake_.random,
            (RandomModelOptions{.decoder = WeightFormat::kW4, .head = WeightFormat::kW8, .tower = WeightFormat::kW8}));
  EXPECT_THAT(fake_.seen, ElementsAre(1, 1, 1, 1, 3, 3, 3, 3));
  // A prompt four times; at each depth one call that fills the cache, one to warm up, three times two steps.
  ASSERT_THAT(fake_.computed, SizeIs(4 + 8 + 8));
  EXPECT_THAT(fake_.computed[0], Pair(7, 0));
  EXPECT_THAT(fake_.computed[4], Pair(1, 0));
  EXPECT_THAT(fake_.computed[19], Pair(1, 9));
  EXPECT_THAT(fake_.conversations, SizeIs(4));
  EXPECT_NE(fake_.conversations[0][0].parts[0].text, fake_.conversations[1][0].parts[0].text) << "nothing is reused";
  EXPECT_EQ(fake_.session_options.media_cache_bytes, 0u);
  const Json json = OutJson();
  ASSERT_THAT(json["stages"], SizeIs(5));
  EXPECT_EQ(json["stages"][0]["stage"], "tower");
  EXPECT_EQ(json["stages"][0]["samples"], 3);
  EXPECT_EQ(json["stages"][2]["tokens"], 7);
  EXPECT_EQ(json["stages"][4]["depth"], 9);
  EXPECT_EQ(json["stages"][4]["samples"], 6);
  EXPECT_EQ(json["pictures"][0]["width"], 8);
  EXPECT_EQ(json["pictures"][0]["ttft_ms"]["median"], 325.0);
  EXPECT_EQ(json["model"]["random"]["head"], "w8");
  EXPECT_EQ(json["device"]["threads"], 2);
  EXPECT_THAT(json["limits"], SizeIs(3)) << "of the session's threads";
  EXPECT_GT(json["memory"]["peak_host"], 0);
}

TEST_F(BenchCommandTest, StagesChoose) {
  EXPECT_EQ(Run({"-m", model_, "--stages", "decode", "--depth", "5", "--repeats", "1", "--warmup", "0", "--steps", "1",
                 "--json"}),
            0)
      << err_.text();
  EXPECT_EQ(fake_.opened_path, model_);
  EXPECT_TRUE(fake_.seen.empty());
  EXPECT_TRUE(fake_.conversations.empty());
  EXPECT_THAT(fake_.computed, ElementsAre(Pair(1, 5), Pair(1, 5)));
  EXPECT_EQ(fake_.loads, 1);
  EXPECT_TRUE(OutJson()["limits"].empty());
  EXPECT_TRUE(OutJson()["model"]["random"].is_null());
  EXPECT_EQ(fake_.session_options.ctx_size, 6) << "what decoding at depth 5 needs";
  EXPECT_EQ(Run({"-m", model_, "--stages", "load", "--repeats", "4"}), 0);
  EXPECT_EQ(fake_.loads, 5);
  EXPECT_THAT(out_.text(), HasSubstr("load"));
}

TEST_F(BenchCommandTest, SvgIsWritten) {
  const std::string file = (folder_ / "roof.svg").string();
  EXPECT_EQ(Run({"-m", model_, "--stages", "prefill", "--prefill", "3", "--repeats", "1", "--svg", file}), 0);
  EXPECT_THAT(ReadFile(file, 1 << 20).value(), HasSubstr("prefill, tokens 3"));
  EXPECT_EQ(Run({"--limits", "--svg", "-"}), 0);
  EXPECT_TRUE(out_.text().starts_with("<svg"));
}

TEST_F(BenchCommandTest, FailuresKeepTheirStage) {
  fake_.open = NotFound("there is no published shape");
  EXPECT_EQ(Run({"--shape", "Fake-9B"}), 2);
  fake_.open = OkStatus();
  fake_.load = DataLoss("broken");
  EXPECT_EQ(Run({"-m", model_}), 4);
  fake_.load = OkStatus();
  fake_.stages = OutOfRange("too long");
  EXPECT_EQ(Run({"-m", model_, "--json"}), 3);
  EXPECT_THAT(out_.text(), HasSubstr("too long"));
  fake_.memory.available = 1;
  EXPECT_EQ(Run({"-m", model_}), 5);
}

TEST_F(BenchCommandTest, ASignalEndsIt) {
  fake_.before_piece = [this] { stop_.Request(StopCause::kInterrupt); };
  EXPECT_EQ(Run({"-m", model_, "--stages", "prefill"}), 130);
  EXPECT_THAT(fake_.computed, SizeIs(1));
}

}  // namespace
}  // namespace galago::cli

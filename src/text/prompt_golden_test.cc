// Prompts of the reference programs (tests/golden/data/*/golden.json): rendered text, ids with placeholders, stop ids.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <string>
#include <vector>

#include "src/base/json.h"
#include "src/base/strings.h"
#include "src/spec/media_layout.h"
#include "src/spec/parse.h"
#include "src/text/prompt.h"

namespace galago::text {
namespace {

using ::testing::ElementsAreArray;

std::filesystem::path Data() { return std::filesystem::path(GALAGO_SOURCE_DIR) / "tests/golden/data"; }

std::vector<std::string> Folders() {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(Data())) {
    if (std::filesystem::exists(entry.path() / "golden.json")) names.push_back(entry.path().filename().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

// A message of the golden as the command line would hand it over: in era A, markers in the text take the pictures.
Turn TurnOf(const Json& message, const spec::PromptSpec& spec, const Json& media, const Json& golden, size_t& next) {
  Turn turn;
  turn.role = message["role"] == "user" ? Role::kUser : Role::kAssistant;
  std::vector<MediaPart> pending;
  bool markers = false;
  for (const Json& part : message["parts"]) {
    markers =
        markers || (part.contains("text") && part["text"].get<std::string>().find("<image>") != std::string::npos);
  }
  int64_t num_media = static_cast<int64_t>(media.size());
  for (const Json& part : message["parts"]) {
    if (!part.contains("text")) {
      const Json& item = media[next];
      MediaPart out;
      out.index = static_cast<int64_t>(next++);
      out.kind = item["kind"] == "image" ? spec::MediaKind::kImage : spec::MediaKind::kVideo;
      const auto tiles = item["tiles"].get<int64_t>();
      if (out.kind == spec::MediaKind::kVideo) {
        const bool as_images = spec.era == spec::Era::kA || golden.value("video", "") == "image_list";
        out.num_slots = as_images ? tiles : 1;
      } else if (spec.newline_after_tile && num_media == 1) {
        out.num_slots = tiles;
      }
      if (markers) {
        out.placement = Placement::kInText;
        pending.push_back(out);
      } else {
        turn.parts.emplace_back(out);
      }
      continue;
    }
    std::string_view rest = part["text"].get_ref<const std::string&>();
    for (size_t used = 0; markers && used < pending.size(); ++used) {
      const size_t at = rest.find("<image>");
      turn.parts.emplace_back(std::string(rest.substr(0, at)));
      turn.parts.emplace_back(pending[used]);
      rest.remove_prefix(at + 7);
    }
    turn.parts.emplace_back(std::string(rest));
  }
  return turn;
}

class PromptGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(PromptGolden, TextIdsAndStopsAreThoseOfTheReference) {
  const auto golden = ReadJsonFile(Data() / GetParam() / "golden.json");
  ASSERT_TRUE(golden.ok()) << golden.status();
  spec::ParseOptions options;
  if (const std::string compat = golden->value("compat", "auto"); compat != "auto") {
    options.vila15_compat = compat == "eraA" ? spec::Vila15Compat::kEraA : spec::Vila15Compat::kEraB;
  }
  if (const Json* name = JsonFind(*golden, "template")) {
    options.chat_template = spec::TemplateFromName(name->get<std::string>());
    ASSERT_TRUE(options.chat_template.has_value()) << *name;
  }
  const auto model =
      spec::ParseDirectory((Data() / GetParam() / golden->value("model", "model")).lexically_normal(), options);
  ASSERT_TRUE(model.ok()) << model.status();
  auto tokenizer = LoadTokenizer(model->tokenizer);
  ASSERT_TRUE(tokenizer.ok()) << tokenizer.status();
  AddMediaTokens(model->prompt, **tokenizer);

  if (const Json* facts = JsonFind(*golden, "tokenizer")) {
    EXPECT_EQ((*tokenizer)->size(), (*facts)["length"].get<int64_t>());
    if (const Json* ids = JsonFind(*facts, "media_token_ids")) {
      EXPECT_EQ((*tokenizer)->TokenToId("<image>"), (*ids)["image"].get<int32_t>());
      EXPECT_EQ((*tokenizer)->TokenToId("<vila/video>"), (*ids)["video"].get<int32_t>());
    }
    if (const Json* ids = JsonFind(*facts, "stop_token_ids")) {
      const auto stops = StopIds(model->prompt, **tokenizer);
      ASSERT_TRUE(stops.ok());
      EXPECT_THAT(*stops, ::testing::UnorderedElementsAreArray(ids->get<std::vector<int32_t>>()));
    }
    if (const Json* stop = JsonFind(*facts, "stop_string")) {
      EXPECT_THAT(StopStrings(model->prompt), ::testing::ElementsAre(stop->get<std::string>()));
    }
  }
  for (const Json& one : (*golden)["prompts"]) {
    if (!one.contains("messages") || !one.contains("input_ids")) continue;
    SCOPED_TRACE(one["name"].get<std::string>());
    std::vector<Turn> turns;
    size_t next = 0;
    for (const Json& message : one["messages"]) {
      turns.push_back(TurnOf(message, model->prompt, one["media"], *golden, next));
    }
    for (const bool parse_special : {false, true}) {
      const auto prompt = BuildPrompt(model->prompt, **tokenizer, turns, {.parse_special = parse_special});
      ASSERT_TRUE(prompt.ok()) << prompt.status();
      EXPECT_EQ(prompt->rendered, one["rendered"].get<std::string>());
      EXPECT_THAT(prompt->input_ids, ElementsAreArray(one["input_ids"].get<std::vector<int32_t>>()));
      EXPECT_THAT(prompt->warnings, ::testing::IsEmpty());
    }
    if (one.contains("generated") && one.contains("output")) {
      const auto generated = one["generated"].get<std::vector<int32_t>>();
      EXPECT_EQ(FinishAnswer(model->prompt, (*tokenizer)->Decode(generated)), one["output"].get<std::string>());
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Folders, PromptGolden, ::testing::ValuesIn(Folders()),
                         [](const auto& info) { return info.param; });

TEST(PromptGolden, TheFamiliesAreThere) {
  EXPECT_THAT(Folders(), ::testing::IsSupersetOf({"nvila_8b", "nvila_lite_2b", "nvila_8b_video", "nvila_preview",
                                                  "vila15_3b", "vila15_8b", "vila15_8b_form2", "vila15_40b",
                                                  "vila15_3b_era_b", "mobilevlm_v1", "mobilevlm_v2"}));
}

}  // namespace
}  // namespace galago::text

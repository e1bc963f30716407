#include "train/world/sample_json.h"

#include <string_view>
#include <utility>

#include "src/base/check.h"
#include "src/base/strings.h"

namespace galago::world {
namespace {

bool HasMark(std::string_view text) {
  return text.find("<image>") != std::string_view::npos || text.find("<video>") != std::string_view::npos;
}

// The first question with a mark for each medium in front, unless its marks are in place already.
std::string WithMarks(const Sample& sample) {
  const std::string& question = sample.exchanges.front().question;
  if (HasMark(question)) return question;
  std::string marks;
  for (const Medium& medium : sample.media) {
    if (!marks.empty()) marks += '\n';
    marks += std::holds_alternative<Clip>(medium) ? "<video>" : "<image>";
  }
  if (marks.empty()) return question;
  return question.empty() ? marks : StrCat(marks, "\n", question);
}

// One path stands alone, several in a list, as the readers of this format expect.
Json OneOrMore(const Json& list) { return list.size() == 1 ? list[0] : list; }

Json Turn(std::string_view from, const std::string& value) { return {{"from", from}, {"value", value}}; }

}  // namespace

Json RecordJson(const Sample& sample, const std::string& id, std::span<const std::string> paths) {
  CHECK_EQ(paths.size(), sample.media.size());
  Json record = {{"id", id}};
  Json images = Json::array();
  Json videos = Json::array();
  const Clip* clip = nullptr;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (const Clip* found = std::get_if<Clip>(&sample.media[i])) clip = found;
    (std::holds_alternative<Clip>(sample.media[i]) ? videos : images).push_back(paths[i]);
  }
  if (!images.empty()) record["image"] = OneOrMore(images);
  if (!videos.empty()) record["video"] = OneOrMore(videos);
  if (sample.form == Form::kDocument) {
    record["text"] = sample.exchanges.front().answer;
    return record;
  }
  Json turns = Json::array();
  Json exchanges = Json::array();
  for (size_t i = 0; i < sample.exchanges.size(); ++i) {
    const Exchange& exchange = sample.exchanges[i];
    turns.push_back(Turn("human", i == 0 ? WithMarks(sample) : exchange.question));
    turns.push_back(Turn("gpt", exchange.answer));
    exchanges.push_back({{"kind", exchange.kind}, {"metric", Name(exchange.metric)}});
  }
  record["conversations"] = std::move(turns);
  record["world"] = {{"exchanges", std::move(exchanges)}};
  if (clip != nullptr) {
    record["world"]["duration"] = clip->duration_s();
    record["world"]["fps"] = clip->fps;
  }
  return record;
}

}  // namespace galago::world

#include <limits>

#include "apps/cli/commands.h"
#include "apps/cli/json_output.h"
#include "apps/cli/values.h"
#include "src/base/strings.h"

namespace galago::cli {
namespace {

// "1,2 3" or "[1, 2, 3]".
StatusOr<std::vector<int32_t>> ParseIds(std::string text) {
  for (char& c : text) {
    if (c == ',' || c == '[' || c == ']' || c == '\n' || c == '\t') c = ' ';
  }
  std::vector<int32_t> ids;
  for (const std::string& word : Split(text, ' ')) {
    if (word.empty()) continue;
    ASSIGN_OR_RETURN(const int64_t id, ParseInt(word, 0, std::numeric_limits<int32_t>::max()));
    ids.push_back(static_cast<int32_t>(id));
  }
  return ids;
}

Exit Decode(World& world, const Options& options, const EngineModel& model) {
  const StatusOr<std::vector<int32_t>> ids = ParseIds(*options.decode);
  if (!ids.ok()) return Fail(world, options.json, Stage::kUsage, Annotate(ids.status(), "--decode"));
  const StatusOr<std::string> text = model.Detokenize(*ids);
  if (!text.ok()) return Fail(world, options.json, Stage::kInput, text.status());
  if (options.json) {
    const Json json = {{"schema", "galago.detokenize/1"}, {"model", model.name()}, {"ids", *ids}, {"text", *text}};
    return Deliver(world, StrCat(Dump(json), "\n"));
  }
  return Deliver(world, StrCat(world.out_is_terminal ? NeutraliseControls(*text) : *text, "\n"));
}

}  // namespace

Exit TokenizeCommand(World& world, const Options& options) {
  std::string text;
  if (!options.decode) {
    StatusOr<std::string> prompt = ReadPrompt(world, options);
    if (!prompt.ok()) return Fail(world, options.json, Stage::kInput, prompt.status());
    text = *std::move(prompt);
  }
  Failure failure;
  const std::unique_ptr<EngineModel> model = OpenModel(world, options, failure);
  if (model == nullptr) return Fail(world, options.json, failure.stage, failure.status);
  if (options.decode) return Decode(world, options, *model);
  const StatusOr<std::vector<Token>> tokens =
      model->Tokenize(text, !options.no_special, options.generate.parse_special);
  if (!tokens.ok()) return Fail(world, options.json, Stage::kInput, tokens.status());
  if (options.json) return Deliver(world, StrCat(Dump(TokensJson(*tokens, model->name())), "\n"));
  std::string out;
  for (const Token& token : *tokens) {
    out += StrCat(token.id, "\t", Printable(token.piece, std::numeric_limits<size_t>::max()), "\n");
  }
  return Deliver(world, out);
}

}  // namespace galago::cli

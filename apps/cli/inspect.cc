#include "apps/cli/commands.h"
#include "src/base/strings.h"

namespace galago::cli {

Exit InspectCommand(World& world, const Options& options) {
  Options with_model = options;
  if (!options.arguments.empty()) with_model.model = options.arguments[0];
  Failure failure;
  const std::unique_ptr<EngineModel> model = OpenModel(world, with_model, failure);
  if (model == nullptr) return Fail(world, options.json, failure.stage, failure.status);
  std::string text = options.json ? model->DescribeJson() : model->DescribeText();
  if (!text.ends_with('\n')) text += '\n';
  return Deliver(world, world.out_is_terminal ? NeutraliseControls(text) : text);
}

}  // namespace galago::cli
